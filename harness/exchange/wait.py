"""A step that waits for a message of the SUT, and how it is known which message that is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.evidence.conversation import Conversation, name_made_by, tells_of
from harness.evidence.message import Opened
from harness.exchange.http import WireAnswer, WireRequest
from harness.pack.model import Pack
from harness.scenario.model import Exchange


class Arrival(NamedTuple):
    """A request that came for a step.

    Parameters:
        request, opened: what came.
        reply: to be set to the answer.
    """

    request: WireRequest
    opened: Opened
    reply: asyncio.Future[WireAnswer]


@dataclass(eq=False)
class Wait:
    """A step that waits for a message of the SUT.

    Parameters:
        case: id of the case.
        step: what is waited for; its id, message, sender, receiver, subject and event count.
        conversation: gives what is known now.
        anywhere: whatever party receives it (for a message that must not come).
        late: nothing is known by which the message could be told.
        reference: what the SUT says that it will send the message under, once it was asked.
        arrival: set when it came.
    """

    case: str
    step: Exchange
    conversation: Callable[[], Conversation]
    anywhere: bool = False
    late: bool = False
    reference: str | None = None
    arrival: asyncio.Future[Arrival] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def keys(self, pack: Pack) -> Mapping[str, object]:
        """What is known of the values by which the message is correlated."""
        said, message = self.conversation(), pack.messages[self.step.message]
        known = {name: said.known(name, self.step.subject, self.step.movement) for name in message.correlate}
        return {name: value for name, value in known.items() if value is not None}

    def fits(self, pack: Pack, opened: Opened) -> bool:
        """Whether the message can be the one."""
        keys = self.keys(pack)
        if not keys and (not self.late or self._of_another_movement(pack, opened)):
            return False
        if any(opened.values.get(name) != value for name, value in keys.items()):
            return False
        return tells_of(pack, self.step.message, self.step.event, opened)

    def _of_another_movement(self, pack: Pack, opened: Opened) -> bool:
        """Whether the message is correlated by a value that another movement of the case has."""
        correlate = pack.messages[self.step.message].correlate
        return any(
            name in correlate and movement != self.step.movement and opened.values.get(name) == value
            for (name, _, movement), value in self.conversation().values.items()
        )

    def told(self, pack: Pack, opened: Opened) -> bool:
        """Whether the message has the reference that the SUT gave when it was asked for it."""
        name = name_made_by(pack, self.step.message, "reference")
        return self.reference is not None and name is not None and opened.values.get(name) == self.reference

    def agreement(self, opened: Opened) -> int:
        """How many known values the message has, less those in which it differs."""
        said, count = self.conversation(), 0
        for name, value in opened.values.items():
            known = said.known(name, self.step.subject, self.step.movement)
            if known is not None:
                count += 1 if known == value else -1
        return count
