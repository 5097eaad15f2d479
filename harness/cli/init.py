"""Ask a few questions, and write the first target, ICS and IXIT files, with comments.

An empty answer takes the suggestion in brackets. Nothing is overwritten. Afterwards:

  c2c doctor --target target.yaml
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CONFORMANT, ConfigurationFault
from harness.host import split_command
from harness.pack.data import known_packs
from harness.pack.load import load_pack
from harness.target.init import Answers, write_target_files

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from harness.pack.model import Pack

CONTROLS = ("http", "command", "guided", "none")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="where to write (.)")
    parser.add_argument("--pack", metavar="P", help="name or folder of the pack (default: is asked)")


def run(options: argparse.Namespace) -> int:
    """Ask, write, and say which files there are now."""
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
    hint = f" [{suggestion}]" if suggestion else ""
    while True:
        try:
            answer = input(f"{question}{hint}: ").strip() or suggestion
        except EOFError:
            raise ConfigurationFault(
                f"the answers ended at {question!r}",
                remedy="Call it on a terminal, or give one line for each question.",
            ) from None
        if digits and answer and not answer.isdigit():
            print(f"{answer!r} is not a number.")
        elif answer:
            return answer
        else:
            print("An answer is needed here.")


def _choose(question: str, choices: Sequence[str]) -> str:
    while True:
        answer = _ask(f"{question} ({', '.join(choices)})", choices[0])
        if answer in choices:
            return answer
        print(f"{answer!r} is none of them.")


def _choose_some(question: str, choices: Sequence[str]) -> tuple[str, ...]:
    while True:
        answers = _ask(f"{question} ({', '.join(choices)})", " ".join(choices)).replace(",", " ").split()
        unknown = [each for each in answers if each not in choices]
        if not unknown:
            return tuple(answers)
        print(f"{unknown[0]!r} is none of them.")
