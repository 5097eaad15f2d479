"""What several commands share: options of a campaign, questions to the person, and how a campaign is shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.campaign import Result, describe

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from harness.campaign import Campaign

PAUSE = 0.2
"""Seconds between two looks at a campaign: how soon Ctrl-C is noticed where waiting cannot be interrupted."""


def add_target(parser: argparse.ArgumentParser) -> None:
    """The options of everything that speaks with a system under test."""
    parser.add_argument("--target", required=True, type=Path, metavar="T", help="target file (c2c init makes one)")
    parser.add_argument("--pack", metavar="P", help="name or folder of the pack (default: the target file's)")
    parser.add_argument("--yes", action="store_true", help="run the control command of the target file without asking")


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Which cases."""
    parser.add_argument(
        "--select",
        action="append",
        default=[],
        metavar="EXPR",
        help="only cases whose id fits; * and ? as in file names; repeatable",
    )


def add_order(parser: argparse.ArgumentParser) -> None:
    """In which order the cases are played; ``--seed`` says which random one."""
    parser.add_argument(
        "--order", choices=("pack", "random"), default="pack", help="of the cases; random follows from --seed"
    )


def add_depth(parser: argparse.ArgumentParser) -> None:
    """How many cases are derived."""
    parser.add_argument(
        "--exhaustive", action="store_true", help="put every defect into every message (by default into one each)"
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Where a bundle goes."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the bundle as this folder (default: out/<time>)")
    parser.add_argument("--zip", action="store_true", help="also write the bundle as DIR.zip")


def confirmer(*, always: bool) -> Callable[[str], bool]:
    """Asks a person yes or no; where there is nobody to ask, the answer is no."""

    def confirm(question: str) -> bool:
        if always:
            return True
        if not sys.stdin.isatty():
            return False
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")

    return confirm


def program() -> str:
    """How this program was called, to be repeated in a hint."""
    if Path(sys.argv[0]).stem != "__main__":
        return "c2c"
    python = Path(sys.executable)
    return f"{python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python} -m harness"


def watch(campaign: Campaign, out: Path) -> int:
    """Wait for a campaign that writes to a folder, and show how it ended.

    The first Ctrl-C stops the campaign, which then writes what it has; the second one leaves at once.
    """
    try:
        _wait(campaign)
    except KeyboardInterrupt:
        print("\nStopping. What was played is kept; Ctrl-C again leaves at once.", file=sys.stderr)
        campaign.stop(now=True)
        try:
            _wait(campaign)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"Left at once. What was recorded is kept in {out}; `{program()} judge {out}` makes a bundle of it."
            ) from None
    result: Result = campaign.result()
    print("\n".join(describe(result)))
    return result.exit_code


def _wait(campaign: Campaign) -> None:
    while not campaign.wait(PAUSE):
        pass
