"""The conversation of one case: the messages so far, and every value that is known from them.

Rules:

1. A value is known from the first message that carries it, whoever sent it: set by a simulated owner,
   captured from the system under test. Later messages are compared with it, never the other way round.
2. A step that is wrong on purpose teaches nothing, and a value that a step sets itself (``with:``) belongs
   to that step only, unless it changes it for everybody (``changes:``).
3. The conversation never decides anything; it is the same for the play, which needs values, and for the
   judge, which needs to compare.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from harness.evidence.message import Opened
from harness.message.model import Value
from harness.pack.model import Pack

Part = Literal["request", "answer"]

Key: TypeAlias = tuple[str, str | None, str]
"""Bound name, position (``None`` for a value of the whole movement) and movement."""

Save: TypeAlias = tuple[Part, str]
"""What a step saves for later ones: the part of the exchange, and in it a bound name or a path."""


class Said(NamedTuple):
    """One message of the conversation."""

    step: str
    part: Part
    sender: str
    opened: Opened


class Conversation(NamedTuple):
    """What has been said so far. Immutable: hearing something gives a new conversation.

    Parameters:
        pack: the profile.
        values: known values by name, position (``None`` for one of the whole movement) and movement.
        said: all messages in order.
        saved: what steps saved, by the names that they gave it.
        former: what values were before steps changed them: the step and the value, by the same key as ``values``.
    """

    pack: Pack
    values: Mapping[Key, Value] = MappingProxyType({})
    said: tuple[Said, ...] = ()
    saved: Mapping[str, Value] = MappingProxyType({})
    former: Mapping[Key, tuple[tuple[str, Value], ...]] = MappingProxyType({})

    def known(self, name: str, subject: str | None, movement: str = "") -> Value:
        """A known value, ``None`` while it is not known or has the scope of one message."""
        scope = self.pack.values[name].scope
        if scope == "message":
            return None
        return self.values.get((name, subject if scope == "position" else None, movement))

    def before(self, name: str, subject: str | None, movement: str, steps: Container[str]) -> tuple[Value, ...]:
        """What a value was before any of these steps changed it."""
        key = (name, subject if self.pack.values[name].scope == "position" else None, movement)
        return tuple(value for step, value in self.former.get(key, ()) if step in steps)

    def heard(
        self,
        step: str,
        part: Part,
        sender: str,
        opened: Opened,
        *,
        subject: str | None,
        movement: str = "",
        teaches: bool = True,
        own: frozenset[str] = frozenset(),
        changes: frozenset[str] = frozenset(),
        save: Mapping[str, Save] | None = None,
    ) -> Conversation:
        """The conversation with one more message.

        Parameters:
            step: id of the exchange.
            part: request or answer.
            sender: party id.
            opened: the message.
            subject, movement: position and movement that the exchange is about.
            teaches: false for a message that is wrong on purpose.
            own: names whose values belong to this step only.
            changes: names whose values are new from here on.
            save: what the step saves.
        """
        learnt: dict[Key, Value] = {}
        former, saved = self.former, self.saved
        if teaches and opened.shape in ("request", "accepted"):
            rules = self.pack.values
            for name, value in opened.values.items():
                scope = rules[name].scope
                if scope == "message" or not (value or value == ""):
                    continue
                key = (name, subject if scope == "position" else None, movement)
                if part == "request" and name in changes:
                    if key in self.values:
                        former = {**former, key: (*former.get(key, ()), (step, self.values[key]))}
                    learnt[key] = value
                elif name not in own and key not in self.values:
                    learnt[key] = value
        values = {**self.values, **learnt} if learnt else self.values
        for name, (saved_part, place) in (save or {}).items():
            value = _found(opened, place) if saved_part == part else None
            if value is not None:
                saved = {**saved, name: value}
        return Conversation(self.pack, values, (*self.said, Said(step, part, sender, opened)), saved, former)

    def message(self, step: str, part: Part) -> Opened | None:
        """The latest message of that step and part."""
        for said in reversed(self.said):
            if said.step == step and said.part == part:
                return said.opened
        return None


def _found(opened: Opened, place: str) -> Value:
    """The value of a bound name, else the first text at a path."""
    if place in opened.values or opened.document is None:
        return opened.values.get(place)
    return next(iter(opened.document.texts(place)), None)


@lru_cache(maxsize=1024)
def name_made_by(pack: Pack, message: str, kind: str) -> str | None:
    """The bound name of a message whose maker is of that kind (``reference``, ``reply``), if it has one."""
    for name in pack.messages[message].bindings:
        if pack.values[name].make.kind == kind:
            return name
    return None


def tells_of(pack: Pack, message: str, event: str, opened: Opened) -> bool:
    """Whether a message says that *event* happened, as far as its kind says what did (maker ``event``)."""
    name = name_made_by(pack, message, "event")
    return not (name and event) or opened.values.get(name) == event
