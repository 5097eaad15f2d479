"""Show that the suite bites: play it against every fault, and against every legal variation.

  c2c teeth                                      every fault, with the cases that it can affect
  c2c teeth --role platform --fault 'accepts-*'  some faults
  c2c teeth --fault forgets-chain --full         one fault, with all cases
  c2c teeth --variations                         legal variations, which must not be complained about
  c2c teeth --sample 8 --seed 20261123           some of them, drawn

Exit 0 when every fault is killed by the demand that it breaks, and no variation has a complaint; else 1.
"""

from __future__ import annotations

import json
import random
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import harness
from harness.errors import CONFORMANT, NOT_CONFORMANT, ConfigurationFault, Where
from harness.pack.data import known_packs
from harness.pack.names import pick
from harness.teeth.choose import affected, usual
from harness.teeth.matrix import kill_matrix, summary, variation_table
from harness.teeth.model import Bite, Trial, all_killed, complaints, row_of
from harness.teeth.trial import cases_of, pack_of, sorted_by, try_all, try_variations

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from harness.pack.model import Pack
    from harness.teeth.model import Observed, Row


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    default = next(iter(known_packs()), None)
    parser.add_argument("--pack", metavar="P", default=default, help=f"name or folder of the pack (default: {default})")
    parser.add_argument("--role", metavar="R", help="only faults and variations of this role")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME", help="only these; * and ? as in file names"
    )
    parser.add_argument("--variations", action="store_true", help="try the legal variations instead of the faults")
    parser.add_argument("--full", action="store_true", help="play all cases, not only those that can be affected")
    parser.add_argument("--sample", type=int, metavar="N", help="only N, drawn by the seed")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the sample (default: 0)")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes (default: two for each processor)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument(
        "--docs", type=Path, metavar="DIR", help="try everything, and write the tables to DIR/<pack>, and teeth.yaml"
    )


def run(options: argparse.Namespace) -> int:
    """Try, and show the matrix."""
    if options.docs and (options.role or options.fault or options.sample is not None):
        raise ConfigurationFault(
            "--docs writes tables of all faults and variations",
            remedy="Leave out --role, --fault and --sample, or leave out --docs.",
        )
    pack = pack_of(options.pack)
    if options.role is not None:
        pick(options.role, pack.roles, "role", Where(pack.root / "pack.yaml"))
    rows: list[Row] = []
    found: list[Observed] = []
    if options.docs or not options.variations:
        rows = _bite(pack, _drawn(_faults(pack, options), options), options)
    if options.variations or (options.docs and pack.variations):
        found = _vary(pack, _drawn(_variations(pack, options), options), options)
    if options.json:
        told = [
            {"variation": each.trial.switch, "role": each.trial.role, "complaints": complaints(each)} for each in found
        ]
        print(json.dumps({"faults": [row.to_json() for row in rows], "variations": told}, indent=1))
    else:
        print("\n".join((*map(_line, rows), *map(_told, found), *_sums(rows, found))))
    if options.docs:
        write_down(pack, options.docs / pack.id, rows, found)
    return CONFORMANT if all_killed(rows) and not any(map(complaints, found)) else NOT_CONFORMANT


def write_down(pack: Pack, folder: Path, rows: Sequence[Row], found: Sequence[Observed]) -> None:
    """Write the tables of a pack, and the summary that it carries.

    Parameters:
        pack: what was tried; ``teeth.yaml`` is written to its folder.
        folder: of the tables; made where it is missing.
        rows: of all faults.
        found: of all legal variations; without any there is no table of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tool = harness.__version__
    (folder / "kill-matrix.md").write_text(kill_matrix(pack, rows, tool), "utf-8", newline="\n")
    if found:
        (folder / "variations.md").write_text(variation_table(pack, found, tool), "utf-8", newline="\n")
    (pack.root / "teeth.yaml").write_text(summary(pack, tool, rows, found), "utf-8", newline="\n")


def _faults(pack: Pack, options: argparse.Namespace) -> list[Trial]:
    return [
        Trial(
            options.pack,
            fault.role,
            fault.id,
            () if options.full else affected(pack, fault, cases_of(options.pack, fault.role)),
        )
        for fault in pack.faults.values()
        if fault.id in _named(options, pack.faults) and options.role in (None, fault.role)
    ]


def _variations(pack: Pack, options: argparse.Namespace) -> list[Trial]:
    return [
        Trial(
            options.pack,
            role,
            variation.id,
            () if options.full else usual(cases_of(options.pack, role)),
            variation=True,
        )
        for variation in pack.variations.values()
        for role in variation.roles
        if variation.id in _named(options, pack.variations) and options.role in (None, role)
    ]


def _named(options: argparse.Namespace, known: Iterable[str]) -> set[str]:
    return {name for name in known if not options.fault or any(fnmatchcase(name, each) for each in options.fault)}


def _drawn(trials: list[Trial], options: argparse.Namespace) -> list[Trial]:
    if not trials:
        raise ConfigurationFault(
            "nothing in the pack fits",
            expected="names of faults or variations, as in faults.yaml and variations.yaml of the pack",
        )
    if options.sample is None or options.sample >= len(trials):
        return trials
    return random.Random(options.seed).sample(trials, max(options.sample, 1))  # noqa: S311 - not a secret


def _bite(pack: Pack, trials: Sequence[Trial], options: argparse.Namespace) -> list[Row]:
    faults = pack.faults
    ordered = sorted_by(faults, _watched(try_all(trials, options.jobs), len(trials)))
    return [row_of(each, faults[each.trial.switch].title, faults[each.trial.switch].requirement) for each in ordered]


def _vary(pack: Pack, trials: Sequence[Trial], options: argparse.Namespace) -> list[Observed]:
    return sorted_by(pack.variations, _watched(try_variations(trials, options.jobs), len(trials)))


def _watched(trials: Iterable[Observed], most: int) -> Iterable[Observed]:
    """The trials as they end, counted: a terminal shows the last one, a file gets a line for each."""
    live = sys.stderr.isatty()
    for number, observed in enumerate(trials, 1):
        said = f"{number}/{most} {observed.trial.switch}"
        print(f"\r{said[:76]:76}" if live else said, end="" if live else "\n", file=sys.stderr, flush=True)
        yield observed
    if live:
        print("\r" + " " * 76 + "\r", end="", file=sys.stderr)


def _line(row: Row) -> str:
    names = row.killers or tuple(f"{case} ({' '.join(broken)})" for case, broken in row.others.items())
    return f"{row.bite.value:8}  {row.fault}: {row.requirement} ({row.played} cases)" + "".join(
        f"\n            {name}" for name in names
    )


def _told(observed: Observed) -> str:
    said = complaints(observed)
    word = "complaint" if said else "ok"
    return f"{word:9} {observed.trial.switch} ({observed.trial.role})" + "".join(
        f"\n            {each}" for each in said
    )


def _sums(rows: Sequence[Row], found: Sequence[Observed]) -> Iterable[str]:
    if rows:
        numbers = ", ".join(f"{sum(row.bite is bite for row in rows)} {bite.value}" for bite in Bite)
        yield f"{len(rows)} faults: {numbers}"
    if found:
        wrong = sum(bool(complaints(each)) for each in found)
        yield f"{len(found)} runs with legal variations: {wrong} with a complaint"
