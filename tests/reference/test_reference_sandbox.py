"""A long-lived party: what it knows survives it, what passed it can be seen, chaos follows from its seed."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from reference_bench import config

from harness.errors import ConfigurationFault, Where
from harness.exchange.model import Order
from harness.host import write_private
from harness.pack.fault import Fault
from harness.pack.model import Pack
from harness.reference.launch import launch
from harness.reference.memory import make_memory
from harness.reference.party import Debt
from harness.reference.serve import Serving, serve
from harness.reference.state import Entry
from harness.reference.store import Note, Store
from harness.security.pki import TestPki
from harness.target.control import Adapter, http_control
from harness.target.model import HttpControl, Secret

VALUES = {"consignment": "XA26AA000077"}


@asynccontextmanager
async def controlled(pki: TestPki, url: str | None, token: Path) -> Any:
    assert url is not None
    control = http_control(HttpControl(url, Secret(Where("t"), token), ()), pki.trust.anchors)
    try:
        yield control
    finally:
        await control.close()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    write_private(file, b"a-token-for-tests")
    return file


async def notice(control: Adapter, url: str) -> None:
    order = Order("case-9", "1", "notice", "export", VALUES, "customs.import", f"{url}/customs.import")
    taken = await control.send(order)
    assert taken.status == 202


async def reached(ask: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(6000):
        if await ask():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came true")


def get(serving: Serving, path: str, host: str | None = None) -> bytes:
    assert serving.page is not None
    request = urllib.request.Request(serving.page + path, headers={"Host": host} if host else {})
    with urllib.request.urlopen(request, timeout=300) as answer:
        return bytes(answer.read())


def test_a_killed_party_goes_on_where_it_was(pki: TestPki, neighbours: Pack, tmp_path: Path, token: Path) -> None:
    told = config(pki, neighbours, "customs", token_file=str(token), state=str(tmp_path / "state.sqlite"))

    async def session() -> None:
        async with launch(told, tmp_path, "first") as running, controlled(pki, running.control_url, token) as control:

            async def announced() -> bool:
                return bool(await control.state("consignment", VALUES, "export") == "announced")

            await notice(control, running.url)
            await reached(announced)
            running.process.kill()
        async with launch(told, tmp_path, "second") as running, controlled(pki, running.control_url, token) as control:
            assert await control.state("consignment", VALUES, "export") == "announced"
            again = await control.send(Order("case-9", "2", "notice", "export", {}, "customs.import", running.url))
            assert again.body["reference"]

    asyncio.run(session())
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as file:
        rows = file.execute("SELECT reference FROM message WHERE name = 'notice' AND way = 'out'")
        references = [row[0] for row in rows]
    assert len(references) == len(set(references)), "numbers are never used again"


def test_the_page_shows_objects_messages_and_faults(
    pki: TestPki, neighbours: Pack, tmp_path: Path, token: Path
) -> None:
    late = next(name for name, fault in neighbours.faults.items() if fault.role == "customs" and fault.hook == "sign")
    told = config(
        pki, neighbours, "customs", token_file=str(token), state=str(tmp_path / "s.sqlite"), page_port=0, faults=(late,)
    )

    async def session() -> None:
        async with serve(told, neighbours) as serving, controlled(pki, serving.control, token) as control:

            async def sent() -> bool:
                return len(json.loads(await asyncio.to_thread(get, serving, "/api/messages"))) >= 2

            await notice(control, serving.url)
            await reached(sent)
            messages = json.loads(await asyncio.to_thread(get, serving, "/api/messages"))
            mine = next(each for each in messages if each["name"] == "notice")
            assert (mine["case_id"], bool(mine["reference"])) == ("case-9", True)
            body = await asyncio.to_thread(get, serving, f"/api/messages/{mine['number']}")
            assert b"XA26AA000077" in body
            faults = json.loads(await asyncio.to_thread(get, serving, "/api/faults"))
            assert {each["name"] for each in faults} == {late}
            assert "consignment" in json.loads(await asyncio.to_thread(get, serving, "/api/objects"))
            page = (await asyncio.to_thread(get, serving, "/")).decode()
            assert late in page
            assert "<script" not in page
            wrong = (("/", "evil.example", 403), ("/elsewhere", None, 404), ("/api/messages/99", None, 404))
            for path, host, status in wrong:
                with pytest.raises(urllib.error.HTTPError) as refused:
                    await asyncio.to_thread(get, serving, path, host)
                assert refused.value.code == status
                refused.value.close()

    asyncio.run(session())


def test_what_is_written_is_there_again(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    for values in ({}, {("a", ("1", "2")): {"x": ["y", None]}}):
        store = Store(file)
        table = store.table("heard")
        assert dict(table) == values
        table["a", ("1", "2")] = {"x": ["y", None]}
        table["gone"] = {}
        del table["gone"]
        store.close()


@pytest.mark.parametrize("content", [b"no database", b""])
def test_a_file_of_another_program_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other.sqlite"
    file.write_bytes(content)
    if not content:
        with closing(sqlite3.connect(file)) as other:
            other.execute("CREATE TABLE t (x)")
    with pytest.raises(ConfigurationFault, match="state cannot be kept"):
        Store(file)


def test_two_parties_do_not_share_a_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite")
    store.put("a", "b", "c")
    store.commit()
    with pytest.raises(ConfigurationFault, match="locked"):
        Store(tmp_path / "state.sqlite")
    store.close()


def test_the_state_of_another_party_is_refused(pki: TestPki, neighbours: Pack, etir: Pack, tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    for _ in range(2):
        make_memory(neighbours, config(pki, neighbours, "customs", state=str(file))).close()
    with pytest.raises(ConfigurationFault, match=r"another party: customs in neighbours.*customs in etir-4\.3"):
        make_memory(etir, config(pki, etir, "customs", state=str(file)))
    make_memory(neighbours, config(pki, neighbours, "customs", state=str(file))).close()


def test_old_messages_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.reference.store.KEPT", 3)
    store = Store(tmp_path / "state.sqlite")
    for number in range(5):
        store.note_message(Note("t", "in", f"m{number}", "", "", "", "", b"x"))
    assert [each["name"] for each in store.messages()] == ["m4", "m3", "m2"]
    assert store.body(1) is None
    store.close()


def test_a_notification_that_is_owed_is_sent_after_a_restart(pki: TestPki, etir: Pack, tmp_path: Path) -> None:
    told = config(
        pki, etir, "platform", state=str(tmp_path / "s.sqlite"), peers={"*": "https://127.0.0.1:1"}, page_port=0
    )
    memory = make_memory(etir, told)
    values = {"guarantee": "XC95000077", "holder": "UZB/999/000017"}
    memory.debts["1"] = Debt("chain-told-accepted", "I1", values, "customs.departure", "chain", "case-1")
    memory.entries["guarantee", ("XC95000077",)] = Entry("accepted", values)
    memory.close()

    async def session() -> None:
        async with serve(told, etir) as serving:

            async def sent() -> bool:
                return bool(json.loads(await asyncio.to_thread(get, serving, "/api/messages")))

            await reached(sent)

    asyncio.run(session())
    store = Store(tmp_path / "s.sqlite")
    assert [each["name"] for each in store.messages()] == ["E7"]
    assert store.rows("debt") == []
    store.close()


def test_chaos_follows_from_its_seed_and_its_rate(pki: TestPki, etir: Pack) -> None:
    fault = Fault("f", "platform", "", "R", "answer", {"as": "html"})

    def strikes(seed: str, rate: float) -> list[bool]:
        memory = make_memory(etir, config(pki, etir, "platform", chaos=rate, seed=seed))
        return [memory.strikes(fault) for _ in range(400)]

    assert strikes("1", 0.1) == strikes("1", 0.1)
    assert strikes("1", 0.1) != strikes("2", 0.1)
    assert 10 < sum(strikes("1", 0.1)) < 90
    assert all(make_memory(etir, config(pki, etir, "platform")).strikes(fault) for _ in range(9))
