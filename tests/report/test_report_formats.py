"""Every machine format against its published schema, with every verdict and with text that means harm."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from lxml import etree
from small_run import Run

from harness.errors import HarnessFault
from harness.judge.model import Verdict
from harness.pack.data import published_grammar
from harness.report.checked import json_bytes, xml_bytes, xml_bytes_of_many
from harness.report.derive import DERIVED
from harness.report.facts import facts
from harness.report.mapping import WORDS

SCHEMAS = Path(__file__).parents[3] / "shared" / "data" / "report-schemas"
EVIL = "because <b>&\"'</b> \x00\x0b ]]> \ud800 \u202e rtl"
TR = "{http://www.gitb.com/tr/v1/}"
needs_schemas = pytest.mark.skipif(not SCHEMAS.is_dir(), reason="only with the published schemas beside the checkout")


@pytest.fixture(scope="session")
def record(run: Run) -> dict[str, Any]:
    """Every verdict, hostile text, a waiver in use, a case that was never started."""
    made = run.record()
    source = made["cases"]
    cases = []
    for number, verdict in enumerate(Verdict):
        case = json.loads(json.dumps(source[number % len(source)]))
        touched = dict.fromkeys(case["touched"], verdict.value)
        cases.append(
            {**case, "id": f"c{number}", "verdict": verdict.value, "reason": EVIL, "title": EVIL, "touched": touched}
        )
    cases[-1]["started"] = None
    waiver = {
        "case": "c6", "reason": EVIL, "link": "https://issues.example/1", "author": "Aigul", "expires": "2027-01-01",
        "state": "used", "cases": ["c6"],
    }  # fmt: skip
    return {**made, "cases": cases, "waivers": [waiver], "reason": EVIL, "verdict": "not conformant"}


@pytest.fixture(scope="session")
def made(run: Run, record: dict[str, Any]) -> Callable[[str], bytes]:
    return cache(lambda name: DERIVED[name](record, run.fetch))


def verdict_of(record: Mapping[str, Any]) -> dict[str, Verdict]:
    return {case["id"]: Verdict(case["verdict"]) for case in record["cases"]}


@needs_schemas
@pytest.mark.parametrize(
    ("name", "schema"), [("ctrf.json", "ctrf/ctrf.schema.json"), ("sarif.json", "sarif/sarif-schema-2.1.0.json")]
)
def test_json_fits_the_published_schema(name: str, schema: str, made: Callable[[str], bytes]) -> None:
    rules = json.loads((SCHEMAS / schema).read_text("utf-8"))
    validator = jsonschema.validators.validator_for(rules)(rules, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in validator.iter_errors(json.loads(made(name)))] == []


@needs_schemas
@pytest.mark.parametrize(("name", "schema"), [("gitb-tr.xml", "gitb/gitb_tr.xsd"), ("junit.xml", "junit/junit-10.xsd")])
def test_xml_fits_the_published_schema(name: str, schema: str, made: Callable[[str], bytes]) -> None:
    etree.XMLSchema(etree.parse(SCHEMAS / schema)).assertValid(etree.fromstring(made(name)))


@needs_schemas
def test_earl_uses_only_words_of_the_vocabulary(made: Callable[[str], bytes]) -> None:
    vocabulary = etree.parse(SCHEMAS / "earl" / "earl.rdf")
    known = {str(each).replace("#", "earl:") for each in vocabulary.xpath("//@*[local-name() = 'about']")}
    document = json.loads(made("earl.jsonld"))
    terms = {each["@id"] if isinstance(each, dict) else each for each in document["@context"].values()}

    def words(node: Any) -> set[str]:
        if isinstance(node, dict):
            return set().union(*(words(value) for key, value in node.items() if key not in ("description", "title")))
        if isinstance(node, list):
            return set().union(*map(words, node))
        return {node} if isinstance(node, str) and node.startswith("earl:") else set()

    used = words(document["@graph"]) | {term for term in terms if term.startswith("earl:")}
    assert len(used) > 15
    assert used <= known


def test_allure_results_hold_what_its_model_has(made: Callable[[str], bytes]) -> None:
    model = pytest.importorskip("allure_commons.model2")
    with zipfile.ZipFile(io.BytesIO(made("allure-results.zip"))) as files:
        results = [json.loads(files.read(name)) for name in files.namelist()]
        assert all(name == f"{each['uuid']}-result.json" for name, each in zip(files.namelist(), results, strict=True))
    assert len({each["uuid"] for each in results}) == len({each["historyId"] for each in results}) == len(results)
    for result in results:
        assert set(result) <= {field.name for field in model.TestResult.__attrs_attrs__}
        assert set(result["statusDetails"]) <= {field.name for field in model.StatusDetails.__attrs_attrs__}
        for step in result["steps"]:
            assert set(step) <= {field.name for field in model.TestStepResult.__attrs_attrs__}


@pytest.mark.parametrize("name", [name for name in DERIVED if not name.startswith("summary.")])
def test_every_case_is_said_once_and_twice_the_same(
    name: str, made: Callable[[str], bytes], record: dict[str, Any], run: Run
) -> None:
    said = Counter(key for kind, key, _ in facts(name, made(name)) if kind == "case")
    assert said == Counter(case["id"] for case in record["cases"])
    assert DERIVED[name](record, run.fetch) == made(name)


def test_each_verdict_stands_as_the_table_says(made: Callable[[str], bytes], record: dict[str, Any]) -> None:
    gitb = {
        each.get("id"): each.findtext(f"{TR}result")
        for each in etree.fromstring(made("gitb-tr.xml")).iter(f"{TR}testCase")
        if each.get("id")
    }
    ctrf = {each["testId"]: each for each in json.loads(made("ctrf.json"))["results"]["tests"]}
    sarif = {each["properties"]["case"]: each for each in json.loads(made("sarif.json"))["runs"][0]["results"]}
    graph = json.loads(made("earl.jsonld"))["@graph"]
    earl = {
        each["test"]["@id"].rpartition(":")[2]: each["result"]["outcome"]
        for each in graph
        if each["@type"] == "earl:Assertion"
    }
    allure = {key: word for _, key, word in facts("allure-results.zip", made("allure-results.zip"))}
    for case, verdict in verdict_of(record).items():
        words = WORDS[verdict]
        assert gitb[case] == words.gitb
        assert (ctrf[case]["status"], ctrf[case]["rawStatus"]) == (words.ctrf, verdict.value)
        assert (sarif[case]["kind"], sarif[case]["level"]) == words.sarif
        assert earl[case] == f"earl:{words.earl}"
        assert allure[case] == words.allure


def test_gitb_counts_what_is_not_established_as_incomplete(made: Callable[[str], bytes]) -> None:
    summary = etree.fromstring(made("gitb-tr.xml")).find(f"{TR}statement/{TR}summary")
    assert summary is not None
    counts = {etree.QName(each).localname: each.text for each in summary}
    assert counts == {
        "status": "FAILURE", "succeeded": "2", "failed": "1", "incomplete": "4", "succeededIgnored": "0",
        "failedIgnored": "0", "incompleteIgnored": "1",
    }  # fmt: skip


def test_sarif_tells_tool_errors_and_waivers(made: Callable[[str], bytes], record: dict[str, Any]) -> None:
    run = json.loads(made("sarif.json"))["runs"][0]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 1
    assert [each["properties"]["case"] for each in run["results"] if "suppressions" in each] == ["c6"]
    failed = next(each for each in run["results"] if each["properties"]["verdict"] == "fail")
    assert run["tool"]["driver"]["rules"][failed["ruleIndex"]]["id"] == failed["ruleId"]


def test_what_does_not_fit_is_never_written() -> None:
    with pytest.raises(HarnessFault, match="'ctrf', at"):
        json_bytes("ctrf", {"reportFormat": "CTRF"})
    with pytest.raises(HarnessFault, match="'junit', at"):
        xml_bytes("junit", etree.Element("testsuite"))


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grammar of a list, whose items are documents, too."""
    grammar = b"""<grammar xmlns="http://relaxng.org/ns/structure/1.0"><start><choice>
      <element name="list"><element name="title"><text/></element><element name="items"><empty/></element></element>
      <element name="item"><attribute name="id"/><text/></element>
    </choice></start></grammar>"""
    monkeypatch.setattr("harness.report.checked.published_grammar", {"pairs": grammar}.__getitem__)


def _list(*items: str) -> bytes:
    frame = etree.fromstring("<list><title>&lt;items/></title><items/></list>")
    return xml_bytes_of_many("pairs", frame, "items", map(etree.fromstring, items))


@pytest.mark.usefixtures("pairs")
def test_many_are_written_into_their_frame() -> None:
    written = etree.fromstring(_list('<item id="a">&lt;items/></item>', '<item id="b"/>'))
    assert [each.get("id") for each in written.findall("items/item")] == ["a", "b"]
    assert written.findtext("title") == written.findtext("items/item") == "<items/>"


@pytest.mark.usefixtures("pairs")
def test_many_need_a_place() -> None:
    with pytest.raises(ValueError, match="no empty things"):
        xml_bytes_of_many("pairs", etree.fromstring("<list><title/><items/></list>"), "things", [])


def test_gitb_fits_its_grammar_as_a_whole(made: Callable[[str], bytes]) -> None:
    grammar = etree.RelaxNG(etree.fromstring(published_grammar("gitb")))
    grammar.assertValid(etree.fromstring(made("gitb-tr.xml")))


@pytest.mark.usefixtures("pairs")
@pytest.mark.parametrize("items", [("<item/>",), ('<item id="a"/>', "<other/>")])
def test_of_many_each_is_checked(items: tuple[str, ...]) -> None:
    with pytest.raises(HarnessFault, match="'pairs', at"):
        _list(*items)


@pytest.mark.parametrize("name", list(DERIVED))
@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"PK\x05\x06" + b"\0" * 18, b"<a/>", b"\xff" * 40, b"[" * 100_000])
def test_strange_files_are_read_back_without_a_surprise(name: str, data: bytes) -> None:
    with suppress(ValueError, LookupError, TypeError, RecursionError, etree.LxmlError):
        facts(name, data)


def test_a_compressed_archive_is_not_unpacked() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("x-result.json", b"0" * 1_000_000)
    with pytest.raises(ValueError, match="compressed"):
        facts("allure-results.zip", bomb.getvalue())


BEFORE = {"unsteady": ("pass", "fail"), "failed": ("fail", "fail"), "settled": ("pass", "inconclusive")}
"""Case id to its verdict, and what it showed before it was played again."""


@pytest.fixture(scope="session")
def repeated(run: Run, record: dict[str, Any]) -> Callable[[str], bytes]:
    """The reports of a run of which some cases were played again."""
    cases = []
    for case, (name, (last, first)) in zip(run.record()["cases"], BEFORE.items(), strict=False):
        now = {**case, "id": name, "verdict": last, "reason": f"now {last}", "attempt": 2}
        attempt = {key: now[key] for key in ("started", "seconds", "touched", "steps", "evidence")}
        earlier = [{**attempt, "attempt": 1, "verdict": first, "reason": f"before {EVIL}"}]
        cases.append({**now, "earlier": earlier})
    again = {**record, "cases": cases, "waivers": [], "repeated": [{"at": record["finished"], "cases": list(BEFORE)}]}
    return cache(lambda name: DERIVED[name](again, run.fetch))


@needs_schemas
def test_attempts_fit_the_published_schemas(repeated: Callable[[str], bytes]) -> None:
    for name, schema in (("gitb-tr.xml", "gitb/gitb_tr.xsd"), ("junit.xml", "junit/junit-10.xsd")):
        etree.XMLSchema(etree.parse(SCHEMAS / schema)).assertValid(etree.fromstring(repeated(name)))
    for name, schema in (("ctrf.json", "ctrf/ctrf.schema.json"), ("sarif.json", "sarif/sarif-schema-2.1.0.json")):
        rules = json.loads((SCHEMAS / schema).read_text("utf-8"))
        jsonschema.validators.validator_for(rules)(rules).validate(json.loads(repeated(name)))


def test_junit_shows_attempts_as_surefire_does(repeated: Callable[[str], bytes]) -> None:
    cases = {str(case.get("name")): case for case in etree.fromstring(repeated("junit.xml")).iter("testcase")}
    assert [each.tag for each in cases["unsteady"]] == ["error", "flakyFailure", "system-out"]
    assert [each.tag for each in cases["failed"]] == ["failure", "rerunFailure", "system-out"]
    assert [each.tag for each in cases["settled"]] == ["flakyError", "system-out"]
    assert "attempt 1 failed: before because" in str(cases["unsteady"][0].get("message"))
    assert str(cases["failed"].findtext("system-out")).startswith("attempt 1: fail: before because")


def test_gitb_shows_the_steps_of_every_attempt(repeated: Callable[[str], bytes]) -> None:
    cases = etree.fromstring(repeated("gitb-tr.xml")).findall(f"{TR}statement/{TR}testDetails/{TR}testCase")
    shown = {str(case.get("id")): case for case in cases}
    assert {name: case.findtext(f"{TR}result") for name, case in shown.items()} == {
        "unsteady": "UNDEFINED", "failed": "FAILURE", "settled": "SUCCESS",
    }  # fmt: skip
    for case in cases:
        steps = [str(step.get("id")) for step in case.iter(f"{TR}step")]
        assert steps == [f"attempt 1: {step}" for step in steps[len(steps) // 2 :]] + steps[len(steps) // 2 :]


def test_earl_asserts_every_attempt(repeated: Callable[[str], bytes]) -> None:
    graph = json.loads(repeated("earl.jsonld"))["@graph"]
    said = [each for each in graph if each["@type"] == "earl:Assertion"]
    assert len({each["@id"] for each in said}) == 2 * len(BEFORE)
    outcomes = [(each["test"]["@id"].rpartition(":")[2], each["result"]["outcome"][5:]) for each in said]
    assert outcomes == [
        ("unsteady", "failed"), ("unsteady", "cantTell"), ("failed", "failed"), ("failed", "failed"),
        ("settled", "cantTell"), ("settled", "passed"),
    ]  # fmt: skip
    assert said[0]["result"]["info"].startswith("attempt 1: fail: before because")


def test_ctrf_and_sarif_list_the_attempts(repeated: Callable[[str], bytes]) -> None:
    results = json.loads(repeated("ctrf.json"))["results"]
    tests = {each["testId"]: each for each in results["tests"]}
    assert [(each["status"], each["flaky"]) for each in tests.values()] == [
        ("other", True), ("failed", False), ("passed", False),
    ]  # fmt: skip
    assert results["summary"]["flaky"] == 1
    assert [each["retryAttempts"][0]["status"] for each in tests.values()] == ["failed", "failed", "other"]
    sarif = {each["properties"]["case"]: each for each in json.loads(repeated("sarif.json"))["runs"][0]["results"]}
    assert [each["kind"] for each in sarif.values()] == ["open", "fail", "pass"]
    assert [each["properties"]["earlier"][0]["verdict"] for each in sarif.values()] == ["fail", "fail", "inconclusive"]


def test_allure_shows_an_earlier_attempt_as_a_retry(repeated: Callable[[str], bytes]) -> None:
    model = pytest.importorskip("allure_commons.model2")
    with zipfile.ZipFile(io.BytesIO(repeated("allure-results.zip"))) as files:
        results = [json.loads(files.read(name)) for name in files.namelist()]
    assert len({each["uuid"] for each in results}) == len(results) == 2 * len(BEFORE)
    assert len({each["historyId"] for each in results}) == len(BEFORE)
    assert [each["status"] for each in results] == ["failed", "unknown", "failed", "failed", "unknown", "passed"]
    assert [each["statusDetails"].get("flaky", False) for each in results] == [False, True, False, False, False, False]
    assert set(results[1]["statusDetails"]) <= {field.name for field in model.StatusDetails.__attrs_attrs__}
