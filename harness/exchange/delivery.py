"""Delivery defects: the message is right, and the way it is handed over is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from harness.scenario.model import LATE, OVERDUE

Part = Literal["request", "answer"]


@dataclass(frozen=True)
class Delivery:
    """How one message is handed over.

    Parameters:
        delay: seconds to wait first.
        content_type: said in place of the true one.
        truncated: only the first half of the announced body is sent, then the connection ends.
        closed: the connection ends without a byte.
        repeated: the same bytes are sent a second time.
        other_party: another party signs it, rightly, in the name of the sender.
        other_request: it names another request than the one that it answers.
    """

    delay: float = 0.0
    content_type: str | None = None
    truncated: bool = False
    closed: bool = False
    repeated: bool = False
    other_party: bool = False
    other_request: bool = False


@dataclass(frozen=True)
class DeliveryDefect:
    """A named way to hand a message over wrongly.

    Parameters:
        text: what is wrong, one sentence.
        parts: what it can be done to.
        make: from the seconds that the peer waits, to the delivery.
    """

    text: str
    parts: frozenset[Part]
    make: Callable[[float], Delivery]


DEFECTS: Mapping[str, DeliveryDefect] = {
    LATE: DeliveryDefect(
        "The answer comes after the time limit.",
        frozenset({"answer"}),
        lambda limit: Delivery(delay=OVERDUE * limit),
    ),
    "delivery/truncated": DeliveryDefect(
        "The connection ends in the middle of the message.",
        frozenset({"request", "answer"}),
        lambda _: Delivery(truncated=True),
    ),
    "delivery/wrong-content-type": DeliveryDefect(
        "The Content-Type header names another kind of content.",
        frozenset({"request", "answer"}),
        lambda _: Delivery(content_type="image/png"),
    ),
    "delivery/closed": DeliveryDefect(
        "The connection ends in place of the answer.",
        frozenset({"answer"}),
        lambda _: Delivery(closed=True),
    ),
    "delivery/repeated": DeliveryDefect(
        "The message comes twice, byte for byte.",
        frozenset({"request"}),
        lambda _: Delivery(repeated=True),
    ),
    "delivery/other-party": DeliveryDefect(
        "Another party, whose certificate is valid, signs the message in the name of the sender.",
        frozenset({"request"}),
        lambda _: Delivery(other_party=True),
    ),
    "delivery/other-request": DeliveryDefect(
        "The answer names another request.",
        frozenset({"answer"}),
        lambda _: Delivery(other_request=True),
    ),
}


def with_content_type(headers: tuple[tuple[str, str], ...], delivery: Delivery | None) -> tuple[tuple[str, str], ...]:
    """The headers as this delivery wants them."""
    if delivery is None or delivery.content_type is None:
        return headers
    others = tuple(pair for pair in headers if pair[0].lower() != "content-type")
    return (*others, ("Content-Type", delivery.content_type))
