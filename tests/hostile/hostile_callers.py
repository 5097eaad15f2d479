"""How a caller can misbehave towards our listener: before the handshake, in HTTP, and in what it sends."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from harness.security.model import Identity

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Door:
    """Where the listener is, and what a caller can show there."""

    port: int
    party: str
    known: Identity
    stranger: Identity

    def context(self, identity: Identity | None, **versions: ssl.TLSVersion) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        for name, version in versions.items():
            setattr(context, name, version)
        if identity is not None:
            context.load_cert_chain(str(identity.certificate_file), str(identity.key_file))
        return context


Call = Callable[[Door], Awaitable[None]]


@dataclass(frozen=True)
class Caller:
    name: str
    call: Call

    def __str__(self) -> str:
        return self.name


def sends(data: Callable[[Door], bytes], *, tls: bool = True, end: bool = False) -> Call:
    """Connect as somebody who is known, send this, and read what comes."""

    async def call(door: Door) -> None:
        context = door.context(door.known) if tls else None
        reader, writer = await asyncio.open_connection(HOST, door.port, ssl=context)
        try:
            writer.write(data(door))
            if end and not tls:
                writer.write_eof()
            await reader.read()
        finally:
            writer.close()

    return call


def floods(head: Callable[[Door], bytes], piece: bytes, pause: float = 0.0) -> Call:
    async def call(door: Door) -> None:
        _, writer = await asyncio.open_connection(HOST, door.port, ssl=door.context(door.known))
        try:
            writer.write(head(door))
            while True:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        finally:
            writer.close()

    return call


def shakes(make: Callable[[Door], ssl.SSLContext]) -> Call:
    """Only the handshake, shown so."""

    async def call(door: Door) -> None:
        reader, writer = await asyncio.open_connection(HOST, door.port, ssl=make(door))
        try:
            writer.write(request(door, b"{}"))
            await reader.read()
        finally:
            writer.close()

    return call


async def silent(door: Door) -> None:
    _, writer = await asyncio.open_connection(HOST, door.port)
    try:
        await asyncio.sleep(60)
    finally:
        writer.close()


async def silent_behind_tls(door: Door) -> None:
    _, writer = await asyncio.open_connection(HOST, door.port, ssl=door.context(door.known))
    try:
        await asyncio.sleep(60)
    finally:
        writer.close()


async def many(door: Door) -> None:
    held: list[asyncio.StreamWriter] = []
    try:
        for _ in range(300):
            held.append((await asyncio.open_connection(HOST, door.port))[1])  # noqa: PERF401 - what is open is closed
    finally:
        for writer in held:
            writer.transport.abort()
        await asyncio.sleep(0.05)


async def gone(door: Door) -> None:
    """Send a request and be gone before the answer."""
    _, writer = await asyncio.open_connection(HOST, door.port, ssl=door.context(door.known))
    writer.write(request(door, b"{}"))
    await writer.drain()
    writer.transport.abort()


def request(door: Door, body: bytes, *headers: str, target: str = "/nobody/arrivals", method: str = "POST") -> bytes:
    """A request to nobody: what comes readable or not under the name of the system under test is its own."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _head(door: Door, *headers: str) -> bytes:
    lines = [f"POST /{door.party}/arrivals HTTP/1.1", "Host: localhost", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def callers() -> Iterator[Caller]:
    yield Caller("connects and says nothing", silent)
    yield Caller("shakes hands and says nothing", silent_behind_tls)
    yield Caller("noise in place of a handshake", sends(lambda _: bytes(range(256)) * 8, tls=False, end=True))
    yield Caller("HTTP in place of a handshake", sends(lambda d: request(d, b"{}"), tls=False, end=True))
    yield Caller(
        "half a handshake", sends(lambda _: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", tls=False, end=True)
    )
    yield Caller("no certificate", shakes(lambda d: d.context(None)))
    yield Caller("the certificate of a stranger", shakes(lambda d: d.context(d.stranger)))
    yield Caller("TLS 1.1 at most", shakes(lambda d: d.context(d.known, maximum_version=ssl.TLSVersion.TLSv1_1)))
    yield Caller("three hundred connections", many)
    yield Caller("is gone before the answer", gone)
    yield Caller("frames of HTTP/2", sends(lambda _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 9))
    yield Caller("noise in place of a request", sends(lambda _: b"\xff\0" * 500 + b"\r\n\r\n"))
    yield Caller("a method that is none", sends(lambda d: request(d, b"", method="D\0ROP")))
    yield Caller("GET", sends(lambda d: request(d, b"", "Connection: close", method="GET")))
    yield Caller("TRACE", sends(lambda d: request(d, b"", "Connection: close", method="TRACE")))
    yield Caller(
        "a path upwards", sends(lambda d: request(d, b"{}", "Connection: close", target="/../../../etc/passwd"))
    )
    yield Caller(
        "a party that is none", sends(lambda d: request(d, b"{}", "Connection: close", target="/nobody/arrivals"))
    )
    yield Caller("an address of a megabyte", sends(lambda d: request(d, b"{}", target="/" + "a" * 2**20)))
    yield Caller("headers for ever", floods(lambda d: _head(d)[:-2], b"X-Flood: 1\r\n" * 100))
    yield Caller("one header for ever", floods(lambda d: _head(d)[:-2] + b"X-Long: ", b"x" * 4096))
    yield Caller("a head drop by drop", floods(lambda d: _head(d)[:-2] + b"X-Slow: ", b"x", 0.05))
    yield Caller("a body drop by drop", floods(lambda d: _head(d, "Content-Length: 1000000"), b" ", 0.05))
    yield Caller(
        "chunks for ever",
        floods(lambda d: _head(d, "Transfer-Encoding: chunked"), b"4000\r\n" + b" " * 16384 + b"\r\n"),
    )
    yield Caller("a chunk size that is none", sends(lambda d: _head(d, "Transfer-Encoding: chunked") + b"xyz\r\n"))
    yield Caller("a length beyond all bounds", sends(lambda d: _head(d, f"Content-Length: {10**18}")))
    yield Caller("a negative length", sends(lambda d: _head(d, "Content-Length: -1")))
    yield Caller("two lengths", sends(lambda d: _head(d, "Content-Length: 2", "Content-Length: 3") + b"{}"))
    yield Caller(
        "a length and chunks",
        sends(
            lambda d: (
                _head(d, "Content-Length: 2", "Transfer-Encoding: chunked", "Connection: close")
                + b"2\r\n{}\r\n0\r\n\r\n"
            )
        ),
    )
    yield Caller(
        "never sends what it announces", sends(lambda d: _head(d, "Content-Length: 100", "Expect: 100-continue"))
    )
    yield Caller("an empty message", sends(lambda d: request(d, b"", "Connection: close")))
    yield Caller("arrays in arrays", sends(lambda d: request(d, b"[" * 200_000, "Connection: close")))
    yield Caller(
        "half a million members", sends(lambda d: request(d, b"[" + b"0," * 500_000 + b"0]", "Connection: close"))
    )
    yield Caller(
        "XML with entities",
        sends(lambda d: request(d, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "Connection: close")),
    )
    yield Caller("a bomb of gzip", sends(lambda d: request(d, BOMB, "Content-Encoding: gzip", "Connection: close")))
    yield Caller("NUL and overlong UTF-8", sends(lambda d: request(d, b'{"a":"\0\xc0\xaf"}', "Connection: close")))
    yield Caller(
        "fifty requests at once", sends(lambda d: request(d, b"{}") * 49 + request(d, b"{}", "Connection: close"))
    )
    yield Caller(
        "an unsigned arrival",
        sends(
            lambda d: request(
                d,
                b'{"consignment": {"number": "XA26AB000001"}}',
                "Content-Type: application/json",
                "Connection: close",
            )
        ),
    )
    yield Caller(
        "the case of somebody else",
        sends(lambda d: request(d, b"{}", "X-C2C-Case: movement@import\x0b~end", "Connection: close")),
    )


BOMB = gzip.compress(b" " * 20_000_000, 1)
CALLERS = tuple(callers())


async def keep_calling(caller: Caller, door: Door) -> None:
    """Call again and again until cancelled."""
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            async with asyncio.timeout(3):
                await caller.call(door)
        await asyncio.sleep(0.01)
