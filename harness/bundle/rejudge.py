"""Judging the evidence of a bundle again, and making its reports again.

A judgement is a pure function, so the same tool must give the same bytes. Another version of the tool, or of the
libraries below it, may word things differently: where its bytes are not the same, the facts of the record are compared,
which is everything but wording.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from traceback import walk_tb
from typing import Any, Literal

from lxml import etree

from harness.errors import BundleFault, HarnessError, HarnessFault
from harness.evidence.log import keep_events, read_events
from harness.evidence.model import Event
from harness.evidence.store import Store
from harness.judge.attempt import events_by_case
from harness.judge.case import judge_case
from harness.judge.model import CaseVerdict
from harness.judge.review import Review
from harness.judge.run import RunJudgement, summarise
from harness.judge.walk import Fetch
from harness.pack.load import load_pack
from harness.pack.model import Pack
from harness.record.aggregate import SCHEMA, VALID_DAYS, make_record
from harness.record.facts import facts_of
from harness.record.strict import dump_lines
from harness.record.tool import this_tool
from harness.record.view import VIEW
from harness.report.derive import DERIVED
from harness.report.facts import facts
from harness.scenario.model import Case
from harness.scenario.plan import Plan, plan_from_json

_UNREADABLE = (
    HarnessError, LookupError, TypeError, ValueError, AttributeError, RecursionError, OSError, AssertionError,
    etree.LxmlError,
)  # fmt: skip
"""What strange content of a bundle makes our functions raise."""


@dataclass(frozen=True)
class Bundle:
    """The content of a bundle, read and ready to be judged.

    Parameters:
        folder: where it lies.
        record: as it stands there.
        plan, pack: as they stand there.
        sealed: the evidence is sealed, so that it cannot be looked at.
    """

    folder: Path
    record: Mapping[str, Any]
    plan: Plan
    pack: Pack
    sealed: bool = False

    @property
    def same_tool(self) -> bool:
        """Whether the tool that made it is the one that runs now, with the same packages."""
        return bool(self.record["tool"] == this_tool())

    @cached_property
    def fetch(self) -> Fetch:
        """Gives bytes of the evidence by their digest; raises :class:`Sealed` where it is sealed."""
        if self.sealed:
            return _sealed
        return Store(self.folder / "evidence").get


class Sealed(BundleFault):
    """The exact bytes are sealed; only a recipient can look."""


def _sealed(digest: str) -> bytes:
    raise Sealed(f"{digest} is sealed")


def open_bundle(folder: Path, record: Mapping[str, Any], plan: Mapping[str, Any], *, sealed: bool = False) -> Bundle:
    """Load the pack of a bundle and make its cases again.

    Raises:
        BundleFault: plan, record and pack do not belong together.
    """
    loaded, pack = open_plan(folder, plan)
    with blaming_the_bundle("record.json is not a record"):
        if record["pack"]["digest"] != pack.digest:
            raise BundleFault(f"the record speaks of another pack, with the digest {record['pack']['digest']}")
    return Bundle(folder, record, loaded, pack, sealed)


def open_plan(folder: Path, plan: Mapping[str, Any]) -> tuple[Plan, Pack]:
    """Load the pack that lies in a folder, and make the planned cases again.

    Raises:
        BundleFault: plan and pack do not belong together.
    """
    with blaming_the_bundle("the pack of the bundle cannot be used"):
        pack = _pack_in(folder, plan["pack"])
        annexes = [_pack_in(folder, each["pack"]) for each in plan.get("annexes", ())]
        return plan_from_json(plan, pack, annexes), pack


def _pack_in(folder: Path, planned: Mapping[str, Any]) -> Pack:
    name, suites = planned["id"], folder / "pack" / "suites"
    if name not in [each.name for each in suites.iterdir()]:
        raise BundleFault(f"the bundle does not hold the pack {name!r} that was planned")
    pack = load_pack(suites / name)
    if pack.digest != planned["digest"]:
        raise BundleFault(
            f"the pack of the bundle is not the one of the run: its digest is {pack.digest}",
            expected=str(planned["digest"]),
        )
    return pack


def judge_evidence(
    folder: Path,
    plan: Plan,
    pack: Pack,
    tool: Mapping[str, str],
    valid_days: int = VALID_DAYS,
    reviews: Sequence[Review] = (),
) -> tuple[RunJudgement, dict[str, Any]]:
    """Judge the evidence in a folder, with what persons decided since, and make the record of it.

    Raises:
        BundleFault: the evidence cannot be judged.
        HarnessFault: a check of ours failed; says in which case.
    """
    with blaming_the_bundle("the evidence cannot be judged"):
        events = keep_events(folder / "evidence")
        by_case = events_by_case((case.id for case in plan.cases), events)
        fetch = Store(folder / "evidence").get
        verdicts = [_judge(case, plan, pack, by_case[case.id], fetch, reviews) for case in plan.cases]
        judgement = summarise(plan, pack, verdicts, events, fetch, reviews)
        return judgement, make_record(plan, pack, events, judgement, tool=tool, valid_days=valid_days)


def _judge(
    case: Case, plan: Plan, pack: Pack, events: Sequence[Event], fetch: Fetch, reviews: Sequence[Review]
) -> CaseVerdict:
    try:
        return judge_case(case, plan, pack, events, fetch, reviews)
    except Exception as problem:
        if isinstance(problem, _UNREADABLE) and not _in_a_check(problem):
            raise
        raise HarnessFault(
            f"the case {case.id} could not be judged: {type(problem).__name__}: {problem}",
            remedy="Please report it with the output of the same command with `c2c --debug`.",
        ) from problem


def _in_a_check(problem: Exception) -> bool:
    """Whether a check raised it: checks see readable messages only, so that the bundle is not to blame."""
    modules = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(problem.__traceback__))
    return any(name.startswith("harness.check.") for name in modules)


def judge_again(bundle: Bundle) -> tuple[str, Mapping[str, Any]]:
    """Judge the evidence and compare the result with the record.

    Returns:
        how they were compared, in one sentence; and the record that this tool makes of it.

    Raises:
        BundleFault: they differ, or the evidence cannot be judged; says where.
    """
    with blaming_the_bundle("record.json is not a record"):
        if bundle.record["schema"] != SCHEMA:
            raise BundleFault(
                f"record.json is written in another notation than this version of the tool knows: "
                f"{bundle.record['schema']}",
                expected=SCHEMA,
                remedy=f"Verify it with {bundle.record['tool']['name']} {bundle.record['tool']['version']}.",
            )
        tool, validity = bundle.record["tool"], bundle.record["validity"]
        days = _days(validity["from"], validity["until"])
        if days > VALID_DAYS:
            raise BundleFault(f"the validity is {days} days", expected=f"at most {VALID_DAYS} days after the run")
    _, again = judge_evidence(bundle.folder, bundle.plan, bundle.pack, tool, days)
    place = first_difference(again, bundle.record)
    pairs = zip_longest(dump_lines(again), dump_lines(bundle.record))
    if place is None and all(one == other for one, other in pairs):
        return "The evidence was judged again and gave the same record, byte for byte.", bundle.record
    if not bundle.same_tool:
        with blaming_the_bundle("record.json is not a record"):
            place = first_difference(facts_of(again), facts_of(bundle.record))
    elif place is None:
        place = "the order of its members"
    if place is not None:
        raise BundleFault(f"record.json is not what the evidence gives: it differs at {place}")
    how = (
        "The evidence was judged again by another version of the tool or of its packages: every fact of the record "
        "is the same; the wording was not compared."
    )
    return how, again


def view_again(bundle: Bundle) -> str:
    """Make the masked view again and compare it.

    Returns:
        how they were compared, in one sentence.

    Raises:
        BundleFault: it is not what the evidence gives; says where.
    """
    exact = True
    for name, make in VIEW.items():
        path = bundle.folder / "view" / name
        if not path.is_file():
            raise BundleFault(f"view/{name} is missing")
        with path.open("rb") as written, blaming_the_bundle(f"view/{name} cannot be made again"):
            again = make(bundle.pack, read_events(bundle.folder / "evidence"), bundle.fetch)
            for number, (one, other) in enumerate(zip_longest(written, again), 1):
                if one == other:
                    continue
                if bundle.same_tool or _named(one) != _named(other):
                    raise BundleFault(f"view/{name} is not what the evidence gives: it differs in line {number}")
                exact = False
    if exact:
        return "The masked view was made again from the evidence and is the same, byte for byte."
    return "The masked view names the same events and messages; how they are masked was not compared."


def _named(line: bytes | None) -> tuple[object, object] | None:
    """Which event or message a line of the view speaks of."""
    if line is None:
        return None
    document = json.loads(line)
    return document.get("seq"), document.get("digest")


def derive_again(
    bundle: Bundle, record: Mapping[str, Any]
) -> Iterator[tuple[str, Literal["proved", "not proved", "sealed"]]]:
    """Make the reports again and compare them.

    Parameters:
        bundle: the bundle.
        record: from which they are made: that of the bundle, or the one that another version of the tool makes of the
            same evidence, which has what its reports need.

    Yields:
        how they were compared, in one sentence; and which could not be made, for want of sealed bytes.

    Raises:
        BundleFault: one differs; says which.
    """
    if bundle.sealed and not bundle.same_tool:
        yield "The evidence is sealed and the tool is another version, so that no report could be made again.", "sealed"
        return
    there = {path.name for path in (bundle.folder / "derived").glob("*")}
    if bundle.same_tool and there != set(DERIVED):
        name = min(there ^ set(DERIVED))
        raise BundleFault(f"derived/{name} is {'none of our reports' if name in there else 'missing'}")
    sealed, exact = [], True
    for name in (each for each in DERIVED if each in there):
        path, derive = bundle.folder / "derived" / name, DERIVED[name]
        written = path.read_bytes()
        try:
            with blaming_the_bundle(f"derived/{name} cannot be made again"):
                again = derive(record, bundle.fetch)
                same = written == again
                exact = exact and same
                same = same or (not bundle.same_tool and facts(name, written) == facts(name, again))
        except Sealed:
            sealed.append(f"derived/{name}")
            continue
        if not same:
            raise BundleFault(f"derived/{name} is not what the record gives")
    unknown = sorted(there - set(DERIVED))
    if unknown:
        yield f"This version does not make derived/{', derived/'.join(unknown)}, which were not compared.", "not proved"
    which = "The reports" if not sealed else "The other reports"
    if sealed:
        yield f"{', '.join(sealed)} shows what is sealed, and could not be made again.", "sealed"
    if exact:
        yield f"{which} were made again and are the same, byte for byte.", "proved"
    else:
        yield (
            f"{which} were made again by another version of the tool or of its packages: they state the same verdicts.",
            "proved",
        )


def first_difference(one: Any, other: Any, path: str = "") -> str | None:
    """The place at which two JSON values first differ, ``None`` when they are the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in (*one, *(key for key in other if key not in one)):
            if key not in one or key not in other:
                return f"{path}/{key}"
            if (place := first_difference(one[key], other[key], f"{path}/{key}")) is not None:
                return place
        return None
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next((p for n, (a, b) in pairs if (p := first_difference(a, b, f"{path}/{n}")) is not None), None)
    return None if type(one) is type(other) and one == other else path or "/"


def _days(since: str, until: str) -> int:
    return (datetime.fromisoformat(until) - datetime.fromisoformat(since)).days if since else 0


class blaming_the_bundle:  # noqa: N801 - reads as a sentence in a with statement
    """Whatever goes wrong inside comes from the content of the bundle."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, BundleFault | HarnessFault):
            return
        if isinstance(problem, _UNREADABLE):
            raise BundleFault(f"{self._what}: {problem}") from problem
