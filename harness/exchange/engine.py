"""All cases of a run, in flight as the target allows.

Rules:

1. Positive controls are played first and once more at the end; between these three parts nothing overlaps. In each
   part the cases whose purpose is timing are played after the others, one by one.
2. A case is judged when it ends, from its events, by the judge that judges the bundle later.
3. A message that belongs to nobody spoils every watch that was open, and a limit that was missed by less than our own
   uncertainty proves nothing. Cases that this left without a verdict are played once more, one by one; what is
   proven stays.
4. However a run ends, the log is complete, and what was not played is not in it. So a run can go on later: see
   :mod:`harness.exchange.resume`.
"""

from __future__ import annotations

import asyncio
import errno
from asyncio.constants import ACCEPT_RETRY_DELAY
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from harness.errors import ConfigurationFault, HarnessFault
from harness.evidence.clock import UNCERTAINTY, Clock, SystemClock, stamp
from harness.evidence.log import EventLog
from harness.evidence.model import Event
from harness.exchange.attest import ask_all
from harness.exchange.data import Data, NoDataError, make_data
from harness.exchange.http import WireLimits
from harness.exchange.listener import Listener
from harness.exchange.model import Setup
from harness.exchange.movement import Movement, movement_after
from harness.exchange.play import Player
from harness.exchange.recorder import Recorder
from harness.exchange.resume import Past, is_spoiled, look_back
from harness.exchange.stage import Stage, demand_playable
from harness.exchange.switchboard import Switchboard
from harness.exchange.telling import addresses_of
from harness.exchange.tls import client_context, server_context
from harness.exchange.transport import WireTransport
from harness.host import handles
from harness.judge.attempt import REPEATED
from harness.judge.case import judge_case
from harness.judge.model import CaseVerdict, Verdict
from harness.judge.trust import trust_of
from harness.pack.model import Pack
from harness.scenario.guide import acts, joined, movements
from harness.scenario.model import Case
from harness.scenario.plan import END, Plan
from harness.scenario.project import is_timed

FILES, PER_CASE = 48, 4
"""Open files and connections that a run needs for itself, and for each case in flight."""
SETTING = 1.0
"""Seconds by which the wall clock of the computer must leave the clock of the run, to be told."""

REMOVED = "Somebody removed or moved the folder of the run; what was observed has been written there anew."

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - not bound here, only recognised


@dataclass(frozen=True)
class Played:
    """How a run went.

    Parameters:
        verdicts: of every case that was played, in the order of the plan.
        complete: everything was played to its end.
        reason: why not, one sentence.
        next_serial: the first number that is not used yet.
    """

    verdicts: tuple[CaseVerdict, ...]
    complete: bool
    reason: str
    next_serial: int


class Engine:
    """Plays a plan. One engine, one run.

    Parameters:
        plan, pack, setup: what, by which rules, with whom.
        log: where the evidence goes; it stays open.
        clock: for everything.
        about: what ``run-started`` says of the run and the program.
        past: where an earlier part of the run came to, or ``None`` at its beginning.
        on_event: is told every event.
        on_judged: is told every verdict.
        on_serial: is told the first number that is free, whenever that changes, before one is used.
    """

    def __init__(
        self,
        plan: Plan,
        pack: Pack,
        setup: Setup,
        log: EventLog,
        *,
        clock: Clock | None = None,
        about: Mapping[str, Any] | None = None,
        past: Past | None = None,
        on_event: Callable[[Event], None] = lambda _: None,
        on_judged: Callable[[Case, CaseVerdict], None] = lambda *_: None,
        on_serial: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._plan, self._pack, self._setup, self._log = plan, pack, setup, log
        self._clock, self._about = clock or SystemClock(), dict(about or {})
        self._recorder = Recorder(log, on_event)
        self._on_judged, self._on_serial = on_judged, on_serial
        self._resumed, past = past is not None, past or look_back(plan, pack, (), self._recorder.store.get)
        self._pools = _Pools(plan.parameters.pools, pack, plan.parameters.first, past.drawn)
        self._verdicts = dict(past.verdicts)
        self._attempts = dict(past.attempts)
        self._again = [case for case in plan.cases if case.id in past.spoiled]
        self._repeated, self._next_serial, self._asked = past.repeated, past.next_serial, past.asked
        self._stopping = ""
        self._running: set[asyncio.Task[None]] = set()

    def stop(self, *, now: bool = True, reason: str = "The run was stopped.") -> None:
        """Start no more cases; with *now* also cancel those that are running. From the engine's own thread only."""
        self._stopping = reason
        if now:
            for task in self._running:
                task.cancel()

    async def run(self) -> Played:
        """Play everything.

        Raises:
            ConfigurationFault: the port, an identity, an endpoint or the pack cannot be used. What was played until
                then is in the log.
        """
        parameters = self._plan.parameters
        async with AsyncExitStack() as stack:
            stage = await stack.enter_async_context(self._on_stage())
            clock = {"clock": stamp(self._clock.now()), "seed": parameters.seed, "challenge": parameters.challenge}
            kind = REPEATED if self._repeated else "run-resumed" if self._resumed else "run-started"
            cases = {"cases": list(self._repeated)} if self._repeated else {}
            self._recorder.write(kind, **{**self._about, **clock, **cases})
            reason = "The run was cut off."
            try:
                left = [case for annex in self._plan.annexes for case in annex.plan.cases if case.id not in self._asked]
                ask_all(self._recorder, left, self._setup.attestations)
                for planned in _parts(self._plan.cases):
                    part = [case for case in planned if case.id not in self._verdicts and not self._is_by_hand(case)]
                    timed = [case for case in part if is_timed(case, self._pack)]
                    await self._play_all(stage, [case for case in part if case not in timed], self._setup.max_in_flight)
                    await self._play_all(stage, timed, 1)
                await self._play_all(stage, self._again, 1)
                await self._play_all(stage, self._by_hand(), 1, joined=True)
                reason = self._stopping
            finally:
                await stack.aclose()  # nothing is written behind the end of the run
                self._recorder.write("run-finished", complete=not reason, reason=reason)
                self._log.checkpoint()
        verdicts = tuple(self._verdicts[case.id] for case in self._plan.cases if case.id in self._verdicts)
        return Played(verdicts, not reason, reason, self._next_serial)

    @asynccontextmanager
    async def _on_stage(self) -> AsyncIterator[Stage]:
        setup, parameters = self._setup, self._plan.parameters
        secure = bool(setup.tls_anchors) or any(url.startswith("https:") for url in setup.sut_urls.values())
        trust = trust_of(parameters)
        switchboard = Switchboard(self._pack, trust, self._recorder, one_case=setup.max_in_flight == 1)
        transports = {
            party: WireTransport(client_context(identity, setup.tls_anchors) if secure else None, clock=self._clock)
            for party, identity in setup.identities.items()
        }
        listener = await Listener.start(
            setup.listen_host,
            setup.listen_port,
            server_context(setup.listener, setup.tls_anchors) if secure else None,
            switchboard,
            _limits(setup.max_in_flight),
            clock=self._clock,
            callers=await addresses_of(setup.sut_urls.values()),
            on_failure=switchboard.failed,
            on_fault=self._faulted,
        )
        host = "localhost" if setup.listen_host in _EVERYWHERE else setup.listen_host
        own_url = f"{'https' if secure else 'http'}://{f'[{host}]' if ':' in host else host}:{listener.port}"
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._troubled)
        timing = asyncio.create_task(self._watch_the_computer())
        try:
            yield Stage(
                self._pack,
                parameters.timers,
                setup,
                trust,
                self._recorder,
                switchboard,
                transports,
                self._clock,
                setup.advertised or own_url,
            )
        finally:
            timing.cancel()
            await asyncio.gather(timing, return_exceptions=True)
            for transport in transports.values():
                await transport.aclose()
            await listener.close()
            loop.set_exception_handler(None)

    def _troubled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What the loop could not do: where nothing could be accepted for a moment, the SUT is not late for it."""
        if getattr(context.get("exception"), "errno", None) in _EXHAUSTED:
            self._recorder.write("lag", seconds=ACCEPT_RETRY_DELAY)
        else:
            loop.default_exception_handler(context)

    async def _play_all(self, stage: Stage, cases: Iterable[Case], at_once: int, *, joined: bool = False) -> None:
        """Play cases, so many at once; *joined* ones go on on the movement of the case before, where they can."""
        waiting = iter(cases)

        async def play_some() -> None:
            movement = None
            for case in waiting:
                if self._stopping:
                    return
                movement = await self._play(stage, case, movement, keep=joined)

        workers = [asyncio.create_task(play_some()) for _ in range(at_once)]
        self._running.update(workers)
        try:
            done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            for worker in done:
                if not worker.cancelled():
                    worker.result()
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            self._running.difference_update(workers)

    def _is_by_hand(self, case: Case) -> bool:
        return self._plan.parameters.by_hand and acts(case)

    def _by_hand(self) -> list[Case]:
        left = [case for case in self._plan.cases if self._is_by_hand(case) and case.id not in self._verdicts]
        return [turn.case for turns in movements(left, self._pack) for turn in turns]

    async def _play(
        self, stage: Stage, case: Case, movement: Movement | None = None, *, keep: bool = False
    ) -> Movement | None:
        """Play a case, on a movement if it can go on there; returns the movement that it leaves, if that is kept."""
        if movement is not None and joined(case, movement.sut, movement.steps, self._pack) is None:
            stage.switchboard.retire(movement.case, movement.conversation)
            movement = None
        attempt = self._attempts[case.id] = self._attempts.get(case.id, 0) + 1
        self._recorder.open(case.id)
        player: Player | None = None
        try:
            demand_playable(self._pack, self._setup, case)
            data = self._data(case, attempt)
            if movement is not None:
                data = replace(data, values={**data.values, **movement.data.values})
            player = Player(stage, data, attempt, self._pools.used, movement)
            await player.play()
        except NoDataError as exhausted:
            self._recorder.write("case-started", case.id, attempt=attempt, values={})
            self._recorder.write("case-finished", case.id, ended="no-data", reason=str(exhausted))
        finally:
            events = self._recorder.close(case.id)
            verdict = self._judge(case, events, attempt)
            self._verdicts[case.id] = verdict
            self._on_judged(case, verdict)
            left = None
            if player is not None:
                if keep and verdict.verdict in (Verdict.PASS, Verdict.WARNING):
                    left = movement_after(player.scene, events, movement)
                if left is None:
                    stage.switchboard.retire(case.id, player.scene.conversation)
        if attempt == 1 and is_spoiled(verdict, events):
            self._again.append(case)
        return left

    def _judge(self, case: Case, events: Sequence[Event], attempt: int) -> CaseVerdict:
        """Judge a case; a judge that fails is a fault of ours.

        The fault is written as the last attempt at the case, which is the judged one: later the case is judged alike,
        also by a judge that still fails over its messages.
        """
        try:
            return judge_case(case, self._plan, self._pack, events, self._recorder.store.get)
        except Exception as problem:  # whatever it is, it is ours, and other cases go on
            text = f"The case could not be judged: {type(problem).__name__}: {problem}"
        self._recorder.open(case.id)
        self._recorder.write("case-started", case.id, attempt=attempt, values={})
        self._recorder.write("fault", case.id, text=text)
        self._recorder.write("case-finished", case.id, ended="stopped", reason=text)
        return judge_case(case, self._plan, self._pack, self._recorder.close(case.id), self._recorder.store.get)

    def _data(self, case: Case, attempt: int) -> Data:
        serial, parameters = case.serial, self._plan.parameters
        if attempt > 1:
            serial, self._next_serial = self._next_serial, self._next_serial + 1
            self._on_serial(self._next_serial)
        return make_data(
            self._pack.on(case.journey),
            case,
            seed=parameters.seed,
            serial=serial,
            token=parameters.token,
            now=self._clock.now(),
            draw=self._pools.draw,
        )

    def _faulted(self, fault: HarnessFault) -> None:
        self._recorder.write("fault", text=str(fault))

    async def _watch_the_computer(self) -> None:
        """Write down when the loop is so late that times cannot be relied on, and when the computer's clock is set.

        When somebody takes the folder of the run away, the run stops: plan and pack, which lay in it, are written again
        at its end.
        """
        loop, pause, known = asyncio.get_running_loop(), UNCERTAINTY, 0.0
        while True:
            due = loop.time() + pause
            await asyncio.sleep(pause)
            late = loop.time() - due
            if late > UNCERTAINTY:
                self._recorder.write("lag", seconds=round(late, 6))
            ahead = self._clock.set_by()
            if abs(ahead - known) > SETTING:
                self._recorder.write("clock-set", seconds=round(ahead - known, 3))
                known = ahead
            if self._log.removed and not self._stopping:
                self.stop(reason=REMOVED)


def _limits(in_flight: int) -> WireLimits:
    """Bounds for the listener: callers must never take the last file that the run can open.

    Raises:
        ConfigurationFault: this process may open too few.
    """
    most, own = handles(), FILES + PER_CASE * in_flight
    if most is None:
        return WireLimits()
    if most < own + in_flight:
        raise ConfigurationFault(
            f"this process may have only {most} files and connections open at once",
            expected=f"at least {own + in_flight}, for {in_flight} cases in flight",
            remedy="Raise the limit (ulimit -n 1024), or lower max_in_flight in the target file.",
        )
    return WireLimits(connections=min(WireLimits.connections, most - own))


class _Pools:
    """The pools of a run. What tells one movement from another is used up; everything else goes round.

    Parameters:
        pools: entries by name.
        pack: the profile.
        first: number of the first movement of the run. As many entries are left out, since earlier runs used them.
        used: the next entry of each pool from which the run has taken some already.
    """

    def __init__(self, pools: Mapping[str, Sequence[str]], pack: Pack, first: int, used: Mapping[str, int]) -> None:
        self._pools = pools
        self._once = {name for message in pack.messages.values() for name in message.correlate}
        self._used: defaultdict[str, int] = defaultdict(lambda: first, used)

    @property
    def used(self) -> dict[str, int]:
        """The next entry of each pool from which some were taken."""
        return dict(self._used)

    def draw(self, pool: str, name: str, serial: int) -> str:
        """An entry of a pool for a bound name.

        Raises:
            NoDataError: there is none left.
        """
        entries = self._pools.get(pool, ())
        if not entries:
            raise NoDataError(f"The pool {pool} is empty.")
        if name not in self._once:
            return entries[serial % len(entries)]
        number = self._used[pool]
        if number >= len(entries):
            raise NoDataError(f"All {len(entries)} entries of the pool {pool} are used up.")
        self._used[pool] += 1
        return entries[number]


def _parts(cases: Sequence[Case]) -> Iterator[list[Case]]:
    """Positive controls, everything else, the controls at the end."""
    needed = {case.control for case in cases}
    end = [case for case in cases if case.id.endswith(END)]
    yield [case for case in cases if case.id in needed]
    yield [case for case in cases if case.id not in needed and not case.id.endswith(END)]
    yield end
