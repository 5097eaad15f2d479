from __future__ import annotations

import asyncio
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from exchange_kit import until
from pack_kit import pack_named

from harness.evidence.clock import SystemClock
from harness.evidence.conversation import Conversation
from harness.evidence.log import EventLog
from harness.evidence.message import Opened
from harness.exchange.answering import Pending
from harness.exchange.http import Head, Moment, WireAnswer, WireRequest
from harness.exchange.recorder import Recorder
from harness.exchange.service import ListenerFailure
from harness.exchange.switchboard import Switchboard
from harness.exchange.wait import Wait
from harness.message.build import build
from harness.message.document import parse
from harness.scenario.model import Exchange
from harness.security.model import Trust

PACKS = Path(__file__).parent.parent / "packs"
PACK = pack_named("neighbours")
AT = Moment(datetime(2020, 1, 1, tzinfo=UTC), 1)
NOTICE = PACK.messages["notice"]


def conversation(**values) -> Conversation:
    return Conversation(PACK, {(name, None, ""): value for name, value in values.items()})


def wait(case="a", step="notice", receiver="customs.import", known=None, **options) -> Wait:
    said = known or conversation()
    exchange = Exchange(step, "notice", "customs.export", receiver, **options)
    return Wait(case, exchange, lambda: said)


def request(receiver="customs.import", body=None, **values) -> WireRequest:
    data = body
    if data is None:
        golden = parse("json", NOTICE.golden["accepted"].read_bytes())
        data = build(golden, NOTICE.bindings, values).to_bytes()
    head = Head(f"POST /{receiver}/notices HTTP/1.1", (("Content-Type", "application/json"),))
    return WireRequest(head, "POST", f"/{receiver}/notices", data, True, AT, AT, "in-1", None)


@asynccontextmanager
async def board(tmp_path, **options):
    with EventLog(tmp_path, SystemClock()) as log:
        events = []
        yield Switchboard(PACK, Trust(()), Recorder(log, events.append), **options), events


async def reaches(switchboard, message, waits) -> int | None:
    """Which of the waits a message reaches, by number."""
    task = asyncio.ensure_future(switchboard(message))
    await asyncio.sleep(0)
    found = None
    for number, each in enumerate(waits):
        if each.arrival.done():
            found = number
            each.arrival.result().reply.set_result(WireAnswer(200))
    answer = await task
    assert (answer.status == 200) == (found is not None)
    return found


def play(tmp_path, message, waits, **options):
    """Put waits on the board, let a message come; which one it reached, and what was written down."""

    async def scene():
        made = [each() for each in waits]
        async with board(tmp_path, **options) as (switchboard, events):
            with ExitStack() as stack:
                for each in made:
                    stack.enter_context(switchboard.waiting(each))
                return await reaches(switchboard, message, made), [event.kind for event in events]

    return asyncio.run(scene())


def test_a_message_finds_the_case_that_knows_its_values(tmp_path):
    waits = [
        lambda: wait("a", known=conversation(consignment="1")),
        lambda: wait("b", known=conversation(consignment="2")),
    ]
    assert play(tmp_path, request(consignment="2"), waits) == (1, ["received"])


def test_the_receiver_counts(tmp_path):
    waits = [lambda: wait(receiver="customs.export", known=conversation(consignment="1"))]
    assert play(tmp_path, request(consignment="1"), waits) == (None, ["unmatched"])


def test_unknown_values_find_nobody(tmp_path):
    waits = [lambda: wait(known=conversation(consignment="1"))]
    assert play(tmp_path, request(consignment="2"), waits) == (None, ["unmatched"])


def test_one_case_at_a_time_gets_the_message_that_it_asked_for(tmp_path):
    waits = [lambda: wait(known=conversation(consignment="1"))]
    assert play(tmp_path, request(consignment="2"), waits, one_case=True) == (0, ["received"])


def test_what_is_owed_must_agree_even_then(tmp_path):
    waits = [lambda: wait(known=conversation(consignment="1"), reaction="r")]
    assert play(tmp_path, request(consignment="2"), waits, one_case=True) == (None, ["unmatched"])


def test_of_two_steps_of_a_case_the_better_one_wins(tmp_path):
    waits = [
        lambda: wait("a", "first", known=conversation(consignment="1", plate="AA-1")),
        lambda: wait("a", "second", known=conversation(consignment="1", plate="BB-2")),
    ]
    assert play(tmp_path, request(consignment="1", plate="BB-2"), waits) == (1, ["received"])
    assert play(tmp_path / "b", request(consignment="1", plate="AA-1"), waits) == (0, ["received"])


@pytest.mark.parametrize(
    ("second", "reached"),
    [
        ({}, None),
        ({"sent_at": "2020-01-01T00:00:09Z"}, None),
        ({"reference": "R2"}, 0),
        ({"plate": "BB-2"}, 0),
    ],
)
@pytest.mark.parametrize("one_case", [True, False])
def test_what_a_step_has_had_is_not_for_another_one(tmp_path, second, reached, one_case):
    """The same bytes, or the same message signed anew; but a reference that is used again by mistake tells nothing."""
    first = {"consignment": "1", "plate": "AA-1", "reference": "R1"}

    async def scene():
        known = conversation(consignment="1")
        alike = [wait("a", name, known=known) for name in ("first", "second")]
        async with board(tmp_path, one_case=one_case) as (switchboard, _):
            switchboard.enter("a", lambda: known)
            with switchboard.waiting(alike[0]):
                assert await reaches(switchboard, request(**first), alike[:1]) == 0
            with switchboard.waiting(alike[1]):
                return await reaches(switchboard, request(**{**first, **second}), alike[1:])

    assert asyncio.run(scene()) == reached


@pytest.mark.parametrize(("reference", "taken"), [("A1", False), ("A2", True)])
def test_an_answer_that_comes_once_more_is_not_that_of_the_next_request(tmp_path, reference, taken):
    """It names the first request in both cases: once as a repetition, once by a mistake that the judge must see."""
    letters = pack_named("letters")
    result = letters.messages["query-result"]
    golden = parse("json", result.golden["accepted"].read_bytes())
    head = Head("POST /customs.import/query-results HTTP/1.1", (("Content-Type", "application/json"),))

    def answer(own):
        values = {"reference": own, "refers_to": "Q1", "consignment": "XA26AA000001"}
        data = build(golden, result.bindings, values).to_bytes()
        return WireRequest(head, "POST", "/customs.import/query-results", data, True, AT, AT, "in-1", None)

    async def scene():
        said = Conversation(letters)
        asked = Opened("query", "request", values={"consignment": "XA26AA000001"})
        for step in ("first", "second"):
            said = said.heard(step, "request", "customs.import", asked, subject=None)
        with EventLog(tmp_path, SystemClock()) as log:
            switchboard = Switchboard(letters, Trust(()), Recorder(log), one_case=True)
            switchboard.enter("a", lambda: said)
            found = []
            for step, own, text in (("first", "Q1", "A1"), ("second", "Q2", reference)):
                exchange = Exchange(step, "query", "customs.import", "customs.export")
                pending = Pending("a", exchange, lambda own=own: own, lambda: said)
                with switchboard.expecting(pending):
                    await switchboard(answer(text))
                    found.append(pending.arrival.done())
        return found

    assert asyncio.run(scene()) == [True, taken]


def test_a_case_that_goes_on_knows_what_the_one_before_has_had(tmp_path):
    async def scene():
        known = conversation(consignment="1")
        before, after = wait("a", known=known), wait("b", known=known)
        async with board(tmp_path) as (switchboard, _):
            switchboard.enter("a", lambda: known)
            with switchboard.waiting(before):
                assert await reaches(switchboard, request(consignment="1"), [before]) == 0
            switchboard.enter("b", lambda: known, "a")
            with switchboard.waiting(after):
                return await reaches(switchboard, request(consignment="1"), [after])

    assert asyncio.run(scene()) is None


@pytest.mark.parametrize("one_case", [True, False])
def test_unreadable_bytes_that_name_no_case_belong_to_nobody(tmp_path, one_case):
    garbage = request(body=b"\x00", receiver="customs.import")
    waits = [lambda: wait("a", known=conversation(consignment="1"))]
    assert play(tmp_path, garbage, waits, one_case=one_case) == (None, ["unmatched"])


def test_nobody_waits_late_beside_another(tmp_path):
    async def scene():
        order = []

        async def late(switchboard, name):
            each = wait(name)
            async with switchboard.claim(each):
                order.append(f"{name} waits")
                arrival = await each.arrival
                arrival.reply.set_result(WireAnswer(200))
                order.append(f"{name} got {arrival.opened.values['consignment']}")

        async with board(tmp_path) as (switchboard, _):
            tasks = [asyncio.ensure_future(late(switchboard, name)) for name in ("a", "b")]
            await until(lambda: order == ["a waits"])
            await switchboard(request(consignment="1"))
            await until(lambda: order[-1:] == ["b waits"])
            await switchboard(request(consignment="2"))
            await asyncio.gather(*tasks)
        return order

    assert asyncio.run(scene()) == ["a waits", "a got 1", "b waits", "b got 2"]


def test_who_watches_for_what_becomes_known_later_is_held_up_by_nobody(tmp_path):
    async def scene():
        known = {"a": conversation(), "b": conversation()}
        first, second = (Wait(name, wait().step, lambda name=name: known[name]) for name in known)
        async with board(tmp_path) as (switchboard, _), switchboard.watch(first), switchboard.watch(second):
            await asyncio.sleep(0)
            alone = (first.late, second.late)
            known["b"] = conversation(consignment="2")
            return alone, await reaches(switchboard, request(consignment="2"), [first, second])

    assert asyncio.run(scene()) == ((True, False), 1)


def test_who_watches_takes_the_turn_of_the_one_before(tmp_path):
    async def scene():
        first, second = wait("a"), wait("b")
        async with board(tmp_path) as (switchboard, _), switchboard.watch(second):
            await asyncio.sleep(0)
            async with switchboard.watch(first):
                await asyncio.sleep(0)
                before = (first.late, second.late)
                got = await reaches(switchboard, request(consignment="1"), [first, second])
            third = wait("c")
            async with switchboard.watch(third):
                await asyncio.sleep(0)
                return before, got, third.late

    assert asyncio.run(scene()) == ((False, True), 1, False)


def test_what_belongs_to_a_case_that_is_over_reaches_nobody(tmp_path):
    async def scene():
        each = wait()
        async with board(tmp_path, one_case=True) as (switchboard, _):
            switchboard.retire("over", conversation(consignment="1"))
            async with switchboard.claim(each):
                old = await reaches(switchboard, request(consignment="1"), [each])
                new = await reaches(switchboard, request(consignment="2"), [each])
        return old, new

    assert asyncio.run(scene()) == (None, 0)


def said(reference) -> Conversation:
    opened = Opened("notice", "request", values={"reference": reference})
    return conversation().heard("notice", "request", "customs.export", opened, subject=None)


@pytest.mark.parametrize("one_case", [True, False])
@pytest.mark.parametrize("over", [True, False])
@pytest.mark.parametrize("known", [conversation(consignment="1"), said("R-1")])
def test_what_belongs_to_another_case_is_not_for_a_step_that_knows_nothing(tmp_path, known, over, one_case):
    async def scene():
        each = wait("second")
        async with board(tmp_path, one_case=one_case) as (switchboard, _):
            switchboard.enter("first", lambda: known)
            switchboard.enter("second", conversation)
            if over:
                switchboard.retire("first", known)
            async with switchboard.claim(each):
                repeated = await reaches(switchboard, request(consignment="1", reference="R-1"), [each])
                fresh = await reaches(switchboard, request(consignment="2", reference="R-2"), [each])
        return repeated, fresh

    assert asyncio.run(scene()) == (None, 0)


@pytest.mark.parametrize("over", [True, False])
def test_a_reference_that_was_used_before_does_not_hide_the_step_that_waits(tmp_path, over):
    first = Opened("notice", "request", values={"reference": "R-1", "consignment": "1"})
    heard = Conversation(PACK).heard("notice", "request", "customs.export", first, subject=None)

    async def scene():
        fresh = wait("second")
        async with board(tmp_path) as (switchboard, _):
            switchboard.enter("first", lambda: heard)
            switchboard.enter("second", conversation)
            if over:
                switchboard.retire("first", heard)
            async with switchboard.claim(fresh):
                again = await reaches(switchboard, request(consignment="1", reference="R-1"), [fresh])
                other = await reaches(switchboard, request(consignment="2", reference="R-1"), [fresh])
        return again, other

    assert asyncio.run(scene()) == (None, 0)


@pytest.mark.parametrize("one_case", [True, False])
def test_the_reference_that_was_given_for_an_order_binds(tmp_path, one_case):
    known = conversation(consignment="1")
    waits = [lambda: wait("a", known=known), lambda: wait("b", known=known)]
    waits[1] = lambda: Wait("b", wait().step, lambda: conversation(consignment="2"), reference="R-9")
    assert play(tmp_path, request(consignment="3", reference="R-9"), waits, one_case=one_case)[0] == 1


@pytest.mark.parametrize("over", [True, False])
def test_what_finds_no_step_is_put_down_to_the_case_whose_values_it_has(tmp_path, over):
    async def scene():
        async with board(tmp_path) as (switchboard, events):
            switchboard.enter("first", lambda: conversation(consignment="1"))
            if over:
                switchboard.retire("first", conversation(consignment="1"))
            for number in ("1", "2"):
                await reaches(switchboard, request(consignment=number), [])
        return [(event.kind, event.case) for event in events]

    assert asyncio.run(scene()) == [("extra", "first"), ("unmatched", None)]


def test_what_comes_late_belongs_to_the_attempt_whose_values_it_has(tmp_path):
    async def scene():
        async with board(tmp_path) as (switchboard, events):
            switchboard.enter("first", lambda: conversation(consignment="1"))
            switchboard.retire("first", conversation(consignment="1"))
            switchboard.enter("first", lambda: conversation(consignment="2"), attempt=2)
            for number in ("1", "2"):
                await reaches(switchboard, request(consignment=number), [])
        return [(event.case, event.data["attempt"]) for event in events]

    assert asyncio.run(scene()) == [("first", 1), ("first", 2)]


def test_what_is_never_answered_is_turned_away(tmp_path):
    async def scene():
        each = wait(known=conversation(consignment="1"))
        async with board(tmp_path) as (switchboard, _):
            with switchboard.waiting(each):
                task = asyncio.ensure_future(switchboard(request(consignment="1")))
                await asyncio.sleep(0)
                assert each.arrival.done()
            return await task

    assert asyncio.run(scene()).status == 400


@pytest.mark.parametrize(
    ("waiting", "known", "count", "step"),
    [(1, True, 1, "notice"), (2, True, 1, None), (1, True, 2, None), (1, False, 1, None)],
)
def test_what_never_became_a_request_belongs_to_the_only_step_that_waits(tmp_path, waiting, known, count, step):
    async def scene():
        async with board(tmp_path) as (switchboard, events):
            with ExitStack() as stack:
                for number in range(waiting):
                    stack.enter_context(switchboard.waiting(wait(str(number))))
                failure = ListenerFailure("tls", "the handshake failed", AT, "1.2.3.4:5", known=known, count=count)
                switchboard.failed(failure)
        return events[0]

    event = asyncio.run(scene())
    assert (event.kind, event.step) == ("failed", step)
    assert event.data["outcome"]["kind"] == "tls"
    assert "1.2.3.4:5" in event.data["text"]
    assert event.data["blame"] == ("sut" if known else "environment")
    assert event.data.get("count", 1) == count


def test_an_event_that_was_not_asked_for_never_fits():
    etir = pack_named("etir-4.3")
    said = Conversation(etir, {("guarantee", None, ""): "XC1"})

    async def scene():
        started = Wait("a", Exchange("e", "E7", "platform", "chain", event="STA"), lambda: said)
        opened = Opened("E7", "request", values={"guarantee": "XC1", "event": "STA"})
        other = Opened("E7", "request", values={"guarantee": "XC1", "event": "TER"})
        return started.fits(etir, opened), started.fits(etir, other)

    assert asyncio.run(scene()) == (True, False)


@pytest.mark.parametrize(("case", "reached"), [("a", 0), ("b", 1), ("c", None)])
def test_unreadable_bytes_belong_to_the_case_that_their_header_names(tmp_path, case, reached):
    waits = [
        lambda: wait("a", known=conversation(consignment="1")),
        lambda: wait("b", known=conversation(consignment="2")),
    ]
    garbage = request(body=b"\x00")
    named = garbage.head._replace(headers=(*garbage.head.headers, (PACK.case_header, case)))
    assert play(tmp_path, garbage._replace(head=named), waits)[0] == reached
