"""What comes beside the message that a step waits for does not take its place."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pack_kit import pack_named
from play_kit import PATIENT, Outcome, World

from harness.evidence.store import Store
from harness.exchange.wire import WireTransport, client_context, post
from harness.pack.fault import Fault
from harness.reference.serve import serve

NEIGHBOURS = pack_named("neighbours")


def disturbed(here, plan, receiver, bytes_now):
    """A run in which bytes come to a party once, as soon as a function of the events so far gives some."""

    async def scene():
        transport = WireTransport(client_context(next(iter(here.setup.identities.values())), here.setup.tls_anchors))
        tasks, seen = [], []

        def look(event):
            seen.append(event)
            if not tasks and (data := bytes_now(seen)) is not None:
                url = f"https://127.0.0.1:{here.setup.listen_port}/{receiver}"
                asked = post(transport, url, data, (("Content-Type", here.pack.media_type),), seconds=5)
                tasks.append(asyncio.get_running_loop().create_task(asked))

        async with serve(here.config, here.pack), here.engine(plan, on_event=look) as engine:
            played = await engine.run()
        answer = await tasks[0]
        await transport.aclose()
        return answer, Outcome(here, plan, played)

    answer, outcome = asyncio.run(scene())
    assert answer.response.status == 400
    later = {verdict.case: verdict.steps for verdict in outcome.judged().cases}
    assert {verdict.case: verdict.steps for verdict in outcome.played.verdicts} == later
    return outcome


def garbage(case):
    """Bytes that are no message, when something is waited for in the case."""
    return lambda seen: b"\x00" if (seen[-1].kind, seen[-1].case) == ("waiting", case) else None


@pytest.mark.parametrize("at_once", [1, 4])
def test_what_cannot_be_read_and_names_no_case_leaves_the_step_waiting(tmp_path, at_once):
    slow = Fault("slow", "", "Is slow.", "", "delay", {"message": "notice", "seconds": 2.0})
    pack = replace(NEIGHBOURS, faults={**NEIGHBOURS.faults, slow.id: slow})
    here, case = World(pack, "customs", tmp_path, ("export",), faults=(slow.id,), at_once=at_once), "movement@export"
    outcome = disturbed(here, here.plan([case]), "customs.import", garbage(case))
    assert outcome.verdicts[case] == "pass"
    assert [event.case for event in outcome.events if event.kind == "unmatched"] == [None]
    assert ("exchange", "unmatched") in {(each.check, each.code) for each in outcome.judged().findings}


def test_it_is_named_where_nothing_else_came_and_blamed_on_nobody(tmp_path):
    here, case = World(NEIGHBOURS, "customs", tmp_path, ("export",), control=False), "movement@export"
    here.parameters = replace(here.parameters, timers={**PATIENT, "answer": timedelta(seconds=1.5)})
    outcome = disturbed(here, here.plan([case]), "customs.import", garbage(case))
    assert [event.data["attempt"] for event in outcome.events if event.kind == "case-started"] == [1, 2]
    assert outcome.verdicts[case] == "inconclusive"


@pytest.mark.usefixtures("steady")
def test_a_notification_that_comes_once_more_is_not_that_of_the_next_position(tmp_path):
    """Departure, transit and destination start one after the other; the guarantee chain is told of each."""
    slow = Fault("slow", "", "Is slow.", "", "delay", {"message": "E7", "seconds": 1.5})
    pack = pack_named("etir-4.3")
    pack = replace(pack, faults={**pack.faults, slow.id: slow})
    here, case = World(pack, "platform", tmp_path, faults=(slow.id,)), "nominal-movement@platform"

    def first(seen):
        of = {(each.kind, each.step): each for each in seen if each.case == case}
        told = of.get(("received", "I9/chain-told-started>chain"))
        if told is None or ("sent", "I9.2") not in of or ("received", "I9.2/chain-told-started>chain") in of:
            return None
        return Store(tmp_path / "evidence").get(told.data["digest"])

    outcome = disturbed(here, here.plan([case]), "chain", first)
    verdict = next(each for each in outcome.judged().cases if each.case == case)
    told = [[found.code for found in step.findings] for step in verdict.steps if "chain-told-started" in step.step]
    assert told == [["repeated"], [], []]
    assert [event.case for event in outcome.events if event.kind in ("extra", "unmatched")] == [case]
