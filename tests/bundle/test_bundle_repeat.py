"""The failed cases of a complete run are played again: both attempts stand side by side, and it is said everywhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from campaign_kit import running, serving
from jsonschema import Draft202012Validator

from harness.bundle import rejudge
from harness.bundle.compare import compare
from harness.bundle.verify import verify_bundle
from harness.campaign import Campaign
from harness.cli.main import main
from harness.demo import Props
from harness.errors import ConfigurationFault
from harness.evidence.log import read_events
from harness.evidence.store import Store
from harness.judge import again
from harness.judge.model import RunVerdict
from harness.judge.run import judge_run
from harness.pack.data import published_schema
from harness.record.strict import loads
from harness.security.statement_key import load_public_keys
from harness.target.wish import Wish

PACK = str(Path(__file__).parents[1] / "packs" / "neighbours")
FAULT = "refuses-every-arrival"


def record_of(folder: Path) -> dict[str, Any]:
    return loads((folder / "record.json").read_bytes(), "record.json")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("repeat")


@pytest.fixture(scope="module")
def props(place: Path) -> Iterator[Props]:
    """A run against a system with a mistake, in ``first``; then the system without it."""
    with running(place / "sut", PACK, "customs", FAULT) as props:
        wish = Wish(confirm=lambda _: True, select=("movement@*", "lifecycle-*"))
        campaign = Campaign.open(props.target_file, None, wish)
        campaign.start(place / "first")
        assert campaign.wait(120)
        assert campaign.result().judgement.verdict is not RunVerdict.CONFORMANT
    (place / "mended").mkdir()
    with serving(replace(props, config=replace(props.config, faults=(), seed="1")), place / "mended"):
        yield props


@pytest.fixture(scope="module")
def both(place: Path, props: Props) -> Path:
    """The bundle with both attempts; not to be changed."""
    before = {path: path.read_bytes() for path in (place / "first").rglob("*") if path.is_file()}
    command = ["run", "--target", str(props.target_file), "--rerun-failed", str(place / "first"), "--yes"]
    assert main([*command, "--out", str(place / "both")]) == 10
    assert before == {path: path.read_bytes() for path in (place / "first").rglob("*") if path.is_file()}
    return place / "both"


def test_what_failed_is_played_again_with_its_controls_and_nothing_else(place: Path, both: Path) -> None:
    first, merged = record_of(place / "first"), record_of(both)
    bad = {case["id"] for case in first["cases"] if case["verdict"] in ("fail", "inconclusive", "not_run")}
    (again,) = merged["repeated"]
    played = [e.case for e in read_events(both / "evidence") if e.kind == "case-started" and e.at > again["at"]]
    assert sorted(played) == sorted(again["cases"])
    failed = {case["id"] for case in first["cases"] if case["verdict"] == "fail"}
    assert failed
    assert failed <= set(played)
    assert len(played) < len(first["cases"])
    others = [case for case in merged["cases"] if case["id"] not in played]
    assert all("earlier" not in case and case["id"] not in bad for case in others)


def last_event(attempt: dict[str, Any]) -> int:
    return max(message["event"] for step in attempt["steps"] for message in step["messages"])


def first_event(attempt: dict[str, Any]) -> int:
    return min(message["event"] for step in attempt["steps"] for message in step["messages"])


def test_both_attempts_stand_side_by_side(place: Path, both: Path) -> None:
    old = {case["id"]: case for case in record_of(place / "first")["cases"]}
    merged = record_of(both)
    Draft202012Validator(published_schema("record")).validate(merged)
    again = [case for case in merged["cases"] if "earlier" in case]
    assert {case["id"] for case in again} == set(merged["repeated"][0]["cases"])
    for case in again:
        (earlier,) = case["earlier"]
        assert earlier["attempt"] < case["attempt"]
        assert earlier["started"] == old[case["id"]]["started"]
        assert [step["verdict"] for step in earlier["steps"]] == [step["verdict"] for step in old[case["id"]]["steps"]]
        assert case["verdict"] in ("pass", "warning"), case["reason"]
        assert last_event(earlier) < first_event(case)
    assert "fail" in {case["earlier"][0]["verdict"] for case in again}


def test_only_what_was_played_again_is_judged_twice(both: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, pack = rejudge.open_plan(both, loads((both / "plan.json").read_bytes(), "plan.json"))
    events, fetch = tuple(read_events(both / "evidence")), Store(both / "evidence").get
    judged = judge_run(plan, pack, events, fetch)
    asked: list[str] = []
    real = again.judge_case
    monkeypatch.setattr(again, "judge_case", lambda case, *rest: asked.append(case.id) or real(case, *rest))
    earlier = again.earlier_verdicts(plan, pack, events, fetch, judged.cases)
    assert sorted(asked) == sorted(record_of(both)["repeated"][0]["cases"])
    assert earlier == judged.earlier


def test_a_demand_that_was_broken_before_is_not_verified(both: Path) -> None:
    merged = record_of(both)
    status = {each["id"]: (each["status"], each["reason"]) for each in merged["requirements"]}
    word, reason = status["NB-ARRIVAL-OK"]
    assert word == "not verified"
    assert "only when it was played again" in reason
    assert merged["verdict"] == "not fully verified"
    assert merged["complete"]


def test_it_verifies_and_says_that_it_is_not_one_run(both: Path, props: Props, monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in (None, {"name": "c2c-harness", "version": "9"}):
        if tool is not None:
            monkeypatch.setattr(rejudge, "this_tool", lambda: {"name": "c2c-harness", "version": "9"})
        shown = verify_bundle(both, load_public_keys(props.public_key), datetime.now(UTC))
        assert shown.ok, shown.lines
        assert any("NOT one uninterrupted run" in line for line in shown.lines)
        assert shown.statement is not None
        assert len(shown.statement["predicate"]["repeated"]) == 1


def test_the_reports_say_it(both: Path) -> None:
    page = (both / "derived" / "report.html").read_text("utf-8")
    assert "not one uninterrupted run" in page
    assert page.count('class="attempts"') >= 1
    assert "not one uninterrupted run" in (both / "derived" / "summary.html").read_text("utf-8")
    tests = json.loads((both / "derived" / "ctrf.json").read_bytes())["results"]["tests"]
    assert any(test.get("flaky") and test["status"] != "passed" for test in tests)
    assert "<flakyFailure" in (both / "derived" / "junit.xml").read_text("utf-8")
    assert json.loads((both / "derived" / "summary.json").read_bytes())["repeated"] >= 1


def test_a_comparison_says_what_was_played_again(place: Path, both: Path) -> None:
    changes = compare(record_of(place / "first"), record_of(both))
    fixed = [each for each in changes if each.kind == "fixed"]
    assert fixed
    assert all("played again; before: fail" in each.after for each in fixed if each.before.startswith("fail"))


def test_a_repetition_that_is_cut_is_not_complete_and_goes_on(both: Path, props: Props, tmp_path: Path) -> None:
    folder = shutil.copytree(both, tmp_path / "cut")
    for name in ("record.json", "statement.dsse.json"):
        (folder / name).unlink()
    log = folder / "evidence" / "events.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    mark = next(number for number, line in enumerate(lines) if b'"run-repeated"' in line)
    log.write_bytes(b"".join(lines[: mark + 1]))
    assert main(["judge", str(folder)]) == 10
    assert not record_of(folder)["complete"]
    with pytest.raises(ConfigurationFault, match="not complete"):
        Campaign.repeat(props.target_file, folder, tmp_path / "new", Wish())
    assert not (tmp_path / "new").exists()
    campaign = Campaign.resume(props.target_file, folder, Wish(confirm=lambda _: True))
    campaign.start(folder)
    assert campaign.wait(120)
    assert record_of(folder)["complete"]
    assert [len(case.get("earlier", ())) for case in record_of(folder)["cases"]] == [
        len(case.get("earlier", ())) for case in record_of(both)["cases"]
    ]


def test_where_nothing_failed_nothing_is_played_again(both: Path, props: Props, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault, match="nothing failed"):
        Campaign.repeat(props.target_file, both, tmp_path / "new", Wish())
    assert not (tmp_path / "new").exists()


def test_a_plan_and_a_repetition_exclude_each_other(props: Props, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", "--target", str(props.target_file), "--rerun-failed", "x"]
    assert main([*command, "--select", "a"]) == 11
    assert "--rerun-failed and --select exclude each other" in capsys.readouterr().err
