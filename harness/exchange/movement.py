"""A movement on which several cases are played, because a person set it up: what was accepted on it is not done again.

What the cases share stands in the evidence of each of them: the same messages, with the number of the event in which
they were written down first. So every case is judged from its own events, as if it had been played alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from harness.evidence.conversation import Conversation, Said
from harness.evidence.model import Event
from harness.exchange.data import Data
from harness.exchange.http import Moment
from harness.exchange.parcel import Parcel
from harness.exchange.stage import Scene
from harness.scenario.guide import joined, leaves
from harness.scenario.model import Exchange
from harness.scenario.project import exchanges

_TOLD = ("waiting", "control-call", "control-answer", "sent", "received", "receipt", "simulated", "silence")


@dataclass(frozen=True)
class Movement:
    """What was accepted on a movement.

    Parameters:
        sut: seat of the SUT.
        steps: the exchanges, in order; their ids tell them apart on the movement.
        events: their events, in order, with these ids.
        said: their messages, in order, with these ids.
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


def movement_after(scene: Scene, events: Sequence[Event], before: Movement | None) -> Movement | None:
    """The movement as a case left it; ``None`` when nothing can be built on it.

    Parameters:
        scene, events: of the case.
        before: the movement on which it went on.
    """
    case, conversation = scene.case, scene.conversation
    begun = leaves(case)
    if begun is None:
        return None
    seen = before.steps if before is not None else ()
    shared = len(joined(case, case.sut, seen, scene.stage.pack) or ())
    # what the movement had seen keeps its ids; what is new has those of the case, marked with its number
    new = {step.id: f"{case.serial}:{step.id}" for step in exchanges(begun[shared:])}
    steps = tuple(_renamed(step, new) for step in begun[shared:])
    told = tuple(each._replace(step=new[each.step]) for each in events if each.step in new and each.kind in _TOLD)
    said = tuple(each._replace(step=new[each.step]) for each in conversation.said if each.step in new)
    parcels = {new[name]: parcel for name, parcel in scene.parcels.items() if name in new}
    if before is None:
        return Movement(case.sut, steps, told, said, scene.data, parcels, conversation, case.id)
    return replace(
        before,
        steps=(*seen, *steps),
        events=(*before.events, *told),
        said=(*before.said, *said),
        data=scene.data,
        parcels={**before.parcels, **parcels},
        conversation=conversation,
        case=case.id,
    )


def take_over(scene: Scene, movement: Movement) -> int:
    """Write down what a case shares with those before, and let its conversation begin with it.

    Returns:
        how many of its first exchanges need not be done again.
    """
    shared = joined(scene.case, movement.sut, movement.steps, scene.stage.pack) or ()
    now = dict(_pairs(shared, scene.case.steps))
    for event in movement.events:
        if event.step in now:
            data = {**event.data, "shared": event.data.get("shared", event.seq)}
            when = Moment(datetime.fromisoformat(event.at), event.mono)
            scene.write(event.kind, now[event.step].id, when, **data)
    for each in movement.said:
        if each.step in now:
            scene.hear(now[each.step], each.part, each.opened)
    scene.parcels.update((now[name].id, parcel) for name, parcel in movement.parcels.items() if name in now)
    return len(shared)


def _renamed(step: Exchange, names: Mapping[str, str]) -> Exchange:
    return replace(step, id=names[step.id], during=tuple(_renamed(each, names) for each in step.during))


def _pairs(before: Sequence[Exchange], steps: Sequence[object]) -> Iterator[tuple[str, Exchange]]:
    """Ids of earlier exchanges, with those that stand in their place now."""
    after = [step for step in steps if isinstance(step, Exchange)]
    for one, other in zip(before, after, strict=False):
        yield one.id, other
        yield from _pairs(one.during, other.during)
