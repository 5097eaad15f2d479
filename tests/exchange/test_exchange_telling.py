"""What strangers fail in is told in bounds, and apart from what the system under test fails in."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from exchange_kit import echo, listening, raw, visit
from play_kit import World

from harness.evidence.clock import SystemClock
from harness.evidence.log import EventLog, read_events
from harness.exchange import telling
from harness.exchange.engine import Engine
from harness.exchange.http import moment
from harness.exchange.recorder import Recorder
from harness.exchange.service import ListenerFailure
from harness.exchange.switchboard import Switchboard
from harness.exchange.telling import FIRST, TOLD_EVERY, Teller, addresses_of
from harness.exchange.wire import Listener, client_context, server_context
from harness.pack.load import load_pack
from harness.reference.serve import serve
from harness.security.trust import make_trust
from harness.target.setup import make_setup

SUT, STRANGER = "127.0.0.1", "127.0.0.2"
"""Both are this computer."""
NOT_TLS = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
RESET = struct.pack("ii", 1, 0)


def _two_addresses() -> bool:
    try:
        with socket.socket() as each:
            each.bind((STRANGER, 0))
    except OSError:
        return False
    return True


needs_two_addresses = pytest.mark.skipif(not _two_addresses(), reason="this computer has only one address of its own")


@pytest.fixture(scope="module")
def contexts(pki):
    return server_context(pki.server, pki.anchors), client_context(pki.client, pki.anchors)


async def fail(port, source=SUT):
    """Fail in one handshake, and leave no trace of the connection in the operating system."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.write(NOT_TLS)
    with suppress(ConnectionError):
        await reader.read()
    writer.transport.abort()


async def fail_often(port, times, source=SUT, at_once=50):
    async def some(number):
        for _ in range(number):
            await fail(port, source)

    await asyncio.gather(*(some(times // at_once) for _ in range(at_once)))


@pytest.mark.parametrize("times", [1_000, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_thousands_of_failing_handshakes_take_few_events(tmp_path, contexts, times):
    server, _ = contexts
    pack = load_pack("tests/packs/neighbours")

    async def scene():
        loop = asyncio.get_running_loop()
        with EventLog(tmp_path, SystemClock()) as log:
            switchboard = Switchboard(pack, make_trust((), ()), Recorder(log))
            listener = await Listener.start("127.0.0.1", 0, server, echo, on_failure=switchboard.failed)
            began = loop.time()
            await fail_often(listener.port, times)
            took = loop.time() - began
            await listener.close()
        return took

    took = asyncio.run(scene())
    events = list(read_events(tmp_path))
    assert sum(event.data.get("count", 1) for event in events) == times
    assert [event.data.get("count", 1) for event in events[:FIRST]] == [1] * FIRST
    assert len(events) <= FIRST + took / TOLD_EVERY + 1
    assert (tmp_path / "events.jsonl").stat().st_size < 500 * len(events)
    assert {event.data["blame"] for event in events} == {"environment"}
    assert f"from {SUT}: the TLS handshake failed: http request" in events[-1].data["text"]


def test_a_burst_is_told_one_by_one(contexts):
    async def scene():
        async with listening(context=contexts[0]) as (listener, seen):
            for _ in range(FIRST):
                await fail(listener.port)
            return [await seen.failure() for _ in range(FIRST)]

    told = asyncio.run(scene())
    assert {failure.count for failure in told} == {1}
    assert all(failure.peer.startswith("127.0.0.1:") and failure.text.endswith("http request") for failure in told)


@needs_two_addresses
def test_strangers_never_hide_why_the_system_under_test_fails(contexts):
    seen = []

    async def scene():
        listener = await Listener.start("127.0.0.1", 0, contexts[0], echo, callers=(SUT,), on_failure=seen.append)
        await fail_often(listener.port, 500, STRANGER)
        await fail(listener.port)
        await fail_often(listener.port, 500, STRANGER)
        await listener.close()

    asyncio.run(scene())
    known = [failure for failure in seen if failure.known]
    assert [(failure.count, failure.peer.partition(":")[0]) for failure in known] == [(1, SUT)]
    assert sum(failure.count for failure in seen if not failure.known) == 1000


@pytest.mark.parametrize("shows", [True, False])
def test_who_has_shown_a_certificate_is_known(contexts, shows):
    server, client = contexts

    async def scene():
        async with listening(context=server if shows else None) as (listener, seen):
            if shows:
                _, writer = await asyncio.open_connection("localhost", listener.port, ssl=client)
                writer.write(b"nonsense\r\n\r\n")
            else:
                await raw(listener.port, b"nonsense\r\n\r\n")
            failure = await seen.failure()
            if shows:
                writer.close()
            return failure

    failure = asyncio.run(scene())
    assert (failure.kind, failure.known) == ("http", shows)


def test_a_refused_certificate_makes_nobody_known(pki, contexts):
    async def scene():
        async with listening(context=contexts[0]) as (listener, seen):
            with suppress(OSError):
                await visit(listener.port, client_context(pki.foreign, pki.anchors))
            return await seen.failure()

    failure = asyncio.run(scene())
    assert (failure.kind, failure.known) == ("tls", False)
    assert "the peer's certificate was refused" in failure.text


def _failure(peer="10.0.0.1:5", text="it failed"):
    return ListenerFailure("tls", text, moment(SystemClock()), peer)


def test_what_fails_again_after_a_pause_is_told_at_once(monkeypatch):
    monkeypatch.setattr(telling, "TOLD_EVERY", 0.01)
    told = []

    async def scene():
        teller = Teller(told.append)
        for _ in range(FIRST + 5):
            teller(_failure())
        await asyncio.sleep(0.2)
        before = len(told)
        teller(_failure(text="it failed again"))
        assert len(told) == before + 1
        teller.close()

    asyncio.run(scene())
    assert [failure.count for failure in told] == [*[1] * FIRST, 5, 1]
    assert told[-1].text == "it failed again"


def test_what_is_only_counted_names_peers_and_reasons_in_bounds():
    told = []

    async def scene():
        teller = Teller(told.append)
        for _ in range(FIRST):
            teller(_failure())
        for number in range(30):
            teller(_failure(f"10.0.0.{number}:1"))
            teller(_failure("10.0.0.0:2"))
        teller.close()
        teller.close()

    asyncio.run(scene())
    last = told[FIRST]
    assert len(told) == FIRST + 1
    assert last.count == 60
    assert last.text.startswith("60 more; 31 from 10.0.0.0: it failed; 1 from 10.0.0.1: it failed; ")
    assert last.text.endswith("; 22 others")


def test_addresses_are_those_of_the_servers():
    assert asyncio.run(addresses_of(["https://127.0.0.9:1/x", "http://[::9]/"])) == {"127.0.0.9", "::9"}
    assert asyncio.run(addresses_of(["https://nowhere.invalid/"])) == frozenset()


@needs_two_addresses
@pytest.mark.parametrize(("source", "blame"), [(STRANGER, "environment"), (SUT, "sut")])
def test_in_a_run_only_the_address_of_the_system_under_test_is_blamed(tmp_path, source, blame):
    world = World(load_pack("tests/packs/neighbours"), "customs", tmp_path / "world", ("import",))

    async def scene():
        setup = make_setup(world.target, world.pack)
        port = urlsplit(world.config.peers["customs.export"]).port
        with EventLog(tmp_path / "evidence", SystemClock()) as log:
            async with serve(world.config, world.pack):

                async def keep_failing():
                    while True:
                        with suppress(OSError):
                            await fail(port, source)
                        await asyncio.sleep(0.01)

                calling = asyncio.ensure_future(keep_failing())
                try:
                    return await Engine(world.plan(["movement@import"]), world.pack, setup, log).run()
                finally:
                    calling.cancel()
                    await setup.control.close()

    played = asyncio.run(scene())
    assert [verdict.verdict.value for verdict in played.verdicts] == ["pass"]
    events = list(read_events(tmp_path / "evidence"))
    assert events[-1].kind == "run-finished"
    failed = [event for event in events if event.kind == "failed"]
    assert failed
    assert {event.data["blame"] for event in failed} == {blame}
    assert blame == "sut" or {event.case for event in failed} == {None}
