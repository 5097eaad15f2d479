"""The control adapters: over real TLS, and with a real program."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ConfigurationFault, Where
from harness.exchange.model import Order
from harness.exchange.wire import Listener, WireAnswer, WireRequest, server_context
from harness.host import write_private
from harness.security.pki import TestPki
from harness.target.control import (
    Adapter,
    command_control,
    command_digest,
    confirm_command,
    http_control,
    no_control,
)
from harness.target.model import CommandControl, HttpControl, Secret

ORDER = Order("case-1", "I9", "I9", "departure", {"guarantee": "XC95000017"}, "platform", "https://harness.example")


@asynccontextmanager
async def over_http(
    folder: Path, answer: Callable[[WireRequest], WireAnswer], token: str = "secret"
) -> AsyncIterator[Adapter]:
    pki = TestPki.create(folder / "pki", datetime.now(UTC))
    identity = pki.issue("sut", hosts=("127.0.0.1",))
    write_private(folder / "token", b"secret\n")

    async def handle(request: WireRequest) -> WireAnswer:
        if request.head.get("authorization") != f"Bearer {token}":
            return WireAnswer(401, (), b'{"error": "who are you?"}')
        return answer(request)

    listener = await Listener.start("127.0.0.1", 0, server_context(identity, (), demand_certificate=False), handle)
    choice = HttpControl(f"https://127.0.0.1:{listener.port}", Secret(Where("t"), folder / "token"), ())
    adapter = http_control(choice, pki.trust.anchors)
    try:
        yield adapter
    finally:
        await adapter.close()
        await listener.close()


def test_an_order_travels_as_the_contract_says(tmp_path: Path) -> None:
    seen: list[Any] = []

    def answer(request: WireRequest) -> WireAnswer:
        seen.append((request.method, request.target, json.loads(request.body)))
        return WireAnswer(202, (), b'{"status": "accepted", "reference": "R1"}')

    async def play() -> None:
        async with over_http(tmp_path, answer) as control:
            assert control.available
            told = await control.send(ORDER)
            assert told.taken
            assert (told.status, told.body["reference"]) == (202, "R1")

    asyncio.run(play())
    assert seen == [
        (
            "POST",
            "/actions",
            {
                "case": "case-1",
                "step": "I9",
                "message": "I9",
                "position": "departure",
                "parameters": {"guarantee": "XC95000017"},
                "receiver": {"party": "platform", "url": "https://harness.example"},
            },
        )
    ]


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (200, b'{"state": "started"}', "started"),
        (200, b'{"state": null}', None),
        (200, b'{"state": 7}', None),
        (200, b"no json", None),
        (501, b'{"error": "cannot"}', None),
    ],
)
def test_a_state_is_a_text_or_unknown(tmp_path: Path, status: int, body: bytes, state: str | None) -> None:
    async def play() -> None:
        async with over_http(tmp_path, lambda _: WireAnswer(status, (), body)) as control:
            assert await control.state("operation", {"guarantee": "G"}, None) == state

    asyncio.run(play())


def test_what_goes_wrong_is_told_and_the_token_is_not(tmp_path: Path) -> None:
    async def play() -> None:
        async with over_http(tmp_path, lambda _: WireAnswer(204), token="another") as control:
            answer = await control.reset()
            assert not answer.taken
            assert answer.error == "HTTP 401: who are you?"
            assert "secret" not in repr(answer)
        answer = await control.reset()
        assert answer.status is None
        assert "does not answer" in (answer.error or "")

    asyncio.run(play())


def test_no_content_is_an_answer(tmp_path: Path) -> None:
    async def play() -> None:
        async with over_http(tmp_path, lambda _: WireAnswer(204)) as control:
            assert (await control.reset()).taken

    asyncio.run(play())


def test_without_control_nothing_can_be_asked() -> None:
    control = no_control()
    assert not control.available
    assert not asyncio.run(control.send(ORDER)).taken


def program(folder: Path, text: str, seconds: float = 20) -> CommandControl:
    (folder / "adapter.py").write_text(text, "utf-8")
    return CommandControl((sys.executable, "-I", "adapter.py"), timedelta(seconds=seconds))


def test_a_command_gets_the_call_and_answers(tmp_path: Path) -> None:
    echo = "import json, sys; q = json.load(sys.stdin); print(json.dumps({'state': q['call'] + q['body']['object']}))"
    control = command_control(program(tmp_path, echo), tmp_path)
    assert asyncio.run(control.state("operation", {}, None)) == "stateoperation"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import sys; sys.exit('no such button')", "ended with 1: no such button"),
        ("print('hello')", "JSON object"),
    ],
)
def test_a_command_that_fails_says_why(tmp_path: Path, text: str, says: str) -> None:
    answer = asyncio.run(command_control(program(tmp_path, text), tmp_path).send(ORDER))
    assert not answer.taken
    assert says in (answer.error or "")


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    hang = program(tmp_path, "import time; time.sleep(60)", seconds=0.2)
    answer = asyncio.run(command_control(hang, tmp_path).send(ORDER))
    assert "did not end within 0.2 s" in (answer.error or "")


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault, match=r"no-such-program"):
        command_control(CommandControl(("no-such-program",)), tmp_path)


def test_a_command_is_confirmed_once_for_each_content(tmp_path: Path) -> None:
    target = tmp_path / "target.yaml"
    choice = program(tmp_path, "print(1)")
    asked: list[str] = []

    def ask(yes: bool) -> Callable[[str], bool]:
        return lambda question: bool(asked.append(question)) or yes

    with pytest.raises(ConfigurationFault, match="--yes"):
        confirm_command(choice, target, ask(yes=False))
    confirm_command(choice, target, ask(yes=True))
    confirm_command(choice, target, ask(yes=False))
    assert len(asked) == 2
    assert command_digest(choice, tmp_path) in asked[1]
    program(tmp_path, "print(2)")
    confirm_command(choice, target, ask(yes=True))
    assert len(asked) == 3
