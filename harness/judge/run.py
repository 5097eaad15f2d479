"""The judge of a run: verdicts of all cases, status of all requirements, one verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from harness.check.model import Finding
from harness.check.registry import broken_by, severity
from harness.evidence.model import Event
from harness.judge.again import Earlier, earlier_verdicts, unsteady
from harness.judge.attempt import events_by_case
from harness.judge.beside import beside_controls, telling_apart
from harness.judge.case import judge_case, judge_late
from harness.judge.model import CaseVerdict, RunVerdict, Status, Verdict
from harness.judge.review import Review
from harness.judge.waiver import Excused, Waived, apply_waivers, excused_by
from harness.judge.walk import Fetch
from harness.pack.model import Pack, Requirement
from harness.scenario.claim import must_support
from harness.scenario.model import Case
from harness.scenario.plan import NOT_SELECTED, Excluded, Plan

NAMED = 5
"""How many requirements the verdict of a run names; the report has all."""

UNSETTLED = (Verdict.INCONCLUSIVE, Verdict.REVIEW, Verdict.NOT_RUN, Verdict.HARNESS_ERROR)


@dataclass(frozen=True)
class RequirementStatus:
    """What the run shows about one requirement of the SUT's role.

    Parameters:
        id, level: which one.
        status: the result.
        cases: ids of the cases that touched it (without controls), in playing order.
        reason: why it is not verified, not tested or not applicable, or failed without a case; empty otherwise.
    """

    id: str
    level: str
    status: Status
    cases: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Counts:
    """The three numbers that always stand together: mandatory cases without controls."""

    required: int
    executed: int
    passed: int


@dataclass(frozen=True)
class RunJudgement:
    """Everything that the judge says about a run.

    Parameters:
        verdict: conformant, not conformant, or not fully verified.
        reason: one sentence.
        counts: required, executed, passed.
        cases: in playing order.
        requirements: of the SUT's role, in the order of the pack.
        findings: about the run as a whole, such as messages that belong to no case.
        waivers: what became of each waiver.
        on_waivers: nothing but waivers stands between this run and the word conformant.
        annexes: of what was asked beside it, in the order of the plan. They change nothing above.
        earlier: what cases that were played again had shown before, see :mod:`harness.judge.again`.
    """

    verdict: RunVerdict
    reason: str
    counts: Counts
    cases: tuple[CaseVerdict, ...]
    requirements: tuple[RequirementStatus, ...]
    findings: tuple[Finding, ...] = field(default=())
    waivers: tuple[Waived, ...] = field(default=())
    on_waivers: bool = False
    annexes: tuple[RunJudgement, ...] = ()
    earlier: Mapping[str, tuple[CaseVerdict, ...]] = field(default_factory=dict)


def judge_run(
    plan: Plan, pack: Pack, events: Sequence[Event], fetch: Fetch, reviews: Sequence[Review] = ()
) -> RunJudgement:
    """Judge everything that was observed in a run, with what persons decided since."""
    by_case = events_by_case((case.id for case in plan.cases), events)
    verdicts = tuple(judge_case(case, plan, pack, by_case[case.id], fetch, reviews) for case in plan.cases)
    return summarise(plan, pack, verdicts, events, fetch, reviews)


def summarise(
    plan: Plan,
    pack: Pack,
    verdicts: Sequence[CaseVerdict],
    events: Sequence[Event],
    fetch: Fetch,
    reviews: Sequence[Review] = (),
) -> RunJudgement:
    """The judgement of a run from the verdicts of its cases, taken live or made anew.

    What came for a case after its end, and what was asked beside the run, is judged here.
    """
    cases = telling_apart(plan.cases, beside_controls(plan.cases, verdicts))
    counted = [(case, verdict) for case, verdict in zip(plan.cases, cases, strict=True) if not case.is_control]
    earlier = earlier_verdicts(plan, pack, events, fetch, cases)
    found = (*_late(plan, pack, events, fetch), *_reused(plan, pack, cases), *_findings(events))
    requirements = tuple(
        _spoilt(_beside_earlier(_at_the_end(_status(requirement, plan, pack, counted), plan, cases), earlier), found)
        for requirement in pack.requirements.values()
        if requirement.bearer in (plan.subject.role, "any")
    )
    mandatory = [verdict for case, verdict in counted if _mandatory(case, pack)]
    counts = Counts(
        len(mandatory),
        sum(
            verdict.verdict not in (Verdict.NOT_RUN, Verdict.NOT_APPLICABLE, Verdict.HARNESS_ERROR)
            for verdict in mandatory
        ),
        sum(verdict.verdict in (Verdict.PASS, Verdict.WARNING) for verdict in mandatory),
    )
    began = datetime.fromisoformat(events[0].at) if events else None
    purposes = {case.id: case.requirements for case in plan.cases}
    waived = apply_waivers(plan.parameters.waivers, began, purposes, cases)
    excused = excused_by(waived, purposes, cases, {each.requirement for each in found if each.severity == "error"})
    verdict, reason = _verdict(plan, pack, *_without(excused, requirements, mandatory, cases))
    if verdict is RunVerdict.CONFORMANT and (names := unsteady(earlier, cases)):
        verdict, reason = RunVerdict.NOT_FULLY_VERIFIED, f"Passed only when played again: {_some(names)}"
    states = {each.state for each in waived}
    on_waivers = verdict is RunVerdict.CONFORMANT and "used" in states and not states & {"stale", "expired"}
    verdict, reason = _beside_waivers(verdict, reason, waived)
    annexes = tuple(judge_run(annex.plan, annex.pack, events, fetch, reviews) for annex in plan.annexes)
    return RunJudgement(verdict, reason, counts, cases, requirements, found, waived, on_waivers, annexes, earlier)


def _without(
    excused: Excused,
    requirements: Sequence[RequirementStatus],
    mandatory: Sequence[CaseVerdict],
    cases: Sequence[CaseVerdict],
) -> tuple[list[RequirementStatus], list[CaseVerdict], list[CaseVerdict]]:
    """What is left to be decided on when everything that is excused is put aside."""
    left = [[case for case in each if case.case not in excused.cases] for each in (mandatory, cases)]
    return [each for each in requirements if each.id not in excused.requirements], left[0], left[1]


def _beside_waivers(verdict: RunVerdict, reason: str, waived: Sequence[Waived]) -> tuple[RunVerdict, str]:
    """The verdict of a run with waivers: never conformant while one of them is used, stale or expired."""
    if verdict is not RunVerdict.CONFORMANT:
        return verdict, reason
    for state, sentence in (
        ("expired", "A waiver had expired before the run"),
        ("stale", "A waiver is stale, for what it excuses has passed; remove it"),
        ("used", "It stands on waivers"),
    ):
        names = ", ".join(each.waiver.subject for each in waived if each.state == state)
        if names:
            return RunVerdict.NOT_FULLY_VERIFIED, f"{sentence}: {names}"
    return verdict, reason


def _reused(plan: Plan, pack: Pack, verdicts: Sequence[CaseVerdict]) -> Iterator[Finding]:
    """References that the SUT used in more than one case."""
    first: dict[str, str] = {}
    for verdict in verdicts:
        for reference in verdict.references:
            case = first.setdefault(reference, verdict.case)
            if case != verdict.case:
                text = f"The reference {reference} of {case} was used again in {verdict.case}."
                finding = Finding("correlation", "reference-reused", text)
                broken = next(broken_by(pack, finding, plan.subject.role, None), None)
                yield replace(finding, requirement=broken.id, severity=severity(broken)) if broken else finding


def _mandatory(case: Case, pack: Pack) -> bool:
    return any(pack.requirements[name].level == "MUST" for name in case.requirements)


def _status(
    requirement: Requirement,
    plan: Plan,
    pack: Pack,
    counted: Sequence[tuple[Case, CaseVerdict]],
) -> RequirementStatus:
    touched = [
        (case.id, verdict.requirements[requirement.id])
        for case, verdict in counted
        if requirement.id in verdict.requirements
    ]
    names = tuple(name for name, _ in touched)
    verdicts = {verdict for _, verdict in touched}

    def status(word: Status, reason: str = "") -> RequirementStatus:
        return RequirementStatus(requirement.id, requirement.level, word, names, reason)

    if not touched:
        if requirement.untested:
            return status(Status.NOT_TESTED, requirement.untested)
        return _untouched(requirement, plan, pack)
    if Verdict.FAIL in verdicts:
        return status(Status.FAILED)
    unsettled = next((word for word in UNSETTLED if word in verdicts), None)
    if unsettled is not None:
        name = next(name for name, verdict in touched if verdict is unsettled)
        return status(Status.NOT_VERIFIED, f"{name} is {unsettled.value}")
    if Verdict.WARNING in verdicts:
        return status(Status.PASSED_WITH_WARNING)
    return status(Status.PASSED)


def _at_the_end(status: RequirementStatus, plan: Plan, verdicts: Sequence[CaseVerdict]) -> RequirementStatus:
    """The status of a requirement with what positive controls show against it: they are not counted, but they speak."""
    hits = {
        case.id: verdict.requirements.get(status.id)
        for case, verdict in zip(plan.cases, verdicts, strict=True)
        if case.is_control
    }
    failed = tuple(name for name, hit in hits.items() if hit is Verdict.FAIL)
    if failed:
        return replace(status, status=Status.FAILED, reason="", cases=(*status.cases, *failed))
    if Verdict.WARNING in hits.values() and status.status is Status.PASSED:
        return replace(status, status=Status.PASSED_WITH_WARNING)
    return status


def _beside_earlier(status: RequirementStatus, earlier: Earlier) -> RequirementStatus:
    """The status of a requirement with what earlier attempts show against it."""
    if status.status not in (Status.PASSED, Status.PASSED_WITH_WARNING):
        return status
    broken = [
        name
        for name, attempts in earlier.items()
        if any(one.requirements.get(status.id) is Verdict.FAIL for one in attempts)
    ]
    if not broken:
        return status
    return replace(status, status=Status.NOT_VERIFIED, reason=f"{broken[0]} met it only when it was played again")


def _untouched(requirement: Requirement, plan: Plan, pack: Pack) -> RequirementStatus:
    """The status of a demand that no played case touched: excused only where nothing could have been played."""
    excluded = [each for each in plan.excluded if requirement.id in each.requirements]
    claimed, possible = plan.subject.positions, pack.roles[plan.subject.role].positions
    denied = next((each for each in excluded if _denied(pack, plan, each)), None)
    status = Status.NOT_VERIFIED
    if denied is not None:
        status, reason = Status.FAILED if requirement.level == "MUST" else Status.NOT_VERIFIED, denied.rule
    elif excluded and all(each.unclaimed for each in excluded):
        status, reason = Status.NOT_APPLICABLE, excluded[0].rule
    elif excluded or _partial(plan):
        reason = "only a selection of cases was played"
    elif claimed and len(claimed) < len(possible):
        status, reason = Status.NOT_APPLICABLE, "no case for it in the claimed positions"
    else:
        reason = "no case touched it"
    return RequirementStatus(requirement.id, requirement.level, status, (), reason)


def _denied(pack: Pack, plan: Plan, excluded: Excluded) -> tuple[str, ...]:
    """The mandatory messages that are not claimed, for which a case was left out."""
    return tuple(name for name in excluded.unclaimed if must_support(pack, plan.subject.role, name))


def _partial(plan: Plan) -> bool:
    return any(each.rule == NOT_SELECTED for each in plan.excluded)


def _verdict(
    plan: Plan,
    pack: Pack,
    requirements: Sequence[RequirementStatus],
    mandatory: Sequence[CaseVerdict],
    cases: Sequence[CaseVerdict],
) -> tuple[RunVerdict, str]:
    must = [each for each in requirements if each.level == "MUST"]
    failed = [each for each in must if each.status is Status.FAILED]
    firm = [
        each.id
        for each in failed
        if plan.parameters.adopt_assumed or pack.requirements[each.id].source.mark != "assumed"
    ]
    unmet = [each.id for each in failed if not each.cases]
    denied = tuple(dict.fromkeys(name for each in plan.excluded for name in _denied(pack, plan, each)))
    if firm or (denied and not unmet):
        broken = [name for name in firm if name not in unmet]
        said = ["Failed: " + ", ".join(broken)] if broken else []
        if denied:
            said.append(f"Mandatory, but not claimed: {', '.join(denied)}" + (f" ({_some(unmet)})" if unmet else ""))
        return RunVerdict.NOT_CONFORMANT, ". ".join(said)
    bad = _unattributed(plan, pack, mandatory)
    if bad:
        return RunVerdict.NOT_CONFORMANT, f"Failed: {bad[0]}"
    if failed:
        names = ", ".join(each.id for each in failed)
        return (
            RunVerdict.NOT_FULLY_VERIFIED,
            f"Failed, but only on requirements whose source is assumed: {names}",
        )
    if not any(verdict.verdict is Verdict.PASS or verdict.verdict is Verdict.WARNING for verdict in mandatory):
        return RunVerdict.NOT_FULLY_VERIFIED, "No mandatory case was passed."
    open_ones = [each.id for each in must if each.status is Status.NOT_VERIFIED]
    if open_ones:
        return RunVerdict.NOT_FULLY_VERIFIED, "Not verified: " + _some(open_ones)
    unsettled = [verdict.case for verdict in (*mandatory, *cases) if verdict.verdict in UNSETTLED]
    if unsettled:
        return RunVerdict.NOT_FULLY_VERIFIED, f"Without a verdict: {unsettled[0]}"
    if _partial(plan):
        return RunVerdict.NOT_FULLY_VERIFIED, "Only a selection of cases was played."
    untested = sum(each.status is Status.NOT_TESTED for each in must)
    rest = f" {untested} are not tested by this suite; the report says why." if untested else ""
    if plan.parameters.depth == "quick":
        rest += " Of the derived cases one of each kind was played."
    return RunVerdict.CONFORMANT, f"Every mandatory requirement that can be tested is verified.{rest}"


def _unattributed(plan: Plan, pack: Pack, mandatory: Sequence[CaseVerdict]) -> list[str]:
    """Failed cases whose failure is put down to no requirement, but which test one that counts."""
    tested = {case.id: case.requirements for case in plan.cases}
    return [
        verdict.case
        for verdict in mandatory
        if verdict.verdict is Verdict.FAIL
        and Verdict.FAIL not in verdict.requirements.values()
        and any(
            plan.parameters.adopt_assumed or pack.requirements[name].source.mark != "assumed"
            for name in tested[verdict.case]
        )
    ]


def _some(names: Sequence[str]) -> str:
    """A few of them by name, and how many more there are."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _late(plan: Plan, pack: Pack, events: Sequence[Event], fetch: Fetch) -> tuple[Finding, ...]:
    """What is wrong with messages that came for a case after its end."""
    touched = {event.case for event in events if event.kind == "extra"}
    cases = [case for case in plan.cases if case.id in touched]
    by_case = events_by_case((case.id for case in cases), events)
    found = ((case.id, judge_late(case, plan, pack, by_case[case.id], fetch)) for case in cases)
    return tuple(replace(each, message=f"{name}: {each.message}") for name, late in found for each in late)


def _spoilt(status: RequirementStatus, found: Sequence[Finding]) -> RequirementStatus:
    """The status of a requirement with what was found in the run as a whole."""
    hits = {finding.severity for finding in found if finding.requirement == status.id}
    if "error" in hits:
        return replace(status, status=Status.FAILED, reason="")
    if "warning" in hits and status.status is Status.PASSED:
        return replace(status, status=Status.PASSED_WITH_WARNING)
    return status


def _findings(events: Iterable[Event]) -> Iterable[Finding]:
    for event in events:
        if event.kind == "unmatched":
            text = f"A message to {event.data.get('receiver')} belongs to no waiting step (event {event.seq})."
            yield Finding("exchange", "unmatched", text, severity="info")
        elif event.kind == "extra":
            where = f"belongs to {event.case}, but to no step that waits"
            text = f"A message to {event.data.get('receiver')} {where} (event {event.seq})."
            yield Finding("exchange", "extra", text, severity="info")
        elif event.kind == "clock-set":
            seconds = float(event.data["seconds"])
            how = f"{'forward' if seconds > 0 else 'back'} by {abs(seconds):.0f} s"
            text = f"Somebody set the clock of this computer {how} (event {event.seq}); the run kept its own time."
            yield Finding("exchange", "clock-set", text, severity="info")


def describe_annex(judgement: RunJudgement) -> str:
    """How far the questions of an annex are settled, in one line."""
    met = sum(each.status in (Status.PASSED, Status.PASSED_WITH_WARNING) for each in judgement.requirements)
    failed = sum(each.status is Status.FAILED for each in judgement.requirements)
    left = len(judgement.requirements) - met - failed
    return f"annex: {len(judgement.requirements)} demands, {met} met, {failed} not met, {left} wait for a person"


def harness_failed(judgement: RunJudgement) -> bool:
    """Whether the harness itself went wrong in any case: then no statement is issued."""
    return any(verdict.verdict is Verdict.HARNESS_ERROR for verdict in judgement.cases)
