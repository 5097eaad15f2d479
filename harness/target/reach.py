"""What can be reached from here, and what the SUT can reach: addresses, TLS, clocks, the control interface."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from cryptography import x509

from harness.errors import ConfigurationFault
from harness.exchange.model import ControlAnswer
from harness.exchange.wire import (
    Listener,
    Wire,
    WireAnswer,
    WireFailure,
    WireRequest,
    WireTransport,
    client_context,
    post,
    server_context,
)
from harness.host import refusal
from harness.pack.model import Pack
from harness.security.model import Identity
from harness.target.control import Adapter
from harness.target.diagnosis import Line, clock, validity, wrong
from harness.target.identities import load_anchors
from harness.target.model import GuidedControl, NoControl, Target
from harness.target.setup import make_control

SECONDS = 5.0
"""How long one address may take."""

_TRY = "Try our address from its computer."
_NOT_TRIED, _FIRST = "Not tried without our certificates.", "Correct them first."


async def endpoints(target: Target, pack: Pack, identities: dict[str, Identity]) -> AsyncIterator[Line]:
    """Resolve and reach every address of the SUT, shake hands, and compare clocks."""
    if not target.endpoints:
        yield Line("address", None, "The target has no endpoint: the SUT only sends.", "Name one if it also receives.")
        return
    transport = None
    try:
        if identities:
            peer = next((name for name, party in pack.parties.items() if party.role != target.role), None)
            anchors = load_anchors(target, target.certificates.tls)
            transport = WireTransport(client_context(identities[peer or next(iter(pack.parties))], anchors))
        else:
            yield Line("tls", None, _NOT_TRIED, _FIRST)
    except ConfigurationFault as fault:
        yield wrong("tls", fault)
    try:
        for url in dict.fromkeys(target.endpoints.values()):
            async for line in _endpoint(url, transport, pack):
                yield line
    finally:
        if transport is not None:
            await transport.aclose()


async def _endpoint(url: str, transport: WireTransport | None, pack: Pack) -> AsyncIterator[Line]:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        async with asyncio.timeout(SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
    except socket.gaierror as problem:
        yield Line(
            "address", False, f"The name {host} is not known: {problem.strerror}.", "Correct the address, or the DNS."
        )
        return
    except OSError as problem:
        reason = refusal(problem) or f"no connection within {SECONDS:g} s"
        yield Line(
            "address",
            False,
            f"{host} port {port} cannot be reached: {reason}.",
            "Is the SUT running? Is a firewall between?",
        )
        return
    yield Line("address", True, f"{host} is {found[0][4][0]}, and port {port} is open.")
    if transport is None:
        return
    try:
        wire = await post(transport, url, b"", (), method="GET", seconds=SECONDS, connect_seconds=SECONDS)
    except WireFailure as problem:
        yield Line("tls", False, f"{url}: {problem.text}.", _TLS_REMEDY.get(problem.outcome, "Check the SUT."))
        return
    for line in _handshake(url, wire, pack):
        yield line


_TLS_REMEDY = {
    "tls": "Check names and chain of its certificate against certificates/tls, and that it trusts our certificates.",
    "silence": "The connection stands, but nothing comes: does the SUT speak HTTPS on this port?",
    "closed": "It ends the connection: does it trust our certificate? Its log may say more.",
    "http": "It does not speak HTTP/1.1.",
}


def _handshake(url: str, wire: Wire, pack: Pack) -> Iterator[Line]:
    tls = wire.response.tls
    if tls is not None and tls.certificate is not None:
        yield Line("tls", True, f"{url}: {tls.version}, {tls.cipher}; names and chain are in order.")
        certificate = x509.load_der_x509_certificate(tls.certificate)
        yield validity("tls", f"Its certificate ({tls.subject})", certificate)
    date = wire.response.head.get("date")
    if date is not None:
        try:
            yield clock("its answers", parsedate_to_datetime(date), wire.response.last.at, pack)
        except ValueError:
            yield Line("clock", None, f"Its Date header cannot be read: {date[:40]!r}.", "See RFC 9110, 5.6.7.")


async def listen(target: Target, identity: Identity | None, stack: AsyncExitStack) -> tuple[str | None, Line]:
    """Listen as in a run, until *stack* ends; tell the address that the SUT would use."""
    if identity is None:
        return None, Line("port", None, _NOT_TRIED, _FIRST)

    async def nobody(_: WireRequest) -> WireAnswer:
        return WireAnswer(503)

    try:
        context = server_context(identity, load_anchors(target, target.certificates.tls))
        listener = await Listener.start(target.listen.host, target.listen.port, context, nobody)
    except ConfigurationFault as fault:
        return None, wrong("port", fault)
    stack.push_async_callback(listener.close)
    url = target.listen.advertise or f"https://{target.listen.host}:{listener.port}"
    return url, Line("port", True, f"We can listen on {target.listen.host} port {listener.port}; the SUT uses {url}.")


async def control(target: Target, pack: Pack, confirm: Callable[[str], bool], url: str | None) -> AsyncIterator[Line]:
    """Ask the control interface what it offers, what time it is, and whether the SUT reaches us.

    Parameters:
        target, pack: what shall be run.
        confirm: asks a person about a control command.
        url: the address that the SUT uses for us, where we listen now; ``None`` when we do not.
    """
    if isinstance(target.control, NoControl | GuidedControl):
        what = "No control interface: cases in which the SUT begins are not run."
        yield Line("control", None, what, "Write the small adapter of docs/connecting.md.")
        yield Line("call-back", None, "Whether the SUT reaches us cannot be seen.", _TRY)
        return
    try:
        adapter = make_control(target, confirm)
    except ConfigurationFault as fault:
        yield wrong("control", fault)
        return
    try:
        about = await adapter.about()
        for line in _about(target, pack, about):
            yield line
        if url is not None and about.taken:
            yield await _callback(adapter, url)
    finally:
        await adapter.close()


def _about(target: Target, pack: Pack, about: ControlAnswer) -> Iterator[Line]:
    if not about.taken:
        yield Line("control", False, f"{about.error}.", "Start it, and compare address, token and trust anchors.")
        return
    name, version = about.body.get("name", "it"), about.body.get("version", "")
    needed = [
        each.name
        for each in pack.messages.values()
        if each.sender == target.role and not each.replies and each.name not in target.ics.denied
    ]
    offered = about.body.get("actions", ())
    missing = [each for each in needed if each not in offered]
    if missing:
        what = f"{name} {version} answers, but cannot be asked to send {', '.join(missing)}."
        yield Line("control", False, what, "Add them to the adapter, or deny them in the ICS.")
    else:
        yield Line("control", True, f"{name} {version} answers, and offers all {len(needed)} actions that are needed.")
    try:
        theirs = datetime.fromisoformat(str(about.body.get("time")))
        yield clock("the control interface", theirs, datetime.now(UTC), pack)
    except ValueError:
        yield Line("clock", None, "The control interface tells no time.", "Answer 'time' as 2026-01-31T12:00:00Z.")


async def _callback(adapter: Adapter, url: str) -> Line:
    answer = await adapter.callback(url)
    if not answer.taken:
        what = f"Whether the SUT reaches {url} cannot be seen: {answer.error}."
        return Line("call-back", None, what, _TRY)
    if answer.body.get("reachable") is True:
        return Line("call-back", True, f"The SUT reaches us at {url}.")
    detail = str(answer.body.get("detail", ""))[:300]
    remedy = "Correct listen/advertise, open the firewall, and let the SUT trust our certificate."
    return Line("call-back", False, f"The SUT does not reach {url}: {detail}", remedy)
