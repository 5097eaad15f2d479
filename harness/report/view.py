"""What the report page shows, prepared from the record, so that the template only lays it out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from harness.judge.model import RunVerdict, Verdict
from harness.record.redact import Shown, show_body
from harness.report.difference import Piece, difference
from harness.report.mapping import SETTLED, is_unsteady
from harness.report.matrix import groups_of, matrix, seats_of
from harness.report.plain import broken, moment
from harness.report.sequence import Diagram, diagram
from harness.report.texts import Texts
from harness.scenario.plan import NOT_SELECTED

Fetch = Callable[[str], bytes]
Case = Mapping[str, Any]

_BODY = re.compile(r"\s*<([\w.-]+:)?Body\b")
_AROUND = 8
"""Lines that are shown before and after the ones that a finding points to."""

PROBLEMS = 25
"""Kinds of failures that are told at length; the others are listed."""
FULL_PASSES, FULL_OTHERS = 24, 40
"""Cases that are shown with every step and message: passed ones, and others."""
BODIES, PASSES_WITH_BODIES = 25, 2
"""Cases whose message bodies are shown: others, and passed ones."""
LONGEST_BODY = 6000
"""Characters of one body that are shown."""

TONES = {RunVerdict.CONFORMANT.value: "pass", RunVerdict.NOT_CONFORMANT.value: "fail"}
"""Verdict of a run to the verdict of a case whose colour it wears; the third one looks inconclusive."""


@dataclass(frozen=True)
class Page:
    """A case on the report page.

    Parameters:
        case: from the record.
        full: every step and message is shown; otherwise only what it is for and how it ended.
        decisive: the steps that have the verdict of the case.
        broken: the requirements that the case says something bad about, from the record.
        reproduce: the command that plays it again.
        diagram: who sent what to whom.
        bodies: message number to body, for messages that were on the wire.
    """

    case: Case
    full: bool
    decisive: Sequence[Mapping[str, Any]]
    broken: Sequence[Mapping[str, Any]]
    reproduce: str
    diagram: Diagram | None = None
    bodies: Mapping[int, Shown] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether it needs no attention."""
        return self.case["verdict"] in SETTLED

    @property
    def messages(self) -> list[Mapping[str, Any]]:
        """Its messages, in order."""
        found = (message for step in self.case["steps"] for message in step["messages"])
        return sorted(found, key=lambda message: int(message["number"]))

    @property
    def telling(self) -> list[Mapping[str, Any]]:
        """The messages of the steps that decided, of those whose body is shown."""
        return [each for step in self.decisive[:3] for each in step["messages"] if each["number"] in self.bodies][:4]

    @property
    def connections(self) -> list[tuple[str, str, str]]:
        """TLS version, cipher and subject of the system's certificate, each combination once."""
        facts = (message["tls"] for message in self.messages if message["tls"])
        found = ((tls.get("version"), tls.get("cipher"), (tls.get("peer") or {}).get("subject")) for tls in facts)
        return list(dict.fromkeys((str(a or "?"), str(b or "?"), str(c or "—")) for a, b, c in found))


@dataclass(frozen=True)
class Problem:
    """Cases that failed in the same way: the first, and the ids of the others."""

    page: Page
    others: Sequence[str]


@dataclass(frozen=True)
class Answer:
    """One answer, with what differs; *kind* is ``expect``, ``permitted`` or ``observed``."""

    kind: str
    pieces: Sequence[Piece]


def context(record: Mapping[str, Any], fetch: Fetch | None, texts: Texts) -> dict[str, Any]:
    """Everything that the template of the page names, beyond what :func:`heading` gives.

    Parameters:
        record: of the run.
        fetch: digest to bytes; ``None`` where they cannot be looked at: then no bodies are shown.
        texts: in the language of the page.
    """
    requirements = {each["id"]: each for each in record["requirements"]}
    pages = _pages(record, requirements, fetch)
    problems = _problems(pages)
    return {
        **heading(record, texts),
        "matrix": matrix(record),
        "seats": seats_of(record),
        "groups": groups_of(record["requirements"]),
        "problems": problems[:PROBLEMS],
        "more_problems": problems[PROBLEMS:],
        "unsteady": [case for case in record["cases"] if is_unsteady(case)],
        "unexplained": _unexplained(record),
        "unsettled": sum(not page.settled for page in pages),
        "answers": answers,
        "excerpt": excerpt,
        "deadline": deadline,
        "sections": [
            (group, list(members)) for group, members in groupby(_by_group(pages), key=lambda page: page.case["group"])
        ],
        "tally": _tally(record["cases"]),
        "defects": list(_defects(record)),
    }


def _unexplained(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The demands that are broken although no case failed on them, such as by what was found about the whole run."""
    failing = {name for case in record["cases"] for name, verdict in case["touched"].items() if verdict == "fail"}
    return [each for each in record["requirements"] if each["status"] == "failed" and each["id"] not in failing]


def heading(record: Mapping[str, Any], texts: Texts) -> dict[str, Any]:
    """What every page for people says at its head."""
    role = record["pack"]["roles"].get(record["role"], record["role"])
    return {
        "record": record,
        "role": role,
        "tone": TONES.get(record["verdict"], "inconclusive"),
        "sentence": {
            "role": f"{role} ({texts.listed(record['positions'])})" if record["positions"] else role,
            "system": record["sut"]["product"] or texts.plain("system.unnamed"),
            "profile": f"{record['pack']['title']} {record['pack']['version']}",
        },
        "waived": [waiver for waiver in record["waivers"] if waiver["state"] == "used"],
        "until": until(record),
        "interruptions": interruptions(record, texts),
        "conditions": conditions(record, texts),
    }


def until(record: Mapping[str, Any]) -> str:
    """The text that says until when the verdict holds; empty where there is nothing to hold."""
    if not record["validity"]["until"]:
        return ""
    return "facts.until-value" if record["verdict"] == RunVerdict.CONFORMANT else "facts.until-waivers"


def interruptions(record: Mapping[str, Any], texts: Texts) -> list[str]:
    """Why it is not one uninterrupted run, in sentences; empty when it is one."""
    found = []
    if times := record.get("resumed", ()):
        found.append(texts.plain("resumed", times=texts.listed(map(moment, times))))
    if times := [each["at"] for each in record.get("repeated", ())]:
        again = [case for case in record["cases"] if "earlier" in case]
        failed = sum(any(each["verdict"] == "fail" for each in case["earlier"]) for case in again)
        found.append(texts.plain("repeated", times=texts.listed(map(moment, times)), count=len(again), failed=failed))
    return found


def conditions(record: Mapping[str, Any], texts: Texts) -> list[str]:
    """How the run was made, in sentences: what differs from the profile, and how many cases were derived."""
    plan = record["plan"]
    timers = [f"{name} {_seconds(each['pack'])} -> {_seconds(each['run'])}" for name, each in plan["timers"].items()]
    found = [texts.plain(f"depth.{plan['depth']}")]
    if left_out := sum(each["rule"] == NOT_SELECTED for each in plan["excluded"]):
        found.append(texts.plain("conditions.selected", count=len(record["cases"]), left=left_out))
    if spared := plan.get("spared", ()):
        found.append(texts.plain("conditions.spared", count=len(spared)))
    if plan["adopt_assumed"]:
        found.append(texts.plain("conditions.assumed"))
    if timers:
        found.append(texts.plain("conditions.timers", timers=texts.listed(timers)))
    if plan["unclaimed"]:
        found.append(texts.plain("conditions.unclaimed", messages=texts.listed(plan["unclaimed"])))
    return found


def _seconds(value: float | None) -> str:
    return "—" if value is None else f"{value:g} s"


def _pages(record: Mapping[str, Any], requirements: Mapping[str, Mapping[str, Any]], fetch: Fetch | None) -> list[Page]:
    pages = []
    passes = others = 0
    for case in record["cases"]:
        settled = case["verdict"] in SETTLED
        passes, others = passes + settled, others + (not settled)
        full = passes <= FULL_PASSES if settled else others <= FULL_OTHERS
        with_bodies = fetch is not None and (passes <= PASSES_WITH_BODIES if settled else others <= BODIES)
        decisive = [step for step in case["steps"] if step["verdict"] == case["verdict"]]
        shown = case["steps"] if settled or not any(step["messages"] for step in decisive) else decisive
        pages.append(
            Page(
                case,
                full=full,
                decisive=decisive,
                broken=[requirements[name] for name in broken(case) if name in requirements],
                reproduce=_reproduce(record, case),
                diagram=diagram(case) if full else None,
                bodies=dict(_bodies(record["pack"], shown, fetch)) if fetch is not None and with_bodies else {},
            )
        )
    return pages


def _reproduce(record: Mapping[str, Any], case: Case) -> str:
    pack, seed = record["pack"]["id"], record["plan"]["seed"]
    return f"c2c run --target target.yaml --pack {pack} --select '{case['id'].removesuffix('~end')}' --seed {seed}"


def _bodies(pack: Mapping[str, Any], steps: Iterable[Mapping[str, Any]], fetch: Fetch) -> Iterator[tuple[int, Shown]]:
    masked = pack["masked"]
    for step in steps:
        pointers = [each["pointer"] for each in step["findings"] if each["severity"] != "info"]
        for message in step["messages"]:
            if message["direction"] == "simulated" or not message["digest"]:
                continue
            places = masked.get(message["message"], ()) if message["message"] in pack["messages"] else _all(masked)
            marks = pointers if message["direction"] == "received" else ()
            yield (
                message["number"],
                show_body(fetch(message["digest"]), pack["format"], list(places), LONGEST_BODY, marks),
            )


def _all(masked: Mapping[str, Sequence[str]]) -> list[str]:
    """Every masked place of every message: for a message of which we do not know what it is."""
    return sorted({place for places in masked.values() for place in places})


def _problems(pages: Iterable[Page]) -> list[Problem]:
    """Cases that need attention, the worst first; those that broke the same demand in the same way stand together."""
    alike: dict[tuple[object, ...], list[Page]] = {}
    for page in pages:
        if not page.settled:
            alike.setdefault(_way(page), []).append(page)
    worst_first = sorted(alike.values(), key=lambda same: -Verdict(same[0].case["verdict"]).rank)
    return [Problem(same[0], [page.case["id"] for page in same[1:]]) for same in worst_first]


def _way(page: Page) -> tuple[object, ...]:
    found = {(each["check"], each["code"], each["pointer"]) for step in page.decisive for each in step["findings"]}
    outcome = {(step["expected"], step["observed"]) for step in page.decisive[:1] if not found}
    broken_ids = tuple(each["id"] for each in page.broken)
    return page.case["verdict"], broken_ids, frozenset(found), frozenset(outcome)


def answers(step: Mapping[str, Any]) -> list[Answer]:
    """What a step expected and what was observed.

    What differs is told where the system answered; where it was to send something, the findings tell what is wrong.
    """
    legal = step.get("alternatives")
    if legal is None:
        pairs = (("expect", step["expected"]), ("observed", step["observed"]))
        return [Answer(kind, difference(text or "—", [])) for kind, text in pairs]
    observed = step["observed"] or "—"
    return [
        *(Answer(kind, difference(text, [observed])) for kind in ("expect", "permitted") for text in legal[kind]),
        Answer("observed", difference(observed, [*legal["expect"], *legal["permitted"]])),
    ]


def excerpt(body: Shown) -> Shown:
    """The part of a body that tells: around the marked lines, else from the payload on."""
    lines = body.text.split("\n")
    if body.marked:
        first, end = max(0, min(body.marked) - _AROUND), max(body.marked) + _AROUND + 1
    else:
        first, end = next((number for number, line in enumerate(lines) if _BODY.match(line)), 0), len(lines)
    before, after = ["⋯"] * (first > 0), ["⋯"] * (end < len(lines))
    marked = frozenset(number - first + len(before) for number in body.marked)
    return replace(body, text="\n".join([*before, *lines[first:end], *after]), marked=marked)


def deadline(clocks: Mapping[str, str]) -> str:
    """The time of day until which an answer had to come, with milliseconds; empty where there was no limit."""
    if "request" not in clocks or "budget" not in clocks:
        return ""
    return (datetime.fromisoformat(clocks["request"]) + timedelta(seconds=float(clocks["budget"]))).isoformat()[11:23]


def _by_group(pages: Iterable[Page]) -> list[Page]:
    return sorted(pages, key=lambda page: str(page.case["group"]))


def _tally(cases: Iterable[Case]) -> list[tuple[str, int]]:
    """Verdict and number of cases, worst first, controls included."""
    counts = Counter(case["verdict"] for case in cases)
    worst_first = sorted(Verdict, key=lambda verdict: -verdict.rank)
    return [(verdict.value, counts[verdict.value]) for verdict in worst_first if counts[verdict.value]]


def _defects(record: Mapping[str, Any]) -> Iterator[tuple[str, str, list[tuple[str, int]]]]:
    """Each defect that was put into a message on purpose: name, text, and the messages (case and number)."""
    found: dict[str, list[tuple[str, int]]] = {}
    for case in record["cases"]:
        for step in case["steps"]:
            for message in step["messages"]:
                if message["defect"]:
                    found.setdefault(message["defect"], []).append((case["id"], message["number"]))
    texts = record.get("defects", {})
    yield from ((name, texts.get(name, ""), places) for name, places in sorted(found.items()))
