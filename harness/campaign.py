"""One test campaign, from target to bundle: plan, play, judge, record, report, sign.

The command line and the pytest plug-in both come through here, so that both give the same verdicts and the same bundle.

Rules:

1. Everything that a person set up is looked at before the first message: target, pack, keys, output folder, port.
2. The play has a thread of its own. Whoever started it waits, and may stop it at any time: what was played is kept,
   judged and signed, and the record says that it is not complete.
3. Verdicts taken live and verdicts judged later from the bundle come from the same function on the same events.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.bundle.finish import finish_bundle
from harness.bundle.resume import differences, reopen_run, repeat_run
from harness.bundle.write import EVIDENCE, begin_bundle, forget_unused, write_bundle
from harness.errors import (
    CONFORMANT,
    HARNESS,
    NOT_CONFORMANT,
    NOT_FULLY_VERIFIED,
    ConfigurationFault,
    HarnessError,
    HarnessFault,
)
from harness.evidence.clock import Clock, SystemClock
from harness.evidence.log import EventLog, alone, keep_events
from harness.evidence.message import forget_messages
from harness.evidence.store import Store
from harness.exchange.engine import Engine, Played
from harness.exchange.model import Setup
from harness.exchange.resume import Past, beyond, look_back
from harness.exchange.stage import seldom_collected
from harness.hookspec import watchers
from harness.judge.case import judge_case
from harness.judge.model import RunVerdict, Verdict
from harness.judge.run import RunJudgement, describe_annex, harness_failed, summarise
from harness.pack.model import Pack
from harness.record.aggregate import make_record
from harness.record.tool import about_run, this_tool
from harness.scenario.plan import Parameters, Plan, make_plan
from harness.security.signer import open_signer
from harness.security.statement_key import Signer
from harness.target.attest import annexes_of, answers_in, read_form
from harness.target.load import check_target, find_pack_of, load_target
from harness.target.model import Target
from harness.target.preflight import (
    check_dates,
    check_free,
    check_reachable,
    first_number,
    keep_number,
    reset,
)
from harness.target.setup import make_setup
from harness.target.subject import subject_of
from harness.target.wish import Wish as Wish
from harness.target.wish import parameters_of

if TYPE_CHECKING:
    from pluggy import HookRelay

EXIT_CODES = {
    RunVerdict.CONFORMANT: CONFORMANT,
    RunVerdict.NOT_CONFORMANT: NOT_CONFORMANT,
    RunVerdict.NOT_FULLY_VERIFIED: NOT_FULLY_VERIFIED,
}
SHOWN = 12
"""Failed cases that are named at the end of a run; the report has all."""


@dataclass(frozen=True)
class Result:
    """How a campaign ended.

    Parameters:
        judgement: all verdicts.
        bundle: the folder.
        zipped: the same as one file, where it was wished for.
        complete: every case was played.
        signed: the bundle has a statement.
    """

    judgement: RunJudgement
    bundle: Path
    zipped: Path | None
    complete: bool
    signed: bool

    @property
    def exit_code(self) -> int:
        """Exit code of the verdict; a fault of the harness comes first."""
        return HARNESS if harness_failed(self.judgement) else EXIT_CODES[self.judgement.verdict]


class Campaign:
    """One campaign: opened, perhaps narrowed, started once, waited for.

    Parameters:
        target: the system under test.
        pack: the profile.
        wish: the rest.
        beside: runs around the play, such as a system under test that is started for it.
        resumed: the plan of a run that goes on.
        past: where a complete run came to whose failed cases are played again.

    Raises:
        ConfigurationFault: target, pack and wish do not fit together.
    """

    def __init__(
        self,
        target: Target,
        pack: Pack,
        wish: Wish,
        beside: AbstractAsyncContextManager[object] | None = None,
        *,
        resumed: Plan | None = None,
        past: Past | None = None,
    ) -> None:
        check_target(target, pack)
        if wish.require_signers and not target.certificates.signers:
            raise ConfigurationFault(
                "the target does not say with which certificates the system signs its messages",
                where=target.source.where(("certificates",)),
                expected="`signers:` below `certificates:`, because the operator requires it",
                remedy="Name the certificate files; several for a roll-over.",
            )
        self.target, self.pack = target, pack
        self._wish, self._beside = wish, beside
        self._parameters = parameters_of(target, wish)
        self._resumed, self._past = resumed is not None, past
        self._forms = [read_form(file) for file in target.attestations]
        self.plan = resumed or self._planned(self._parameters)
        self._told = answers_in(self._forms, self.plan)
        self._ics = target.ics_source.data or None
        self._done = threading.Event()
        self._stop: Callable[[], None] = lambda: None
        self._stop_wanted: bool | None = None
        self._result: Result | None = None
        self._failure: BaseException | None = None

    @classmethod
    def open(cls, target_file: Path, pack: str | None, wish: Wish) -> Campaign:
        """Read a target file and its pack.

        Raises:
            ConfigurationFault: see the class.
        """
        target = load_target(target_file)
        return cls(target, find_pack_of(target, pack), wish)

    @classmethod
    def resume(cls, target_file: Path, folder: Path, wish: Wish) -> Campaign:
        """Read a target file, and the plan and the pack of a run that was stopped or cut.

        Raises:
            ConfigurationFault: the folder is not that of such a run, or the target file describes another system.
            BundleFault: plan, pack and evidence are damaged.
        """
        plan, pack = reopen_run(folder)
        return cls._going_on(load_target(target_file), plan, pack, None, wish)

    @classmethod
    def repeat(cls, target_file: Path, bundle: Path, folder: Path, wish: Wish) -> Campaign:
        """Read a target file, and a bundle whose failed cases are to be played again. Start it in that folder.

        Parameters:
            target_file, wish: as for :meth:`open`.
            bundle: of a complete run, folder or ``.zip``; it stays as it is.
            folder: for the new bundle, which holds the evidence of both.

        Raises:
            ConfigurationFault: nothing failed, the run is not complete, or the target file describes another system.
            BundleFault: the bundle does not verify.
        """
        target = load_target(target_file)
        check_free(folder)
        try:
            return cls._going_on(target, *repeat_run(bundle, folder, datetime.now(UTC)), wish)
        except HarnessError:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @classmethod
    def _going_on(cls, target: Target, plan: Plan, pack: Pack, past: Past | None, wish: Wish) -> Campaign:
        campaign = cls(target, pack, wish, resumed=plan, past=past)
        kept = {name: getattr(plan.parameters, name) for name in ("select", "depth", "shuffle", "adopt_assumed")}
        alike = replace(campaign._parameters, **kept)
        if changed := differences(campaign._planned(alike), plan):
            raise ConfigurationFault(
                f"the target file does not say what it said when the run began: {', '.join(changed)}",
                where=target.source.where(()),
                remedy="Restore it, or run again from the beginning.",
            )
        return campaign

    def choose(self, cases: Iterable[str]) -> None:
        """Plan again, with these cases only and what they need."""
        self.plan = self._planned(replace(self._parameters, select=tuple(cases)))

    def _planned(self, parameters: Parameters) -> Plan:
        return make_plan(self.pack, subject_of(self.target), parameters, annexes_of(self._forms, self.pack))

    def start(self, out: Path, *watching: object) -> None:
        """Begin to play.

        Parameters:
            out: folder for the bundle; it must be empty, or not be there yet, unless the run goes on in it.
            watching: see :mod:`harness.hookspec`.

        Raises:
            ConfigurationFault: the folder, a key, a certificate or the control command cannot be used.
        """
        if not self._resumed:
            check_free(out)
        setup = replace(make_setup(self.target, self.pack, self._wish.confirm), attestations=self._told)
        if self._wish.at_once is not None:
            setup = replace(setup, max_in_flight=self._wish.at_once)
        check_dates(self.target, setup, datetime.now(UTC))
        keys = _signing_keys(self.target)
        if not self._resumed:
            self._keep_number(self.plan.parameters.first + len(self.plan.cases))
        hooks = watchers(*watching).hook
        threading.Thread(target=self._run, args=(out, setup, keys, hooks), name="campaign", daemon=True).start()

    def stop(self, *, now: bool = False) -> None:
        """Start no more cases; with *now* also cut off those that are running. From any thread, more than once."""
        self._stop_wanted = now
        self._stop()

    def wait(self, seconds: float) -> bool:
        """Wait so long for the end; tell whether it is there."""
        return self._done.wait(seconds)

    def result(self) -> Result:
        """How it ended, once it has.

        Raises:
            HarnessError: what ended it before there was a bundle.
        """
        if isinstance(self._failure, HarnessError):
            raise self._failure
        if self._failure is not None or self._result is None:
            raise HarnessFault(f"the campaign broke off: {self._failure!r}") from self._failure
        return self._result

    def _run(self, out: Path, setup: Setup, keys: Sequence[Signer], hooks: HookRelay) -> None:
        try:
            with alone(out / EVIDENCE), seldom_collected():
                self._result = asyncio.run(self._campaign(out, setup, keys, hooks))
        except BaseException as problem:
            self._failure = problem
            forget_unused(out)
        finally:
            self._done.set()

    async def _campaign(self, out: Path, setup: Setup, keys: Sequence[Signer], hooks: HookRelay) -> Result:
        async with AsyncExitStack() as stack:
            clock = SystemClock()
            log = stack.enter_context(EventLog(out / EVIDENCE, clock))
            if self._beside is not None:
                await stack.enter_async_context(self._beside)
            stack.push_async_callback(setup.control.close)
            await check_reachable(self.target, setup)
            if not self._resumed:
                await reset(self.target, setup)
            await asyncio.to_thread(begin_bundle, out, self.plan, self.pack, ics=self._ics)
            past = await asyncio.to_thread(self._look_back, out) if self._resumed else None
            played = await self._play(log, setup, hooks, past, clock)
        self._keep_number(played.next_serial)
        forget_messages()
        return self._conclude(out, played, keys, hooks)

    def _look_back(self, out: Path) -> Past:
        """Where the run came to; what other runs have used since then is not used again."""
        events, fetch = keep_events(out / EVIDENCE), Store(out / EVIDENCE).get
        past = self._past or look_back(self.plan, self.pack, events, fetch)
        return past if self._wish.fresh else beyond(past, first_number(self.target), self.plan.parameters.pools)

    def _keep_number(self, following: int) -> None:
        if not self._wish.fresh:
            keep_number(self.target, following)

    async def _play(self, log: EventLog, setup: Setup, hooks: HookRelay, past: Past | None, clock: Clock) -> Played:
        engine = Engine(
            self.plan,
            self.pack,
            setup,
            log,
            clock=clock,
            about=about_run(self.plan.parameters.token),
            past=past,
            on_event=lambda event: hooks.c2c_event(event=event),
            on_judged=lambda case, verdict: hooks.c2c_case_judged(case=case, verdict=verdict),
            on_serial=self._keep_number,
        )
        loop = asyncio.get_running_loop()

        def stop() -> None:
            with suppress(RuntimeError):  # the loop is closed: nothing is left to stop
                loop.call_soon_threadsafe(lambda: engine.stop(now=bool(self._stop_wanted)))

        hooks.c2c_planned(plan=self.plan)
        self._stop = stop
        if self._stop_wanted is not None:
            stop()
        return await engine.run()

    def _conclude(self, out: Path, played: Played, keys: Sequence[Signer], hooks: HookRelay) -> Result:
        """Judge, record, report and sign."""
        judgement, record = self._judge(out, played)
        zipped = out.with_name(f"{out.name}.zip") if self._wish.zipped else None
        statement = write_bundle(out, self.plan, self.pack, record, keys, ics=self._ics, zipped=zipped)
        hooks.c2c_finished(judgement=judgement, bundle=out)
        return Result(judgement, out, zipped, played.complete, statement is not None)

    def _judge(self, out: Path, played: Played) -> tuple[RunJudgement, dict[str, Any]]:
        fetch, events = Store(out / EVIDENCE).get, keep_events(out / EVIDENCE)
        live = {verdict.case: verdict for verdict in played.verdicts}
        verdicts = [live.get(case.id) or judge_case(case, self.plan, self.pack, (), fetch) for case in self.plan.cases]
        judgement = summarise(self.plan, self.pack, verdicts, events, fetch)
        return judgement, make_record(self.plan, self.pack, events, judgement, tool=this_tool())


def _signing_keys(target: Target) -> tuple[Signer, ...]:
    if (statement := target.statement) is None:
        return ()
    return (open_signer(statement.key, statement.password.read().encode() if statement.password else None),)


def judge_folder(folder: Path, keys: Sequence[Signer]) -> Result:
    """Judge the folder of a run that was cut before its end, such as by a crash, and make it a bundle.

    Raises:
        ConfigurationFault, BundleFault: see :func:`harness.bundle.finish.finish_bundle`.
    """
    finished = finish_bundle(folder, keys)
    return Result(finished.judgement, folder, None, finished.complete, finished.statement is not None)


def new_folder() -> Path:
    """A folder name for a bundle: ``out/`` and the time."""
    return Path("out") / datetime.now(UTC).strftime("%Y%m%d-%H%M%S")


def describe(result: Result) -> list[str]:
    """What a person reads at the end of a campaign."""
    judgement, counts = result.judgement, result.judgement.counts
    bad = [each for each in judgement.cases if each.verdict in (Verdict.FAIL, Verdict.HARNESS_ERROR)]
    lines = [f"{each.verdict.value}  {each.case}: {each.reason}" for each in bad[:SHOWN]]
    lines += [f"... and {len(bad) - SHOWN} more, see the report"] if len(bad) > SHOWN else []
    lines += [] if result.complete else ["The run was stopped: the record is not complete."]
    lines += [
        f"{judgement.verdict.value}: {judgement.reason}",
        f"required {counts.required}, executed {counts.executed}, passed {counts.passed}",
        *map(describe_annex, judgement.annexes),
        f"bundle: {result.bundle}" + ("" if result.signed else " (without a signed statement)"),
        f"report: {result.bundle / 'derived' / 'report.html'}",
    ]
    return lines
