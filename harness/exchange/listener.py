"""The server side of the wire: a port on which requests are received and answered."""

from __future__ import annotations

import asyncio
import errno
import itertools
import ssl
from collections.abc import Callable, Iterable
from typing import Self
from weakref import WeakSet

from harness.errors import ConfigurationFault, HarnessFault
from harness.evidence.clock import Clock, SystemClock
from harness.exchange.channel import Channel
from harness.exchange.http import WireLimits, moment
from harness.exchange.serve import ServerConnection
from harness.exchange.service import Handler, ListenerFailure, Service
from harness.exchange.telling import Teller

_SETTLED = 0.001
"""Seconds before a port is closed. A timer runs behind what was accepted in its turn of the event loop, which has a
connection then; what is accepted in the turn of the closing gets none, and its socket would stay open."""
_TURNS = 4
"""Turns of the event loop in which a connection that was accepted at last is made, ended and let go."""


class Listener:
    """Accepts connections and hands requests to a handler. Made by :meth:`start`."""

    def __init__(self, service: Service, teller: Teller) -> None:
        self._service = service
        self._numbers = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._channels: WeakSet[Channel] = WeakSet()
        self._teller = teller

    @classmethod
    async def start(
        cls,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        handler: Handler,
        limits: WireLimits | None = None,
        *,
        clock: Clock | None = None,
        callers: Iterable[str] = (),
        on_failure: Callable[[ListenerFailure], None] = lambda _: None,
        on_fault: Callable[[HarnessFault], None] = lambda _: None,
    ) -> Self:
        """Listen.

        Parameters:
            host: address, or a name that resolves to addresses of this computer.
            port: 0 takes any free one; see :attr:`port`.
            context: TLS, or ``None`` to listen in the clear.
            handler: answers one request; called once per request, many at a time.
            limits: bounds.
            clock: for the times at the socket.
            callers: addresses of those who are due to call: what fails of them is told apart from all others.
            on_failure: is told what did not become a request, in bounds: see :mod:`harness.exchange.telling`.
            on_fault: is told what a handler raised.

        Raises:
            ConfigurationFault: the address or the port cannot be had.
        """
        teller, due = Teller(on_failure), frozenset(callers)
        service = Service(handler, limits or WireLimits(), clock or SystemClock(), context, teller, on_fault, due)
        listener = cls(service, teller)
        loop = asyncio.get_running_loop()
        try:
            listener._server = await loop.create_server(listener._accept, host, port, backlog=1024)
        except (OSError, OverflowError) as error:
            used = getattr(error, "errno", None) == errno.EADDRINUSE
            reason = "another program uses it already" if used else getattr(error, "strerror", None) or error
            raise ConfigurationFault(
                f"cannot listen on {host} port {port}: {reason}",
                remedy="Choose another port or address, or stop the program that uses it.",
            ) from error
        return listener

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None or not self._server.sockets:
            raise RuntimeError("the listener is closed")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop listening, end every connection, cancel the handlers that still run."""
        if self._server is None:
            return
        server, self._server = self._server, None
        try:
            await asyncio.sleep(_SETTLED)
        finally:
            self._end(server)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        tasks = tuple(self._service.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()

    def _end(self, server: asyncio.Server) -> None:
        """Close the port and every connection."""
        server.close()
        for connection in tuple(self._service.connections):
            connection.drop()
        for channel in tuple(self._channels):  # also those that only linger, or are not yet open
            channel.abort()
        self._teller.close()

    def _accept(self) -> Channel:
        connection = ServerConnection(self._service, f"in-{next(self._numbers)}")
        self._channels.add(connection.channel)
        service = self._service
        if len(service.connections) > service.limits.connections:  # whoever has shown no certificate goes first
            next(each for each in service.connections if not each.ready).drop()
            text = f"more than {service.limits.connections} connections at once; one of them was ended"
            service.on_failure(ListenerFailure("too-many", text, moment(service.clock), ""))
        return connection.channel
