from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from harness.exchange.wire import (
    Listener,
    WireAnswer,
    WireLimits,
    WireRequest,
    WireTransport,
)
from harness.security.model import Identity
from harness.security.pki import TestPki


@dataclass(frozen=True)
class Pki:
    """Two worlds that do not believe each other, and an identity in each."""

    ours: TestPki
    server: Identity
    client: Identity
    foreign: Identity
    foreign_anchors: tuple[Any, ...]

    @property
    def anchors(self):
        return self.ours.trust.anchors


async def echo(request: WireRequest) -> WireAnswer:
    return WireAnswer(200, (("Content-Type", "text/plain"),), request.body)


PATIENCE = 60.0
"""Seconds for what comes at once, unless something is broken."""


class Seen:
    """What a listener told."""

    def __init__(self) -> None:
        self.requests: list[WireRequest] = []
        self.failures: list[Any] = []
        self.faults: list[Any] = []
        self._news = asyncio.Event()

    def failed(self, failure) -> None:
        self.failures.append(failure)
        self._news.set()

    async def failure(self):
        """The next failure."""
        async with asyncio.timeout(PATIENCE):
            while not self.failures:
                self._news.clear()
                await self._news.wait()
        return self.failures.pop(0)


async def until(true) -> None:
    """Let the loop go on until something is true."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)


@asynccontextmanager
async def listening(handler=echo, *, context=None, limits=None, port=0, **options):
    """A listener, with what it tells."""
    seen = Seen()

    async def remember(request):
        seen.requests.append(request)
        return await handler(request)

    listener = await Listener.start(
        "127.0.0.1",
        port,
        context,
        remember,
        limits or WireLimits(),
        on_failure=seen.failed,
        on_fault=seen.faults.append,
        **options,
    )
    try:
        yield listener, seen
    finally:
        await listener.close()


@asynccontextmanager
async def transporting(context=None, **options):
    transport = WireTransport(context, **options)
    try:
        yield transport
    finally:
        await transport.aclose()


@asynccontextmanager
async def serving(conversation):
    """A server that is not ours: *conversation(reader, writer)* for each connection; yields its URL."""

    async def converse(reader, writer):
        try:
            await conversation(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
    finally:
        server.close()


async def raw(port: int, data: bytes, *, end: bool = False) -> bytes:
    """Send bytes on a plain connection and read until the other side ends it, however it does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    if end:
        writer.write_eof()
    try:
        async with asyncio.timeout(PATIENCE):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def visit(port: int, context: ssl.SSLContext) -> bytes:
    """Connect over TLS and read until the other side ends it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        return await reader.read()
    finally:
        writer.close()
