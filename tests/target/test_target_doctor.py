"""The pre-flight examination, over real sockets: a SUT that is well set up, and each thing that can be wrong."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from target_bench import Bench

from harness.exchange.wire import Listener, WireAnswer, WireRequest, server_context
from harness.host import write_private
from harness.pack.model import Pack
from harness.target.diagnosis import Line
from harness.target.doctor import diagnose
from harness.target.load import load_target


class Sut:
    """A system that listens and has a control interface on the same port."""

    def __init__(self) -> None:
        self.about: dict[str, Any] = {"name": "Transit", "version": "1", "actions": ["notice", "arrival"]}
        self.clock = timedelta()
        self.callback = WireAnswer(200, (), b'{"reachable": true, "detail": "The TLS handshake succeeded."}')
        self.asked: list[str] = []

    async def answer(self, request: WireRequest) -> WireAnswer:
        if request.target == "/control/":
            time = (datetime.now(UTC) + self.clock).isoformat()
            return WireAnswer(200, (), json.dumps({"time": time, **self.about}).encode())
        if request.target == "/control/callback":
            self.asked.append(json.loads(request.body)["url"])
            return self.callback
        return WireAnswer(405)


@asynccontextmanager
async def listening(bench: Bench, sut: Sut, host: str = "127.0.0.1") -> AsyncIterator[str]:
    identity = bench.issue("sut", host)
    context = server_context(identity, bench.pki.trust.anchors, demand_certificate=False)
    listener = await Listener.start("127.0.0.1", 0, context, sut.answer)
    try:
        yield f"https://127.0.0.1:{listener.port}"
    finally:
        await listener.close()


def examine(bench: Bench, pack: Pack, sut: Sut | None = None, host: str = "127.0.0.1", **lines: str) -> list[Line]:
    """Run the examination against a SUT."""
    token = bench.folder / "token"
    token.unlink(missing_ok=True)
    write_private(token, b"t")

    async def run() -> list[Line]:
        async with listening(bench, sut or Sut(), host) as url:
            control = f"{{type: http, url: {url}/control, token: {{file: token}}}}"
            given = {"endpoints": f"{{url: {url}}}", "control": control, **lines}
            return await diagnose(load_target(bench.write(**given)), pack)

    return asyncio.run(run())


def wrong(lines: list[Line]) -> dict[str, str]:
    return {line.check: line.what for line in lines if line.ok is False}


def test_a_system_that_is_well_set_up(bench: Bench, neighbours: Pack) -> None:
    sut = Sut()
    lines = examine(bench, neighbours, sut)
    assert wrong(lines) == {}
    good = {line.check for line in lines if line.ok}
    assert good >= {
        "pack",
        "target",
        "our certificates",
        "trust anchors",
        "address",
        "tls",
        "clock",
        "port",
        "control",
        "call-back",
    }
    assert all(line.remedy for line in lines if line.ok is not True)
    assert sut.asked[0].startswith("https://127.0.0.1:")


def test_the_advertised_address_is_the_one_that_is_tried(bench: Bench, neighbours: Pack) -> None:
    sut = Sut()
    examine(bench, neighbours, sut, listen="{advertise: https://harness.example:8443}")
    assert sut.asked == ["https://harness.example:8443"]


def test_a_closed_port(bench: Bench, neighbours: Pack) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{taken.getsockname()[1]}"
        lines = examine(bench, neighbours, endpoints=f"{{url: {url}}}")
    assert "cannot be reached: Connection refused." in wrong(lines)["address"]


def test_an_unknown_name(bench: Bench, neighbours: Pack) -> None:
    lines = examine(bench, neighbours, endpoints="{url: https://no-such-host.invalid}")
    assert "no-such-host.invalid" in wrong(lines)["address"]


def test_a_certificate_for_another_name(bench: Bench, neighbours: Pack) -> None:
    lines = examine(bench, neighbours, host="customs.example")
    assert "certificate" in wrong(lines)["tls"]


def test_a_port_in_use(bench: Bench, neighbours: Pack) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        lines = examine(bench, neighbours, listen=f"{{port: {taken.getsockname()[1]}}}")
    assert "another program uses it already. Choose another port" in wrong(lines)["port"]


def test_our_own_certificate_has_ended(bench: Bench, neighbours: Pack) -> None:
    now = datetime.now(UTC)
    bench.pki.issue("customs.import", valid=(now - timedelta(days=9), now - timedelta(days=1)))
    bench.pki.issue("customs.export", valid=(now - timedelta(days=9), now + timedelta(days=9)))
    lines = examine(bench, neighbours)
    assert "customs.import ended" in wrong(lines)["our certificates"]
    assert any("customs.export ends soon" in line.what for line in lines if line.ok is None)


@pytest.mark.parametrize(("seconds", "ok"), [(0, True), (100, None), (1000, False), (-1000, False)])
def test_the_clock_of_the_sut(bench: Bench, neighbours: Pack, seconds: int, ok: bool | None) -> None:
    sut = Sut()
    sut.clock = timedelta(seconds=seconds)
    (line,) = [
        line
        for line in examine(bench, neighbours, sut)
        if "the control interface" in line.what and line.check == "clock"
    ]
    assert line.ok is ok


def test_an_action_is_missing(bench: Bench, neighbours: Pack) -> None:
    sut = Sut()
    sut.about["actions"] = ["notice"]
    assert "arrival" in wrong(examine(bench, neighbours, sut))["control"]
    assert "control" not in wrong(examine(bench, neighbours, sut, ics="{messages: {arrival: false}}"))


def test_the_sut_does_not_reach_us(bench: Bench, neighbours: Pack) -> None:
    sut = Sut()
    sut.callback = WireAnswer(200, (), b'{"reachable": false, "detail": "connection refused"}')
    assert "connection refused" in wrong(examine(bench, neighbours, sut))["call-back"]
    sut.callback = WireAnswer(501, (), b'{"error": "cannot tell"}')
    (line,) = [line for line in examine(bench, neighbours, sut) if line.check == "call-back"]
    assert line.ok is None


def test_without_control_the_call_back_cannot_be_seen(bench: Bench, neighbours: Pack) -> None:
    lines = examine(bench, neighbours, control="{type: none}")
    assert {line.check: line.ok for line in lines}["call-back"] is None
    assert wrong(lines) == {}


def test_a_wrong_token(bench: Bench, neighbours: Pack) -> None:
    sut = Sut()
    lines = examine(bench, neighbours, sut, control="{type: http, url: https://127.0.0.1:1, token: {file: no-file}}")
    assert "no-file" in wrong(lines)["control"]


def test_everything_is_examined_although_something_is_wrong(bench: Bench, neighbours: Pack) -> None:
    given = {"role": "custom", "keys": "real", "ixit": "{pools: {carriers: []}}", "statement": "{key: no.key}"}
    lines = examine(bench, neighbours, **given)
    assert set(wrong(lines)) == {"target", "our certificates", "trust anchors", "data", "statement key"}, (
        "control: as the anchors"
    )
    assert [line.ok for line in lines if line.check == "address"] == [True]


def test_one_mistake_is_told_once(bench: Bench, neighbours: Pack) -> None:
    (bench.folder / "empty.pem").write_text("", "utf-8")
    lines = examine(bench, neighbours, certificates="{tls: [empty.pem]}")
    assert len([line for line in lines if "no readable certificate" in line.what]) == 1


def test_who_signs_is_bound_to_the_system_or_noted(bench: Bench, neighbours: Pack) -> None:
    now = datetime.now(UTC)
    bench.issue("signs")
    bench.pki.issue("ended", valid=(now - timedelta(days=9), now - timedelta(days=1)))
    trust = "tls: [identities/trust.pem]"
    (line,) = (each for each in examine(bench, neighbours) if each.check == "signers")
    assert (line.ok, line.what) == (None, "Who signs is not bound to the system.")
    for name, ok in (("signs", True), ("ended", False)):
        certificates = f"{{{trust}, signers: [identities/{name}.pem]}}"
        lines = examine(bench, neighbours, certificates=certificates)
        assert [each.ok for each in lines if each.check == "signers"] == [ok]
    lines = examine(bench, neighbours, certificates=f"{{{trust}, signers: [identities/trust.pem]}}")
    assert "no certificate of a signer" in wrong(lines)["signers"]
