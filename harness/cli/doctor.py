"""Examine before a run whether everything is set up: addresses, TLS, certificates, clocks, control, data, pack.

Each line says what to do. What is found here is never a verdict about your system.

Exit 0 when nothing is wrong, 11 otherwise.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.cli.common import add_target, confirmer
from harness.errors import CONFIGURATION, CONFORMANT
from harness.target.doctor import diagnose
from harness.target.load import find_pack_of, load_target

if TYPE_CHECKING:
    import argparse

MARKS = {True: "ok  ", False: "FAIL", None: "note"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_target(parser)


def run(options: argparse.Namespace) -> int:
    """Examine, and print one line for each thing that was looked at."""
    target = load_target(options.target)
    pack = find_pack_of(target, options.pack)
    lines = asyncio.run(diagnose(target, pack, confirmer(always=options.yes)))
    for line in lines:
        print(f"{MARKS[line.ok]} {line.check}: {line.what}" + (f" {line.remedy}" if line.remedy else ""))
    wrong = sum(line.ok is False for line in lines)
    print(f"{wrong} of {len(lines)} must be corrected before a run." if wrong else "Ready for a run.")
    return CONFIGURATION if wrong else CONFORMANT
