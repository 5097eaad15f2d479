"""A message becomes part of what was said: by the same rules while a case is played, and when it is judged."""

from __future__ import annotations

from harness.evidence.conversation import Conversation, Part
from harness.evidence.message import Opened
from harness.scenario.model import Exchange
from harness.scenario.project import wrong


def heard(conversation: Conversation, step: Exchange, part: Part, opened: Opened) -> Conversation:
    """The conversation with one more message; what is wrong on purpose teaches nothing.

    Parameters:
        conversation: so far.
        step: the exchange that the message belongs to.
        part: whether it is the request or the answer.
        opened: the message.
    """
    return conversation.heard(
        step.id,
        part,
        step.sender if part == "request" else step.receiver,
        opened,
        subject=step.subject,
        movement=step.movement,
        teaches=not (wrong(step) if part == "request" else step.answer_defect),
        own=frozenset(step.values),
        changes=step.changes,
        save=step.save,
    )
