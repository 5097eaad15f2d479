from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from exchange_kit import echo, listening, raw, transporting, until, visit
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ConfigurationFault, HarnessFault
from harness.evidence.clock import FixedClock, SystemClock
from harness.exchange.channel import Channel
from harness.exchange.delivery import DEFECTS, Delivery
from harness.exchange.telling import FIRST, TOLD_EVERY
from harness.exchange.wire import Listener, Sent, WireAnswer, WireLimits, client_context, post, server_context

POST = b"POST /party HTTP/1.1\r\nHost: x\r\nX-Mixed-Case: Yes\r\nContent-Length: 5\r\n\r\nhello"
CLOSE = POST.replace(b"Host: x", b"Host: x\r\nConnection: close")


def test_a_request_is_kept_as_it_travelled():
    async def scene():
        async with listening() as (listener, seen):
            answer = await raw(listener.port, CLOSE)
        return answer, seen.requests[0]

    answer, request = asyncio.run(scene())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nhello")
    assert request.head.line == "POST /party HTTP/1.1"
    assert ("X-Mixed-Case", "Yes") in request.head.headers
    assert request.head.get("x-mixed-case") == "Yes"
    assert (request.method, request.target, request.body, request.body_complete) == ("POST", "/party", b"hello", True)
    assert request.first.mono <= request.last.mono
    assert request.tls is None


def test_first_and_last_byte_have_their_own_time():
    clock, looks = FixedClock(datetime(2026, 11, 28, tzinfo=UTC)), []
    clock.mono = lambda: looks.append(None) or FixedClock.mono(clock)

    async def scene():
        async with listening(clock=clock) as (listener, seen):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(CLOSE[:10])
            await until(lambda: len(looks) == 2)  # at the connection, and at its first byte
            clock.advance(timedelta(seconds=3))
            writer.write(CLOSE[10:])
            await reader.read()
            writer.close()
        return seen.requests[0]

    request = asyncio.run(scene())
    assert request.last.mono - request.first.mono == 3_000_000_000
    assert request.last.at - request.first.at == timedelta(seconds=3)


def test_a_connection_is_kept_and_pipelined_requests_are_answered_in_order():
    async def scene():
        async with listening() as (listener, seen):
            answer = await raw(listener.port, POST + POST.replace(b"hello", b"again") + CLOSE)
        return answer, seen.requests

    answer, requests = asyncio.run(scene())
    assert [request.body for request in requests] == [b"hello", b"again", b"hello"]
    assert len({request.connection for request in requests}) == 1
    assert answer.index(b"\r\n\r\nhello") < answer.index(b"\r\n\r\nagain")


def test_chunked_bodies_are_put_together():
    chunked = (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\n\r\n"
    )

    async def scene():
        async with listening() as (listener, seen):
            await raw(listener.port, chunked)
        return seen.requests[0].body

    assert asyncio.run(scene()) == b"hello"


@pytest.mark.parametrize(("version", "chunks"), [(b"1.1", b"\r\n3e8\r\n"), (b"1.0", b"")])
def test_an_answer_is_sent_in_chunks_without_its_length_to_who_knows_chunks(version, chunks):
    body = b"hello" * 500

    async def handler(request):
        return WireAnswer(200, (("Transfer-Encoding", "chunked"),), body)

    async def scene():
        async with listening(handler) as (listener, _), transporting() as transport:
            answer = await raw(listener.port, CLOSE.replace(b"HTTP/1.1", b"HTTP/" + version))
            wire = await post(transport, f"http://127.0.0.1:{listener.port}/", b"", (), seconds=10)
        return answer, wire.response.body

    answer, read = asyncio.run(scene())
    assert b"content-length" not in answer.lower()
    assert (chunks in answer, b"chunked" in answer, body in answer) == (True, bool(chunks), not chunks)
    assert read == body


def test_a_client_that_waits_for_100_continue_gets_it():
    async def scene():
        async with listening() as (listener, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            head, body = CLOSE.split(b"\r\n\r\n")
            writer.write(head + b"\r\nExpect: 100-continue\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
            writer.write(body)
            answer = await reader.read()
            writer.close()
        return answer

    assert asyncio.run(scene()).startswith(b"HTTP/1.1 200")


def test_a_client_that_sends_no_more_is_still_answered():
    async def scene():
        async with listening() as (listener, _):
            return await raw(listener.port, POST, end=True)

    assert asyncio.run(scene()).endswith(b"hello")


def test_head_is_answered_without_a_body():
    async def handler(request):
        return WireAnswer(200, (), b"not for HEAD")

    async def scene():
        async with listening(handler) as (listener, _):
            return await raw(listener.port, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    answer = asyncio.run(scene())
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("data", "status", "kind"),
    [
        (b"\x16\x03\x01 this is no HTTP\r\n\r\n", b"400", "http"),
        (b"POST / HTTP/1.1\r\n\r\n", b"400", "http"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: no\r\n\r\n", b"400", "http"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 3000 + b"\r\n\r\n", b"431", "too-large"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", b"413", "too-large"),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"a" * 2000 + b"\r\n0\r\n\r\n",
            b"413",
            "too-large",
        ),
        (POST[:-1], b"408", "too-slow"),
        (POST[:20], b"408", "too-slow"),
    ],
)
def test_what_is_no_request_is_refused_told_and_survived(data, status, kind):
    limits = WireLimits(head=2000, body=1000, request=0.5 if kind == "too-slow" else 60)

    async def scene():
        async with listening(limits=limits) as (listener, seen):
            answer = await raw(listener.port, data)
            failure = await seen.failure()
            assert (await raw(listener.port, CLOSE)).startswith(b"HTTP/1.1 200")
            assert not seen.faults
        return answer, failure

    answer, failure = asyncio.run(scene())
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert failure.kind == kind
    assert failure.peer.startswith("127.0.0.1:")


def test_slow_drip_does_not_hold_a_connection():
    async def scene():
        async with listening(limits=WireLimits(request=0.15)) as (listener, seen):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)

            async def drip():
                for byte in POST:
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0.02)

            task = asyncio.create_task(drip())
            answer = await reader.read()
            task.cancel()
            writer.close()
            return answer, await seen.failure()

    answer, failure = asyncio.run(scene())
    assert answer.startswith(b"HTTP/1.1 408")
    assert failure.kind == "too-slow"


def test_an_idle_connection_is_ended_quietly():
    async def scene():
        async with listening(limits=WireLimits(idle=0.5)) as (listener, seen):
            answer = await raw(listener.port, POST)
        return answer, seen

    answer, seen = asyncio.run(scene())
    assert answer.endswith(b"hello")
    assert not seen.failures


@pytest.mark.parametrize("data", [POST[:-2], POST[:30]])
def test_a_connection_that_ends_half_way_is_told(data):
    async def scene():
        async with listening() as (listener, seen):
            answer = await raw(listener.port, data, end=True)
            return answer, await seen.failure(), seen.requests

    answer, failure, requests = asyncio.run(scene())
    assert answer == b""
    assert failure.kind == "closed"
    assert requests == []
    if failure.request is not None:
        assert failure.request.body == b"hel"
        assert not failure.request.body_complete


def test_lying_content_length_spoils_only_what_follows():
    short = POST.replace(b"Length: 5", b"Length: 3")

    async def scene():
        async with listening() as (listener, seen):
            answer = await raw(listener.port, short + b"\r\n\r\n")
            return answer, seen.requests, await seen.failure()

    answer, requests, failure = asyncio.run(scene())
    assert [request.body for request in requests] == [b"hel"]
    assert b"HTTP/1.1 200" in answer
    assert b"HTTP/1.1 400" in answer
    assert failure.kind == "http"


def test_too_many_connections_are_turned_away():
    async def scene():
        async with listening(limits=WireLimits(connections=1)) as (listener, seen):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(POST)
            await reader.readuntil(b"hello")
            assert await raw(listener.port, POST) == b""
            failure = await seen.failure()
            writer.close()
        return failure

    assert asyncio.run(scene()).kind == "too-many"


def test_a_flood_of_connections_is_told_once_in_a_while():
    async def scene():
        loop = asyncio.get_running_loop()
        async with listening(limits=WireLimits(connections=2)) as (listener, seen):
            began = loop.time()
            held = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(50)]
            told = []
            while sum(told) < 48:
                told.append((await seen.failure()).count)
            took = loop.time() - began
        for each in held:
            each.close()
        return took, told

    took, told = asyncio.run(scene())
    assert sum(told) == 48
    assert told[:FIRST] == [1] * FIRST
    assert len(told) <= FIRST + 1 + took / TOLD_EVERY


def test_whoever_has_shown_no_certificate_makes_room(contexts):
    server, client = contexts

    async def scene():
        async with listening(context=server, limits=WireLimits(connections=3)) as (listener, seen):
            strangers = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(3)]
            url = f"https://localhost:{listener.port}/x"
            async with transporting(client) as one, transporting(client) as other:
                answers = [await post(transport, url, b"hello", (), seconds=60) for transport in (one, other)]
            failures = [await seen.failure(), await seen.failure()]
            for each in strangers:
                each.close()
            return answers, failures

    answers, failures = asyncio.run(scene())
    assert [answer.response.body for answer in answers] == [b"hello", b"hello"]
    assert {failure.kind for failure in failures} == {"too-many"}


@pytest.mark.parametrize("stays", [True, False])
def test_who_failed_in_the_handshake_and_stays_makes_room(contexts, stays):
    server, _ = contexts

    async def scene():
        loop = asyncio.get_running_loop()
        async with listening(context=server, limits=WireLimits(connections=2)) as (listener, seen):
            held = []
            for _ in range(4):
                held.append(socket.create_connection(("127.0.0.1", listener.port)))
                held[-1].sendall(POST)
                held[-1].setblocking(False)
                while await loop.sock_recv(held[-1], 100):
                    pass
                if not stays:
                    held.pop().close()
                    await asyncio.sleep(0.05)
            for each in held:
                each.close()
            return [failure.kind for failure in seen.failures]

    kinds = asyncio.run(scene())
    assert kinds.count("tls") == 4
    assert kinds.count("too-many") == (2 if stays else 0)


def test_bodies_have_a_bound_together():
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n"

    async def scene():
        async with listening(limits=WireLimits(together=300_000)) as (listener, seen):
            with socket.create_connection(("127.0.0.1", listener.port)) as first:
                await asyncio.to_thread(first.sendall, head + b"x" * 190_000)
                await until(lambda: sum(each.held for each in listener._service.connections) == 190_000)
                answer = await raw(listener.port, head + b"x" * 199_999, end=True)
            failures = [await seen.failure(), await seen.failure()]
            alone = await raw(listener.port, head + b"x" * 200_000, end=True)
            return answer, alone, failures

    answer, alone, failures = asyncio.run(scene())
    assert answer.startswith(b"HTTP/1.1 503")
    assert alone.startswith(b"HTTP/1.1 200")
    assert {failure.kind: "together" in failure.text for failure in failures} == {"too-many": True, "closed": False}


def test_a_handler_that_fails_is_answered_with_500_and_told():
    async def handler(request):
        if request.target == "/known":
            raise HarnessFault("known")
        raise KeyError("unknown")

    async def scene():
        async with listening(handler) as (listener, seen):
            first = await raw(listener.port, CLOSE)
            second = await raw(listener.port, CLOSE.replace(b"/party", b"/known"))
        return first, second, seen.faults

    first, second, faults = asyncio.run(scene())
    assert first.startswith(b"HTTP/1.1 500")
    assert second.startswith(b"HTTP/1.1 500")
    assert all(isinstance(fault, HarnessFault) for fault in faults)
    assert "KeyError" in str(faults[0])
    assert faults[1].what == "known"


def test_closing_ends_connections_and_cancels_handlers():
    async def scene():
        started = asyncio.Event()

        async def handler(request):
            started.set()
            await asyncio.Event().wait()

        async with listening(handler) as (listener, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(POST)
            await started.wait()
            await listener.close()
            await listener.close()
            try:
                rest = await reader.read()
            except ConnectionError:
                rest = b""
            writer.close()
        return rest

    assert asyncio.run(scene()) == b""


def test_closing_ends_a_connection_that_only_lingers(contexts, monkeypatch):
    server, _ = contexts
    monkeypatch.setattr("harness.exchange.channel.LINGER", 600.0)

    async def scene():
        async with listening(context=server) as (listener, seen):
            _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(CLOSE)
            await seen.failure()
            await listener.close()
            try:
                async with asyncio.timeout(30):
                    while True:
                        writer.write(b"more")
                        await writer.drain()
                        await asyncio.sleep(0)
            finally:
                writer.close()

    with pytest.raises(ConnectionError):
        asyncio.run(scene())


def test_closing_ends_connections_that_are_accepted_in_that_moment():
    async def scene(turns):
        async with listening() as (listener, _):
            callers = [socket.create_connection(("127.0.0.1", listener.port), timeout=10) for _ in range(10)]
            for _ in range(turns):
                await asyncio.sleep(0)
            await listener.close()
        return callers

    for turns in range(12):
        for caller in asyncio.run(scene(turns)):
            with caller, suppress(ConnectionError):
                assert caller.recv(1) == b""
    gc.collect()  # a transport that was left open complains now


def test_a_connection_that_is_ended_before_it_is_made_does_not_stay_open():
    owner, transport = Mock(), Mock()
    channel = Channel(owner, SystemClock(), None, server_side=True)
    channel.abort()
    channel.connection_made(transport)
    transport.abort.assert_called_once_with()
    assert not owner.mock_calls


def test_a_port_in_use_is_a_configuration_fault_with_a_remedy():
    async def scene():
        async with listening() as (listener, _):
            with pytest.raises(ConfigurationFault, match=f"port {listener.port}") as caught:
                await Listener.start("127.0.0.1", listener.port, None, echo)
        return caught.value

    assert "port" in asyncio.run(scene()).remedy


@pytest.mark.parametrize(("host", "port"), [("no such host", 0), ("127.0.0.1", 70_000)])
def test_an_address_that_is_none_is_a_configuration_fault(host, port):
    with pytest.raises(ConfigurationFault, match="cannot listen"):
        asyncio.run(Listener.start(host, port, None, echo))


def deliver(delivery):
    """What a client gets from an answer delivered like that, and what was told to have been sent."""

    async def scene():
        told = []

        async def handler(request):
            return WireAnswer(200, (("Content-Type", "text/xml"),), b"0123456789", delivery, told.append)

        async with listening(handler) as (listener, _):
            return await raw(listener.port, CLOSE), told[0]

    return asyncio.run(scene())


def test_an_answer_without_a_defect_is_told_as_it_travelled():
    answer, sent = deliver(None)
    assert answer.split(b"\r\n\r\n")[0].decode() == "\r\n".join(
        [sent.head.line, *(f"{name}: {value}" for name, value in sent.head.headers)]
    )
    assert sent.complete


def test_truncated_answer():
    answer, sent = deliver(DEFECTS["delivery/truncated"].make(1))
    assert b"Content-Length: 10" in answer
    assert answer.endswith(b"\r\n\r\n01234")
    assert isinstance(sent, Sent)
    assert not sent.complete


def test_closed_in_place_of_an_answer():
    assert deliver(DEFECTS["delivery/closed"].make(1)) == (b"", None)


def test_wrong_content_type():
    answer, sent = deliver(DEFECTS["delivery/wrong-content-type"].make(1))
    assert b"image/png" in answer
    assert b"text/xml" not in answer
    assert sent.head.get("content-type") == "image/png"


def test_delayed_answer_comes_after_the_limit():
    assert DEFECTS["delivery/delayed"].make(10).delay > 10
    answer, _ = deliver(Delivery(delay=0.02))
    assert answer.endswith(b"0123456789")


def test_tls_facts_name_the_client(pki, contexts):
    server, client = contexts

    async def scene():
        async with listening(context=server) as (listener, seen):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, ssl=client)
            writer.write(CLOSE)
            await reader.read()
            writer.close()
            await writer.wait_closed()
        return seen.requests[0].tls

    facts = asyncio.run(scene())
    assert facts.version == "TLSv1.3"
    assert "client" in facts.subject
    assert len(facts.fingerprint) == 64
    assert facts.to_json()["peer"] == {"subject": facts.subject, "sha256": facts.fingerprint}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("who", ["nobody", "a stranger"])
def test_a_client_without_a_known_certificate_is_refused_and_told(pki, contexts, who, version):
    server, _ = contexts
    client = client_context(None if who == "nobody" else pki.foreign, pki.anchors)
    client.maximum_version = version

    async def scene():
        async with listening(context=server) as (listener, seen):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await visit(listener.port, client)
            failure = await seen.failure()
        return failure, seen.requests

    failure, requests = asyncio.run(scene())
    assert failure.kind == "tls"
    assert requests == []


def test_what_is_not_tls_is_refused_and_told(contexts):
    server, _ = contexts

    async def scene():
        async with listening(context=server) as (listener, seen):
            await raw(listener.port, CLOSE)
            first = await seen.failure()
            await raw(listener.port, b"", end=True)
            return first, await seen.failure()

    first, second = asyncio.run(scene())
    assert first.kind == "tls"
    assert "http request" in first.text
    assert second.kind == "tls"


def test_a_handshake_that_never_comes_is_ended(contexts):
    server, _ = contexts

    async def scene():
        async with listening(context=server, limits=WireLimits(handshake=0.05)) as (listener, seen):
            await raw(listener.port, b"")
            return await seen.failure()

    assert asyncio.run(scene()).kind == "tls"


def test_old_tls_is_refused(contexts):
    server, client = contexts
    assert server.minimum_version == client.minimum_version == ssl.TLSVersion.TLSv1_2


def test_an_identity_without_files_or_anchors_is_a_configuration_fault(pki):
    with pytest.raises(ConfigurationFault, match="not in files"):
        server_context(replace(pki.server, key_file=None), pki.anchors)
    with pytest.raises(ConfigurationFault, match="trust anchor"):
        server_context(pki.server, ())
    with pytest.raises(ConfigurationFault, match="cannot be used for TLS") as caught:
        server_context(replace(pki.server, key_file=pki.client.key_file), pki.anchors)
    assert caught.value.remedy
    with pytest.raises(ConfigurationFault, match="cannot be used for TLS"):
        client_context(replace(pki.server, certificate_file=pki.ours.folder / "nothing.pem"), pki.anchors)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(POST)))
def test_no_bytes_harm_the_listener(garbage, cut):
    async def scene():
        async with listening(limits=WireLimits(request=60)) as (listener, seen):
            await raw(listener.port, POST[:cut] + garbage, end=True)
            assert not seen.faults
            assert (await raw(listener.port, CLOSE)).endswith(b"hello")

    asyncio.run(scene())
