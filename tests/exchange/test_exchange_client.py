"""Posting over a transport that is not ours: any transport of httpx fits beneath the same door."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
import respx

from harness.exchange.client import post
from harness.exchange.http import ClosedWithoutAnswer, NotHttp, Silence, Unreachable, Wire

URL = "https://system.example/c2c/start"
HEADERS = (("Content-Type", "application/soap+xml"), ("X-C2C-Case", "start@departure"))


def send(router: respx.MockRouter, **options: Any) -> Wire:
    transport = httpx.MockTransport(router.async_handler)
    return asyncio.run(post(transport, URL, b"<message/>", HEADERS, seconds=1, **options))


def test_what_leaves_is_what_was_given_and_the_evidence_says_so() -> None:
    router = respx.MockRouter()
    route = router.post(URL).respond(202, content=b"<answer/>", headers={"Content-Type": "text/xml"})
    told = []
    wire = send(router, on_sent=told.append)
    request = route.calls.last.request
    assert request.content == b"<message/>"
    assert [request.headers[name] for name, _ in HEADERS] == [value for _, value in HEADERS]
    assert told[0].head.line == "POST /c2c/start HTTP/1.1"
    assert (wire.response.status, wire.response.body) == (202, b"<answer/>")
    assert wire.response.head.line.startswith("HTTP/1.1 202")


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    router = respx.MockRouter()
    router.post(URL).respond(307, headers={"Location": "https://elsewhere.example/"})
    elsewhere = router.route(host="elsewhere.example")
    assert send(router).response.status == 307
    assert not elsewhere.called


@pytest.mark.parametrize(
    ("problem", "kind", "blame"),
    [
        (httpx.ConnectError("refused"), Unreachable, "environment"),
        (httpx.ConnectTimeout("no answer"), Unreachable, "environment"),
        (httpx.ReadTimeout("no answer"), Silence, "sut"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), ClosedWithoutAnswer, "sut"),
        (httpx.RemoteProtocolError("illegal status line"), NotHttp, "sut"),
        (httpx.ReadError("reset"), ClosedWithoutAnswer, "sut"),
    ],
)
def test_failures_have_our_names_and_our_blame(
    problem: httpx.TransportError, kind: type[Exception], blame: str
) -> None:
    router = respx.MockRouter()
    router.post(URL).mock(side_effect=problem)
    with pytest.raises(kind) as caught:
        send(router)
    assert caught.value.blame == blame  # type: ignore[attr-defined]
