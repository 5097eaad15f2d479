"""The engine against a reference party in the same process, over real TLS."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.demo import HOST, free_ports
from harness.evidence.clock import SystemClock
from harness.evidence.log import EventLog, read_events
from harness.evidence.model import Event
from harness.evidence.store import Store
from harness.exchange.engine import Engine, Played
from harness.host import write_private
from harness.judge.run import judge_run
from harness.pack.model import Pack
from harness.reference.config import PartyConfig
from harness.reference.serve import serve
from harness.scenario.plan import Parameters, Plan, Subject, make_plan
from harness.security.keys import to_pem
from harness.security.pki import TestPki
from harness.target.identities import load_trust
from harness.target.load import load_target
from harness.target.setup import make_setup

PATIENT = {"reaction": timedelta(seconds=0.2), "notification": timedelta(seconds=20), "answer": timedelta(seconds=20)}
"""For what comes: on a computer however busy, and without a wait where all is right."""
QUICK = {**PATIENT, "notification": timedelta(seconds=1), "answer": timedelta(seconds=2)}
"""For what never comes."""


@dataclass
class World:
    """A PKI, a target file and a configured reference party."""

    pack: Pack
    role: str
    folder: Path
    positions: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    at_once: int = 1
    control: bool = True
    peers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own, theirs, control = free_ports(3)
        pki = TestPki.create(self.folder / "identities", datetime.now(UTC))
        identity = pki.issue("reference", hosts=(HOST, "localhost"))
        token = self.folder / "control.token"
        write_private(token, secrets.token_urlsafe(32).encode())
        trust, crl = pki.folder / "trust.pem", pki.folder / "crl.pem"
        parties = {name: f"https://{HOST}:{own}/{name}" for name in self.pack.parties}
        self.config = PartyConfig(
            pack=str(self.pack.root),
            role=self.role,
            positions=self.positions,
            certificate=str(identity.certificate_file),
            key=str(identity.key_file),
            anchors=(str(trust),),
            crls=(str(crl),),
            peers={**parties, **self.peers},
            token_file=str(token),
            port=theirs,
            control_port=control,
            faults=self.faults,
        )
        target: dict[str, Any] = {
            "pack": str(self.pack.root.resolve()),
            "sut": {"authority": "none", "product": "reference", "version": "0"},
            "role": self.role,
            **({"positions": list(self.positions)} if self.positions else {}),
            "endpoints": {"url": f"https://{HOST}:{theirs}"},
            "certificates": {"tls": [str(trust)], "crls": [str(crl)]},
            "keys": "test",
            "identities": str(pki.folder),
            "listen": {"host": HOST, "port": own},
            "max_in_flight": self.at_once,
            "control": {"type": "http", "url": f"https://{HOST}:{control}", "token": {"file": str(token)}},
        }
        if not self.control:
            target["control"] = {"type": "none"}
        file = self.folder / "target.yaml"
        file.write_text(json.dumps(target), "utf-8")
        self.target = load_target(file)
        self.setup = make_setup(self.target, self.pack)
        trusted = load_trust(self.target)
        self.parameters = Parameters(
            token=secrets.token_hex(4).upper(),
            timers=PATIENT,
            anchors=tuple(to_pem((each,)).decode() for each in (*trusted.anchors, *trusted.intermediates)),
            crls=(crl.read_text("utf-8"),),
        )

    def plan(self, select: Iterable[str] = (), **parameters: Any) -> Plan:
        return make_plan(
            self.pack,
            Subject(self.role, self.positions, observable=self.control),
            replace(self.parameters, select=tuple(select), **parameters),
        )

    @asynccontextmanager
    async def engine(self, plan: Plan, **options: Any):
        """An engine with an open log; closes what the setup holds."""
        with EventLog(self.folder / "evidence", options.get("clock") or SystemClock()) as log:
            try:
                yield Engine(plan, self.pack, self.setup, log, **options)
            finally:
                await self.setup.control.close()

    async def run(self, select: Iterable[str] = (), **options: Any) -> Outcome:
        plan = self.plan(select)
        async with serve(self.config, self.pack), self.engine(plan, **options) as engine:
            played = await engine.run()
        return Outcome(self, plan, played)


@dataclass(frozen=True)
class Outcome:
    """How a run went, with its evidence."""

    world: World
    plan: Plan
    played: Played

    @property
    def events(self) -> list[Event]:
        return list(read_events(self.world.folder / "evidence"))

    @property
    def verdicts(self) -> dict[str, str]:
        return {verdict.case: verdict.verdict.value for verdict in self.played.verdicts}

    def judged(self):
        """The judgement of the whole run, from the evidence alone."""
        store = Store(self.world.folder / "evidence")
        return judge_run(self.plan, self.world.pack, self.events, store.get)
