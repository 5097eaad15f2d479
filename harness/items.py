"""What the pytest plug-in collects, and how an item waits for its verdict.

Apart from :mod:`harness.plugin`, which every pytest loads where it is installed: the machine is loaded only when it is
used.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.campaign import Campaign, Wish, describe, new_folder
from harness.errors import HarnessError, HarnessFault
from harness.hookspec import hookimpl
from harness.judge.model import CaseVerdict, Verdict
from harness.scenario.plan import END

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.campaign import Result
    from harness.evidence.model import Event
    from harness.scenario.model import Case

GOOD = (Verdict.PASS, Verdict.WARNING)
PAUSE = 0.2
"""Seconds after which a waiting item looks whether somebody pressed Ctrl-C."""


class CaseFailed(AssertionError):
    """A case without a good verdict; pytest shows :attr:`verdict` instead of a traceback."""

    def __init__(self, case: Case, verdict: CaseVerdict) -> None:
        super().__init__(f"{verdict.verdict.value}: {verdict.reason}")
        self.case, self.verdict = case, verdict


class Certification:
    """The campaign of one pytest session, and a watcher of it.

    Parameters:
        option: the options of pytest.

    Raises:
        ConfigurationFault: target, pack or plan are wrong.
    """

    def __init__(self, option: Any) -> None:
        wish = Wish(challenge=option.challenge)
        self.campaign = Campaign.open(Path(option.target), option.pack, wish)
        self.out = Path(option.out) if option.out else new_folder()
        self.started = False
        self.complaint: str | None = None
        self._news = threading.Condition()
        self._live: dict[str, CaseVerdict] = {}
        self._times: dict[str, tuple[int, int]] = {}
        self._wire: dict[str, list[Event]] = {}
        self._cases = self._by_file()

    def _by_file(self) -> dict[Path, list[Case]]:
        """Cases by the file that makes them an item; what is derived, or inherited, stands under the pack's table."""
        root = self.campaign.pack.root.resolve()
        table = root / "lifecycle.yaml"
        home = table if table.exists() else root / "pack.yaml"
        found: dict[Path, list[Case]] = {}
        for case in self.campaign.plan.cases:
            if not case.id.endswith(END):
                file = Path(case.where.file).resolve()
                own = case.derived_from is None and file.is_relative_to(root)
                found.setdefault(file if own else home, []).append(case)
        return found

    def makes_cases(self, file: Path) -> bool:
        """Whether the file makes an item."""
        return file.suffix == ".yaml" and file.resolve() in self._cases

    def cases_of(self, file: Path) -> list[Case]:
        """The cases that the file makes."""
        return self._cases[file.resolve()]

    def start(self, items: Iterable[pytest.Item]) -> None:
        """Let the engine play the cases of *items*."""
        chosen = [item.case for item in items if isinstance(item, CaseItem)]
        if not chosen:
            return
        if len(chosen) < sum(map(len, self._cases.values())):
            self.campaign.choose(case.id for case in chosen)
        self.campaign.start(self.out, self)
        self.started = True

    @hookimpl
    def c2c_event(self, event: Event) -> None:
        """Keep what an item shows of its case."""
        if event.case is None:
            return
        if event.kind == "case-started":
            self._times[event.case] = (event.mono, event.mono)
            self._wire[event.case] = []
        elif event.case in self._times:
            self._times[event.case] = (self._times[event.case][0], event.mono)
            self._wire[event.case].append(event)

    @hookimpl
    def c2c_case_judged(self, case: Case, verdict: CaseVerdict) -> None:
        """Wake the item that waits for it."""
        with self._news:
            self._live[case.id] = verdict
            self._news.notify_all()

    def verdict_of(self, case: Case) -> CaseVerdict:
        """Wait until nothing can change the verdict of a case any more.

        A refusal that passed counts only when its positive control passes, once more at the end of the run; and a case
        that a stray message disturbed is played again.
        """
        while True:
            with self._news:
                live = self._live.get(case.id)
                if live is not None and _final(case, live):
                    return live
                self._news.wait(PAUSE)
            if self.campaign.wait(0):
                result = self.campaign.result()
                return next(each for each in result.judgement.cases if each.case == case.id)

    def finish(self, *, early: bool) -> Result:
        """Let the engine finish, and wait for the bundle.

        Parameters:
            early: cancel what has not been started.

        Raises:
            HarnessError: what ended the campaign.
        """
        if early:
            self.campaign.stop()
        while not self.campaign.wait(PAUSE):
            pass
        return self.campaign.result()

    def seconds(self, case: str, otherwise: float) -> float:
        """How long the play of a case took."""
        start, end = self._times.get(case, (0, 0))
        return (end - start) / 1e9 if end else otherwise

    def wire_log(self, case: str) -> str:
        """The events of a case as lines of text: heads and digests, no content."""
        lines = []
        for number, event in enumerate(self._wire.get(case, ()), 1):
            data = event.data
            what = " ".join(str(data[key]) for key in ("role", "message") if data.get(key))
            way = f"{data['sender']} -> {data['receiver']}" if "sender" in data and "receiver" in data else ""
            lines.append(f"{number:3} {event.at} {event.kind:15} {what:12} {way} {data.get('digest') or ''}".rstrip())
        return "\n".join(lines)

    def summary(self) -> list[str]:
        """Closing lines."""
        return [self.complaint] if self.complaint else describe(self.campaign.result())


def _final(case: Case, live: CaseVerdict) -> bool:
    return live.verdict is Verdict.FAIL or (live.verdict in GOOD and case.control is None)


class TableFile(pytest.File):
    """A scenario file, or the table from which cases are derived."""

    def __init__(self, *, certification: Certification, **rest: Any) -> None:
        super().__init__(**rest)
        self._certification = certification

    def collect(self) -> Iterator[CaseItem]:
        """One item for each case."""
        for case in self._certification.cases_of(self.path):
            yield CaseItem.from_parent(self, name=case.id, case=case, certification=self._certification)


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, certification: Certification, **rest: Any) -> None:
        super().__init__(**rest)
        self.case, self._certification = case, certification
        self.user_properties.append(("requirements", " ".join(case.requirements)))

    def runtest(self) -> None:
        """Wait for the verdict."""
        try:
            verdict = self._certification.verdict_of(self.case)
        except HarnessError as fault:
            pytest.exit(str(fault), returncode=fault.exit_code)
        if getattr(self.config.option, "allure_report_dir", None):
            self._tell_allure()
        if verdict.verdict is Verdict.NOT_APPLICABLE:
            pytest.skip(verdict.reason)
        if verdict.verdict is Verdict.HARNESS_ERROR:
            raise HarnessFault(verdict.reason)
        if verdict.verdict not in GOOD:
            raise CaseFailed(self.case, verdict)

    def _tell_allure(self) -> None:
        from allure import attach, attachment_type, dynamic

        tell: Any = dynamic  # it has no types
        case, pack = self.case, self._certification.campaign.pack
        tell.title(f"{case.id}: {case.title}")
        tell.description(f"{case.purpose}\n\n{case.effect}")
        tell.parameter("case", case.id)
        tell.parameter("pack", pack.id)
        for requirement in case.requirements:
            tell.label("requirement", requirement)
        log = self._certification.wire_log(case.id)
        attach(log, name="wire log", attachment_type=attachment_type.TEXT)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Say what was expected and what was observed."""
        problem = excinfo.value
        if isinstance(problem, HarnessError):
            return str(problem)
        if not isinstance(problem, CaseFailed):
            return super().repr_failure(excinfo, style)
        case, verdict = problem.case, problem.verdict
        lines = [f"{verdict.verdict.value}: {verdict.reason}", f"purpose: {case.purpose}", f"effect: {case.effect}"]
        lines.append(f"requirements: {' '.join(case.requirements)}")
        for step in verdict.steps:
            if step.verdict not in (*GOOD, Verdict.NOT_APPLICABLE):
                lines += [f"{step.step}: {step.reason}", f"  expected: {step.expected}", f"  observed: {step.observed}"]
        return "\n".join(lines)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case stands."""
        return self.path, (self.case.where.line or 1) - 1, self.name
