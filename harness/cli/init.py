"""Ask a few questions, and write the first target, ICS and IXIT files, with comments.

An empty answer takes the suggestion in brackets. Nothing is overwritten. Afterwards:

  c2c doctor --target target.yaml
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CONFORMANT, ConfigurationFault
from harness.host import split_command
from harness.pack.data import known_packs
from harness.pack.load import load_pack
from harness.target.init import Answers, check_new, write_target_files

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from harness.pack.model import Pack

CONTROLS = ("http", "command", "guided", "none")
ATTEMPTS = 3
"""Wrong answers to one question after which we give up, where no person sits at a terminal."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="where to write (.)")
    parser.add_argument("--pack", metavar="P", help="name or folder of the pack (default: is asked)")


def run(options: argparse.Namespace) -> int:
    """Ask, write, and say which files there are now."""
    check_new(options.folder)
    name = options.pack or _ask("Pack", known_packs()[0] if known_packs() else "")
    pack = load_pack(name)
    told = name if name in known_packs() else str(pack.root.resolve())
    for file in write_target_files(_answers(told, pack), pack, options.folder):
        print(file)
    target = options.folder / "target.yaml"
    print(f"Next: fill in what the comments ask for, then run `c2c doctor --target {target}`.")
    return CONFORMANT


def _answers(name: str, pack: Pack) -> Answers:
    role = _choose("Role of your system", tuple(pack.roles))
    possible = pack.roles[role].positions
    positions = _choose_some("Positions that it takes", possible) if possible else ()
    seat = f"{role}.{positions[0]}" if positions else role
    authority, product, version = _ask("Authority that answers for it"), _ask("Product"), _ask("Version")
    contact = _ask_or_leave("Contact")
    known = pack.parties[seat].facts
    own = pack.roles[role].own or tuple(known)
    facts = {fact: _ask(f"Your {fact}, as messages say it", known[fact]) for fact in own if fact in known}
    url = _ask_or_leave("Address at which it receives messages, if it does")
    control = _choose("How can the harness ask your system to send something (guided: it tells a person)", CONTROLS)
    return Answers(
        pack=name,
        role=role,
        positions=positions,
        authority=authority,
        product=product,
        version=version,
        contact=contact,
        facts=facts,
        url=url,
        control=control,
        control_url=_ask("Address of its control interface") if control == "http" else "",
        command=split_command(_ask("Command")) if control == "command" else (),
        listen_host=_ask("Address on which the harness listens", "127.0.0.1"),
        listen_port=int(_ask("Port on which the harness listens", "8443", digits=True)),
        advertise=_ask_or_leave("Address that your system uses for it, if another"),
    )


def _ask_or_leave(question: str) -> str:
    """An answer, or nothing for a dash."""
    return _ask(question, "-").removeprefix("-")


def _ask(question: str, suggestion: str = "", *, digits: bool = False) -> str:
    """Ask until there is an answer."""

    def wrong(answer: str) -> str:
        if not answer:
            return "An answer is needed here."
        return f"{answer!r} is not a number." if digits and not answer.isdigit() else ""

    return _until(question, suggestion, wrong)


def _choose(question: str, choices: Sequence[str]) -> str:
    def wrong(answer: str) -> str:
        return "" if answer in choices else f"{answer!r} is none of them."

    return _until(f"{question} ({', '.join(choices)})", choices[0], wrong)


def _choose_some(question: str, choices: Sequence[str]) -> tuple[str, ...]:
    def wrong(answer: str) -> str:
        return next((f"{each!r} is none of them." for each in _words(answer) if each not in choices), "")

    return _words(_until(f"{question} ({', '.join(choices)})", " ".join(choices), wrong))


def _words(answer: str) -> tuple[str, ...]:
    return tuple(answer.replace(",", " ").split())


def _until(question: str, suggestion: str, wrong: Callable[[str], str]) -> str:
    """Ask until an answer is right; who is no person is not asked for ever.

    Parameters:
        question: what is asked.
        suggestion: what an empty answer means; empty where there is none.
        wrong: says what is wrong with an answer, or nothing.

    Raises:
        ConfigurationFault: the input ended, or is no terminal and gave no right answer several times.
    """
    hint, attempts = f" [{suggestion}]" if suggestion else "", 0
    while True:
        try:
            answer = input(f"{question}{hint}: ").strip() or suggestion
        except EOFError:
            raise _no_answers(f"the answers ended at {question!r}") from None
        problem = wrong(answer)
        if not problem:
            return answer
        print(problem)
        attempts += 1
        if attempts == ATTEMPTS and not sys.stdin.isatty():
            raise _no_answers(f"{attempts} answers in a row cannot be used at {question!r}")


def _no_answers(what: str) -> ConfigurationFault:
    return ConfigurationFault(what, remedy="Call it on a terminal, or give one line for each question.")
