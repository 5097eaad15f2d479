"""Say what changed between two runs: new failures, fixed, other reasons, case versions, timing, requirements.

  c2c compare last-release/bundle out/20261123-120000

Exit 0 when there is no new failure, 1 when there is one: for continuous integration. A failure that stands on a waiver
is no new failure. The bundles are read and not proved; see c2c verify.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.bundle.compare import Change, compare, has_new_failures
from harness.bundle.verify import opened, read_document
from harness.bundle.write import RECORD
from harness.errors import CONFORMANT, NOT_CONFORMANT

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("before", type=Path, metavar="A", help="a bundle: folder or .zip")
    parser.add_argument("after", type=Path, metavar="B", help="the later one")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(options: argparse.Namespace) -> int:
    """Compare them."""
    old, new = (_record(path) for path in (options.before, options.after))
    changes = compare(old, new)
    print(as_json(old, new, changes) if options.json else "\n".join(in_words(old, new, changes)))
    return NOT_CONFORMANT if has_new_failures(changes) else CONFORMANT


def _record(path: Path) -> dict[str, Any]:
    with opened(path) as folder:
        return read_document(folder / RECORD)


def in_words(old: Mapping[str, Any], new: Mapping[str, Any], changes: Sequence[Change]) -> list[str]:
    """The differences for people."""
    lines = [f"{name}: {_head(record)}" for name, record in (("before", old), ("after", new))]
    for each in changes:
        lines.append(f"{each.kind:<15} {each.id}")
        lines += [f"{'':15}   was: {each.before}"] if each.before else []
        lines += [f"{'':15}   is:  {each.after}"] if each.after else []
    return [*lines, *([] if changes else ["nothing changed"])]


def as_json(old: Mapping[str, Any], new: Mapping[str, Any], changes: Sequence[Change]) -> str:
    """The differences for programs."""
    document = {
        **{name: _facts(record) for name, record in (("before", old), ("after", new))},
        "new_failures": sum(each.kind == "new failure" for each in changes),
        "changes": [{"kind": each.kind, "id": each.id, "before": each.before, "after": each.after} for each in changes],
    }
    return json.dumps(document, indent=1)


def _facts(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "verdict": record["verdict"],
        **record["counts"],
        "pack": f"{record['pack']['id']} {record['pack']['version']}",
        "pack_digest": record["pack"]["digest"],
        "baseline": record["plan"]["baseline"],
        "finished": record["finished"],
    }


def _head(record: Mapping[str, Any]) -> str:
    facts = _facts(record)
    counts = f"required {facts['required']}, executed {facts['executed']}, passed {facts['passed']}"
    return f"{facts['verdict']} ({counts}), {facts['pack']} {facts['pack_digest'][:19]}, {facts['finished']}"
