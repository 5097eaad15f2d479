"""What comes beside the message that a step waits for does not take its place."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from play_kit import QUICK, Outcome, World

from harness.exchange.wire import WireTransport, client_context, post
from harness.pack.fault import Fault
from harness.pack.load import load_pack
from harness.reference.serve import serve

NEIGHBOURS = load_pack(Path(__file__).parent.parent / "packs" / "neighbours")


def disturbed(here, plan, case, receiver, body):
    """A run in which bytes come to a party as soon as a message for it is waited for in a case."""

    async def scene():
        transport = WireTransport(client_context(next(iter(here.setup.identities.values())), here.setup.tls_anchors))
        tasks = []

        def look(event):
            if (event.kind, event.case, event.data.get("receiver")) == ("waiting", case, receiver) and not tasks:
                url = f"https://127.0.0.1:{here.setup.listen_port}/{receiver}"
                asked = post(transport, url, body, (("Content-Type", here.pack.media_type),), seconds=5)
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


@pytest.mark.parametrize("at_once", [1, 4])
def test_what_cannot_be_read_and_names_no_case_leaves_the_step_waiting(tmp_path, at_once):
    slow = Fault("slow", "", "Is slow.", "", "delay", {"message": "notice", "seconds": 0.5})
    pack = replace(NEIGHBOURS, faults={**NEIGHBOURS.faults, slow.id: slow})
    here, case = World(pack, "customs", tmp_path, ("export",), faults=(slow.id,), at_once=at_once), "movement@export"
    outcome = disturbed(here, here.plan([case]), case, "customs.import", b"\x00")
    assert outcome.verdicts[case] == "pass"
    assert [event.case for event in outcome.events if event.kind == "unmatched"] == [None]
    assert ("exchange", "unmatched") in {(each.check, each.code) for each in outcome.judged().findings}


def test_it_is_named_where_nothing_else_came_and_blamed_on_nobody(tmp_path):
    here, case = World(NEIGHBOURS, "customs", tmp_path, ("export",), control=False), "movement@export"
    here.parameters = replace(here.parameters, timers={**QUICK, "answer": timedelta(seconds=0.5)})
    outcome = disturbed(here, here.plan([case]), case, "customs.import", b"\x00")
    attempts = [event.data["attempt"] for event in outcome.events if event.kind == "case-started" and event.case == case]
    assert attempts == [1, 2]
    assert outcome.verdicts[case] == "inconclusive"
