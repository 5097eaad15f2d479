from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from small_run import CONSIGNOR, START, TOKEN, Run

from harness.bundle.statement import make_predicate, revocation_of
from harness.check.model import Finding
from harness.judge.model import RunVerdict
from harness.pack.data import published_schema
from harness.record.aggregate import make_record
from harness.record.strict import dumps
from harness.record.tool import this_tool
from harness.scenario.guide import COVERED
from harness.scenario.plan import NOT_SELECTED, Excluded
from harness.security.model import Problem, SignatureReport


@pytest.fixture(scope="session")
def record(run: Run) -> dict[str, Any]:
    return run.record()


def test_the_record_fits_its_published_schema(record: dict[str, Any]) -> None:
    schema = published_schema("record")
    Draft202012Validator.check_schema(schema)
    assert not [error.message for error in Draft202012Validator(schema).iter_errors(json.loads(dumps(record)))]


def test_the_same_run_gives_the_same_bytes(run: Run, record: dict[str, Any]) -> None:
    assert dumps(run.record()) == dumps(record)


def test_others_find_what_they_build_on(record: dict[str, Any]) -> None:
    assert {
        "schema", "tool", "pack", "sut", "role", "positions", "assurance", "plan", "started", "finished",
        "verdict", "counts", "cases", "requirements", "waivers", "findings",
    } <= record.keys()  # fmt: skip
    assert record["counts"].keys() == {"required", "executed", "passed"}
    for case in record["cases"]:
        assert {"id", "version", "title", "requirements", "verdict", "reason", "steps", "evidence"} <= case.keys()
    for requirement in record["requirements"]:
        assert {"id", "level", "status", "cases"} <= requirement.keys()


def test_verdicts_are_the_judges_words(run: Run, record: dict[str, Any]) -> None:
    judgement = run.judge()
    assert record["verdict"] == judgement.verdict.value
    assert [(case["id"], case["verdict"]) for case in record["cases"]] == [
        (case.case, case.verdict.value) for case in judgement.cases
    ]
    assert record["counts"]["required"] == judgement.counts.required
    assert record["plan"]["baseline"] == run.plan.baseline


def test_times_come_from_the_events(record: dict[str, Any]) -> None:
    assert record["started"] == "2026-03-01T09:00:00.000000Z"
    assert record["started"] < record["finished"] < "2026-03-01T09:01"
    assert record["complete"]


@pytest.mark.parametrize(
    ("verdict", "on_waivers", "until"),
    [
        (RunVerdict.CONFORMANT, False, "2027-03-01"),
        (RunVerdict.NOT_FULLY_VERIFIED, True, "2027-03-01"),
        (RunVerdict.NOT_FULLY_VERIFIED, False, ""),
        (RunVerdict.NOT_CONFORMANT, False, ""),
    ],
)
def test_only_what_is_conformant_or_could_be_admitted_holds_until_a_day(
    run: Run, verdict: RunVerdict, on_waivers: bool, until: str
) -> None:
    judgement = replace(run.judge(), verdict=verdict, on_waivers=on_waivers)
    record = make_record(run.plan, run.pack, run.events, judgement, tool=this_tool())
    assert record["validity"]["until"][:10] == until
    assert bool(record["validity"]["from"]) == bool(until)


def test_validity_counts_from_what_the_system_sent_and_not_from_the_last_line(run: Run) -> None:
    judgement = replace(run.judge(), on_waivers=True)
    late = [*run.events[:-1], run.events[-1]._replace(at="2026-12-01T09:00:00.000000Z")]
    records = [make_record(run.plan, run.pack, each, judgement, tool=this_tool()) for each in (run.events, late)]
    assert records[1]["finished"] == "2026-12-01T09:00:00.000000Z"
    came = [event.at for event in run.events if event.kind == "received"]
    for record in records:
        assert record["observed"] == {"first": came[0], "last": came[-1]}
        assert record["validity"]["from"] == came[-1]


def test_what_a_run_by_hand_left_out_stands_in_the_record(run: Run) -> None:
    assert (run.record()["plan"]["by_hand"], run.record()["plan"]["spared"]) == (False, [])
    parameters = replace(run.plan.parameters, by_hand=True)
    plan = replace(run.plan, parameters=parameters, excluded=(Excluded("x", COVERED), Excluded("y", NOT_SELECTED)))
    said = make_record(plan, run.pack, run.events, run.judge(), tool=this_tool())["plan"]
    assert (said["by_hand"], said["spared"]) == (True, ["x"])
    assert {"by_hand": True, "spared": ["x"]}.items() <= make_predicate({**run.record(), "plan": said}, demo=False)[
        "plan"
    ].items()


def test_messages_are_numbered_in_each_case_and_lead_to_their_bytes(run: Run, record: dict[str, Any]) -> None:
    for case in record["cases"]:
        messages = [message for step in case["steps"] for message in step["messages"]]
        assert sorted(message["number"] for message in messages) == list(range(1, len(messages) + 1))
        assert set(case["evidence"]) == {message["digest"] for message in messages}
        assert all(run.fetch(message["digest"]) for message in messages)


def test_nothing_secret_is_in_the_record(record: dict[str, Any]) -> None:
    text = dumps(record).decode()
    assert TOKEN.split()[1] not in text
    assert CONSIGNOR not in text
    assert "[redacted]" in text


def test_a_finding_that_quotes_a_masked_place_is_masked_wherever_it_stands(run: Run) -> None:
    judgement = run.judge()
    said = f"'{CONSIGNOR}' is longer than 3 characters"
    finding = Finding("schema", "length", said, pointer="/consignor/name")
    case = next(case for case in judgement.cases if case.case == "movement@import")
    step = replace(case.steps[0], findings=(finding,), reason=said)
    worse = replace(case, steps=(step, *case.steps[1:]), reason=said)
    changed = replace(judgement, cases=tuple(worse if each is case else each for each in judgement.cases))
    record = make_record(run.plan, run.pack, run.events, changed, tool=this_tool())
    assert CONSIGNOR not in dumps(record).decode()


def test_signatures_of_received_messages_stand_beside_them(run: Run) -> None:
    judgement = run.judge()
    report = SignatureReport(
        signed=("/Envelope/Body",), signer="CN=x", created=START, problems=(Problem("signature/missing", "None."),)
    )
    case = judgement.cases[0]
    received = [e.seq for e in run.events if (e.case, e.step, e.kind) == (case.case, case.steps[0].step, "received")]
    step = replace(case.steps[0], signatures=dict.fromkeys(received, report))
    changed = replace(judgement, cases=(replace(case, steps=(step, *case.steps[1:])), *judgement.cases[1:]))
    record = make_record(run.plan, run.pack, run.events, changed, tool=this_tool())
    for message in record["cases"][0]["steps"][0]["messages"]:
        assert (message["signature"] is not None) == (message["direction"] == "received")
        if message["signature"]:
            assert message["signature"]["problems"][0]["code"] == "signature/missing"
            assert message["signature"]["created"] == "2026-03-01T09:00:00.000000Z"


def test_only_the_last_attempt_is_shown(run: Run) -> None:
    events = run.events
    case = run.plan.cases[0].id
    own = [event for event in events if event.case == case]
    twice = [*events[:-1], *(event._replace(seq=len(events) + n) for n, event in enumerate(own)), events[-1]]
    record = make_record(run.plan, run.pack, twice, run.judge(), tool=this_tool())
    assert len(record["cases"][0]["evidence"]) == len(run.record()["cases"][0]["evidence"])
    assert record["cases"][0]["steps"][0]["messages"][0]["event"] >= len(events)


def test_a_verdict_stands_beside_the_messages_that_it_is_about(run: Run) -> None:
    """An attempt that was cut off has proven a mistake; the one after it has not."""
    case = run.plan.cases[0].id
    own = [event for event in run.events if event.case == case]
    second = [
        event._replace(
            seq=len(run.events) + n, data={**event.data, **({"attempt": 2} if "attempt" in event.data else {})}
        )
        for n, event in enumerate(own)
    ]
    judged = run.judge()
    assert judged.cases[0].attempt == 1
    record = make_record(run.plan, run.pack, [*run.events, *second], judged, tool=this_tool())
    assert record["cases"][0] == run.record()["cases"][0]


def test_a_run_that_never_began_gives_a_record(run: Run) -> None:
    from harness.judge.run import judge_run

    judgement = judge_run(run.plan, run.pack, (), run.fetch)
    record = make_record(run.plan, run.pack, (), judgement, tool=this_tool())
    assert record["verdict"] != "conformant"
    assert not record["complete"]
    assert {case["verdict"] for case in record["cases"]} == {"not_run"}


def test_the_tool_is_named_with_its_digests() -> None:
    assert this_tool().keys() == {"name", "version", "source", "lock"}
    assert this_tool() == this_tool()


def test_the_statement_counts_what_was_held_against_revocation_data() -> None:
    signatures = [
        {"trusted": True, "revocation": "good"}, {"trusted": True, "revocation": "not checked"},
        {"trusted": False, "revocation": "revoked"}, None, {"trusted": True, "revocation": "good"},
    ]  # fmt: skip
    steps = [{"messages": [{"signature": each}]} for each in signatures]
    assert revocation_of({"cases": [{"steps": steps}]}) == {"good": 2, "not checked": 1}
