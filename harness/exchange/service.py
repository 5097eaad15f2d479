"""What a listener and its connections share, and what they tell."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from harness.errors import HarnessFault
from harness.evidence.clock import Clock
from harness.exchange.http import Moment, WireAnswer, WireLimits, WireRequest

Handler = Callable[[WireRequest], Awaitable[WireAnswer]]

FailureKind = Literal["tls", "http", "too-large", "too-slow", "closed", "too-many"]


@dataclass(frozen=True)
class ListenerFailure:
    """Something that reached the listener and did not become a request.

    Parameters:
        kind: ``tls`` (handshake), ``http`` (not HTTP/1.1), ``too-large``, ``too-slow``, ``closed`` (in the middle
            of a request) or ``too-many`` (connections, or bytes of all of them together).
        text: one sentence.
        at: when it was known.
        peer: address of the peer.
        request: what had come of a request, or ``None``.
        known: the peer is one who is due to call: it has shown a certificate that is believed, or has one of their
            addresses.
        count: how many this tells of; the text names the peers when it is more than one.
    """

    kind: FailureKind
    text: str
    at: Moment
    peer: str
    request: WireRequest | None = None
    known: bool = False
    count: int = 1


class Connected(Protocol):
    """A connection as its listener sees it."""

    @property
    def ready(self) -> bool:
        """Whether the handshake is done: the peer is one who may call."""
        ...

    @property
    def held(self) -> int:
        """Bytes of a body that came so far."""
        ...

    def drop(self) -> None:
        """End it at once."""
        ...


@dataclass
class Service:
    """What the connections of one listener share.

    Parameters:
        handler: answers one request; called once per request, many at a time.
        limits: bounds.
        clock: for the times at the socket.
        context: TLS, or ``None`` for none.
        on_failure: is told what did not become a request.
        on_fault: is told what a handler raised.
        callers: addresses of those who are due to call.
        connections: what is open now, the oldest first.
        tasks: what is running now.
    """

    handler: Handler
    limits: WireLimits
    clock: Clock
    context: ssl.SSLContext | None
    on_failure: Callable[[ListenerFailure], None]
    on_fault: Callable[[HarnessFault], None]
    callers: frozenset[str] = frozenset()
    connections: dict[Connected, None] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
