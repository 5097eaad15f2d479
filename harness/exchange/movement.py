"""A movement on which several cases are played, because a person set it up: what was accepted on it is not done again.

What the cases share stands in the evidence of each of them: the same messages, with the number of the event in which
they were written down first. So every case is judged from its own events, as if it had been played alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.evidence.conversation import Conversation, Said
from harness.evidence.model import Event
from harness.exchange.data import Data
from harness.exchange.http import Moment
from harness.exchange.parcel import Parcel
from harness.exchange.stage import Scene
from harness.scenario.guide import leaves
from harness.scenario.model import Exchange
from harness.scenario.project import exchanges

_TOLD = ("waiting", "control-call", "control-answer", "sent", "received", "receipt", "simulated", "silence")


@dataclass(frozen=True)
class Movement:
    """What was accepted on a movement.

    Parameters:
        sut: seat of the SUT.
        steps: the exchanges, as in the case that was played last.
        events: their events, in order.
        said: their messages, in order.
        data: the values of the movement.
        parcels: what was sent for them, by id of the exchange.
        conversation: of the last case, whole.
        case: id of the last case.
    """

    sut: str
    steps: tuple[Exchange, ...]
    events: tuple[Event, ...]
    said: tuple[Said, ...]
    data: Data
    parcels: Mapping[str, Parcel]
    conversation: Conversation
    case: str


def movement_after(scene: Scene, events: Sequence[Event]) -> Movement | None:
    """The movement as a case left it; ``None`` when nothing can be built on it."""
    case, conversation = scene.case, scene.conversation
    steps = leaves(case)
    if steps is None:
        return None
    ids = {step.id for step in exchanges(steps)}
    told = tuple(event for event in events if event.step in ids and event.kind in _TOLD)
    said = tuple(each for each in conversation.said if each.step in ids)
    return Movement(case.sut, steps, told, said, scene.data, scene.parcels, conversation, case.id)


def take_over(scene: Scene, movement: Movement) -> None:
    """Write down what a case shares with the one before, and let its conversation begin with it."""
    now = dict(_pairs(movement.steps, scene.case.steps))
    for event in movement.events:
        data = {**event.data, "shared": event.data.get("shared", event.seq)}
        when = Moment(datetime.fromisoformat(event.at), event.mono)
        scene.write(event.kind, now[str(event.step)].id, when, **data)
    for each in movement.said:
        scene.hear(now[each.step], each.part, each.opened)
    scene.parcels.update((now[name].id, parcel) for name, parcel in movement.parcels.items() if name in now)


def _pairs(before: Sequence[Exchange], steps: Sequence[object]) -> Iterator[tuple[str, Exchange]]:
    """Ids of earlier exchanges, with those that stand in their place now."""
    after = [step for step in steps if isinstance(step, Exchange)]
    for one, other in zip(before, after, strict=False):
        yield one.id, other
        yield from _pairs(one.during, other.during)
