"""A run against a server that misbehaves ends in time, with the right word, and with no harm to the case beside it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hostile_answers import BEHAVIOURS, Behaviour
from hostile_server import in_front
from play_kit import World

from harness.demo import free_ports
from harness.evidence.clock import SystemClock
from harness.evidence.log import EventLog, read_events
from harness.exchange.engine import Engine, Played
from harness.exchange.wire import client_context, server_context
from harness.pack.load import load_pack
from harness.reference.serve import serve
from harness.security.keys import load_identity
from harness.target.setup import make_setup

NEIGHBOURS = Path(__file__).parent.parent / "packs" / "neighbours"
VICTIM, BESIDE = "lifecycle-notice-accepted@import", "movement@import"
ANSWER = timedelta(seconds=2)
"""For an answer that never comes."""
BUDGET = 120.0
MOST = 40 * 2**20


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(load_pack(NEIGHBOURS), "customs", tmp_path_factory.mktemp("world"), ("import",), at_once=4)


@pytest.fixture(scope="module")
def behind(world: World) -> int:
    """A port for the right server; none that the world waits to use."""
    used = (world.config.port, world.config.control_port, world.setup.listen_port)
    return next(port for port in free_ports(4) if port not in used)


async def run(world: World, behaviour: Behaviour, behind: int, folder: Path) -> Played:
    config = world.config
    identity = load_identity("reference", Path(config.certificate), Path(config.key))
    anchors = world.setup.tls_anchors
    ours = next(iter(world.setup.identities.values()))
    timers = {**world.parameters.timers, **({"answer": ANSWER} if behaviour.endless else {})}
    plan = world.plan([VICTIM, BESIDE], timers=timers)
    front = (config.port, behind, server_context(identity, anchors), client_context(ours, anchors))
    setup = make_setup(world.target, world.pack)
    with EventLog(folder, SystemClock()) as log:
        async with serve(replace(config, port=behind), world.pack), in_front(*front, VICTIM, behaviour):
            try:
                return await Engine(plan, world.pack, setup, log).run()
            finally:
                await setup.control.close()


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=str)
def test_a_hostile_answer_spoils_its_own_case_only(
    world: World, behind: int, behaviour: Behaviour, tmp_path: Path
) -> None:
    played = asyncio.run(asyncio.wait_for(run(world, behaviour, behind, tmp_path), BUDGET))
    verdicts = {each.case: each for each in played.verdicts}
    assert played.complete
    assert verdicts[VICTIM].verdict.value == behaviour.verdict, verdicts[VICTIM].reason
    assert verdicts[BESIDE].verdict.value == "pass", verdicts[BESIDE].reason
    assert behaviour.observed in verdicts[VICTIM].reason.lower()
    assert verdicts[VICTIM].reason.isprintable()
    assert len(verdicts[VICTIM].reason) < 3000
    events = list(read_events(tmp_path))
    assert not [event for event in events if event.kind == "fault"]
    assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) < MOST


def test_there_are_enough_of_them() -> None:
    assert len(BEHAVIOURS) >= 60
    assert len({behaviour.name for behaviour in BEHAVIOURS}) == len(BEHAVIOURS)
