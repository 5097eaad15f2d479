from __future__ import annotations

from typing import Any

import pytest
from small_run import Run

from harness.record.redact import Shown
from harness.report.difference import difference
from harness.report.sequence import MOST_ROWS, diagram
from harness.report.view import answers, deadline, excerpt


def marked(text: str, *others: str) -> list[str]:
    return [piece.text for piece in difference(text, others) if piece.differs]


def test_only_the_words_that_differ_are_marked() -> None:
    assert marked("error 220 at /", "error 200 at /") == ["220"]
    assert marked("accepted", "error 220 at /") == ["accepted"]
    assert marked("error 220 at /", "accepted", "error 220 at /Goods") == []
    assert marked("error 220 at /Goods", "accepted", "error 220 at /") == ["Goods"]
    assert marked("anything") == []


@pytest.mark.parametrize("text", ["", " ", "a  b\n", "x" * 5000, "<b>&amp;", "\u202eabc 12"])
def test_no_character_is_lost(text: str) -> None:
    for others in ([], ["a b"], ["x" * 9000, ""]):
        assert "".join(piece.text for piece in difference(text, others)) == text


def test_answers_name_every_alternative() -> None:
    step = {
        "expected": "error 220 (permitted: error 200)",
        "observed": "accepted",
        "alternatives": {"expect": ["error 220"], "permitted": ["error 200", "HTTP 403"]},
    }
    assert [each.kind for each in answers(step)] == ["expect", "permitted", "permitted", "observed"]
    assert [each.kind for each in answers({"expected": "I9 from x", "observed": "nothing came"})] == [
        "expect",
        "observed",
    ]


def test_the_excerpt_shows_what_is_meant() -> None:
    text = "\n".join(
        ["<Envelope>", "<Header>", "</Header>", "<env:Body>", *(f"<L{n}/>" for n in range(60)), "</Envelope>"]
    )
    whole = excerpt(Shown(text))
    assert whole.text.split("\n")[:2] == ["⋯", "<env:Body>"]
    assert whole.text.endswith("</Envelope>")
    part = excerpt(Shown(text, marked=frozenset({34, 36})))
    lines = part.text.split("\n")
    assert [lines[number] for number in sorted(part.marked)] == ["<L30/>", "<L32/>"]
    assert lines[0] == lines[-1] == "⋯"
    assert len(lines) == 2 * 8 + 3 + 2
    assert excerpt(Shown('{"a": 1}')).text == '{"a": 1}'


def test_the_deadline_is_the_request_and_the_budget() -> None:
    clocks = {"request": "2026-03-01T23:59:59.500000Z", "budget": "10"}
    assert deadline(clocks) == "00:00:09.500"
    assert deadline({"request": clocks["request"]}) == ""


@pytest.fixture(scope="session")
def case(run: Run) -> dict[str, Any]:
    return next(each for each in run.record()["cases"] if each["id"] == "movement@import")


def test_every_message_is_an_arrow_between_its_parties(case: dict[str, Any]) -> None:
    drawn = diagram(case)
    assert drawn is not None
    messages = [message for step in case["steps"] for message in step["messages"]]
    arrows = [row for row in drawn.rows if row.is_arrow]
    assert sorted(row.label.split()[0] for row in arrows) == sorted(str(each["number"]) for each in messages)
    x_of = {(lane.role + "." + lane.position).strip("."): lane.x for lane in drawn.lanes}
    for row in arrows:
        message = next(each for each in messages if str(each["number"]) == row.label.split()[0])
        assert (row.start, row.end) == (x_of[message["sender"]], x_of[message["receiver"]])
        assert row.way == message["direction"]
    assert [lane.is_sut for lane in drawn.lanes].count(True) == 1
    assert max(lane.x for lane in drawn.lanes) < drawn.width
    assert max(row.y for row in drawn.rows) < drawn.height


def test_a_failed_step_is_marked_at_its_last_message(run: Run) -> None:
    case = next(each for each in run.record()["cases"] if each["id"] == "arrival-of-unknown@export")
    drawn = diagram(case)
    assert drawn is not None
    assert "fail" in {row.verdict for row in drawn.rows}


def test_a_very_long_case_is_cut_and_says_so(case: dict[str, Any]) -> None:
    step = case["steps"][0]
    many = [{**step["messages"][0], "number": number} for number in range(1, 501)]
    drawn = diagram({**case, "steps": [{**step, "messages": many}]})
    assert drawn is not None
    assert (len(drawn.rows), drawn.left_out) == (MOST_ROWS, 500 - MOST_ROWS)


def test_strange_parties_break_nothing(case: dict[str, Any]) -> None:
    step = case["steps"][0]
    odd = [{**step["messages"][0], "sender": None, "receiver": "x" * 900}, {**step["messages"][0], "message": None}]
    drawn = diagram({**case, "steps": [{**step, "messages": odd}]})
    assert drawn is not None
    assert all(len(lane.role) < 40 for lane in drawn.lanes)
    assert diagram({**case, "steps": []}) is None
