"""One connection to a server: HTTP/1.1 on h11, one exchange at a time."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import h11

from harness.evidence.clock import Clock
from harness.exchange.channel import Channel
from harness.exchange.deadline import Deadline
from harness.exchange.http import (
    ClosedWithoutAnswer,
    Head,
    NotHttp,
    Posting,
    Sent,
    Silence,
    TlsRefused,
    Wire,
    WireFailure,
    WireLimits,
    WireResponse,
    head_of,
    moment,
    parts_of,
    read_head,
)

if TYPE_CHECKING:
    from harness.exchange.http import Moment


class ClientConnection:
    """A connection to a server: one exchange at a time."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        limits: WireLimits,
        context: ssl.SSLContext | None,
        host: str,
        register: set[ClientConnection],
    ) -> None:
        self._name, self._clock, self._limits, self._register = name, clock, limits, register
        self._loop = asyncio.get_running_loop()
        self._channel = Channel(self, clock, context, server_side=False, hostname=host if context else None)
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=limits.head)
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._answer: asyncio.Future[WireResponse] | None = None
        self._sent: Sent | None = None
        self._head: Head | None = None
        self._status, self._body = 0, bytearray()
        self._first: Moment | None = None
        self._deadline, self._seconds = Deadline(self._silent), 0.0
        self._resting_since = 0.0

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow."""
        return not self._channel.over and self._http.our_state is h11.IDLE

    @property
    def rest(self) -> float:
        """Seconds since the last exchange."""
        return self._loop.time() - self._resting_since

    async def connect(self, host: str, port: int) -> None:
        """Connect, and shake hands."""
        await self._loop.create_connection(lambda: self._channel, host, port)
        await self._opened

    async def exchange(self, posting: Posting) -> Wire:
        """Send a request and wait for its complete answer."""
        self._answer = answer = self._loop.create_future()
        self._head, self._first, self._body = None, None, bytearray()
        self._sent = None
        try:
            self._sent = self._send(posting)
            if posting.seconds is not None:
                self._seconds = posting.seconds
                self._deadline.set(posting.seconds)
            response = await answer
        except BaseException:
            self.drop()
            raise
        self._deadline.lift()
        self._resting_since = self._loop.time()
        return Wire(self._sent, response)

    def drop(self) -> None:
        """End the connection now."""
        self._deadline.close()
        self._register.discard(self)
        self._channel.abort()

    def opened(self) -> None:
        """The handshake is done."""
        if not self._opened.done():
            self._opened.set_result(None)

    def received(self, data: bytes) -> None:
        """Bytes of the answer, or its end."""
        if self._answer is None or self._answer.done():
            self.drop()  # a server says nothing unasked
            return
        if self._first is None and data:
            self._first = self._channel.moment
        try:
            self._http.receive_data(data)
            self._advance()
        except h11.RemoteProtocolError as error:
            self._broken(str(error), ended=not data)

    def lost(self, error: Exception | None) -> None:
        """The connection is over."""
        self._register.discard(self)
        if not self._opened.done():
            self._opened.set_exception(self._refused(error))
        elif self._answer is not None and not self._answer.done():
            if isinstance(error, ssl.SSLError) and self._first is None:
                self._answer.set_exception(self._refused(error))
            else:
                self._broken(reason_of(error) or "the connection ended", ended=True)

    def _send(self, posting: Posting) -> Sent:
        request = h11.Request(method=posting.method, target=posting.target, headers=posting.headers)
        head = self._http.send(request) or b""
        content = b"".join([self._http.send(h11.Data(data=part)) or b"" for part in parts_of(posting.body, head)])
        content += self._http.send(h11.EndOfMessage()) or b""
        truncated = posting.delivery is not None and posting.delivery.truncated
        if truncated:
            content = content[: len(content) // 2]
        at = self._channel.write(head + content)
        if truncated:
            self._channel.finish()
        sent = Sent(read_head(head), at, self._name, self._channel.tls, complete=not truncated)
        if posting.on_sent is not None:
            posting.on_sent(sent)
        return sent

    def _advance(self) -> None:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                return
            if type(event) is h11.Response:  # isinstance asks abstract classes, which takes longer
                line = f"HTTP/{event.http_version.decode('ascii')} {event.status_code} {event.reason.decode('latin-1')}"
                head = head_of(line, event.headers.raw_items())
                if head.size > self._limits.head:
                    self._broken(f"the head is larger than {self._limits.head} bytes", ended=False)
                    return
                self._head, self._status = head, event.status_code
            elif type(event) is h11.Data:
                self._body += event.data
                if len(self._body) > self._limits.body:
                    self._broken(f"the body is larger than {self._limits.body} bytes", ended=False)
                    return
            elif type(event) is h11.EndOfMessage:
                self._complete()
                return
            elif isinstance(event, h11.ConnectionClosed | h11.PAUSED):
                self._broken("the connection ended", ended=True)
                return

    def _complete(self) -> None:
        self._resolve(None)
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            if self._http.trailing_data[0]:
                self.drop()
            else:
                self._http.start_next_cycle()
        else:
            self._deadline.close()
            self._register.discard(self)
            self._channel.close()

    def _silent(self) -> None:
        """The time for the answer is over."""
        if self._answer is not None and not self._answer.done():
            text = f"no complete answer within {self._seconds} s"
            self._answer.set_exception(Silence(text, at=moment(self._clock), sent=self._sent))

    def _broken(self, text: str, *, ended: bool) -> None:
        """What came is not a complete answer: tell what it is instead."""
        if self._answer is not None and not self._answer.done():
            at = moment(self._clock)
            if self._head is not None:
                self._resolve(text)
            elif self._first is None and ended:
                self._answer.set_exception(
                    ClosedWithoutAnswer("the connection ended without an answer", at=at, sent=self._sent)
                )
            else:
                self._answer.set_exception(NotHttp(f"not an answer of HTTP/1.1: {text}", at=at, sent=self._sent))
        self.drop()

    def _resolve(self, problem: str | None) -> None:
        head, first, answer = self._head, self._first, self._answer
        assert head is not None  # noqa: S101 - h11 tells the head first
        assert first is not None  # noqa: S101
        assert answer is not None  # noqa: S101
        answer.set_result(
            WireResponse(
                head,
                self._status,
                bytes(self._body[: self._limits.body]),
                problem is None,
                first,
                self._channel.moment,
                self._name,
                self._channel.tls,
                problem,
            )
        )

    def _refused(self, error: Exception | None) -> WireFailure:
        """The failure of a handshake. A server that we do not believe is a matter of how we were set up."""
        ours = isinstance(error, ssl.SSLCertVerificationError)
        who = "the server's certificate was refused" if ours else "the server refused the TLS connection"
        return TlsRefused(
            f"{who}: {reason_of(error) or 'the connection was closed'}",
            at=moment(self._clock),
            sent=self._sent,
            blame="environment" if ours else "sut",
        )


def reason_of(error: Exception | None) -> str:
    """Why a connection ended, in a few words; empty when there is nothing to say."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return str(error) if error is not None else ""
