"""One connection: bytes in and out, in the clear or under TLS, with the time at the socket.

TLS runs here on a pair of memory buffers, and not in :mod:`asyncio`, for three reasons: a failed handshake is
told to whoever owns the connection, the alert reaches the peer before the connection ends, and it is faster.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, cast

from cryptography import x509

from harness.evidence.clock import Clock
from harness.exchange.http import Moment, TlsFacts, moment

LINGER = 2.0
"""Seconds for which a connection that we end still takes what the peer sends, so that our last words reach it."""

_CHUNK = 64 * 1024


class Owner(Protocol):
    """Whoever gives a connection its meaning."""

    def opened(self) -> None:
        """The connection stands, and its handshake is done."""
        ...

    def received(self, data: bytes) -> None:
        """These bytes came; none means that the peer sends no more."""
        ...

    def lost(self, error: Exception | None) -> None:
        """The connection is over. Called once; nothing is called after it."""
        ...


class Channel(asyncio.Protocol):
    """A socket under its owner.

    Parameters:
        clock: for the time of what comes.
        context: TLS, or ``None`` for none.
        server_side: whether the peer connected to us.
        hostname: name to check the peer's certificate against.
        on_gone: is called when the socket is closed, however that came; the last that is heard of it.
    """

    def __init__(
        self,
        owner: Owner,
        clock: Clock,
        context: ssl.SSLContext | None,
        *,
        server_side: bool,
        hostname: str | None = None,
        on_gone: Callable[[], None] = lambda: None,
    ) -> None:
        self._owner, self._clock, self._on_gone = owner, clock, on_gone
        self._transport: asyncio.Transport | None = None
        self._ssl: ssl.SSLObject | None = None
        self._over = False
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        if context is not None:
            self._ssl = context.wrap_bio(
                self._incoming, self._outgoing, server_side=server_side, server_hostname=hostname
            )
        self.ready = False
        self.tls: TlsFacts | None = None
        self.moment: Moment = moment(clock)

    @property
    def over(self) -> bool:
        """Whether nothing can be sent or received any more."""
        return self._over

    @property
    def peer(self) -> str:
        """Address of the peer, as text."""
        address = self._transport.get_extra_info("peername") if self._transport is not None else None
        return f"{address[0]}:{address[1]}" if address else ""

    def write(self, data: bytes) -> Moment:
        """Hand bytes to the socket; returns when that was. Without effect when the connection is over."""
        if self._ssl is not None and not self._over:
            rest = memoryview(data)
            while rest:
                rest = rest[self._ssl.write(rest) :]
            self._flush()
        elif self._transport is not None and not self._over:
            self._transport.write(data)
        return moment(self._clock)

    def finish(self) -> None:
        """Say that we send no more. What the peer still sends goes to the owner."""
        if self._transport is None or self._over:
            return
        if self._ssl is not None:
            with suppress(ssl.SSLError):  # the peer's own good-bye is not waited for
                self._ssl.unwrap()
            self._flush()
        if not self._transport.is_closing() and self._transport.can_write_eof():
            self._transport.write_eof()

    def close(self) -> None:
        """End the connection, after what was written has left. The owner is not called any more."""
        if self._transport is not None and not self._over:
            self._over = True
            self._flush()
            self._transport.close()

    def abort(self) -> None:
        """End the connection now. The owner is not called any more."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Take nothing from the socket until told."""
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Take bytes from the socket again."""
        if self._transport is not None and not self._over and not self._transport.is_reading():
            self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of :class:`asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        if self._over:
            self._transport.abort()
        else:
            self._shake()

    def data_received(self, data: bytes) -> None:
        """Part of :class:`asyncio.Protocol`."""
        if self._over:
            return
        self.moment = moment(self._clock)
        if self._ssl is None:
            self._owner.received(data)
            return
        self._incoming.write(data)
        if self.ready or self._shake():
            self._read(self._ssl)

    def eof_received(self) -> bool:
        """Part of :class:`asyncio.Protocol`."""
        if self._over:
            return False
        if not self.ready:
            self._fail(ConnectionResetError("the connection was closed in the TLS handshake"))
            return False
        self._owner.received(b"")
        return not self._over

    def connection_lost(self, exc: Exception | None) -> None:
        """Part of :class:`asyncio.Protocol`."""
        if not self._over:
            self._over = True
            self._owner.lost(exc)
        self._on_gone()

    def _shake(self) -> bool:
        if self._ssl is not None:
            try:
                self._ssl.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                return False
            except (ssl.SSLError, ValueError) as error:
                self._fail(error)
                return False
            self._flush()
            self.tls = _facts(self._ssl)
        self.ready = True
        self._owner.opened()
        return not self._over

    def _read(self, tls: ssl.SSLObject) -> None:
        while not self._over and (self._incoming.pending or tls.pending()):
            try:
                data = tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError as error:
                self._fail(error)
                return
            self._owner.received(data)
            if not data:
                break
        self._flush()

    def _flush(self) -> None:
        if self._transport is not None and self._outgoing.pending:
            self._transport.write(self._outgoing.read())

    def _fail(self, error: Exception) -> None:
        """End a connection that TLS broke: the alert must arrive, so the peer's bytes are still taken for a moment."""
        self._flush()
        self._over = True
        if self._transport is not None and not self._transport.is_closing():
            if self._transport.can_write_eof():
                self._transport.write_eof()
            asyncio.get_running_loop().call_later(LINGER, self._transport.abort)
        self._owner.lost(error)


def _facts(tls: ssl.SSLObject) -> TlsFacts:
    cipher = tls.cipher()
    version, name = tls.version() or "", cipher[0] if cipher else ""
    certificate = tls.getpeercert(binary_form=True)
    if certificate is None:
        return TlsFacts(version, name)
    try:
        subject = x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
    except ValueError:
        subject = "unreadable"
    return TlsFacts(version, name, subject, hashlib.sha256(certificate).hexdigest(), certificate)
