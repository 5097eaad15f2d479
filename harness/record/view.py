"""The masked copy of the evidence, which may be shown to others: ``view/`` of a bundle.

It is a pure function of pack and evidence, so that everybody who holds the evidence can make it again, and see that it
hides what it must and nothing else. Lines stand in the order of the evidence: of ``events.jsonl`` one for each event,
of ``messages.jsonl`` one for each message, with the digest of its exact bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from harness.record.redact import hidden_values, places_of, redact_value, show_body

if TYPE_CHECKING:
    from harness.evidence.model import Event
    from harness.pack.model import Pack

LONGEST_BODY = 4 * 1024 * 1024
"""Characters of one message that are shown."""

Fetch = Callable[[str], bytes]


def view_of_events(pack: Pack, events: Iterable[Event], fetch: Fetch) -> Iterator[bytes]:  # noqa: ARG001 - one form
    """Every event, masked."""
    hidden = hidden_values(pack)
    for event in events:
        yield _line(
            {
                "seq": event.seq,
                "kind": event.kind,
                "at": event.at,
                "mono": event.mono,
                "case": event.case,
                "step": event.step,
                "data": redact_value(dict(event.data), hidden),
            }
        )


def view_of_messages(pack: Pack, events: Iterable[Event], fetch: Fetch) -> Iterator[bytes]:
    """Every message that an event speaks of, once, as text and masked."""
    places = places_of(pack)
    everywhere = sorted({place for each in places.values() for place in each})
    seen: set[str] = set()
    for event in events:
        digest = event.data.get("digest")
        if digest is None or digest in seen:
            continue
        seen.add(digest)
        name = event.data.get("message")
        masked = places.get(str(name), []) if name in pack.messages else everywhere
        body = show_body(fetch(digest), pack.format, masked, LONGEST_BODY)
        yield _line({"digest": digest, "message": name, "text": body.text, "note": body.note})


VIEW: Mapping[str, Callable[[Pack, Iterable[Event], Fetch], Iterator[bytes]]] = {
    "events.jsonl": view_of_events,
    "messages.jsonl": view_of_messages,
}
"""File name below ``view/`` to what makes its lines."""


def _line(document: Mapping[str, Any]) -> bytes:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "surrogatepass") + b"\n"
