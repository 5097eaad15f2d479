from __future__ import annotations

import asyncio
import itertools
import ssl

import httpx
import pytest
from exchange_kit import listening, serving, transporting

from harness.exchange.delivery import DEFECTS
from harness.exchange.wire import (
    ClosedWithoutAnswer,
    NotHttp,
    Silence,
    TlsRefused,
    Unreachable,
    WireAnswer,
    WireFailure,
    WireLimits,
    WireTransport,
    client_context,
    post,
    server_context,
)

HEADERS = (("Content-Type", "text/plain"), ("X-Mixed-Case", "Yes"))


async def send(transport, url, data=b"hello", *, seconds=60.0, connect_seconds=60.0, **options):
    return await post(transport, url, data, HEADERS, seconds=seconds, connect_seconds=connect_seconds, **options)


def ask(answer: bytes, *, then: str = "close", seconds: float = 60.0, **limits):
    """What the transport makes of a server that answers with exactly these bytes, then closes or waits."""

    async def server(reader, writer):
        await reader.readuntil(b"hello")
        writer.write(answer)
        await writer.drain()
        if then == "wait":
            await reader.read()

    async def scene():
        async with serving(server) as url, transporting(limits=WireLimits(**limits)) as transport:
            return await send(transport, url, seconds=seconds)

    return asyncio.run(scene())


def test_an_exchange_is_told_exactly():
    async def scene():
        async with listening() as (listener, seen), transporting() as transport:
            wire = await send(transport, f"http://127.0.0.1:{listener.port}/a?b=c")
        return wire, seen.requests[0]

    wire, request = asyncio.run(scene())
    assert wire.sent.head.line == request.head.line == "POST /a?b=c HTTP/1.1"
    assert wire.sent.head.headers == request.head.headers
    assert ("X-Mixed-Case", "Yes") in wire.sent.head.headers
    assert {name.lower() for name, _ in wire.sent.head.headers} == {
        "content-type",
        "x-mixed-case",
        "host",
        "content-length",
    }
    response = wire.response
    assert (response.status, response.body, response.body_complete) == (200, b"hello", True)
    assert response.head.line == "HTTP/1.1 200 OK"
    assert wire.sent.at.mono <= request.last.mono <= response.first.mono <= response.last.mono
    assert wire.sent.complete


def test_a_request_in_chunks_says_no_length_and_several_of_them_are_one_body():
    body = "\u0437\u0434\u0440\u0430\u0432\u0441\u0442\u0432\u0443\u0439".encode() * 140
    came, headers = bytearray(), (("Transfer-Encoding", "chunked"),)

    async def server(reader, writer):
        came.extend(await reader.readuntil(b"\r\n0\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def scene():
        async with serving(server) as url, transporting() as transport:
            await post(transport, url, body, headers, seconds=60)
        async with listening() as (listener, seen), transporting() as transport:
            await post(transport, f"http://127.0.0.1:{listener.port}/", body, headers, seconds=60)
        return seen.requests[0]

    request = asyncio.run(scene())
    assert b"content-length" not in bytes(came).lower()
    assert came.count(b"\r\n3e8\r\n") > 1
    assert (request.body, request.head.get("Content-Length")) == (body, None)


def test_connections_are_kept():
    async def scene():
        async with listening() as (listener, seen), transporting() as transport:
            for _ in range(3):
                await send(transport, f"http://127.0.0.1:{listener.port}/")
        return {request.connection for request in seen.requests}

    assert len(asyncio.run(scene())) == 1


def test_a_connection_that_rested_too_long_is_not_used():
    async def scene():
        async with listening() as (listener, seen), transporting(rest=0.0) as transport:
            for _ in range(2):
                await send(transport, f"http://127.0.0.1:{listener.port}/")
                await asyncio.sleep(0.01)
        return {request.connection for request in seen.requests}

    assert len(asyncio.run(scene())) == 2


def test_two_hundred_at_once():
    async def scene():
        async with listening() as (listener, _), transporting() as transport:
            url = f"http://127.0.0.1:{listener.port}/"
            wires = await asyncio.gather(*(send(transport, url, str(number).encode()) for number in range(200)))
        return [wire.response.body for wire in wires]

    assert asyncio.run(scene()) == [str(number).encode() for number in range(200)]


def test_a_server_may_be_restarted_between_two_exchanges():
    async def scene():
        async with transporting() as transport:
            async with listening() as (listener, _):
                port = listener.port
                await send(transport, f"http://127.0.0.1:{port}/")
            async with listening(port=port):
                wire = await send(transport, f"http://127.0.0.1:{port}/")
        return wire.response.body

    assert asyncio.run(scene()) == b"hello"


@pytest.mark.parametrize(("rest", "answered"), [(0.0, True), (60.0, False)])
def test_nothing_is_sent_again_and_a_connection_that_rested_is_not_used(rest, answered):
    """The server answers once per connection, takes a second request, and ends without an answer."""
    count = itertools.count()

    async def server(reader, writer):
        for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b""):
            await reader.readuntil(b"hello")
            next(count)
            writer.write(answer)

    async def scene():
        async with serving(server) as url, transporting(rest=rest) as transport:
            await send(transport, url)
            await asyncio.sleep(0.01)
            return await send(transport, url)

    if answered:
        assert asyncio.run(scene()).response.body == b"ok"
    else:
        with pytest.raises(ClosedWithoutAnswer):
            asyncio.run(scene())
    assert next(count) == 2


def test_a_new_connection_is_never_tried_twice():
    with pytest.raises(ClosedWithoutAnswer) as caught:
        ask(b"")
    assert caught.value.outcome == "closed"
    assert caught.value.blame == "sut"
    assert caught.value.sent.head.line == "POST /x HTTP/1.1"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
    ],
)
def test_an_answer_that_broke_off_is_an_answer(answer):
    response = ask(answer).response
    assert response.body == b"half"
    assert not response.body_complete
    assert response.problem


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nuntil\r\n8\r\n the end\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nuntil the end",
        b"HTTP/1.0 200 OK\r\nContent-Length: 13\r\n\r\nuntil the end",
    ],
)
def test_every_framing_of_http_is_read(answer):
    response = ask(answer).response
    assert response.body == b"until the end"
    assert response.body_complete
    assert response.problem is None


@pytest.mark.parametrize(
    "answer", [b"garbage\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x28\r\n\r\n", b"HTTP/1.1 200", b"HTTP/1.1 abc\r\n\r\n"]
)
def test_what_is_not_http_is_told(answer):
    with pytest.raises(NotHttp) as caught:
        ask(answer)
    assert caught.value.outcome == "http"


def test_an_answer_is_bounded():
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"a" * 5000
    response = ask(large, body=1000).response
    assert (len(response.body), response.body_complete) == (1000, False)
    with pytest.raises(NotHttp, match="head"):
        ask(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 5000 + b"\r\n\r\n", head=1000)
    with pytest.raises(NotHttp):
        ask(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 5000, then="wait", head=1000)


def test_silence_is_told():
    with pytest.raises(Silence) as caught:
        ask(b"", then="wait", seconds=0.3)
    assert caught.value.outcome == "silence"
    assert caught.value.sent is not None
    with pytest.raises(Silence):
        ask(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", then="wait", seconds=0.3)


def test_bytes_behind_the_answer_end_the_connection():
    async def server(reader, writer):
        await reader.readuntil(b"hello")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n")
        await reader.read()

    async def scene():
        async with serving(server) as url, transporting() as transport:
            first = await send(transport, url)
            second = await send(transport, url)
        return first.response, second.response

    first, second = asyncio.run(scene())
    assert first.body == second.body == b"ok"
    assert first.connection != second.connection


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://no such host/", "http://host.invalid/"])
def test_nobody_there_is_the_environment(url):
    async def scene():
        async with listening() as (listener, _):
            port = listener.port
        async with transporting() as transport:
            return await send(transport, url.format(port=port))

    with pytest.raises(Unreachable) as caught:
        asyncio.run(scene())
    assert caught.value.blame == "environment"
    assert "cannot connect" in str(caught.value)
    assert caught.value.sent is None


def test_cancelling_ends_the_connection():
    async def scene():
        ended = asyncio.Event()
        started = asyncio.Event()

        async def server(reader, writer):
            await reader.readuntil(b"hello")
            started.set()
            try:
                await reader.read()
            finally:
                ended.set()

        async with serving(server) as url, transporting() as transport:
            task = asyncio.create_task(send(transport, url))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await ended.wait()

    asyncio.run(scene())


def test_a_truncated_request_reaches_the_server_as_one():
    async def scene():
        async with listening() as (listener, seen), transporting() as transport:
            delivery = DEFECTS["delivery/truncated"].make(1)
            with pytest.raises(ClosedWithoutAnswer) as caught:
                await send(transport, f"http://127.0.0.1:{listener.port}/", b"0123456789", delivery=delivery)
            return caught.value, await seen.failure()

    error, failure = asyncio.run(scene())
    assert not error.sent.complete
    assert failure.kind == "closed"
    assert failure.request.body == b"01234"


def test_a_wrong_content_type_is_sent():
    async def scene():
        async with listening() as (listener, seen), transporting() as transport:
            delivery = DEFECTS["delivery/wrong-content-type"].make(1)
            await send(transport, f"http://127.0.0.1:{listener.port}/", delivery=delivery)
        return seen.requests[0].head

    assert asyncio.run(scene()).get("content-type") == "image/png"


def over_tls(server, client, *, version=None, kind="wire", host="127.0.0.1"):
    if version is not None:
        client.maximum_version = version

    async def scene():
        transport = httpx.AsyncHTTPTransport(verify=client) if kind == "httpx" else None
        async with listening(context=server) as (listener, seen), transporting(client) as ours:
            try:
                wires = [
                    await send(transport or ours, f"https://{host}:{listener.port}/", bytes(50_000)) for _ in range(2)
                ]
            finally:
                if transport is not None:
                    await transport.aclose()
        return wires, seen.requests

    return asyncio.run(scene())


@pytest.mark.parametrize("kind", ["wire", "httpx"])
def test_both_sides_show_certificates(contexts, kind):
    wires, requests = over_tls(*contexts, kind=kind)
    assert all(wire.response.body == bytes(50_000) for wire in wires)
    assert "client" in requests[0].tls.subject
    assert requests[0].connection == requests[1].connection
    if kind == "wire":
        assert "server" in wires[0].response.tls.subject
        assert wires[0].response.tls.version == "TLSv1.3"


@pytest.mark.parametrize("kind", ["wire", "httpx"])
def test_a_server_that_we_do_not_believe_is_a_matter_of_set_up(pki, kind):
    server = server_context(pki.foreign, pki.anchors)
    with pytest.raises(TlsRefused) as caught:
        over_tls(server, client_context(pki.client, pki.anchors), kind=kind)
    assert caught.value.blame == "environment"
    assert caught.value.outcome == "tls"


def test_a_server_with_another_name_is_refused(pki):
    other = pki.ours.issue("elsewhere", hosts=["elsewhere.example"])
    with pytest.raises(TlsRefused, match="IP address mismatch"):
        over_tls(server_context(other, pki.anchors), client_context(pki.client, pki.anchors))


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("who", ["nobody", "a stranger"])
def test_a_server_that_does_not_believe_us_refused_tls(pki, who, version):
    client = client_context(None if who == "nobody" else pki.foreign, pki.anchors)
    with pytest.raises(TlsRefused) as caught:
        over_tls(server_context(pki.server, pki.anchors), client, version=ssl.TLSVersion[version])
    assert caught.value.blame == "sut"


def test_a_server_without_tls_refuses_tls(pki):
    async def scene():
        async with listening() as (listener, _), transporting(client_context(None, pki.anchors)) as transport:
            await send(transport, f"https://127.0.0.1:{listener.port}/")

    with pytest.raises(TlsRefused):
        asyncio.run(scene())


def test_a_handshake_that_never_ends_is_bounded(pki):
    async def server(reader, writer):
        await reader.read()

    async def scene():
        async with serving(server) as url, transporting(client_context(None, pki.anchors)) as transport:
            await send(transport, url.replace("http:", "https:"), connect_seconds=0.05)

    with pytest.raises(Unreachable, match=r"within 0\.05 s"):
        asyncio.run(scene())


def test_without_tls_https_is_refused():
    async def scene():
        async with transporting() as transport:
            await send(transport, "https://127.0.0.1:1/")

    with pytest.raises(WireFailure, match="without TLS"):
        asyncio.run(scene())


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"", ClosedWithoutAnswer),
        (b"garbage\r\n\r\n", NotHttp),
        (None, Silence),
    ],
)
def test_plain_httpx_beneath_the_same_function(answer, failure):
    async def server(reader, writer):
        await reader.readuntil(b"hello")
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)

    async def scene():
        async with serving(server) as url, httpx.AsyncHTTPTransport() as transport:
            await send(transport, url, seconds=0.2 if answer is None else 60)

    with pytest.raises(failure):
        asyncio.run(scene())


def test_plain_httpx_answers_and_fails_alike():
    async def scene():
        async with listening() as (listener, _), httpx.AsyncHTTPTransport() as transport:
            port = listener.port
            wire = await send(transport, f"http://127.0.0.1:{port}/")
        async with httpx.AsyncHTTPTransport() as transport:
            with pytest.raises(Unreachable):
                await send(transport, f"http://127.0.0.1:{port}/")
        return wire

    wire = asyncio.run(scene())
    assert wire.response.body == b"hello"
    assert ("X-Mixed-Case", "Yes") in wire.sent.head.headers


def test_the_transport_serves_a_client_of_httpx():
    async def scene():
        async with listening() as (listener, _), httpx.AsyncClient(transport=WireTransport()) as client:
            return await client.post(f"http://127.0.0.1:{listener.port}/", content=b"hello")

    answer = asyncio.run(scene())
    assert (answer.status_code, answer.text) == (200, "hello")
    assert answer.extensions["wire"].response.body == b"hello"


def test_every_delivery_defect_has_a_text():
    assert all(name.startswith("delivery/") and defect.text.endswith(".") for name, defect in DEFECTS.items())
    assert DEFECTS["delivery/repeated"].make(1).repeated


def test_a_handler_can_answer_with_nothing():
    async def handler(request):
        return WireAnswer(204)

    async def scene():
        async with listening(handler) as (listener, _), transporting() as transport:
            return [await send(transport, f"http://127.0.0.1:{listener.port}/") for _ in range(2)]

    first, second = asyncio.run(scene())
    assert first.response.status == 204
    assert first.response.connection == second.response.connection
