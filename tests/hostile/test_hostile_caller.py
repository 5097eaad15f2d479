"""A run goes on and gives the right verdicts while somebody misbehaves at our own door."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hostile_callers import CALLERS, Caller, Door, keep_calling
from play_kit import World

from harness.evidence.clock import SystemClock
from harness.evidence.log import EventLog, read_events
from harness.exchange.engine import Engine, Played
from harness.pack.load import load_pack
from harness.reference.serve import serve
from harness.security.keys import load_identity
from harness.security.pki import TestPki
from harness.target.setup import make_setup

NEIGHBOURS = Path(__file__).parent.parent / "packs" / "neighbours"
CASES = ["movement@import", "lifecycle-notice-accepted@import"]
BUDGET = 120.0
MOST = 60 * 2**20


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(load_pack(NEIGHBOURS), "customs", tmp_path_factory.mktemp("world"), ("import",), at_once=2)


@pytest.fixture(scope="module")
def door(world: World, tmp_path_factory: pytest.TempPathFactory) -> Door:
    other = TestPki.create(tmp_path_factory.mktemp("other"), datetime.now(UTC))
    known = load_identity("reference", Path(world.config.certificate), Path(world.config.key))
    port = urlsplit(world.config.peers["customs.export"]).port or 0
    return Door(port, "customs.export", known, other.issue("stranger"))


async def run(world: World, caller: Caller, door: Door, folder: Path) -> Played:
    setup = make_setup(world.target, world.pack)
    with EventLog(folder, SystemClock()) as log:
        async with serve(world.config, world.pack):
            calling = [asyncio.ensure_future(keep_calling(caller, door)) for _ in range(2)]
            try:
                return await Engine(world.plan(CASES), world.pack, setup, log).run()
            finally:
                await setup.control.close()
                for task in calling:
                    task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.gather(*calling, return_exceptions=True)


@pytest.mark.parametrize("caller", CALLERS, ids=str)
def test_a_hostile_caller_changes_no_verdict(world: World, door: Door, caller: Caller, tmp_path: Path) -> None:
    played = asyncio.run(asyncio.wait_for(run(world, caller, door, tmp_path), BUDGET))
    assert played.complete
    assert {each.case: each.verdict.value for each in played.verdicts} == dict.fromkeys(CASES, "pass")
    assert not [event for event in read_events(tmp_path) if event.kind == "fault"]
    assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) < MOST
