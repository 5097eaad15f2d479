"""Writing a bundle. The run has put its evidence into the folder already; the rest is added, the statement last.

::

    record.json plan.json ics.json    what was found, what was planned, what the system claims
    pack/suites/<pack>/ pack/fixtures/  the profile, as it was
    evidence/events.jsonl sha256/     everything observed, and the exact bytes
    derived/                          reports, made from the record
    statement.dsse.json               digests of all of these, signed
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.bundle.files import STATEMENT, inventory, write_zip
from harness.bundle.keys import SigningKey
from harness.bundle.statement import make_statement, sign
from harness.errors import ConfigurationFault, HarnessFault, Where
from harness.evidence.store import Store
from harness.host import make_durable
from harness.judge.model import Verdict
from harness.pack.data import data_folder
from harness.pack.layers import find_layers
from harness.pack.model import Pack
from harness.record.strict import dumps
from harness.report.derive import DERIVED
from harness.scenario.plan import Plan, plan_to_json

EVIDENCE = "evidence"
_MADE_HERE = ("pack", "derived", "record.json", "plan.json", "ics.json", STATEMENT)


def write_bundle(
    folder: Path,
    plan: Plan,
    pack: Pack,
    record: Mapping[str, Any],
    keys: Sequence[SigningKey],
    *,
    ics: Mapping[str, Any] | None = None,
    zipped: Path | None = None,
) -> Path | None:
    """Make the folder of a run into a certification bundle.

    Parameters:
        folder: holds ``evidence/`` of the finished run; nothing of an earlier bundle in it is kept.
        plan, pack, record: of the run.
        keys: who signs; nobody leaves the bundle without a statement.
        ics: what the system claims to support, where a file of its own says so.
        zipped: also write the bundle as this ``.zip``.

    Returns:
        the statement, or ``None`` when there is none: nobody signs, or the harness itself went wrong in a case.

    Raises:
        ConfigurationFault: the folder cannot be written, or holds files that are not the bundle's.
    """
    _clear(folder)
    try:
        _write(folder / "record.json", dumps(record))
        _write(folder / "plan.json", dumps(plan_to_json(plan)))
        if ics is not None:
            _write(folder / "ics.json", dumps(ics))
        _copy_pack(pack, folder / "pack")
        store = Store(folder / EVIDENCE)
        for name, derive in DERIVED.items():
            _write(folder / "derived" / name, derive(record, store.get))
        statement = _sign(folder, record, keys)
    except OSError as problem:
        raise ConfigurationFault(
            f"the bundle cannot be written: {problem.strerror}",
            where=Where(problem.filename or folder),
            remedy="Make the folder writable and free some space, then judge the evidence again.",
        ) from None
    if zipped is not None:
        write_zip(folder, zipped)
    return statement


def _sign(folder: Path, record: Mapping[str, Any], keys: Sequence[SigningKey]) -> Path | None:
    went_wrong = any(case["verdict"] == Verdict.HARNESS_ERROR.value for case in record["cases"])
    if went_wrong or not keys:
        return None
    statement = make_statement(record, inventory(folder), demo=any(key.demo for key in keys))
    _write(folder / STATEMENT, sign(statement, keys))
    return folder / STATEMENT


def _clear(folder: Path) -> None:
    known = {EVIDENCE, *_MADE_HERE}
    foreign = sorted(entry.name for entry in folder.iterdir() if entry.name not in known)
    if foreign:
        raise ConfigurationFault(
            f"the folder holds something that is not the bundle's: {foreign[0]}",
            where=Where(folder),
            expected="a folder of its own for each run",
            remedy="Move it elsewhere: everything in the folder would be signed and shared.",
        )
    for name in _MADE_HERE:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for part in (folder / EVIDENCE).rglob("*.part"):
        part.unlink()


def _write(path: Path, data: bytes) -> None:
    """Write a file that is never seen half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        make_durable(file.fileno())
    part.replace(path)


def _copy_pack(pack: Pack, target: Path) -> None:
    layers = find_layers(pack.root)
    skip = shutil.ignore_patterns(".*", "__pycache__")
    for depth, root in enumerate(layers.roots):
        name = pack.id if depth == 0 else root.name
        shutil.copytree(root, target / "suites" / name, ignore=skip)
    for samples in layers.fixtures:
        if not any(samples.resolve().is_relative_to(root.resolve()) for root in layers.roots):
            below = _below_fixtures(layers.roots, samples.resolve())
            shutil.copytree(samples, target / "fixtures" / below, ignore=skip, dirs_exist_ok=True)


def _below_fixtures(roots: Sequence[Path], samples: Path) -> Path:
    beside = [root.resolve().parent.parent / "fixtures" for root in roots]
    for base in (*beside, data_folder("fixtures").resolve()):
        if samples.is_relative_to(base):
            return samples.relative_to(base)
    raise HarnessFault(f"the golden samples {samples} lie in no folder of fixtures")
