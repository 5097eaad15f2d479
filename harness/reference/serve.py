"""A reference party as a process of its own: ``python -m harness.reference --config FILE``.

It prints one line on its standard output when it listens::

    {"ready": true, "url": "https://127.0.0.1:40001", "control": "https://127.0.0.1:40002"}

It writes what it does to its standard error, each line with the test case, and ends when its standard input is
closed, or on SIGTERM or Ctrl-C. What is wrong with its start file ends it with the exit code of
:mod:`harness.errors` and a sentence.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness.errors import ConfigurationFault, HarnessError, Where
from harness.exchange.delivery import Delivery as WireDelivery
from harness.exchange.wire import (
    Handler,
    Listener,
    WireAnswer,
    WireRequest,
    WireTransport,
    client_context,
    server_context,
)
from harness.host import demand_private, refusal
from harness.pack.data import find_pack
from harness.pack.load import load_pack
from harness.pack.model import Pack
from harness.pack.names import pick
from harness.reference.answers import Reply
from harness.reference.config import PartyConfig, read_config
from harness.reference.control import Control
from harness.reference.delivery import LOG, Delivery
from harness.reference.hooks import Hooks
from harness.reference.mailbox import Mailbox
from harness.reference.memory import make_memory
from harness.reference.mint import Mint, Writer
from harness.reference.page import Page
from harness.reference.party import Party
from harness.reference.points import Switch
from harness.reference.reading import Incoming, Reader
from harness.reference.seats import Seats
from harness.reference.state import Book
from harness.reference.world import World
from harness.security.keys import load_certificates, load_crls, load_identity
from harness.security.model import Identity
from harness.security.trust import make_trust

CALLBACK_SECONDS = 5.0
"""How long ``/callback`` tries to reach an address."""


@dataclass(frozen=True)
class Serving:
    """A party that listens: its address, that of its control interface and its page (or ``None``), and itself."""

    url: str
    control: str | None
    party: Party
    page: str | None = None


@asynccontextmanager
async def serve(config: PartyConfig, pack: Pack) -> AsyncIterator[Serving]:
    """Play a party until the block ends.

    Parameters:
        config: what it is told.
        pack: the pack that it names.

    Raises:
        ConfigurationFault: the configuration or a key is wrong, or a port is in use.
    """
    certificate, key = Path(config.certificate), Path(config.key)
    identity = load_identity(config.role, certificate, key)
    tls = (
        load_identity(config.role, Path(config.tls_certificate), Path(config.tls_key))
        if config.tls_certificate and config.tls_key
        else identity
    )
    anchors = tuple(each for file in config.anchors for each in load_certificates(Path(file)))
    trust = make_trust(anchors, [each for file in config.crls for each in load_crls(Path(file))])
    outgoing = client_context(tls, anchors)
    async with AsyncExitStack() as stack:
        wire = WireTransport(outgoing)
        stack.push_async_callback(wire.aclose)
        memory = make_memory(pack, config)
        stack.callback(memory.close)
        hooks = Hooks(_switches(pack, config), memory.strikes, memory.told)
        transport = memory.watched(wire)
        book = Book(pack, config.role, hooks, memory.entries, memory.references, memory.heard)
        reader = Reader(pack, trust, hooks)
        mailbox = Mailbox(book, hooks)
        world = World(pack, config.role, _facts(pack, config))
        party = Party(
            pack,
            Seats(pack, config.role, _positions(pack, config), world),
            book=book,
            reader=reader,
            writer=Writer(pack, config.role, Mint(memory.seed, pack.pools), world, memory.own),
            mailbox=mailbox,
            delivery=Delivery(pack, identity, _spares(config), reader, book, hooks, mailbox, transport),
            hooks=hooks,
            peers=config.peers,
            debts=memory.debts,
        )
        stack.push_async_callback(party.close)
        incoming = server_context(tls, anchors)
        url = await _listen(stack, config.host, config.port, incoming, memory.around(party.receive))
        control = None
        if config.token_file:
            answerer = Control(party, _token(Path(config.token_file)), lambda address: _reach(address, outgoing))
            incoming = server_context(tls, anchors, demand_certificate=False)
            control = await _listen(
                stack, config.host, config.control_port, incoming, memory.told_first(answerer.answer)
            )
        page = None
        if config.page_port is not None and memory.store is not None:
            shown = Page(pack, config.role, book, memory.store, url, (*config.faults, *config.variations))
            page = await _listen(stack, "127.0.0.1", config.page_port, None, shown.answer)
        party.settle()
        yield Serving(url, control, party, page)


async def _listen(
    stack: AsyncExitStack,
    host: str,
    port: int,
    context: ssl.SSLContext | None,
    answer: Callable[[Incoming], Awaitable[Reply]],
) -> str:
    listener = await Listener.start(
        host,
        port,
        context,
        _handler(answer),
        on_failure=lambda failure: LOG.info("[-] %s: %s", failure.kind, failure.text),
        on_fault=lambda fault: LOG.error("[-] %s", fault),
    )
    stack.push_async_callback(listener.close)
    scheme = "http" if context is None else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{listener.port}"


def _handler(answer: Callable[[Incoming], Awaitable[Reply]]) -> Handler:
    async def handle(request: WireRequest) -> WireAnswer:
        headers = {name.lower(): value for name, value in request.head.headers}
        reply = await answer(Incoming(request.method, request.target, headers, request.body))
        return WireAnswer(
            reply.status,
            tuple(reply.headers.items()),
            reply.body,
            WireDelivery(closed=reply.closed, truncated=reply.cut) if reply.closed or reply.cut else None,
            lambda _: reply.after(),
        )

    return handle


async def _reach(url: str, context: ssl.SSLContext) -> str | None:
    """Try a TLS handshake; tell why it failed, or ``None``."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(CALLBACK_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 443, ssl=context)
    except (OSError, ValueError) as problem:
        reason = refusal(problem) if isinstance(problem, OSError) else str(problem)
        return f"{url} cannot be reached: {reason or 'no answer in time'}"
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return None


def _switches(pack: Pack, config: PartyConfig) -> list[Switch]:
    faults, variations = Where(pack.root / "faults.yaml"), Where(pack.root / "variations.yaml")
    if config.chaos:
        return [each for each in pack.faults.values() if each.role == config.role]
    return [
        *(pack.faults[pick(name, pack.faults, "fault", faults)] for name in config.faults),
        *(pack.variations[pick(name, pack.variations, "variation", variations)] for name in config.variations),
    ]


def _spares(config: PartyConfig) -> dict[str, Identity]:
    name = Path(config.certificate).stem
    files = sorted(Path(config.spares).glob(f"{name}.*.pem")) if config.spares else []
    return {
        file.stem.removeprefix(f"{name}."): load_identity(config.role, file, file.with_suffix(".key")) for file in files
    }


def _positions(pack: Pack, config: PartyConfig) -> tuple[str, ...]:
    where = Where(pack.root / "pack.yaml")
    pick(config.role, pack.roles, "role", where)
    known = pack.roles[config.role].positions
    return tuple(pick(each, known, f"position of {config.role}", where) for each in config.positions) or known


def _facts(pack: Pack, config: PartyConfig) -> dict[str, dict[str, str]]:
    return {seat: {**party.facts, **config.facts.get(seat, {})} for seat, party in pack.parties.items()}


def _token(file: Path) -> str:
    try:
        token = file.read_text("utf-8").strip()
    except OSError as problem:
        raise ConfigurationFault(f"the token cannot be read: {problem.strerror}", where=Where(file)) from None
    demand_private(file, "token")
    if not token:
        raise ConfigurationFault("the token file is empty", where=Where(file))
    return token


def main() -> int:
    """The program: 0 when it was told to end, else an exit code of :mod:`harness.errors`."""
    parser = argparse.ArgumentParser(prog="python -m harness.reference", description="Play one reference party.")
    parser.add_argument("--config", type=Path, required=True, help="start file (JSON)")
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        asyncio.run(_run(read_config(options.config)))
    except KeyboardInterrupt:
        return 0
    except HarnessError as problem:
        LOG.error("%s", problem)
        return problem.exit_code
    return 0


async def _run(config: PartyConfig) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def end(*_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(stop.set)

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):  # not through the buffer: its lock would outlive this thread
            pass
        end()

    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=watch, daemon=True).start()
    async with serve(config, load_pack(find_pack(config.pack))) as serving:
        print(json.dumps({"ready": True, "url": serving.url, "control": serving.control}), flush=True)  # noqa: T201
        await stop.wait()
