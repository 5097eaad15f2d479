"""A simulated party sends: to the SUT over the wire, or to another simulated party on paper."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from harness.errors import HarnessFault
from harness.evidence.clock import stamp
from harness.evidence.conversation import Part
from harness.evidence.message import Opened, open_message, outcomes_of
from harness.exchange.answering import Pending
from harness.exchange.client import post
from harness.exchange.compose import Composed, compose_answer, compose_request, demand_correct, misled
from harness.exchange.delivery import DEFECTS as DELIVERY_DEFECTS
from harness.exchange.http import Silence, Wire, WireFailure
from harness.exchange.parcel import Parcel, address, pack_up, unsigned
from harness.exchange.stage import Scene, StopCase
from harness.judge.outcome import departs, describe_all, meets
from harness.pack.model import ANSWER, Outcome
from harness.scenario.model import Exchange
from harness.scenario.project import exchanges, held_back, wrong

Inner = Callable[[Exchange], Awaitable[None]]
"""Plays an exchange that happens inside another one."""


async def deliver(scene: Scene, step: Exchange, play: Inner) -> None:
    """Send a request to the SUT and take its answer; exchanges inside are played meanwhile.

    Raises:
        StopCase: the answer is not one that the script can go on with.
    """
    parcel = _parcel(scene, step)
    scene.parcels[step.id] = parcel
    inner = [asyncio.ensure_future(play(each)) for each in step.during]
    try:
        ask = _post if scene.stage.pack.answers == "reply" else _correspond
        outcomes = await ask(scene, step, parcel)
        if parcel.delivery is not None and parcel.delivery.repeated:
            outcomes = await ask(scene, step, parcel)
        if leaves := _leaves(scene, step, outcomes):
            raise StopCase(leaves)
        if inner:
            await asyncio.gather(*inner)
    finally:
        await cancelled(inner)


async def simulate(scene: Scene, step: Exchange, play: Inner) -> None:
    """An exchange between two simulated parties: it is never on a wire, and no evidence about the SUT."""
    composed = compose_request(scene.data, scene.conversation, step, scene.time_of(step, step.sender))
    _demand_correct(scene, step, composed)
    request = _put_down(scene, step, "request", composed)
    for inner in step.during:
        await play(inner)
    outcome = step.expectation.expect[0]
    if scene.stage.pack.saying(step.message, outcome) is None:
        return
    now = scene.time_of(step, step.receiver)
    answer = compose_answer(scene.data, scene.conversation, step, request, outcome, now)
    demand_correct(scene.stage.pack, answer)
    _put_down(scene, step, "answer", answer)


async def cancelled(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel what still runs and wait until it has stopped."""
    running = []
    for task in tasks:
        if task.cancel():
            running.append(task)
        elif not task.cancelled():
            task.exception()  # whatever it was, it has been looked at
    if running:
        await asyncio.gather(*running, return_exceptions=True)


async def together(plays: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all at once; the first exception stops the others."""
    tasks = [asyncio.ensure_future(each) for each in plays]
    try:
        await asyncio.gather(*tasks)
    finally:
        await cancelled(tasks)


def _demand_correct(scene: Scene, step: Exchange, composed: Composed) -> None:
    """Make sure that a request of ours is right; of one that is wrong on purpose, what the step leaves as it was."""
    if step.forwards is not None:
        return
    if wrong(step) and step.values:
        now = scene.time_of(step, step.sender)
        composed = compose_request(scene.data, scene.conversation, replace(step, values={}), now)
    demand_ours(scene, composed)


def demand_ours(scene: Scene, composed: Composed) -> None:
    """Make sure that what we send is right, as far as it lies with us.

    Raises:
        StopCase: it builds on what the system under test said, which was wrong.
        HarnessFault: it is wrong, and nobody has misled us.
    """
    try:
        demand_correct(scene.stage.pack, composed)
    except HarnessFault as fault:
        if not misled(scene.stage.pack, scene.conversation, scene.case.sut):
            raise
        raise StopCase(
            f"{composed.message.name} builds on what the system under test said, which was wrong."
        ) from fault


def _parcel(scene: Scene, step: Exchange) -> Parcel:
    if step.repeats is not None:
        if step.repeats not in scene.parcels:
            raise StopCase(f"{step.repeats} was never sent, so it cannot be repeated.")
        return scene.parcels[step.repeats]
    stage, now = scene.stage, scene.time_of(step, step.sender)
    composed = compose_request(scene.data, scene.conversation, step, now)
    _demand_correct(scene, step, composed)
    defect = DELIVERY_DEFECTS.get(step.defect or "")
    foreign = defect is not None and defect.make(0).other_party
    seal = stage.seal_of_another(step, scene.case.sut) if foreign else stage.seal(step.sender)
    patience = stage.seconds("answer")
    return pack_up(stage.pack, composed, seal, now, step.defect, patience, variation=step.variation)


async def _post(scene: Scene, step: Exchange, parcel: Parcel) -> tuple[Outcome, ...]:
    try:
        wire = await hand_over(scene, step, "request", parcel, step.message, step.defect, _patience(scene, step))
    except WireFailure as failure:
        return _failed(scene, step, scene.stage.pack.messages[step.message].answer, failure)
    return _answered(scene, step, wire)


async def _correspond(scene: Scene, step: Exchange, parcel: Parcel) -> tuple[Outcome, ...]:
    """Send a request, and wait for the message that answers it, or for the end of the time in which one may come."""
    stage, message, loop = scene.stage, scene.stage.pack.messages[step.message], asyncio.get_running_loop()
    pending = Pending(scene.case.id, step, lambda: scene.reference(step), lambda: scene.conversation)
    with stage.switchboard.expecting(pending):
        end, since = loop.time() + _patience(scene, step), stamp(scene.now())
        scene.write(
            "waiting",
            step.id,
            message=message.answer,
            sender=step.receiver,
            receiver=step.sender,
            until=scene.later(_seconds(scene, step)),
            why=f"{step.receiver} may answer {step.message} from {step.sender}.",
        )
        try:
            receipt = stage.patience(stage.seconds(ANSWER))
            wire = await hand_over(scene, step, "request", parcel, step.message, step.defect, receipt)
        except WireFailure as failure:
            return _failed(scene, step, message.answer, failure)
        if not 200 <= wire.response.status < 300:
            return _answered(scene, step, wire)
        take_receipt(scene, step, "request", wire)
        await asyncio.wait((pending.arrival,), timeout=max(end - loop.time(), 0))
        if pending.arrival.done():
            scene.hear(step, "answer", pending.arrival.result())
            return outcomes_of(stage.pack, pending.arrival.result())
    scene.write(
        "silence",
        step.id,
        role="answer",
        message=message.answer,
        sender=step.receiver,
        receiver=step.sender,
        since=since,
        until=stamp(scene.now()),
    )
    outcome = stage.pack.silence(step.message)
    if outcome.kind == "silence" and not _expected(step, outcome):
        raise StopCase(f"No answer to {step.message} came in time.")
    return (outcome,)


async def hand_over(
    scene: Scene, step: Exchange, part: Part, parcel: Parcel, name: str, defect: str | None, seconds: float
) -> Wire:
    """Send a message of an exchange to the SUT in a request of HTTP; returns the response.

    Parameters:
        scene, step, part: what it is.
        parcel: the message.
        name: its name.
        defect: what is wrong with it on purpose.
        seconds: how long the response is waited for.

    Raises:
        WireFailure: there was no response.
    """
    stage, message, header = scene.stage, scene.stage.pack.messages[name], scene.stage.pack.case_header
    ours, theirs = (step.sender, step.receiver) if part == "request" else (step.receiver, step.sender)
    return await post(
        stage.transports[ours],
        address(scene.endpoint(theirs), message),
        parcel.data,
        (*parcel.headers, (header, scene.case.id)) if header else parcel.headers,
        seconds=seconds,
        method=message.method,
        delivery=parcel.delivery,
        clock=stage.clock,
        on_sent=scene.telling(step, part, name, parcel, defect),
    )


def take_receipt(scene: Scene, step: Exchange, part: Part, wire: Wire) -> None:
    """Write down the HTTP response to a message that is answered by another one."""
    response = wire.response
    ours, theirs = (step.sender, step.receiver) if part == "request" else (step.receiver, step.sender)
    scene.write(
        "receipt",
        step.id,
        response.last,
        role=part,
        sender=theirs,
        receiver=ours,
        digest=scene.stage.recorder.store.put(response.body),
        head=response.head.to_json(),
        tls=response.tls.to_json() if response.tls else None,
        connection=response.connection,
    )


def _failed(scene: Scene, step: Exchange, answer: str | None, failure: WireFailure) -> tuple[Outcome, ...]:
    scene.write(
        "failed",
        step.id,
        failure.at,
        role="answer",
        message=answer,
        outcome={"kind": failure.outcome, "code": None},
        text=f"{failure.text[:1].upper()}{failure.text[1:]}.",
        blame=failure.blame,
    )
    if failure.blame == "environment":
        raise StopCase(f"{step.message} could not be delivered: {failure.text}.")
    if isinstance(failure, Silence) and not _expected(step, Outcome("silence")):
        raise StopCase(f"No answer to {step.message} came in time.")
    return (Outcome(failure.outcome),)


def _answered(scene: Scene, step: Exchange, wire: Wire) -> tuple[Outcome, ...]:
    stage, response = scene.stage, wire.response
    head = response.head.to_json()
    scene.write(
        "received",
        step.id,
        response.last,
        role="answer",
        message=stage.pack.messages[step.message].answer,
        sender=step.receiver,
        receiver=step.sender,
        digest=stage.recorder.store.put(response.body),
        head=head,
        tls=response.tls.to_json() if response.tls else None,
        connection=response.connection,
        body_complete=response.body_complete,
    )
    opened = open_message(
        stage.pack, head, response.body, at=response.last.at, trust=stage.trust, answer_to=step.message
    )
    scene.hear(step, "answer", opened)
    return outcomes_of(stage.pack, opened)


def _leaves(scene: Scene, step: Exchange, outcomes: tuple[Outcome, ...]) -> str:
    """Why the script cannot go on after this answer; empty when it can."""
    if scene.stage.pack.messages[step.message].answer is None and (outcomes[0].code or "").startswith("2"):
        return ""
    if meets(outcomes, step.expectation) == "other":
        return f"{step.message} was answered with {describe_all(outcomes)}."
    if departs(outcomes, step.expectation):
        return f"{step.message} was answered with {describe_all(outcomes)}, which the script does not go on from."
    return ""


def _seconds(scene: Scene, step: Exchange) -> float:
    """The time limit of an answer."""
    return scene.stage.seconds(scene.stage.pack.messages[step.message].within, ANSWER)


def _patience(scene: Scene, step: Exchange) -> float:
    """How long an answer is waited for: longer than its time limit where silence is neither acceptance nor expected.

    What waits for our own answers meanwhile may be later by as long as these are held back.
    """
    stage, silence = scene.stage, scene.stage.pack.silence(step.message)
    tacit = silence.kind == "accepted" or _expected(step, silence)
    ours = sum(held_back(inner, _seconds(scene, inner)) for inner in exchanges(step.during))
    return (stage.limit if tacit else stage.patience)(_seconds(scene, step)) + ours


def _expected(step: Exchange, outcome: Outcome) -> bool:
    return meets((outcome,), step.expectation) != "other"


def _put_down(scene: Scene, step: Exchange, part: Part, composed: Composed) -> Opened:
    """Write down what one simulated party says to another, and take it into the conversation as the judge will."""
    pack, request = scene.stage.pack, part == "request"
    data = unsigned(pack, composed.document)
    event = scene.write(
        "simulated",
        step.id,
        role=part,
        message=composed.message.name,
        sender=step.sender if request else step.receiver,
        receiver=step.receiver if request else step.sender,
        digest=scene.stage.recorder.store.put(data),
    )
    opened = open_message(
        pack,
        {},
        data,
        at=datetime.fromisoformat(event.at),
        trust=None,
        answer_to=None if request else step.message,
        name=composed.message.name,
        payload=composed.document,
    )
    scene.hear(step, part, opened)
    return opened
