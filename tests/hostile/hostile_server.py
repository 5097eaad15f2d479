"""A server in front of a right one: it answers for it, and spoils the answers of one case."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from hostile_answers import Answer, Behaviour

HOST = "127.0.0.1"
HOP = ("connection", "content-length", "date")


@asynccontextmanager
async def in_front(
    port: int, behind: int, server: ssl.SSLContext, client: ssl.SSLContext, victim: str, behaviour: Behaviour
) -> AsyncIterator[None]:
    """Listen on *port*, ask the right server on *behind*, and behave so towards the case *victim*."""
    foreign: list[Answer] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            answer = await _ask(behind, client, head, await reader.readexactly(length))
            if f"X-C2C-Case: {victim}".lower().encode() in head.lower():
                await behaviour.act(writer, replace(answer, foreign=_other(foreign)))
            else:
                foreign.append(answer)
                writer.write(answer.whole)
                await writer.drain()
        finally:
            writer.close()

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, StopIteration):
            await serve(reader, writer)

    async with await asyncio.start_server(quietly, HOST, port, ssl=server):
        yield


def _other(answers: list[Answer]) -> tuple[tuple[tuple[str, str], ...], bytes] | None:
    return (answers[-1].headers, answers[-1].body) if answers else None


async def _ask(port: int, client: ssl.SSLContext, head: bytes, body: bytes) -> Answer:
    reader, writer = await asyncio.open_connection(HOST, port, ssl=client, server_hostname="localhost")
    try:
        writer.write(head[:-2] + b"Connection: close\r\n\r\n" + body)
        answered = await reader.readuntil(b"\r\n\r\n")
        lines = answered.decode().split("\r\n")[1:-2]
        headers = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))
        content = await reader.read()
        return Answer(tuple(pair for pair in headers if pair[0].lower() not in HOP), content)
    finally:
        writer.close()
