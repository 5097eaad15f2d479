"""The command ``c2c``: calls one command, and turns every fault into one paragraph and an exit code."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
import textwrap
from typing import TYPE_CHECKING, NoReturn

import harness
from harness.errors import CONFIGURATION, HARNESS, NOT_FULLY_VERIFIED, ConfigurationFault, HarnessError
from harness.host import end_as_by_ctrl_c

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

COMMANDS = (
    "demo",
    "run",
    "judge",
    "verify",
    "report",
    "review",
    "sign",
    "xades",
    "share",
    "unseal",
    "rejudge",
    "compare",
    "annotate",
    "admit",
    "register",
    "check",
    "init",
    "attest",
    "pki",
    "doctor",
    "list",
    "coverage",
    "plan",
    "serve",
    "teeth",
    "pack",
    "schema",
)
"""The module of a command is read when it is called: most need little of the program."""
EXIT_CODES = """\
exit codes:
  0 conformant   1 not conformant   10 not fully verified
  11 something is not set up right   12 a fault of the harness   13 the bundle is not valid
"""
WIDTH = 100


class Parser(argparse.ArgumentParser):
    """argparse whose complaints are configuration faults, with the same exit code as all others."""

    def error(self, message: str) -> NoReturn:
        """Complain about the command line."""
        raise ConfigurationFault(message, remedy=f"`{self.prog} --help` shows how it is called.")


def command_module(name: str) -> ModuleType:
    """The module of a command: ``configure(parser)`` declares its options, ``run(options)`` does it."""
    return importlib.import_module(f"harness.cli.{'list_cases' if name == 'list' else name}")


def make_parser(names: Iterable[str] = COMMANDS) -> Parser:
    """The parser of these commands."""
    parser = Parser(
        prog="c2c",
        description=harness.__doc__,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"c2c-harness {harness.__version__}")
    parser.add_argument("--debug", action="store_true", help="show where in the program a fault came from")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in names:
        command = command_module(name)
        summary, _, more = (command.__doc__ or "").partition("\n\n")
        child = commands.add_parser(
            name,
            help=summary.rstrip("."),
            description=summary,
            epilog="\n\n".join(filter(None, (more.strip("\n"), EXIT_CODES))),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.configure(child)
        child.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters:
        arguments: without the program's name; those of the process by default.

    Returns:
        an exit code of :mod:`harness.errors`.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if arguments is None:
        arguments = sys.argv[1:]
        end_as_by_ctrl_c()
    debug = "--debug" in arguments
    try:
        options = make_parser(_called(arguments)).parse_args(arguments)
        code = int(options.run(options))
        sys.stdout.flush()
    except HarnessError as fault:
        text, code = str(fault), fault.exit_code
    except KeyboardInterrupt as stopped:
        text, code = str(stopped) or "Stopped. Nothing was finished.", NOT_FULLY_VERIFIED
    except OSError as problem:
        if isinstance(problem, BrokenPipeError) and _nobody_reads():
            return NOT_FULLY_VERIFIED
        name = getattr(problem, "filename", None)
        text = f"{name}: {problem.strerror}. Check the path and its permissions." if name else str(problem)
        code = CONFIGURATION if name else HARNESS
    except Exception as problem:
        if debug:
            raise
        text = f"This is a fault of the harness, not yours: {type(problem).__name__}: {problem}. "
        text += "Please report it with the output of the same command with `c2c --debug`."
        code = HARNESS
    else:
        return code
    print(textwrap.fill(f"c2c: {text}", WIDTH, break_long_words=False, break_on_hyphens=False), file=sys.stderr)
    return code


def _called(arguments: Sequence[str]) -> Sequence[str]:
    """The command that is called; all of them where none is."""
    first = next((each for each in arguments if not each.startswith("-")), "")
    return (first,) if first in COMMANDS else COMMANDS


def _nobody_reads() -> bool:
    """Whether what read our output has ended, as ``head`` does; what is still to be written goes nowhere then."""
    try:
        print(flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
