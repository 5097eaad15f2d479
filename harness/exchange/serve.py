"""One connection of a listener: HTTP/1.1 on h11, requests one after the other.

Rules:

1. A peer can make us hold no more, and for no longer, than :class:`~harness.exchange.http.WireLimits` says.
2. Whatever a peer sends, and whatever a handler does, the listener lives on. What never became a request is
   told to ``on_failure``; a handler that fails is answered with 500 and told to ``on_fault``.
3. An answer is sent as the handler wants it, with Content-Length, Date and Connection as the only additions; in chunks
   where its headers say so, without its length.
"""

from __future__ import annotations

import asyncio
import ssl
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

import h11

from harness.errors import HarnessFault
from harness.exchange.channel import LINGER, Channel
from harness.exchange.deadline import Deadline
from harness.exchange.delivery import Delivery, with_content_type
from harness.exchange.http import (
    Head,
    Moment,
    Sent,
    WireAnswer,
    WireRequest,
    head_of,
    moment,
    parts_of,
    read_head,
)
from harness.exchange.service import FailureKind, ListenerFailure, Service

_SMALL = 64 * 1024
_RIGHT = Delivery()


class ServerConnection:
    """One connection: requests one after the other, each answered before the next is read."""

    def __init__(self, service: Service, name: str) -> None:
        self._service, self._name = service, name
        self._limits, self._clock = service.limits, service.clock
        self._loop = asyncio.get_running_loop()
        self.channel = Channel(self, service.clock, service.context, server_side=True, on_gone=self._gone)
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=service.limits.head)
        self._draining = self._answering = self._ended = self._hurried = False
        self._head: Head | None = None
        self._body = bytearray()
        self._first: Moment | None = None
        service.connections[self] = None
        self._deadline = Deadline(self._too_slow)
        self._deadline.set(self._limits.handshake)

    @property
    def ready(self) -> bool:
        """Whether the handshake is done."""
        return self.channel.ready

    @property
    def held(self) -> int:
        """Bytes of a body that came so far."""
        return len(self._body)

    def drop(self) -> None:
        """End the connection now."""
        self._deadline.close()
        self._gone()
        self.channel.abort()

    def opened(self) -> None:
        """The handshake is done."""
        self._deadline.set(self._limits.idle)

    def received(self, data: bytes) -> None:
        """Bytes of a request, or the end of what the peer sends."""
        if self._draining:
            if not data:
                self.drop()
            return
        if not data:
            self._ended = True
        try:
            self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            self._refuse_protocol(error)
            return
        if self._answering:
            if len(self._http.trailing_data[0]) > self._limits.head:
                self.channel.pause()
        else:
            self._advance()

    def lost(self, error: Exception | None) -> None:
        """The connection is over."""
        self._deadline.close()
        if not self.channel.ready:
            self._failed("tls", f"the TLS handshake failed: {_reason(error)}")
        elif self._first is not None and not self._answering and not self._draining:
            self._failed("closed", "the connection ended in the middle of a request")

    def _advance(self) -> None:
        """Read as much of a request as is there."""
        try:
            while not self._draining:
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    self._await_more()
                    return
                if type(event) is h11.Request:  # isinstance asks abstract classes, which takes longer
                    self._begin(event)
                elif type(event) is h11.Data:
                    self._add(event.data)
                elif type(event) is h11.EndOfMessage:
                    self._answer()
                    return
                else:  # ConnectionClosed, or PAUSED behind the last request
                    self._close()
                    return
        except h11.RemoteProtocolError as error:
            self._refuse_protocol(error)

    def _await_more(self) -> None:
        if self._first is None and self._http.trailing_data[0]:
            self._first = self.channel.moment
        if self._first is not None and not self._hurried:
            self._hurried = True
            self._deadline.set(self._limits.request)
        if self._head is not None and self._http.they_are_waiting_for_100_continue:
            self.channel.write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")

    def _begin(self, request: h11.Request) -> None:
        if self._first is None:
            self._first = self.channel.moment
        method, target = request.method.decode("ascii"), request.target.decode("latin-1")
        line = f"{method} {target} HTTP/{request.http_version.decode('ascii')}"
        self._head = head = head_of(line, request.headers.raw_items())
        if head.size > self._limits.head:
            self._refuse(431, "too-large", f"the head is larger than {self._limits.head} bytes")
        elif int(head.get("Content-Length") or 0) > self._limits.body:
            self._refuse_size()

    def _add(self, data: bytes) -> None:
        self._body += data
        if self.held > self._limits.body:
            self._refuse_size()
        elif self.held > _SMALL and sum(each.held for each in self._service.connections) > self._limits.together:
            self._refuse(503, "too-many", f"all callers together sent more than {self._limits.together} bytes at once")

    def _answer(self) -> None:
        self._deadline.lift()
        self._answering = True
        request = self._what_came(complete=True)
        assert request is not None  # noqa: S101 - h11 tells the head before the end
        task = self._loop.create_task(self._handle(request))
        self._service.tasks.add(task)
        task.add_done_callback(self._service.tasks.discard)

    async def _handle(self, request: WireRequest) -> None:
        try:
            answer = await self._service.handler(request)
            await self._send(answer)
        except asyncio.CancelledError:
            self.drop()
            raise
        except Exception as error:  # the listener lives on whatever a handler does
            self._service.on_fault(_as_fault(error, request))
            if self._http.our_state is not h11.SEND_RESPONSE:
                self.drop()
                return
            await self._send(WireAnswer(500))
        self._next()

    async def _send(self, answer: WireAnswer) -> None:
        sent = None
        try:
            sent = await self._deliver(answer)
        finally:
            if answer.on_sent is not None:
                answer.on_sent(sent)

    async def _deliver(self, answer: WireAnswer) -> Sent | None:
        delivery = answer.delivery or _RIGHT
        if delivery.delay:
            await asyncio.sleep(delivery.delay)
        if delivery.closed:
            self._close()
        if self.channel.over:
            return None
        head, body = self._framed(answer)
        if delivery.truncated:
            at = self.channel.write(head + body[: len(body) // 2])
            self._close()
        else:
            at = self.channel.write(head + body)
        return Sent(read_head(head), at, self._name, self.channel.tls, complete=not delivery.truncated)

    def _framed(self, answer: WireAnswer) -> tuple[bytes, bytes]:
        """Head and body of an answer, as bytes."""
        framing = [("Date", self._date())]
        bodiless = answer.status in (204, 304)
        if not bodiless:
            framing.append(("Content-Length", str(len(answer.body))))
        if self._ended:
            framing.append(("Connection", "close"))
        response = h11.Response(
            status_code=answer.status,
            reason=_reason_phrase(answer.status),
            headers=[*with_content_type(answer.headers, answer.delivery), *framing],
        )
        head = self._http.send(response) or b""
        wanted = self._head is not None and not self._head.line.startswith("HEAD ") and not bodiless
        parts = parts_of(answer.body, head) if wanted else ()
        body = b"".join([self._http.send(h11.Data(data=part)) or b"" for part in parts])
        return head, body + (self._http.send(h11.EndOfMessage()) or b"")

    def _next(self) -> None:
        """Go on with the next request, or end the connection."""
        self._answering = self._hurried = False
        self._head, self._first, self._body = None, None, bytearray()
        if self.channel.over:
            self._deadline.close()
        elif self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._deadline.set(self._limits.idle)
            self.channel.resume()
            if any(self._http.trailing_data):  # more came, or no more will
                self._advance()
        else:
            self._linger()

    def _refuse_protocol(self, error: h11.RemoteProtocolError) -> None:
        if self._ended and self._first is not None:
            self._failed("closed", "the connection ended in the middle of a request")
            self._close()
            return
        status = error.error_status_hint
        kind: FailureKind = "too-large" if status == 431 else "http"
        self._refuse(status, kind, f"not a request of HTTP/1.1: {error}")

    def _refuse_size(self) -> None:
        self._refuse(413, "too-large", f"the body is larger than {self._limits.body} bytes")

    def _too_slow(self) -> None:
        if self._draining:
            self.drop()
        elif not self.channel.ready:
            self._failed("tls", f"no TLS handshake within {self._limits.handshake:g} s")
            self.drop()
        elif self._first is not None:
            self._refuse(408, "too-slow", f"no complete request within {self._limits.request:g} s")
        else:
            self.drop()

    def _refuse(self, status: int, kind: FailureKind, text: str) -> None:
        """Answer what is not a request, and end the connection without losing that answer."""
        self._failed(kind, text)
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = [("Content-Length", "0"), ("Connection", "close"), ("Date", self._date())]
            answer = h11.Response(status_code=status, reason=_reason_phrase(status), headers=headers)
            self.channel.write(self._http.send(answer) or b"")
        self._linger()

    def _linger(self) -> None:
        """Send no more; take what still comes for a moment, so that the answer is not lost with it."""
        self._draining = True
        if self._ended:
            self._close()
            return
        self.channel.resume()
        self.channel.finish()
        self._deadline.set(LINGER)

    def _failed(self, kind: FailureKind, text: str) -> None:
        came, peer, tls = self._what_came(complete=False), self.channel.peer, self.channel.tls
        shown = tls is not None and tls.certificate is not None
        known = shown or peer.rpartition(":")[0] in self._service.callers
        self._service.on_failure(ListenerFailure(kind, text, moment(self._clock), peer, came, known))

    def _what_came(self, *, complete: bool) -> WireRequest | None:
        head = self._head
        if head is None or self._first is None:
            return None
        method, target, _ = head.line.split(" ")
        return WireRequest(
            head,
            method,
            target,
            bytes(self._body),
            complete,
            self._first,
            self.channel.moment,
            self._name,
            self.channel.tls,
        )

    def _date(self) -> str:
        return _http_date(int(self._clock.now().timestamp()))

    def _close(self) -> None:
        self._deadline.close()
        self.channel.close()

    def _gone(self) -> None:
        self._service.connections.pop(self, None)


def _as_fault(error: Exception, request: WireRequest) -> HarnessFault:
    if isinstance(error, HarnessFault):
        return error
    fault = HarnessFault(f"{request.head.line!r} could not be handled: {type(error).__name__}: {error}")
    fault.__cause__ = error
    return fault


def _reason(error: Exception | None) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the peer's certificate was refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return str(error) if error is not None else "the connection was closed"


@lru_cache(maxsize=4)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)


@lru_cache(maxsize=64)
def _reason_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
