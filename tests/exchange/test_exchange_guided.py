"""A system that a person operates: the person is played by a script that reads the prompts."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from pack_kit import pack_named
from play_kit import World

from harness.exchange.model import Order
from harness.judge.model import Status
from harness.report.sheet import counted, derive_sheet
from harness.scenario.guide import acts
from harness.scenario.plan import Parameters, Subject, make_plan
from harness.target.guided import Terminal, guided_control

PACKS = Path(__file__).parent.parent / "packs"
NEIGHBOURS, ETIR = pack_named("neighbours"), pack_named("etir-4.3")
ACTION = re.compile(r"Action (\d+): send (\S+)(?: as (\S+))? to (\S+) at (\S+)")
LOOKUP = re.compile(r"in which state is the (\S+) with (.*?)(?: for (\S+))?\?")


class Operator:
    """Does what the prompts say, on a reference implementation."""

    def __init__(self, control):
        self.control, self.done, self.asked, self.tasks = control, [], 0, set()

    def tell(self, text):
        first, *lines = text.splitlines()
        _, message, position, party, url = ACTION.fullmatch(first).groups()
        values = dict(line.strip().split(" = ", 1) for line in lines if " = " in line)
        values = {name: json.loads(text) if text[:1] in "[{" else text for name, text in values.items()}
        self.done.append(message)
        order = Order("-", "-", message, position, values, party, url)
        task = asyncio.ensure_future(self.control.send(order))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def ask(self, question):
        self.asked += 1
        name, key, position = LOOKUP.search(question).groups()
        known = dict(part.split(" ", 1) for part in key.split(", ")) if key != "no number yet" else {}
        return await self.control.state(name, known, position) or ""


def guided(tmp_path, **options):
    world = World(NEIGHBOURS, "customs", tmp_path, **options)
    operator = Operator(world.setup.control)
    world.setup = replace(world.setup, control=guided_control(operator))
    world.parameters = replace(world.parameters, by_hand=True)
    return world, operator


def test_a_person_certifies_a_system_with_as_many_actions_as_were_planned(tmp_path):
    world, operator = guided(tmp_path)
    plan = world.plan()
    outcome = asyncio.run(world.run())
    assert {case: verdict for case, verdict in outcome.verdicts.items() if verdict != "pass"} == {}
    _, actions, lookups = counted(plan, NEIGHBOURS)
    assert len(operator.done) == actions
    assert operator.asked == lookups
    later = {verdict.case: verdict.steps for verdict in outcome.judged().cases}
    assert {verdict.case: verdict.steps for verdict in outcome.played.verdicts} == later


def test_what_is_shared_stands_in_the_evidence_of_every_case(tmp_path):
    world, _ = guided(tmp_path)
    events = asyncio.run(world.run()).events
    shared = [event for event in events if "shared" in event.data]
    assert shared
    for event in shared:
        first = events[event.data["shared"]]
        assert (first.kind, first.at, first.data.get("digest")) == (event.kind, event.at, event.data.get("digest"))
        assert "shared" not in first.data
        assert first.case != event.case


@pytest.mark.parametrize("fault", ["sends-unsigned", "ignores-altered-body", "accepts-unknown-consignment"])
def test_faults_are_caught_by_hand(tmp_path, fault):
    world, _ = guided(tmp_path, faults=(fault,))
    statuses = {each.id: each.status for each in asyncio.run(world.run()).judged().requirements}
    assert statuses[NEIGHBOURS.faults[fault].requirement] is Status.FAILED


@pytest.mark.parametrize(("role", "most"), [("customs", 39), ("chain", 37), ("holder", 18)])
def test_few_actions_carry_every_requirement(role, most):
    everything = make_plan(ETIR, Subject(role), Parameters())
    plan = make_plan(ETIR, Subject(role), Parameters(by_hand=True))
    carried = [{name for case in each.cases for name in case.requirements} for each in (everything, plan)]
    assert carried[0] == carried[1]
    assert {case.id for case in everything.cases if not acts(case)} <= {case.id for case in plan.cases}
    for case in plan.cases:
        assert case.control is None or case.control in {each.id for each in plan.cases}
    _, actions, _ = counted(plan, ETIR)
    assert actions <= most
    page = derive_sheet(plan, ETIR).decode()
    assert page.count("As " + role) == actions


def test_a_terminal_asks_and_waits():
    prompts = StringIO()
    control = guided_control(Terminal(StringIO("started\n"), prompts))

    async def talk():
        first = await control.state("operation", {"guarantee": "G1"}, "transit")
        return first, await control.state("operation", {"guarantee": "G1"}, "transit")

    assert asyncio.run(talk()) == ("started", None)
    assert "in which state is the operation with guarantee G1 for transit?" in prompts.getvalue()
