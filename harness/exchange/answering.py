"""Answers in messages of their own: the request that waits for one, and the receipt for whatever came.

Rules:

1. The reference by which an answer names its request is decisive, whatever else the answer says.
2. An answer that names no request, or one that nobody sent, is still taken by its kind and by what it speaks of: the
   judge must see what is wrong with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.evidence.conversation import Conversation, Part, name_made_by
from harness.evidence.message import Opened
from harness.exchange.http import Sent, WireAnswer
from harness.exchange.recorder import Recorder
from harness.pack.model import Pack
from harness.scenario.model import Exchange

RECEIVED = 202
"""HTTP status of a receipt: taken for processing, and nothing said about the content (RFC 9110, 15.3.3)."""


@dataclass(eq=False)
class Pending:
    """A request that waits for its answer.

    Parameters:
        case: id of the case.
        step: the exchange.
        reference: of the request.
        conversation: gives what is known now.
        arrival: set to the answer when it came.
    """

    case: str
    step: Exchange
    reference: Callable[[], str | None]
    conversation: Callable[[], Conversation]
    arrival: asyncio.Future[Opened] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def fits(self, pack: Pack, receiver: str, opened: Opened, *, alone: bool) -> int:
        """How surely a message is the answer: 0 not at all, 1 by its kind and what it speaks of, 2 by its reference.

        Parameters:
            pack: the profile.
            receiver: party id of whoever got the message.
            opened: the message.
            alone: only one case is played at a time, so an answer that says too little can only be for it.
        """
        if receiver != self.step.sender or opened.name is None:
            return 0
        if not pack.messages[opened.name].replies:
            return 0
        if (reference := self.reference()) is not None and reference_replied_to(pack, opened) == reference:
            return 2
        if opened.name not in pack.answering(self.step.message):
            return 0
        asked = self.conversation().message(self.step.id, "request")
        known = asked.values if asked is not None else {}
        keys = [name for name in pack.messages[opened.name].correlate if known.get(name) is not None]
        if any(opened.values.get(name) != known[name] for name in keys):
            return 0
        return 1 if keys or alone else 0


def reference_replied_to(pack: Pack, opened: Opened) -> str | None:
    """The reference of the message that a message says it refers to."""
    name = name_made_by(pack, opened.name, "reply") if opened.name is not None else None
    return opened.text(name) if name is not None else None


def receipt(
    recorder: Recorder, case: str, step: Exchange, part: Part, then: Callable[[], None] = lambda: None
) -> WireAnswer:
    """The HTTP response to a message that is answered by another one: it came, and no more.

    Parameters:
        recorder: writes down when it left.
        case, step, part: what came.
        then: called when it has left, or never will.
    """

    def told(sent: Sent | None) -> None:
        if sent is not None:
            ours, theirs = (step.receiver, step.sender) if part == "request" else (step.sender, step.receiver)
            recorder.write(
                "receipt",
                case,
                step.id,
                sent.at,
                role=part,
                sender=ours,
                receiver=theirs,
                digest=recorder.store.put(b""),
                head=sent.head.to_json(),
                tls=sent.tls.to_json() if sent.tls else None,
                connection=sent.connection,
            )
        then()

    return WireAnswer(RECEIVED, on_sent=told)
