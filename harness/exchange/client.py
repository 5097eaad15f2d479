"""Posting a message over any transport of httpx, and telling exactly what happened."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from functools import lru_cache

import httpx

from harness.evidence.clock import Clock, SystemClock
from harness.exchange.delivery import Delivery, with_content_type
from harness.exchange.http import (
    ClosedWithoutAnswer,
    Moment,
    NotHttp,
    Origin,
    Posting,
    Sent,
    Silence,
    TlsRefused,
    Unreachable,
    Wire,
    WireFailure,
    WireResponse,
    head_of,
    moment,
    origin_of,
)
from harness.exchange.transport import WireTransport


async def post(
    transport: httpx.AsyncBaseTransport,
    url: str,
    data: bytes,
    headers: tuple[tuple[str, str], ...],
    *,
    seconds: float,
    connect_seconds: float = 10.0,
    method: str = "POST",
    delivery: Delivery | None = None,
    clock: Clock | None = None,
    on_sent: Callable[[Sent], None] | None = None,
) -> Wire:
    """Send one message and return its answer.

    The transport is used itself, without a client of httpx around it: nothing follows redirects, decodes
    bodies or adds headers, so what is sent is what the evidence says. Beneath a transport other than
    :class:`~harness.exchange.transport.WireTransport` times are those of the call and not of the socket.

    Parameters:
        transport: any; one is kept for a whole run.
        url: where to.
        data: the body as it travels.
        headers: all but Host and Content-Length.
        seconds, connect_seconds: how long to wait for the complete answer, and for the connection.
        method: of HTTP.
        delivery: what goes wrong on purpose; repeating is up to the caller.
        clock: for times that the transport does not tell.
        on_sent: is told what has left, before anything can come back for it.

    Raises:
        WireFailure: there was no answer; the class says why.
    """
    told = with_content_type(headers, delivery)
    if isinstance(transport, WireTransport):
        origin, target, host = _place(url)
        chunked = any(name.lower() == "transfer-encoding" for name, _ in told)
        length = () if chunked else (("Content-Length", str(len(data))),)  # never both: RFC 9112, 6.2
        framed = (("Host", host), *length, *told)
        encoded = [(name.encode("ascii"), value.encode("ascii")) for name, value in framed]
        return await transport.exchange(
            Posting(method, target, origin, encoded, data, connect_seconds, seconds, delivery, on_sent)
        )
    times = {"connect": connect_seconds, "read": seconds, "write": seconds, "pool": connect_seconds}
    request = httpx.Request(method, url, headers=list(told), content=data, extensions={"timeout": times})
    clock = clock or SystemClock()
    before = moment(clock)
    if on_sent is not None:
        on_sent(_sent(request, before))
    try:
        response = await transport.handle_async_request(request)
        try:
            body = await response.aread()
        finally:
            await response.aclose()
    except httpx.TransportError as error:
        raise _failure(error, _sent(request, before), clock) from error
    after = moment(clock)
    status = response.status_code
    head = head_of(f"HTTP/1.1 {status} {response.reason_phrase}", response.headers.raw)
    return Wire(_sent(request, before), WireResponse(head, status, body, True, after, after, "", None))


@lru_cache(maxsize=256)
def _place(url: str) -> tuple[Origin, bytes, str]:
    """Server, request target and Host of an address."""
    parsed = httpx.URL(url)
    return origin_of(parsed), parsed.raw_path, parsed.netloc.decode("ascii")


def _sent(request: httpx.Request, at: Moment) -> Sent:
    line = f"{request.method} {request.url.raw_path.decode('ascii')} HTTP/1.1"
    return Sent(head_of(line, request.headers.raw), at, "", None)


def _failure(error: httpx.TransportError, sent: Sent, clock: Clock) -> WireFailure:
    """Our word for a failure of another transport."""
    at, text = moment(clock), str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol):
        cause = next((one for one in _causes(error) if isinstance(one, ssl.SSLError)), None)
        if cause is not None:
            ours = isinstance(cause, ssl.SSLCertVerificationError)
            return TlsRefused(text, at=at, blame="environment" if ours else "sut")
        return Unreachable(text, at=at, blame="environment")
    if isinstance(error, httpx.TimeoutException):
        return Silence(text, at=at, sent=sent)
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected" not in text:
        return NotHttp(text, at=at, sent=sent)
    if any(isinstance(one, ssl.SSLError) for one in _causes(error)):
        return TlsRefused(text, at=at, sent=sent)
    return ClosedWithoutAnswer(text, at=at, sent=sent)


def _causes(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or one.__context__
