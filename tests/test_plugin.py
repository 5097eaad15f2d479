"""The pytest plug-in: the same machine, verdicts and bundle as ``c2c run``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import entry_points
from itertools import cycle
from pathlib import Path

import fontTools.subset  # noqa: F401 - pytester forgets what is imported in a run, and this cannot be imported twice
import pytest
from campaign_kit import running
from pack_kit import pack_named

from harness.cli.list_cases import cases_for
from harness.cli.main import main
from harness.demo import Props, Show, set_up
from harness.items import Certification
from harness.judge.model import CaseVerdict, Verdict
from harness.pack.data import find_pack

pytest_plugins = ["pytester"]

PACK = find_pack("etir-4.3")
CASES = len(cases_for(pack_named("etir-4.3"), "holder"))
PLUGIN = [] if "c2c-harness" in entry_points(group="pytest11").names else ["-p", "harness.plugin"]


@pytest.fixture(scope="module")
def holder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Props]:
    with running(tmp_path_factory.mktemp("holder"), "etir-4.3", "holder") as props:
        yield props


@pytest.fixture
def absent(tmp_path: Path) -> Props:
    """A target whose system does not run."""
    return set_up(pack_named("etir-4.3"), Show("etir-4.3", "holder"), tmp_path)


def call(pytester: pytest.Pytester, *arguments: str | Path) -> pytest.RunResult:
    spare = ("no:cacheprovider", "no:unraisableexception", "no:hypothesispytest", "no:respx", "no:anyio")
    return pytester.runpytest_inprocess(*PLUGIN, *(word for name in spare for word in ("-p", name)), *arguments)


def verdicts(bundle: Path) -> dict[str, str]:
    record = json.loads((bundle / "record.json").read_bytes())
    return {case["id"]: case["verdict"] for case in record["cases"]}


def test_without_a_target_it_is_inert(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_own(): pass")
    pytester.makefile(".yaml", lifecycle="a: b")
    call(pytester).assert_outcomes(passed=1)
    assert call(pytester, PACK).ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_it_gives_the_verdicts_and_the_bundle_of_the_command_line(
    holder: Props, pytester: pytest.Pytester, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = call(pytester, "--target", holder.target_file, "--out", tmp_path / "by-pytest", PACK)
    result.assert_outcomes(passed=CASES)
    assert result.ret == 0
    result.stdout.re_match_lines(["conformant: ", r"required (\d+), executed \1, passed \1$", "bundle: .*by-pytest$"])
    assert main(["run", "--target", str(holder.target_file), "--out", str(tmp_path / "by-command")]) == 0
    assert verdicts(tmp_path / "by-pytest") == verdicts(tmp_path / "by-command")
    for bundle in ("by-pytest", "by-command"):
        assert main(["verify", str(tmp_path / bundle), "--trust", str(holder.public_key)]) == 0


def test_deselection_chooses_what_is_played(holder: Props, pytester: pytest.Pytester, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    result = call(pytester, "--target", holder.target_file, "--out", out, "--pack", "etir-4.3", "-k", "E9-guarantee")
    result.assert_outcomes(passed=1, deselected=CASES - 1)
    assert result.ret == 10
    assert set(verdicts(out)) == {
        "lifecycle-E9-guarantee-unknown@holder",
        "lifecycle-E9-accepted@holder",
        "lifecycle-E9-accepted@holder~end",
    }


def test_a_failed_case_says_what_was_expected_and_the_first_failure_stops_the_rest(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    with running(tmp_path / "sut", "etir-4.3", "holder", "holder-does-not-sign") as props:
        out = tmp_path / "bundle"
        result = call(pytester, "--target", props.target_file, "--out", out, "-x", PACK)
    assert result.ret == 1
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["fail: *", "purpose: *", "requirements: ETIR-*", "  expected: *", "  observed: *"])
    assert "Traceback" not in result.stdout.str()


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> dict[str, Verdict]:
    """A campaign that is never played: the verdicts that the test puts into it by case id; others pass."""
    given: dict[str, Verdict] = {}
    monkeypatch.setattr(Certification, "start", lambda self, items: None)
    monkeypatch.setattr(
        Certification,
        "verdict_of",
        lambda self, case: CaseVerdict(case.id, given.get(case.id, Verdict.PASS), "because", (), {}),
    )
    return given


OUTCOMES = {
    Verdict.PASS: "passed",
    Verdict.WARNING: "passed",
    Verdict.REVIEW: "failed",
    Verdict.INCONCLUSIVE: "failed",
    Verdict.NOT_RUN: "failed",
    Verdict.FAIL: "failed",
    Verdict.HARNESS_ERROR: "failed",
    Verdict.NOT_APPLICABLE: "skipped",
}


def test_only_pass_and_warning_pass(judged: dict[str, Verdict], absent: Props, pytester: pytest.Pytester) -> None:
    cases = [case.id for case in cases_for(pack_named("etir-4.3"), "holder")]
    judged.update(zip(cases, cycle(OUTCOMES), strict=False))
    assert set(judged.values()) == set(Verdict)
    result = call(pytester, "--target", absent.target_file, PACK)
    reports = result.reprec.getreports("pytest_runtest_logreport")  # type: ignore[attr-defined]
    shown = {each.nodeid.rpartition("::")[2]: each.outcome for each in reports if each.when == "call"}
    assert shown == {case: OUTCOMES[verdict] for case, verdict in judged.items()}


def test_allure_is_told_when_its_option_is_given(
    judged: dict[str, Verdict], absent: Props, pytester: pytest.Pytester, tmp_path: Path
) -> None:
    results = tmp_path / "allure"
    call(pytester, "--target", absent.target_file, "--alluredir", results, PACK).assert_outcomes(passed=CASES)
    told = [json.loads(file.read_bytes()) for file in results.glob("*-result.json")]
    assert len({each["historyId"] for each in told}) == CASES
    assert all(each["attachments"][0]["name"] == "wire log" for each in told)
    assert all(any(label["name"] == "requirement" for label in each["labels"]) for each in told)


def test_collecting_plays_nothing(absent: Props, pytester: pytest.Pytester) -> None:
    result = call(pytester, "--target", absent.target_file, "--collect-only", "-q", PACK)
    result.stdout.fnmatch_lines(["*lifecycle.yaml::lifecycle-E9-accepted@holder", f"{CASES} tests collected*"])
    assert result.ret == 0


def test_only_the_files_of_the_pack_are_collected(absent: Props, pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", lifecycle="a: b")
    pytester.makepyfile("def test_own(): pass")
    result = call(pytester, "--target", absent.target_file, "--collect-only", "-q", pytester.path)
    result.stdout.fnmatch_lines(["1 test collected*"])


def test_it_refuses_to_be_distributed(absent: Props, pytester: pytest.Pytester) -> None:
    pytester.syspathinsert()
    result = call(pytester, "-n", "2", "--target", absent.target_file, PACK)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*Leave -n out*"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "absent.yaml"], "absent.yaml"),
        (["--pack", "etir-4.4"], "there is no pack 'etir-4.4'"),
        (["--challenge", "xyz"], "the challenge 'xyz' cannot be used"),
    ],
)
def test_what_is_not_set_up_right_ends_with_11(
    arguments: list[str], words: str, absent: Props, pytester: pytest.Pytester
) -> None:
    result = call(pytester, "--target", absent.target_file, *arguments)
    assert result.ret == 11
    assert words in result.stdout.str() + result.stderr.str()
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_a_system_that_is_not_there_ends_with_11(absent: Props, pytester: pytest.Pytester, tmp_path: Path) -> None:
    result = call(pytester, "--target", absent.target_file, "--out", tmp_path / "bundle", PACK)
    assert result.ret == 11
    assert "cannot be reached" in result.stdout.str()
    assert not (tmp_path / "bundle").exists()
