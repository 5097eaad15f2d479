"""What changed between two runs, and what a corrected pack says about an old one."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from small_run import small_pack, small_run

from harness.bundle.compare import compare, has_new_failures
from harness.bundle.newer import rejudge_bundle
from harness.bundle.write import write_bundle
from harness.cli.main import main
from harness.errors import ConfigurationFault
from harness.pack.load import load_pack
from harness.record.strict import loads
from harness.security.statement_key import SigningKey

Record = dict[str, Any]
CASE = {"id": "a", "version": 1, "verdict": "pass", "reason": "", "seconds": 1.0}


def record(*cases: Record, **more: Any) -> Record:
    requirements = more.pop("requirements", [])
    return {"cases": list(cases), "requirements": requirements, "waivers": more.pop("waivers", [])}


def waiver(state: str, *cases: str) -> Record:
    return {"state": state, "cases": list(cases)}


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ({}, {}, []),
        ({}, {"verdict": "fail", "reason": "No."}, ["new failure"]),
        ({}, {"verdict": "inconclusive", "reason": "?"}, ["new failure"]),
        ({"verdict": "warning"}, {"verdict": "pass"}, ["other verdict"]),
        ({"verdict": "fail"}, {"verdict": "warning"}, ["fixed"]),
        ({"verdict": "inconclusive"}, {"verdict": "fail"}, ["other verdict"]),
        ({"verdict": "fail", "reason": "A."}, {"verdict": "fail", "reason": "B."}, ["other reason"]),
        ({"reason": "A."}, {"reason": "B."}, []),
        ({}, {"version": 2}, ["other version"]),
        ({}, {"seconds": 1.4}, []),
        ({}, {"seconds": 2.0}, ["other timing"]),
        ({"seconds": 0.001}, {"seconds": 0.1}, []),
        ({}, {"seconds": 0.2}, ["other timing"]),
    ],
)
def test_each_kind_of_change_is_named(before: Record, after: Record, kinds: list[str]) -> None:
    changes = compare(record({**CASE, **before}), record({**CASE, **after}))
    assert [each.kind for each in changes] == kinds
    assert has_new_failures(changes) == ("new failure" in kinds)


def test_cases_come_and_go_and_one_that_comes_failed_is_a_new_failure() -> None:
    other = {**CASE, "id": "b"}
    assert [each.kind for each in compare(record(CASE), record(other))] == ["added", "removed"]
    failed = compare(record(CASE), record(CASE, {**other, "verdict": "fail"}))
    assert [(each.kind, each.id) for each in failed] == [("new failure", "b")]


def test_a_waived_failure_is_no_new_one() -> None:
    failed = {**CASE, "verdict": "fail"}
    changes = compare(record(CASE), record(failed, waivers=[waiver("used", "a")]))
    assert [each.kind for each in changes] == ["waived failure"]
    assert not has_new_failures(changes)
    assert has_new_failures(compare(record(CASE), record(failed, waivers=[waiver("expired", "a")])))


def test_requirements_are_compared() -> None:
    one, other = ([{"id": "R", "status": status}] for status in ("passed", "failed"))
    (change,) = compare(record(requirements=one), record(requirements=other))
    assert (change.kind, change.id, change.before, change.after) == ("requirement", "R", "passed", "failed")


def test_the_command_compares_two_bundles(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(bundle), str(bundle)]) == 0
    assert "nothing changed" in capsys.readouterr().out
    good = loads((bundle / "record.json").read_bytes(), "record.json")
    case = next(each["id"] for each in good["cases"] if each["verdict"] == "pass")
    run = small_run(tmp_path, wrong={case: "301"})
    write_bundle(run.folder, run.plan, run.pack, run.record(), [])
    assert main(["compare", str(bundle), str(run.folder)]) == 1
    assert f"new failure     {case}" in capsys.readouterr().out
    assert main(["compare", str(run.folder), str(bundle), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["new_failures"] == 0
    assert {"kind": "fixed", "id": case}.items() <= next(c for c in answer["changes"] if c["id"] == case).items()


def corrected(folder: Path) -> Path:
    """The pack of the small run, with references that are bound to a form."""
    small_pack(folder)
    path = folder / "suites" / "neighbours" / "schemas" / "types.json"
    text = path.read_text("utf-8")
    path.write_text(text.replace('"maxLength": 35}', '"maxLength": 35, "pattern": "^X[AB]-"}', 1), "utf-8")
    return folder / "suites" / "open-neighbours"


def test_a_corrected_pack_changes_verdicts_without_another_run(
    tmp_path: Path, key: SigningKey, capsys: pytest.CaptureFixture[str]
) -> None:
    run = small_run(tmp_path / "run")
    old = run.record()
    write_bundle(run.folder, run.plan, run.pack, old, [key])
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    pack = corrected(tmp_path / "packs")
    rejudged = rejudge_bundle(run.folder, load_pack(pack))
    assert rejudged.new["pack"]["digest"] != old["pack"]["digest"]
    failed = [each for each in rejudged.changes if each.kind == "new failure"]
    assert failed
    assert all("does not match" in each.after or "fail" in each.after for each in failed)
    assert {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()} == before
    assert main(["rejudge", str(run.folder), "--pack", str(pack)]) == 10  # all sources of this pack are assumed
    assert f"new failure     {failed[0].id}" in capsys.readouterr().out


def test_the_same_pack_changes_nothing(bundle: Path) -> None:
    pack = load_pack(bundle / "pack" / "suites" / "open-neighbours")
    assert rejudge_bundle(bundle, pack).changes == ()


def test_timers_are_those_of_the_newer_pack_where_the_target_had_not_changed_them(bundle: Path) -> None:
    pack = load_pack(bundle / "pack" / "suites" / "open-neighbours")
    timers = dict.fromkeys(pack.timers, timedelta(seconds=1234))
    assert timers
    old = rejudge_bundle(bundle, pack).new["plan"]["environment"]
    assert rejudge_bundle(bundle, replace(pack, timers=timers)).new["plan"]["environment"] != old


def test_sealed_evidence_cannot_be_judged(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(bundle, folder)
    shutil.rmtree(folder / "evidence")
    with pytest.raises(ConfigurationFault, match="no evidence to judge"):
        rejudge_bundle(folder, load_pack(bundle / "pack" / "suites" / "open-neighbours"))
