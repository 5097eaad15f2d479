"""Writing a bundle: what was planned before the first event, what was found after the last one, the statement last.

Whatever ends a run, its folder holds all that is needed to judge it: plan, claims, pack and evidence.

::

    record.json plan.json ics.json    what was found, what was planned, what the system claims
    pack/suites/<pack>/ pack/fixtures/  the profile, as it was
    evidence/events.jsonl messages-*  everything observed, and the exact bytes
    view/                             the same, masked
    derived/                          reports, made from the record
    statement.dsse.json               digests of all of these, signed
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.bundle.agree import is_trial
from harness.bundle.files import STATEMENT, inventory, write_zip
from harness.bundle.statement import make_statement, sign
from harness.errors import ConfigurationFault, HarnessFault, Where
from harness.evidence.log import FILE as LOG
from harness.evidence.log import read_events
from harness.evidence.store import Store
from harness.host import make_durable
from harness.judge.model import Verdict
from harness.pack.data import data_folder
from harness.pack.layers import find_layers
from harness.pack.model import Pack
from harness.record.strict import dump_lines, dumps, loads
from harness.record.view import VIEW
from harness.report.derive import DERIVED
from harness.scenario.plan import Plan, plan_to_json
from harness.security.statement_key import Signer

EVIDENCE = "evidence"
RECORD, PLAN, CLAIMS, PACK = "record.json", "plan.json", "ics.json", "pack"
_FIRST = (PLAN, CLAIMS, PACK)
_LAST = ("derived", "view", RECORD, STATEMENT)


def begin_bundle(folder: Path, plan: Plan, pack: Pack, *, ics: Mapping[str, Any] | None = None) -> None:
    """Put what was planned into the folder of a run, before its first event.

    Parameters:
        folder, plan, pack, ics: see :func:`write_bundle`.

    Raises:
        ConfigurationFault: the folder cannot be written, or holds another plan, other claims or another pack.
    """
    with _writing(folder):
        wanted = {PLAN: dumps(plan_to_json(plan)), **({} if ics is None else {CLAIMS: dumps(ics)})}
        packs = (pack, *(annex.pack for annex in plan.annexes))
        wanted |= {f"{PACK}/{name}": file.read_bytes() for each in packs for name, file in pack_files(each)}
        there = {path.relative_to(folder).as_posix() for path in (folder / PACK).rglob("*") if path.is_file()}
        there |= {name for name in (PLAN, CLAIMS) if (folder / name).exists()}
        for name in sorted(there):
            if name not in wanted or (folder / name).read_bytes() != wanted[name]:
                raise ConfigurationFault(
                    "this file is not what the run was planned with",
                    where=Where(folder / name),
                    remedy="Judge the folder as it is with `c2c judge`, or run again.",
                )
        for name in wanted.keys() - there:
            write_durably(folder / name, wanted[name])


def forget_unused(folder: Path) -> None:
    """Leave nothing behind of a run that ended before anything was observed."""
    log = folder / EVIDENCE / LOG
    if log.is_file() and log.stat().st_size == 0:
        log.unlink()
        _remove(folder, _FIRST)
        for place in (folder / EVIDENCE, folder):
            place.rmdir()


def write_bundle(
    folder: Path,
    plan: Plan,
    pack: Pack,
    record: Mapping[str, Any],
    keys: Sequence[Signer],
    *,
    ics: Mapping[str, Any] | None = None,
    zipped: Path | None = None,
) -> Path | None:
    """Make the folder of a run into a certification bundle.

    Parameters:
        folder: holds ``evidence/`` of the run, and perhaps what :func:`begin_bundle` wrote, which stays. Record,
            reports and statement of an earlier time are replaced.
        plan, pack, record: of the run.
        keys: who signs; nobody leaves the bundle without a statement.
        ics: what the system claims to support, where a file of its own says so.
        zipped: also write the bundle as this ``.zip``.

    Returns:
        the statement, or ``None`` when there is none: nobody signs, or the harness itself went wrong in a case.

    Raises:
        ConfigurationFault: the folder cannot be written, or holds files that are not the bundle's, or not the run's.
    """
    clear(folder)
    begin_bundle(folder, plan, pack, ics=ics)
    with _writing(folder):
        store = Store(folder / EVIDENCE)
        for name, derive in DERIVED.items():
            write_durably(folder / "derived" / name, derive(record, store.get))
        for name, make in VIEW.items():
            _write_lines(folder / "view" / name, make(pack, read_events(folder / EVIDENCE), store.get))
        _write_lines(folder / RECORD, dump_lines(record))
        statement = issue_statement(folder, record, keys)
    if zipped is not None:
        write_zip(folder, zipped)
    return statement


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise ConfigurationFault(
            f"the bundle cannot be written: {problem.strerror}",
            where=Where(problem.filename or folder),
            remedy="Make the folder writable and free some space, then judge what is there with `c2c judge`.",
        ) from None


def issue_statement(folder: Path, record: Mapping[str, Any], keys: Sequence[Signer]) -> Path | None:
    """Write the signed statement about everything else in a folder.

    Returns:
        the statement, or ``None``: nobody signs, or the harness itself went wrong in a case.
    """
    went_wrong = any(case["verdict"] == Verdict.HARNESS_ERROR.value for case in record["cases"])
    if went_wrong or not keys:
        return None
    trial = any(key.demo for key in keys) or is_trial(loads((folder / PLAN).read_bytes(), PLAN))
    statement = make_statement(record, inventory(folder), demo=trial)
    write_durably(folder / STATEMENT, sign(statement, keys))
    return folder / STATEMENT


def clear(folder: Path) -> None:
    """Take away what was concluded from the evidence of a run, and what a crash left half written.

    Raises:
        ConfigurationFault: the folder holds files that are not the bundle's.
    """
    for part in folder.rglob("*.part"):
        part.unlink()
    known = {EVIDENCE, *_FIRST, *_LAST}
    foreign = sorted(entry.name for entry in folder.iterdir() if entry.name not in known)
    if foreign:
        raise ConfigurationFault(
            f"the folder holds something that is not the bundle's: {foreign[0]}",
            where=Where(folder),
            expected="a folder of its own for each run",
            remedy="Move it elsewhere: everything in the folder would be signed and shared.",
        )
    _remove(folder, _LAST)


def _remove(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def write_durably(path: Path, data: bytes) -> None:
    """Write a file of a bundle; it is never seen half written."""
    _write_lines(path, (data,))


def _write_lines(path: Path, lines: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.writelines(lines)
        file.flush()
        make_durable(file.fileno())
    part.replace(path)


def pack_files(pack: Pack) -> Iterator[tuple[str, Path]]:
    """The files of a pack and of those that it extends: name in the bundle's copy, and where each lies now."""
    layers = find_layers(pack.root)
    for depth, root in enumerate(layers.roots):
        yield from _files(root, f"suites/{pack.id if depth == 0 else root.name}")
    for samples in layers.samples:
        if not any(samples.resolve().is_relative_to(root.resolve()) for root in layers.roots):
            yield from _files(samples, f"fixtures/{_below_fixtures(layers.roots, samples.resolve()).as_posix()}")


def _files(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for file in folder.rglob("*"):
        parts = file.relative_to(folder).parts
        if file.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in parts):
            yield "/".join((name, *parts)), file


def _below_fixtures(roots: Sequence[Path], samples: Path) -> Path:
    beside = [root.resolve().parent.parent / "fixtures" for root in roots]
    for base in (*beside, data_folder("fixtures").resolve()):
        if samples.is_relative_to(base):
            return samples.relative_to(base)
    raise HarnessFault(f"the golden samples {samples} lie in no folder of fixtures")
