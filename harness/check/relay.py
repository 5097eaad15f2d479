"""The check of forwarded messages: whoever forwards changes nothing but what belongs to the message itself.

Whole documents are compared, place by place, also where no name is bound. Only what every message has anew may differ:
the values with the scope of one message, and hints where a schema lies. White space around a text, the order in which
elements of different names stand, comments, prefixes, and how a number is written are nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.check.model import Finding, Subject
from harness.message.model import Document
from harness.pack.condition import decimal
from harness.pack.model import Message, Pack
from harness.pack.schema import numbers
from harness.pack.trial import anywhere

SHOWN = 120
"""Characters of a value that a finding shows."""

NAMED = 5
"""How many places of one message are named."""

_HINTS = ("@schemaLocation", "@noNamespaceSchemaLocation")


def relay(subject: Subject) -> Iterator[Finding]:
    """A forwarded message carries the whole content of the one that it forwards, and nothing else."""
    dialogue, opened = subject.dialogue, subject.opened
    original = dialogue.forwards if dialogue is not None and dialogue.part == "request" else None
    if original is None or original.document is None or opened.document is None or opened.name is None:
        return
    message = subject.pack.messages[opened.name]
    came, went = (_content(subject.pack, message, each) for each in (original.document, opened.document))
    counted = numbers(subject.pack, opened.name)
    places = [place for place in {**came, **went} if not _same(place, came.get(place), went.get(place), counted)]
    for number, place in enumerate(places[:NAMED], 1):
        text = f"{place} was forwarded {_shown(went.get(place))}; it came {_shown(came.get(place))}"
        text += f" (and {len(places) - NAMED} more places)" if number == NAMED < len(places) else ""
        name = _bound(message, original.document, place) or _bound(message, opened.document, place)
        yield Finding("relay", name or "content", text, pointer=place)


def _content(pack: Pack, message: Message, document: Document) -> dict[str, str]:
    """The text of every place of a document; of one with others in it, that it is there."""
    own = [
        pointer
        for name, binding in message.bindings.items()
        if pack.values[name].scope == "message"
        for pointer in document.pointers(binding.path)
    ]
    everything = tuple(document.walk())
    holders = {place.rpartition("/")[0] for place in everything if "@" not in place}
    places = [
        place
        for place in everything
        if not place.endswith(_HINTS) and not any(_within(place, pointer) for pointer in own)
    ]
    return {place: "" if place in holders else document.texts(place)[0].strip() for place in places}


def _same(place: str, one: str | None, other: str | None, counted: frozenset[str]) -> bool:
    """Whether two texts say the same: letter for letter, or as numbers where the schema has a number."""
    if one is None or other is None or one == other:
        return one == other
    number = decimal(one) if anywhere(place) in counted else None
    return number is not None and number == decimal(other)


def _within(place: str, pointer: str) -> bool:
    return place == pointer or place.startswith(f"{pointer}/")


def _bound(message: Message, document: Document, place: str) -> str | None:
    """The bound name that stands at a place, or around it."""
    for name, binding in message.bindings.items():
        if any(_within(place, pointer) for pointer in document.pointers(binding.path)):
            return name
    return None


def _shown(text: str | None) -> str:
    if text is None:
        return "without it"
    return "as " + (text if len(text) <= SHOWN else text[:SHOWN] + "...") if text else "with it"
