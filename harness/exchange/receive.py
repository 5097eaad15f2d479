"""The SUT sends: it is asked to, waited for, and answered as the script says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from harness.evidence.clock import stamp
from harness.evidence.message import Opened
from harness.exchange.answering import receipt
from harness.exchange.compose import compose_answer, order_parameters
from harness.exchange.deliver import Inner, cancelled, demand_ours, hand_over, take_receipt
from harness.exchange.delivery import Delivery
from harness.exchange.http import Sent, WireAnswer, WireFailure
from harness.exchange.model import Order
from harness.exchange.parcel import Parcel, address, pack_up, turned_away
from harness.exchange.stage import Scene, StopCase
from harness.exchange.wait import Arrival, Wait
from harness.message.plain import plain
from harness.pack.model import ANSWER
from harness.scenario.model import Exchange

_NOTHING = Parcel(b"")


async def receive(scene: Scene, step: Exchange, play: Inner) -> None:
    """Wait for a request of the SUT, ask it to send it unless it owes it anyway, and answer.

    Raises:
        StopCase: it did not come, although it was asked for, or it cannot be read.
    """
    owed = step.reaction is not None
    seconds = scene.stage.seconds(step.within, "answer" if owed else "action", "answer")
    wait = scene.wait_for(step)
    switchboard = scene.stage.switchboard
    async with switchboard.watch(wait) if owed else switchboard.claim(wait):
        since = _say_waiting(scene, step, seconds, owed)
        ask = scene.stage.setup.control.available and not owed
        asking = [asyncio.ensure_future(_ask(scene, step, wait))] if ask else []
        try:
            arrival = await _first(wait, asking, scene.stage.patience(seconds))
            if arrival is not None:
                await answer(scene, step, arrival, play)
                for asked in asking:
                    await asked
        finally:
            await cancelled(asking)
    if arrival is None:
        _say_silence(scene, step, since)
        if not owed:
            raise StopCase(f"{step.message} was asked for and did not come.")


async def receive_any_time(scene: Scene, step: Exchange, play: Inner, reached: asyncio.Event) -> None:
    """Answer a request of the SUT that may come before the script reaches it; its time limit runs from there.

    Parameters:
        reached: set when the script reaches the step.
    """
    seconds = scene.stage.seconds(step.within, "answer")
    wait = scene.wait_for(step)
    async with scene.stage.switchboard.watch(wait):
        turn = asyncio.ensure_future(reached.wait())
        try:
            await asyncio.wait((wait.arrival, turn), return_when=asyncio.FIRST_COMPLETED)
        finally:
            turn.cancel()
        since = stamp(scene.now())
        if not wait.arrival.done():
            since = _say_waiting(scene, step, seconds, owed=True)
            await asyncio.wait((wait.arrival,), timeout=scene.stage.patience(seconds))
        if wait.arrival.done():
            await answer(scene, step, wait.arrival.result(), play)
            return
    _say_silence(scene, step, since)


async def answer(scene: Scene, step: Exchange, arrival: Arrival, play: Inner) -> None:
    """Answer a request as the script says.

    Raises:
        StopCase: the request is not a readable message, or so wrong that no right answer can be made.
    """
    scene.hear(step, "request", arrival.opened)
    if arrival.opened.shape != "request":
        await _reply(scene, step, arrival, *turned_away(scene.stage.pack))
        raise StopCase(f"What came in the place of {step.message} is not a readable message.")
    spoken = step.expectation.expect[0].kind in ("accepted", "error", "silence")
    if spoken and scene.stage.pack.answers == "message":
        await _acknowledge(scene, step, arrival)
    for inner in step.during:
        await play(inner)
    if spoken and scene.stage.pack.answers == "message":
        await _send_answer(scene, step, arrival.opened)
        return
    try:
        prepared = _prepared(scene, step, arrival.opened)
    except StopCase:
        await _reply(scene, step, arrival, *turned_away(scene.stage.pack))
        raise
    await _reply(scene, step, arrival, *prepared)


async def _acknowledge(scene: Scene, step: Exchange, arrival: Arrival) -> None:
    """Say that the request came, and wait until that has left."""
    left = asyncio.Event()
    arrival.reply.set_result(receipt(scene.stage.recorder, scene.case.id, step, "request", left.set))
    await left.wait()


async def _send_answer(scene: Scene, step: Exchange, request: Opened) -> None:
    """Send the answer that the script wants in a message of its own, if it wants one."""
    name = scene.stage.pack.saying(step.message, step.expectation.expect[0])
    if name is None:
        return
    parcel = _answer_parcel(scene, step, request)
    if parcel.delivery is not None:
        await asyncio.sleep(parcel.delivery.delay)
    try:
        receipt = scene.stage.patience(scene.stage.seconds(ANSWER))
        wire = await hand_over(scene, step, "answer", parcel, name, step.answer_defect, receipt)
    except WireFailure as failure:
        scene.write(
            "failed",
            step.id,
            failure.at,
            role="answer",
            message=name,
            outcome={"kind": failure.outcome, "code": None},
            text=f"{name} could not be delivered: {failure.text}.",
            blame=failure.blame,
        )
        if failure.blame == "environment":
            raise StopCase(f"{name} could not be delivered: {failure.text}.") from failure
        return
    take_receipt(scene, step, "answer", wire)


def _prepared(scene: Scene, step: Exchange, request: Opened) -> tuple[int, Parcel]:
    """Status and content of the HTTP response that the script wants."""
    stage, outcome = scene.stage, step.expectation.expect[0]
    if outcome.kind == "fault":
        return turned_away(stage.pack, outcome.code or "Sender")
    if outcome.kind == "http":
        return int((outcome.code or "400").replace("x", "0")), _NOTHING
    if outcome.kind not in ("accepted", "error"):
        return 500, _NOTHING._replace(delivery=Delivery(closed=True))
    if stage.pack.messages[step.message].answer is None:
        return 202, _NOTHING
    return 200, _answer_parcel(scene, step, request)


def _answer_parcel(scene: Scene, step: Exchange, request: Opened) -> Parcel:
    stage, outcome, now = scene.stage, step.expectation.expect[0], scene.time_of(step, step.receiver)
    composed = compose_answer(scene.data, scene.conversation, step, request, outcome, now)
    demand_ours(scene, composed)
    patience = stage.seconds(stage.pack.messages[step.message].within, ANSWER)
    seal, variation = stage.seal(step.receiver), step.answer_variation
    return pack_up(stage.pack, composed, seal, now, step.answer_defect, patience, variation=variation)


async def _reply(scene: Scene, step: Exchange, arrival: Arrival, status: int, parcel: Parcel) -> None:
    """Hand the answer over, and wait until it has left."""
    name = scene.stage.pack.messages[step.message].answer or ""
    tell = scene.telling(step, "answer", name, parcel, step.answer_defect)
    left: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def told(sent: Sent | None) -> None:
        if not left.done():
            left.set_result(None)
        if sent is not None:
            tell(sent)
        elif parcel.delivery is None or not parcel.delivery.closed:
            scene.write(
                "failed",
                step.id,
                role="answer",
                message=name or None,
                outcome={"kind": "closed", "code": None},
                text="The connection ended before the answer was sent.",
                blame="sut",
            )

    arrival.reply.set_result(WireAnswer(status, parcel.headers, parcel.data, parcel.delivery, told))
    await left


async def _first(wait: Wait, asking: Sequence[asyncio.Future[str | None]], seconds: float) -> Arrival | None:
    """What came first: the message, a word that it will not come, or the end of the time."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()

    def end(_: object = None) -> None:
        if not over.done():
            over.set_result(None)

    def answered(ask: asyncio.Future[str | None]) -> None:
        if ask.cancelled() or ask.exception() is not None or ask.result() is not None:
            end()

    timer = loop.call_later(seconds, end)
    wait.arrival.add_done_callback(end)
    for ask in asking:
        ask.add_done_callback(answered)
    try:
        await over
    finally:
        timer.cancel()
        wait.arrival.remove_done_callback(end)
    if wait.arrival.done():
        return wait.arrival.result()
    refused = next((ask.result() for ask in asking if ask.done()), None)
    if refused is not None:
        order = f"the order to send {wait.step.message}"
        raise StopCase(f"The system under test did not take {order}: {plain(refused, 300)}")
    return None


async def _ask(scene: Scene, step: Exchange, wait: Wait) -> str | None:
    """Order the SUT to send a message; returns why it will not, or ``None``."""
    stage, message = scene.stage, scene.stage.pack.messages[step.message]
    parameters = order_parameters(scene.data, scene.conversation, step)
    url = stage.url(step.receiver)
    scene.write(
        "control-call",
        step.id,
        action="send",
        parameters={
            "message": step.message,
            "position": stage.pack.parties[step.sender].position,
            "receiver": {"party": step.receiver, "url": address(url, message)},
            "values": {name: "***" if stage.pack.values[name].secret else value for name, value in parameters.items()},
        },
    )
    position = stage.pack.parties[step.sender].position
    taken = await stage.setup.control.send(
        Order(scene.case.id, step.id, step.message, position, parameters, step.receiver, url)
    )
    scene.write("control-answer", step.id, status=taken.status, body=dict(taken.body), error=taken.error)
    reference = taken.body.get("reference")
    wait.reference = reference if isinstance(reference, str) and reference else None
    return taken.error


def _say_waiting(scene: Scene, step: Exchange, seconds: float, owed: bool) -> str:
    if owed:
        why = f"{step.sender} owes {step.message} to {step.receiver}."
    elif scene.stage.setup.control.available:
        why = f"{step.sender} was asked to send {step.message} to {step.receiver}."
    else:
        why = f"Make {step.sender} send {step.message} to {step.receiver} at {scene.stage.url(step.receiver)}."
    event = scene.write(
        "waiting",
        step.id,
        message=step.message,
        sender=step.sender,
        receiver=step.receiver,
        until=scene.later(seconds),
        why=why,
    )
    return event.at


def _say_silence(scene: Scene, step: Exchange, since: str) -> None:
    scene.write(
        "silence",
        step.id,
        role="request",
        message=step.message,
        sender=step.sender,
        receiver=step.receiver,
        since=since,
        until=stamp(scene.now()),
    )
