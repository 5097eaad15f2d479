"""What was seen of an HTTP/1.1 exchange: heads, bodies, times at the socket, facts of the TLS connection.

Only values, and the one way from h11's events to them. The client and the server side of the wire share them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

import httpx

from harness.pack.model import OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from harness.evidence.clock import Clock
    from harness.exchange.delivery import Delivery


_CHUNK = 1000

Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host and port."""


class Moment(NamedTuple):
    """A reading of both clocks: wall time (UTC), and nanoseconds of the monotonic clock."""

    at: datetime
    mono: int


def moment(clock: Clock) -> Moment:
    """Both clocks, now."""
    return Moment(clock.now(), clock.mono())


class Head(NamedTuple):
    """A request line or status line, and the headers as they travelled: order and capital letters are kept."""

    line: str
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str | None:
        """The first header of that name, in any case of letters."""
        wanted = name.lower()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value
        return None

    @property
    def size(self) -> int:
        """Bytes of the headers; h11 itself bounds only a head that is not complete yet."""
        return sum([len(name) + len(value) + 4 for name, value in self.headers])

    def to_json(self) -> dict[str, Any]:
        """The head as it stands in the evidence."""
        return {"line": self.line, "headers": [list(pair) for pair in self.headers]}


@dataclass(frozen=True)
class TlsFacts:
    """What the handshake agreed on, and who the other side is.

    Parameters:
        version: such as ``TLSv1.3``.
        cipher: name of the cipher suite.
        subject: subject of the peer's certificate (RFC 4514), ``None`` when it showed none.
        fingerprint: SHA-256 of that certificate in DER, hexadecimal.
        certificate: that certificate in DER.
    """

    version: str
    cipher: str
    subject: str | None = None
    fingerprint: str | None = None
    certificate: bytes | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """The facts as they stand in the evidence."""
        return {
            "version": self.version,
            "cipher": self.cipher,
            "peer": {"subject": self.subject, "sha256": self.fingerprint} if self.subject is not None else None,
        }


@dataclass(frozen=True)
class WireLimits:
    """Bounds on what a peer can make us hold, and for how long. Sizes in bytes, times in seconds.

    Parameters:
        head: size of a request line or status line with its headers.
        body: size of a body.
        connections: connections that a listener serves at once.
        together: size of all bodies that a listener receives at once.
        handshake: from the connection to the end of the TLS handshake.
        request: from the first byte of a request to its last.
        idle: between two exchanges of a connection.
    """

    head: int = 64 * 1024
    body: int = 10 * 1024 * 1024
    connections: int = 1000
    together: int = 256 * 1024 * 1024
    handshake: float = 10.0
    request: float = 30.0
    idle: float = 60.0


class WireRequest(NamedTuple):
    """A request that was received.

    Parameters:
        head: as it travelled.
        method, target: from the request line.
        body: all of it, or what came of it.
        body_complete: false when the connection ended in the middle.
        first, last: when its first and its last byte came.
        connection: name of the connection, unique in its listener.
        tls: facts of the connection, ``None`` in the clear.
    """

    head: Head
    method: str
    target: str
    body: bytes
    body_complete: bool
    first: Moment
    last: Moment
    connection: str
    tls: TlsFacts | None


class Posting(NamedTuple):
    """A request that is about to leave.

    Parameters:
        method, target: for the request line.
        origin: scheme, host and port of the server.
        headers: all of them, in order.
        body: the bytes.
        connect_seconds, seconds: how long to wait for the connection, and for the complete answer.
        delivery: what goes wrong on purpose on the way, or ``None``.
        on_sent: is told what left, or ``None``.
    """

    method: str
    target: bytes
    origin: Origin
    headers: list[tuple[bytes, bytes]]
    body: bytes
    connect_seconds: float | None
    seconds: float | None
    delivery: Delivery | None = None
    on_sent: Callable[[Sent], None] | None = None


class Sent(NamedTuple):
    """What left us: the head as it travelled, and when its last byte was handed to the socket."""

    head: Head
    at: Moment
    connection: str
    tls: TlsFacts | None
    complete: bool = True


class WireResponse(NamedTuple):
    """An answer that was received; fields as in :class:`WireRequest`.

    Parameters:
        status: HTTP status.
        problem: why the body is not complete, else ``None``.
    """

    head: Head
    status: int
    body: bytes
    body_complete: bool
    first: Moment
    last: Moment
    connection: str
    tls: TlsFacts | None
    problem: str | None = None


class Wire(NamedTuple):
    """One exchange as the client saw it."""

    sent: Sent
    response: WireResponse


class WireAnswer(NamedTuple):
    """What a handler wants to be answered.

    Parameters:
        status: HTTP status.
        headers: without those that frame the body.
        body: the bytes.
        delivery: what goes wrong on purpose on the way, or ``None``.
        on_sent: is told what left; ``None`` when nothing did.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delivery: Delivery | None = None
    on_sent: Callable[[Sent | None], None] | None = None


class WireFailure(httpx.TransportError):
    """An exchange that ended without an answer::

        WireFailure
        ├── Unreachable          no connection            the environment is to blame
        ├── TlsRefused           refused in the handshake
        ├── ClosedWithoutAnswer  the connection ended
        ├── NotHttp              what came is not HTTP
        └── Silence              nothing came in time

    Parameters:
        text: one sentence.
        at: when it was known.
        sent: what had left us by then, or ``None``.
        blame: ``sut`` or ``environment``.
    """

    outcome: ClassVar[OutcomeKind] = "closed"

    def __init__(
        self,
        text: str,
        *,
        at: Moment,
        sent: Sent | None = None,
        blame: Literal["sut", "environment"] = "sut",
    ) -> None:
        super().__init__(text)
        self.text, self.at, self.sent, self.blame = text, at, sent, blame


class Unreachable(WireFailure):
    """No connection could be made."""


class TlsRefused(WireFailure):
    """One of the two sides refused the other in the handshake."""

    outcome = "tls"


class ClosedWithoutAnswer(WireFailure):
    """The connection ended before a byte of the answer came."""


class NotHttp(WireFailure):
    """Something came that is not an HTTP/1.1 answer, or not within its bounds."""

    outcome = "http"


class Silence(WireFailure):
    """No complete answer came within the time that was given."""

    outcome = "silence"


def origin_of(url: httpx.URL) -> Origin:
    """The server of an address."""
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def head_of(line: str, headers: Iterable[tuple[bytes, bytes]]) -> Head:
    """A head from h11's raw headers."""
    return Head(line, tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]))


def parts_of(body: bytes, head: bytes) -> Sequence[bytes]:
    """A body as h11 is given it: whole, or in parts where its head says that it comes in chunks (RFC 9112, 7.1)."""
    if b"\r\ntransfer-encoding: chunked\r\n" not in head.lower():
        return (body,)
    return [body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)]


def read_head(data: bytes) -> Head:
    """The head from the bytes of it that we are about to send."""
    line, *rest = data.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    pairs = [text.partition(": ") for text in rest]
    return Head(line, tuple([(name, value) for name, _, value in pairs]))
