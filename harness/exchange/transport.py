"""The client side of the wire: a transport for httpx on asyncio and h11, with a clock at the socket.

Rules:

1. A request is sent once, whatever happens to it. On a connection that has rested for some time, the server's end of
   it and our request could cross (RFC 9112, 9.3.1), so that such a one is not used again: the request gets a new one.
2. An answer that broke off is an answer, marked as not complete. No answer is a
   :class:`~harness.exchange.http.WireFailure` that says which kind of nothing came.
3. What was seen stands in ``response.extensions["wire"]``, a :class:`~harness.exchange.http.Wire`. A
   :class:`~harness.exchange.delivery.Delivery` in ``request.extensions["delivery"]`` is what goes wrong on purpose,
   and a function in ``request.extensions["on_sent"]`` is told what left, each time.
4. Of httpx's time-outs, ``connect`` bounds connection and handshake, ``read`` the wait for the complete answer.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections import defaultdict

import httpx

from harness.evidence.clock import Clock, SystemClock
from harness.exchange.call import ClientConnection, reason_of
from harness.exchange.http import Origin, Posting, Unreachable, Wire, WireLimits, moment, origin_of


class WireTransport(httpx.AsyncBaseTransport):
    """Connections to servers, kept and used again.

    Parameters:
        context: TLS for ``https``; ``None`` when only ``http`` is used.
        limits: bounds on answers.
        clock: for the times at the socket.
        rest: seconds after its last answer for which a connection is used again.
    """

    def __init__(
        self,
        context: ssl.SSLContext | None = None,
        limits: WireLimits | None = None,
        clock: Clock | None = None,
        *,
        rest: float = 1.0,
    ) -> None:
        self._rest = rest
        self._context, self._limits, self._clock = context, limits or WireLimits(), clock or SystemClock()
        self._idle: defaultdict[Origin, list[ClientConnection]] = defaultdict(list)
        self._open: set[ClientConnection] = set()
        self._numbers = itertools.count(1)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its answer, as a client of httpx wants it.

        Raises:
            WireFailure: there was no answer; the class says why.
        """
        times, body = request.extensions.get("timeout", {}), await request.aread()
        wire = await self.exchange(
            Posting(
                request.method,
                request.url.raw_path,
                origin_of(request.url),
                request.headers.raw,
                body,
                times.get("connect"),
                times.get("read"),
                request.extensions.get("delivery"),
                request.extensions.get("on_sent"),
            )
        )
        answer = wire.response
        return httpx.Response(
            answer.status,
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.head.headers],
            stream=httpx.ByteStream(answer.body),
            extensions={"wire": wire, "http_version": b"HTTP/1.1"},
        )

    async def exchange(self, posting: Posting) -> Wire:
        """Send a request and return what was seen.

        Raises:
            WireFailure: there was no answer; the class says why.
        """
        origin = posting.origin
        connection = self._kept(origin) or await self._connect(origin, posting.connect_seconds)
        wire = await connection.exchange(posting)
        if connection.reusable:
            self._idle[origin].append(connection)
        return wire

    async def aclose(self) -> None:
        """End all connections."""
        self._idle.clear()
        for connection in tuple(self._open):
            connection.drop()
        self._open.clear()

    def _kept(self, origin: Origin) -> ClientConnection | None:
        waiting = self._idle[origin]
        while waiting:
            connection = waiting.pop()
            if connection.reusable and connection.rest <= self._rest:
                return connection
            connection.drop()
        return None

    async def _connect(self, origin: Origin, seconds: float | None) -> ClientConnection:
        scheme, host, port = origin
        if scheme == "https" and self._context is None:
            raise Unreachable("this transport was made without TLS", at=moment(self._clock), blame="environment")
        context = self._context if scheme == "https" else None
        connection = ClientConnection(
            f"out-{next(self._numbers)}", self._clock, self._limits, context, host, self._open
        )
        self._open.add(connection)
        try:
            async with asyncio.timeout(seconds):
                await connection.connect(host, port)
        except (OSError, ValueError) as error:  # a time-out is an OSError; a host name can be no name at all
            connection.drop()
            raise Unreachable(
                f"cannot connect to {host} port {port}: {reason_of(error) or f'nothing came within {seconds} s'}",
                at=moment(self._clock),
                blame="environment",
            ) from error
        except BaseException:
            connection.drop()
            raise
        return connection
