"""What a person sees while cases are played: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, TextIO

from harness.hookspec import hookimpl
from harness.judge.model import Verdict

if TYPE_CHECKING:
    from harness.evidence.model import Event
    from harness.judge.model import CaseVerdict
    from harness.scenario.model import Case
    from harness.scenario.plan import Plan

WAITING = "waiting for"
BLINK = 0.05
"""Seconds for which a live line stands at least."""
QUIET = (Verdict.PASS, Verdict.NOT_APPLICABLE)


class Progress:
    """A watcher that writes.

    A case that did not pass gets a line that stays, with the reason. On a terminal, the last line says what is running,
    what is being waited for, and until when.

    Parameters:
        stream: where to write; standard error by default, so that output can be redirected.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._total = self._done = 0
        self._next = 0.0
        self._running: dict[str, str] = {}

    @hookimpl
    def c2c_planned(self, plan: Plan) -> None:
        """Say how much there is to do."""
        self._total = len(plan.cases)
        cases = "1 case" if self._total == 1 else f"{self._total} cases"
        self._stay(f"{plan.pack} {plan.pack_version}, {plan.subject.role}: {cases}")

    @hookimpl
    def c2c_event(self, event: Event) -> None:
        """Show what is running and what is awaited."""
        if event.case is None:
            return
        if event.kind == "case-started":
            self._running[event.case] = "playing"
        elif event.kind == "waiting":
            data = event.data
            until = str(data.get("until", ""))[11:19]
            self._running[event.case] = f"{WAITING} {data.get('message')} from {data.get('sender')} until {until} UTC"
        elif event.kind in ("sent", "received", "simulated", "silence", "failed"):
            self._running[event.case] = f"{event.kind} {event.data.get('message', '')}".rstrip()
        elif event.kind == "case-finished":
            self._running.pop(event.case, None)
        self._show()

    @hookimpl
    def c2c_case_judged(self, case: Case, verdict: CaseVerdict) -> None:
        """Count it; keep a line of what did not pass, and of everything where there is no live line."""
        self._done += 1
        self._running.pop(case.id, None)
        if verdict.verdict not in QUIET:
            self._stay(f"{verdict.verdict.value:13} {case.id}: {verdict.reason}")
        elif not self._live:
            self._stay(f"{verdict.verdict.value:13} {case.id}")
        self._show()

    @hookimpl
    def c2c_finished(self) -> None:
        """Take the live line away."""
        self._running.clear()
        self._wipe()

    def _show(self) -> None:
        """Write the live line, not more often than an eye can follow; whoever waits is shown first."""
        if not self._live or not self._running or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + BLINK
        waiting = [each for each in self._running.items() if each[1].startswith(WAITING)]
        case, state = (waiting or list(self._running.items()))[-1]
        others = f", {len(self._running) - 1} more" if len(self._running) > 1 else ""
        self._write(f"[{self._done}/{self._total}] {case}: {state}{others}")

    def _stay(self, line: str) -> None:
        self._wipe()
        self._stream.write(line + "\n")
        self._stream.flush()

    def _wipe(self) -> None:
        if self._live:
            self._write("")
            self._stream.write("\r")

    def _write(self, line: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        self._stream.write("\r" + line[:width].ljust(width))
        self._stream.flush()
