"""A reference party as a process of its own: starting, its control interface, ending."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from reference_bench import config

from harness.errors import ConfigurationFault, Where
from harness.exchange.model import Order
from harness.exchange.wire import Listener, WireAnswer, WireRequest, WireTransport, client_context, post, server_context
from harness.host import write_private
from harness.pack.model import Pack
from harness.reference.config import read_config, write_config
from harness.reference.launch import Running, _stop, launch
from harness.security.keys import load_identity
from harness.security.pki import TestPki
from harness.target.control import Adapter, http_control
from harness.target.model import HttpControl, Secret

TOKEN = "a-token-for-tests"


async def eventually(running: Running, words: str) -> None:
    """Wait until another process has logged these words."""
    for _ in range(6000):
        if words in running.log.read_text("utf-8"):
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"{words!r} was never logged")


def run(
    pki: TestPki, pack: Pack, folder: Path, use: Callable[[Running, Adapter], Awaitable[None]], **more: Any
) -> None:
    """Start a customs system, and use it."""
    token = folder / "token"
    write_private(token, TOKEN.encode())

    async def session() -> None:
        told = config(pki, pack, "customs", token_file=str(token), **more)
        async with launch(told, folder) as running:
            assert running.control_url is not None
            choice = HttpControl(running.control_url, Secret(Where("t"), token), ())
            control = http_control(choice, pki.trust.anchors)
            try:
                await use(running, control)
            finally:
                await control.close()
        assert running.process.returncode == 0

    asyncio.run(session())


def test_it_starts_says_where_it_listens_and_ends(pki: TestPki, neighbours: Pack, tmp_path: Path) -> None:
    async def use(running: Running, control: Adapter) -> None:
        about = await control.about()
        assert about.body["actions"] == ["notice", "arrival"]
        assert about.body["positions"] == ["export", "import"]
        identity = load_identity("customs", pki.folder / "customs.pem", pki.folder / "customs.key")
        transport = WireTransport(client_context(identity, pki.trust.anchors))
        kind = (("Content-Type", "application/json"),)
        wire = await post(transport, f"{running.url}/notices", b"{}", kind, seconds=60)
        await transport.aclose()
        assert wire.response.status == 403, "what is not signed is refused"
        await eventually(running, "turned away")

    run(pki, neighbours, tmp_path, use)


def test_the_control_interface(pki: TestPki, neighbours: Pack, tmp_path: Path) -> None:
    async def use(running: Running, control: Adapter) -> None:
        url = running.url
        values = {"consignment": "XA26AA000077"}
        order = Order("case-9", "1", "notice", "export", values, "customs.import", f"{url}/customs.import")
        taken = await control.send(order)
        assert taken.status == 202
        assert taken.body["reference"]
        await eventually(running, "[case-9] notice to customs.import: accepted")
        assert await control.state("consignment", values, "export") == "announced"
        assert (await control.reset()).taken
        assert await control.state("consignment", values, None) == "unknown"
        assert await control.state("no-such-object", {}, None) is None
        refused = await control.send(Order("c", "1", "no-such-message", None, {}, "x", url))
        assert refused.status == 422
        assert "one of notice, arrival" in (refused.error or "")
        assert (await control.callback(url)).body["reachable"] is True
        assert (await control.callback("https://127.0.0.1:1")).body["reachable"] is False

    run(pki, neighbours, tmp_path, use)


@pytest.mark.parametrize(
    ("method", "path", "token", "body", "status"),
    [
        ("GET", "/", "wrong", b"", 401),
        ("GET", "/elsewhere", TOKEN, b"", 404),
        ("POST", "/actions", TOKEN, b"{", 400),
        ("POST", "/actions", TOKEN, b"[]", 400),
        ("POST", "/actions", TOKEN, b'{"case": "c"}', 400),
        ("POST", "/state", TOKEN, b'{"object": "consignment", "key": 7}', 400),
    ],
)
def test_wrong_calls_are_answered(
    pki: TestPki,
    neighbours: Pack,
    tmp_path: Path,
    sit_alone: Callable[..., None],
    method: str,
    path: str,
    token: str,
    body: bytes,
    status: int,
) -> None:
    async def use(url: str) -> None:
        transport = WireTransport(client_context(None, pki.trust.anchors))
        headers = (("Authorization", f"Bearer {token}"),)
        wire = await post(transport, url + path, body, headers, method=method, seconds=60)
        await transport.aclose()
        assert wire.response.status == status
        assert json.loads(wire.response.body)["error"]

    sit_alone(neighbours, use, TOKEN)


def test_a_party_that_cannot_start_says_why(pki: TestPki, neighbours: Pack, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault, match="there is no fault 'no-such-fault'"):
        run(pki, neighbours, tmp_path, lambda *_: asyncio.sleep(0), faults=("no-such-fault",))


def test_a_start_file_is_read_as_it_was_written(tmp_path: Path, pki: TestPki, neighbours: Pack) -> None:
    told = config(pki, neighbours, "customs", faults=("a",), facts={"customs.export": {"country": "XA"}})
    (tmp_path / "start.json").write_text(write_config(told), "utf-8")
    assert read_config(tmp_path / "start.json") == told


@pytest.mark.parametrize("text", ["", "{}", '{"pack": "p", "rolle": "x"}', "[]"])
def test_a_wrong_start_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "start.json").write_text(text, "utf-8")
    with pytest.raises(ConfigurationFault, match=r"start\.json"):
        read_config(tmp_path / "start.json")


def test_a_broken_answer_is_not_believed(pki: TestPki, neighbours: Pack, tmp_path: Path) -> None:
    async def nonsense(_: WireRequest) -> WireAnswer:
        return WireAnswer(200, (("Content-Type", "application/json"),), b'{"result": "accepted"}')

    async def use(running: Running, control: Adapter) -> None:
        identity = load_identity("customs", pki.folder / "customs.pem", pki.folder / "customs.key")
        listener = await Listener.start("127.0.0.1", 0, server_context(identity, pki.trust.anchors), nonsense)
        url = f"https://127.0.0.1:{listener.port}"
        values = {"consignment": "XA26AA000078"}
        await control.send(Order("case-3", "1", "notice", "export", values, "customs.import", url))
        await eventually(running, "[case-3] notice to customs.import: broken")
        await listener.close()
        assert await control.state("consignment", values, "export") == "unknown"

    run(pki, neighbours, tmp_path, use)


@pytest.mark.skipif(sys.platform == "win32", reason="only on POSIX: a signal")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_it(pki: TestPki, neighbours: Pack, tmp_path: Path, name: str) -> None:
    async def use(running: Running, control: Adapter) -> None:
        running.process.send_signal(getattr(signal, name))
        assert await asyncio.wait_for(running.process.wait(), 60) == 0

    run(pki, neighbours, tmp_path, use)


def test_a_process_that_was_started_ends_also_when_its_end_is_not_waited_for() -> None:
    """It ignores that its input is closed, and whoever waits for it is cancelled."""

    async def session() -> int | None:
        deaf = "import time; print('ready', flush=True); time.sleep(60)"
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", deaf, stdin=pipe, stdout=pipe)
        assert process.stdout is not None
        await process.stdout.readline()
        stopping = asyncio.ensure_future(_stop(process))
        await asyncio.sleep(0)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        return process.returncode

    assert asyncio.run(session()) is not None
