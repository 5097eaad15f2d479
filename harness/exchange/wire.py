"""The wire: HTTP/1.1 over TLS on asyncio and h11. The door of this part of the room.

Times are taken at the socket, bytes and heads are kept as they travelled, facts of TLS are kept.
"""

from harness.exchange.client import post
from harness.exchange.http import (
    ClosedWithoutAnswer,
    Head,
    Moment,
    NotHttp,
    Sent,
    Silence,
    TlsFacts,
    TlsRefused,
    Unreachable,
    Wire,
    WireAnswer,
    WireFailure,
    WireLimits,
    WireRequest,
    WireResponse,
)
from harness.exchange.listener import Listener
from harness.exchange.service import Handler, ListenerFailure
from harness.exchange.tls import client_context, server_context
from harness.exchange.transport import WireTransport

__all__ = [
    "ClosedWithoutAnswer",
    "Handler",
    "Head",
    "Listener",
    "ListenerFailure",
    "Moment",
    "NotHttp",
    "Sent",
    "Silence",
    "TlsFacts",
    "TlsRefused",
    "Unreachable",
    "Wire",
    "WireAnswer",
    "WireFailure",
    "WireLimits",
    "WireRequest",
    "WireResponse",
    "WireTransport",
    "client_context",
    "post",
    "server_context",
]
