"""How a server can misbehave once it has a request: what goes wrong, and which word the judge must have for it.

A behaviour gets the request, the right answer (head and body, as the reference implementation gave it), and the
connection. The verdict is that of the case whose answer is spoilt; ``pass`` stands where the answer is odd and legal.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

BOMB = gzip.compress(b" " * 20_000_000, 1)

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    """A right answer, and one that belongs to another request."""

    headers: Headers
    body: bytes
    foreign: tuple[Headers, bytes] | None = None

    def head(self, length: int | None = None, *extra: str, status: str = "200 OK") -> bytes:
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in self.headers), *extra]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode()

    @property
    def whole(self) -> bytes:
        return self.head(len(self.body)) + self.body


Act = Callable[[asyncio.StreamWriter, Answer], Awaitable[None]]


@dataclass(frozen=True)
class Behaviour:
    name: str
    verdict: str
    observed: str
    act: Act
    endless: bool = False

    def __str__(self) -> str:
        return self.name


def says(data: Callable[[Answer], bytes]) -> Act:
    async def act(writer: asyncio.StreamWriter, answer: Answer) -> None:
        writer.write(data(answer))
        await writer.drain()

    return act


def body(make: Callable[[Answer], bytes], *extra: str, status: str = "200 OK") -> Act:
    """A right head, and another body of the length that it says."""
    return says(lambda answer: answer.head(len(make(answer)), *extra, status=status) + make(answer))


def forever(head: Callable[[Answer], bytes], piece: bytes, pause: float = 0.0) -> Act:
    """A beginning, then the same piece until the other side has had enough."""

    async def act(writer: asyncio.StreamWriter, answer: Answer) -> None:
        writer.write(head(answer))
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return act


async def nothing(writer: asyncio.StreamWriter, answer: Answer) -> None:
    await asyncio.sleep(60)


async def reset(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.transport.abort()


async def byte_by_byte(writer: asyncio.StreamWriter, answer: Answer) -> None:
    for start in range(0, len(answer.whole), 7):
        writer.write(answer.whole[start : start + 7])
        await writer.drain()
        await asyncio.sleep(0)


def chunked(answer: Answer, size: int = 1) -> bytes:
    pieces = (answer.body[start : start + size] for start in range(0, len(answer.body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _text(text: str) -> Act:
    """A right answer that refuses, with this text in it; nobody signed it."""
    document = {"result": "refused", "errors": [{"code": text, "pointer": text, "text": text}]}
    return body(lambda _: json.dumps(document).encode())


def behaviours() -> Iterator[Behaviour]:
    yield Behaviour("closes at once", "fail", "closed", says(lambda _: b""))
    yield Behaviour("resets the connection", "fail", "closed", reset)
    yield Behaviour("says nothing", "fail", "no answer in time", nothing, endless=True)
    yield Behaviour("half a status line", "fail", "", says(lambda _: b"HTTP/1."))
    yield Behaviour("half a head", "fail", "", says(lambda answer: answer.head(5)[:40]))
    yield Behaviour("random bytes", "fail", "http", says(lambda _: bytes(range(256)) * 4))
    yield Behaviour("a body without a head", "fail", "http", says(lambda answer: answer.body))
    yield Behaviour("frames of HTTP/2", "fail", "http", says(lambda _: b"\0\0\x12\x04\0\0\0\0\0" + b"\0" * 18))
    yield Behaviour("a status that is none", "fail", "http", says(lambda _: b"HTTP/1.1 abc OK\r\n\r\n"))
    yield Behaviour("status 999", "fail", "", body(lambda a: a.body, status="999 Odd"))
    yield Behaviour("a negative length", "fail", "http", says(lambda a: a.head(-5) + a.body))
    yield Behaviour("two lengths", "fail", "http", says(lambda a: a.head(len(a.body), "Content-Length: 3") + a.body))
    yield Behaviour("a length beyond all bounds", "fail", "", says(lambda a: a.head(10**18) + a.body))
    yield Behaviour("a length that is too long", "fail", "", says(lambda a: a.head(len(a.body) + 9) + a.body))
    yield Behaviour("a length that is too short", "fail", "", says(lambda a: a.head(len(a.body) // 2) + a.body))
    chunks = "Transfer-Encoding: chunked"
    yield Behaviour("a chunk size that is none", "fail", "", says(lambda a: a.head(None, chunks) + b"xyz\r\n"))
    yield Behaviour(
        "a chunk size beyond all bounds", "fail", "", says(lambda a: a.head(None, chunks) + b"f" * 40 + b"\r\n")
    )
    yield Behaviour(
        "chunks for ever", "fail", "", forever(lambda a: a.head(None, chunks), b"4000\r\n" + b" " * 16384 + b"\r\n")
    )
    yield Behaviour("a body for ever", "fail", "", forever(lambda a: a.head(), b" " * 65536))
    yield Behaviour(
        "headers for ever", "fail", "http ", forever(lambda _: b"HTTP/1.1 200 OK\r\n", b"X-Flood: 1\r\n" * 500)
    )
    yield Behaviour(
        "one header of a megabyte", "fail", "http", says(lambda a: a.head(2, "X-Long: " + "x" * 2**20) + b"{}")
    )
    yield Behaviour("a status line for ever", "fail", "http ", forever(lambda _: b"HTTP/1.1 200 ", b"O" * 4096))
    yield Behaviour(
        "a status line drop by drop",
        "fail",
        "no answer in time",
        forever(lambda _: b"HTTP/1.1 200 ", b"O", 0.05),
        endless=True,
    )
    yield Behaviour(
        "a body drop by drop", "fail", "no answer in time", forever(lambda a: a.head(10**6), b" ", 0.05), endless=True
    )
    yield Behaviour(
        "continue for ever", "fail", "", forever(lambda _: b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02), endless=True
    )
    yield Behaviour(
        "switches protocols",
        "fail",
        "",
        says(lambda _: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"),
    )
    yield Behaviour("no content", "fail", "http", says(lambda _: b"HTTP/1.1 204 No Content\r\n\r\n"))
    yield Behaviour(
        "sends elsewhere", "fail", "http ", body(lambda _: b"", "Location: http://127.0.0.1:9/", status="302 Found")
    )
    yield Behaviour(
        "asks for a password",
        "fail",
        "http ",
        body(lambda _: b"", 'WWW-Authenticate: Basic realm="x"', status="401 Unauthorized"),
    )
    yield Behaviour(
        "fails with a page", "fail", "http ", body(lambda _: b"<html>oops</html>", status="500 Internal Server Error")
    )
    yield Behaviour("a page with status 200", "fail", "", body(lambda _: b"<html>It works!</html>"))
    yield Behaviour("an empty body", "fail", "", body(lambda _: b""))
    yield Behaviour("only white space", "fail", "", body(lambda _: b" " * 100_000))
    yield Behaviour("a bomb of gzip", "fail", "", body(lambda _: BOMB, "Content-Encoding: gzip"))
    yield Behaviour(
        "the right answer as gzip", "fail", "", body(lambda a: gzip.compress(a.body), "Content-Encoding: gzip")
    )
    yield Behaviour("UTF-16", "fail", "", body(lambda a: a.body.decode().encode("utf-16")))
    yield Behaviour("NUL in the text", "fail", "", body(lambda a: a.body.replace(b'"', b'"\0', 2)))
    yield Behaviour("overlong UTF-8", "fail", "", body(lambda a: a.body.replace(b'"', b'"\xc0\xaf', 1)))
    yield Behaviour("half a surrogate pair", "fail", "", body(lambda a: a.body[:-1] + b',"x":"\\ud800"}'))
    yield Behaviour("a key that stands twice", "fail", "", body(lambda a: a.body[:-1] + b',"result":"accepted"}'))
    yield Behaviour("a number that is none", "fail", "", body(lambda a: a.body[:-1] + b',"x":NaN}'))
    yield Behaviour("arrays in arrays", "fail", "", body(lambda _: b"[" * 200_000))
    yield Behaviour("objects in objects", "fail", "", body(lambda _: b'{"a":' * 100_000 + b"1" + b"}" * 100_000))
    yield Behaviour("half a million members", "fail", "", body(lambda _: b"[" + b"0," * 500_000 + b"0]"))
    yield Behaviour("a number of a million digits", "fail", "", body(lambda _: b'{"x":' + b"9" * 10**6 + b"}"))
    yield Behaviour("a string of nine megabytes", "fail", "", body(lambda _: b'{"x":"' + b"x" * (9 * 2**20) + b'"}'))
    yield Behaviour("the answer to another request", "fail", "", says(lambda a: _foreign(a)))
    yield Behaviour(
        "an answer that somebody else signed",
        "fail",
        "",
        says(lambda a: Answer(a.headers, (a.foreign or ((), b"{}"))[1]).whole),
    )
    yield Behaviour("markup in its errors", "fail", "", _text("<script>alert(1)</script>"))
    yield Behaviour("a formula in its errors", "fail", "", _text("=cmd|' /C calc'!A0"))
    yield Behaviour("a template in its errors", "fail", "", _text("{{ 7*7 }} ${7*7} {% include '/etc/passwd' %}"))
    yield Behaviour("control characters in its errors", "fail", "", _text("\x1b[31m\r\nINFO all is well\x07"))
    yield Behaviour("a path in its errors", "fail", "", _text("../../../../etc/passwd"))
    yield Behaviour(
        "a page of multipart", "fail", "", body(lambda _: b"--x\r\nContent-Disposition: form-data; name=../../x\r\n")
    )
    yield Behaviour("a line break in the reason", "fail", "", says(lambda a: b"HTTP/1.1 200 OK\r\n\tmore\r\n\r\n"))
    yield Behaviour("NUL in a header", "fail", "http", says(lambda a: a.head(2, "X-Odd: a\0b") + b"{}"))
    yield Behaviour("a header without a name", "fail", "http", says(lambda a: a.head(2, ": x") + b"{}"))
    # odd, and legal
    yield Behaviour("byte by byte", "pass", "accepted", byte_by_byte)
    yield Behaviour("in chunks of one byte", "pass", "accepted", says(lambda a: a.head(None, chunks) + chunked(a)))
    yield Behaviour("without a length, until the end", "pass", "accepted", says(lambda a: a.head() + a.body))
    yield Behaviour(
        "with headers that nobody knows",
        "pass",
        "accepted",
        says(lambda a: a.head(len(a.body), *(f"X-{n}: {n}" for n in range(90))) + a.body),
    )
    yield Behaviour("the same answer twice", "pass", "accepted", says(lambda a: a.whole + a.whole))
    yield Behaviour("the right answer, then noise", "pass", "accepted", says(lambda a: a.whole + b"\0" * 5000))
    yield Behaviour(
        "continue once, then the answer",
        "pass",
        "accepted",
        says(lambda a: b"HTTP/1.1 100 Continue\r\n\r\n" + a.whole),
    )


def _foreign(answer: Answer) -> bytes:
    assert answer.foreign is not None
    return Answer(*answer.foreign).whole


BEHAVIOURS = tuple(behaviours())
