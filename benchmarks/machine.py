"""The full machine: cases are played and judged as in a run, over TLS with client certificates, and all is recorded.

Each exchange takes the path of a real one: the request is built from its golden sample and the data of the case,
checked against the pack, signed, sent; the answer is received, opened, its signature verified, recorded with its bytes;
and when the case ends, the judge opens everything again, runs all checks and gives its verdict. Or the other way round,
where the system under test sends.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp

import httpx
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, CertificateRevocationList

from benchmarks.floor import Beside, Floor, Pair
from benchmarks.measure import Against, Sample, Series, Stopwatch, sample
from benchmarks.world import HOST, World
from harness.errors import Where
from harness.evidence.clock import SystemClock
from harness.evidence.log import EventLog
from harness.evidence.model import Event
from harness.exchange.data import make_data
from harness.exchange.model import Setup
from harness.exchange.play import Player
from harness.exchange.recorder import Recorder
from harness.exchange.stage import Stage, seldom_collected
from harness.exchange.switchboard import Switchboard
from harness.exchange.tls import client_context, server_context
from harness.exchange.wire import Listener, WireTransport
from harness.judge.case import judge_case
from harness.judge.model import Verdict
from harness.judge.trust import trust_of
from harness.scenario.derive import derive
from harness.scenario.model import Bearer, Case, Exchange, Scenario
from harness.scenario.plan import Parameters, Plan, Subject
from harness.scenario.project import exchanges, mode, project

AT_ONCE = 4
"""Cases in flight: enough to keep the measured core busy while the other one signs."""

PLAIN, WIRE, UVLOOP = "plain httpx", "our transport", "our transport, uvloop"

MakeTransport = Callable[[World], httpx.AsyncBaseTransport]

TRANSPORTS: Mapping[str, MakeTransport] = {
    PLAIN: lambda world: httpx.AsyncHTTPTransport(verify=client_context(world.ours, world.trust.anchors)),
    WIRE: lambda world: WireTransport(client_context(world.ours, world.trust.anchors)),
    UVLOOP: lambda world: WireTransport(client_context(world.ours, world.trust.anchors)),
}


def sending(world: World, message: str, times: int) -> Case:
    """A case in which a simulated party sends a message to the system under test so many times."""
    definition = world.pack.messages[message]
    sender = next(name for name, party in world.pack.parties.items() if party.role == definition.sender)
    receiver = next(name for name, party in world.pack.parties.items() if party.role == definition.receiver)
    position = world.pack.parties[sender].position
    scenario = Scenario(
        id=f"bench-{message}",
        version=1,
        title=message,
        effect="",
        group="bench",
        bearers={definition.receiver: Bearer(definition.receiver, "", ())},
        steps=tuple(Exchange(f"{message}.{n}", message, sender, receiver, position) for n in range(times)),
        parties=(sender, receiver),
        where=Where(__file__),
    )
    case = project(scenario, world.pack, receiver)
    assert case is not None
    return case


def receiving(world: World, scenario: str, seat: str) -> Case:
    """A derived case in which the system under test sends."""
    found = next(each for each in derive(world.pack, seat) if each.id == scenario)
    case = project(found, world.pack, seat)
    assert case is not None
    return case


def on_the_wire(case: Case) -> int:
    """How many exchanges of a case are not between two simulated parties."""
    return sum(mode(step, case.sut) != "simulate" for step in exchanges(case.steps))


@dataclass
class Machine:
    """Plays and judges one case again and again, with new data each time."""

    world: World
    case: Case
    stage: Stage
    plan: Plan
    numbers: Iterable[int]

    async def play(self, times: int, on_event: list[Event] | None = None) -> None:
        """Play and judge it so many times, some at once; any verdict but a pass ends the benchmark."""
        waiting = iter(range(times))

        async def worker() -> None:
            for _ in waiting:
                events = await self._one()
                if on_event is not None:
                    on_event[:] = events

        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))

    async def _one(self) -> tuple[Event, ...]:
        number = next(iter(self.numbers))
        pack, recorder = self.world.pack, self.stage.recorder
        case = replace(self.case, id=f"{self.case.id}-{number}", serial=number)
        recorder.open(case.id)
        data = make_data(pack, case, seed=1, serial=number, token="BENCH", now=self.stage.clock.now(), draw=_first)
        player = Player(self.stage, data)
        await player.play()
        self.stage.switchboard.retire(case.id, player.scene.conversation)
        events = recorder.close(case.id)
        verdict = judge_case(case, self.plan, pack, events, self.stage.recorder.store.get)
        if verdict.verdict is not Verdict.PASS:
            raise RuntimeError(f"{case.id} is {verdict.verdict.value}: {verdict.reason}")
        return events

    async def measure(self, name: str, floor: Floor, *, units: int, repeats: int) -> Against:
        """Measure the machine and the floor in turns; a unit is one exchange on the wire.

        The floor of the whole case has its turns, too, where the case is more than its exchanges.
        """
        per_case = on_the_wire(self.case)
        times = max(AT_ONCE, units // per_case)
        ours: list[Sample] = []
        lines: list[Sample] = []
        cases: list[Sample] = []
        for _ in range(repeats + 1):
            watch = Stopwatch()
            await self.play(times)
            ours.append(watch.sample(times * per_case))
            lines.append(sample(floor.line, times * per_case))
            if not floor.only_exchanges:
                cases.append(replace(sample(floor.case, times), units=times * per_case))
        whole = Series("floor of the case", cases[1:]) if cases else None
        return Against(Series(name, ours[1:]), Series("floor of the exchange", lines[1:]), whole)

    async def told(self) -> tuple[list[Pair], Beside]:
        """What one playing says to the floor: the exchanges, and what is done besides."""
        events: list[Event] = []
        await self.play(1, events)
        return self._pairs(events), self._beside(events)

    def _beside(self, events: Iterable[Event]) -> Beside:
        messages, fetch = self.world.pack.messages, self.stage.recorder.store.get
        papers = (event for event in events if event.kind == "simulated")
        orders = (event for event in events if event.kind == "control-call")
        return Beside(
            tuple((fetch(each.data["digest"]), messages[each.data["message"]].schema) for each in papers),
            tuple(each.data["parameters"] for each in orders),
        )

    def _pairs(self, events: Iterable[Event]) -> list[Pair]:
        messages, fetch = self.world.pack.messages, self.stage.recorder.store.get
        halves: dict[str, dict[str, Event]] = {}
        for event in events:
            if event.kind in ("sent", "received") and event.step is not None:
                halves.setdefault(event.step, {})[event.kind] = event
        return [
            Pair(
                fetch(half["sent"].data["digest"]),
                fetch(half["received"].data["digest"]),
                (messages[half["sent"].data["message"]].schema, messages[half["received"].data["message"]].schema),
            )
            for half in halves.values()
        ]


def _first(pool: str, name: str, serial: int) -> str:  # noqa: ARG001
    return "BENCH"


def _pem(found: Certificate | CertificateRevocationList) -> str:
    return found.public_bytes(Encoding.PEM).decode()


@asynccontextmanager
async def machine(world: World, case: Case, transport: str) -> AsyncIterator[Machine]:
    """A machine that is ready to play a case against the counterpart."""
    parameters = Parameters(
        timers=world.pack.timers,
        anchors=tuple(map(_pem, (*world.trust.anchors, *world.trust.intermediates))),
        crls=tuple(map(_pem, world.trust.crls)),
    )
    trust = trust_of(parameters)
    role = world.pack.parties[case.sut].role
    plan = Plan(world.pack.id, world.pack.version, world.pack.digest, Subject(role), parameters, (case,))
    clock, folder = SystemClock(), Path(mkdtemp(dir=world.folder))
    with EventLog(folder, clock) as log:
        recorder = Recorder(log)
        switchboard = Switchboard(world.pack, trust, recorder)
        context = server_context(world.ours, world.trust.anchors)
        listener = await Listener.start(HOST, 0, context, switchboard)
        others = [name for name in world.pack.parties if name != case.sut]
        setup = Setup(
            sut_urls={case.sut: world.counterpart.url},
            listen_host=HOST,
            listen_port=listener.port,
            advertised=None,
            listener=world.ours,
            identities=dict.fromkeys(others, world.ours),
            spares={},
            tls_anchors=world.trust.anchors,
            control=world.counterpart,
        )
        beneath = TRANSPORTS[transport](world)
        stage = Stage(
            world.pack,
            world.pack.timers,
            setup,
            trust,
            recorder,
            switchboard,
            dict.fromkeys(others, beneath),
            clock,
            f"https://{HOST}:{listener.port}",
        )
        try:
            with seldom_collected():
                yield Machine(world, case, stage, plan, itertools.count())
        finally:
            await beneath.aclose()
            await listener.close()
