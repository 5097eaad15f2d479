"""What the report page shows, prepared from the record, so that the template only lays it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from harness.judge.model import Verdict
from harness.record.redact import show_body
from harness.report.mapping import STATUSES, WORDS

Fetch = Callable[[str], bytes]
Case = Mapping[str, Any]

FULL_PASSES = 40
"""Passed cases that are shown with every step and message."""
BODIES = 40
"""Cases that did not pass, and passed cases, whose message bodies are shown."""
PASSES_WITH_BODIES = 2
LONGEST_BODY = 6000
"""Characters of one body that are shown."""

ASSURANCE = {
    "self-declaration": "Self-declaration: the owner of the system ran the tests; nobody else watched.",
    "witnessed": "Witnessed: the owner of the system ran the tests in the presence of a witness.",
    "operator": "Operator: the platform operator ran the tests.",
}
_SETTLED = {Verdict.PASS.value, Verdict.WARNING.value, Verdict.NOT_APPLICABLE.value}
_WORST_FIRST = sorted(Verdict, key=lambda verdict: -verdict.rank)


@dataclass(frozen=True)
class Body:
    """A message body as shown, under the number of the message in its case."""

    text: str
    note: str


@dataclass(frozen=True)
class Page:
    """A case on the report page.

    Parameters:
        case: from the record.
        full: every step and message is shown; otherwise one line for each step.
        bodies: message number to body, for messages that were on the wire.
        decisive: the steps that have the verdict of the case.
        broken: the requirements that the case says something bad about, from the record.
        reproduce: the command that plays it again.
    """

    case: Case
    full: bool
    decisive: Sequence[Mapping[str, Any]]
    broken: Sequence[Mapping[str, Any]]
    reproduce: str
    bodies: Mapping[int, Body] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether it needs no attention."""
        return self.case["verdict"] in _SETTLED

    @property
    def sent(self) -> Sequence[Mapping[str, Any]]:
        """What we sent in the steps that decided."""
        return [each for step in self.decisive for each in step["messages"] if each["direction"] == "sent"]


def context(record: Mapping[str, Any], fetch: Fetch) -> dict[str, Any]:
    """Everything that the template names."""
    requirements = {each["id"]: each for each in record["requirements"]}
    pages = _pages(record, requirements, fetch)
    role = record["pack"]["roles"].get(record["role"], record["role"])
    return {
        "record": record,
        "words": {verdict.value: words for verdict, words in WORDS.items()},
        "statuses": STATUSES,
        "role": role,
        "assurance": ASSURANCE.get(record["assurance"], record["assurance"]),
        "sentence": _sentence(record, role),
        "tone": {"conformant": "pass", "not conformant": "fail"}.get(record["verdict"], "inconclusive"),
        "matrix": _matrix(record),
        "seats": _seats(record),
        "groups": _groups(record["requirements"]),
        "problems": sorted(
            (page for page in pages if not page.settled), key=lambda page: -Verdict(page.case["verdict"]).rank
        ),
        "sections": [
            (group, list(members)) for group, members in groupby(_by_group(pages), key=lambda page: page.case["group"])
        ],
        "tally": _tally(record["cases"]),
    }


def _sentence(record: Mapping[str, Any], role: str) -> str:
    positions = record["positions"]
    where = f" in the position{'s' * (len(positions) > 1)} {listed(positions)}" if positions else ""
    who = record["sut"]["product"] or "the system under test"
    what = f"{record['pack']['title']}, version {record['pack']['version']}"
    finding = {
        "conformant": f"{who} conforms to {what}, as far as this suite tests it.",
        "not conformant": f"{who} does not conform to {what}.",
    }.get(record["verdict"], f"it is not established whether {who} conforms to {what}.")
    return f"As {role}{where}, {finding}"


def listed(words: Sequence[str]) -> str:
    """Words in a sentence: ``departure, transit and destination``."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _pages(record: Mapping[str, Any], requirements: Mapping[str, Any], fetch: Fetch) -> list[Page]:
    pages = []
    passes = unsettled = 0
    for case in record["cases"]:
        settled = case["verdict"] in _SETTLED
        passes, unsettled = passes + settled, unsettled + (not settled)
        with_bodies = passes <= PASSES_WITH_BODIES if settled else unsettled <= BODIES
        pages.append(
            Page(
                case,
                full=not settled or passes <= FULL_PASSES,
                decisive=[step for step in case["steps"] if step["verdict"] == case["verdict"]],
                broken=_broken(case, requirements),
                reproduce=_reproduce(record, case),
                bodies=_bodies(record["pack"], case, fetch) if with_bodies else {},
            )
        )
    return pages


def _broken(case: Case, requirements: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    names = [name for name, verdict in case["touched"].items() if verdict == case["verdict"]] or case["requirements"]
    return [requirements[name] for name in names if name in requirements]


def _reproduce(record: Mapping[str, Any], case: Case) -> str:
    return f"c2c run --target target.yaml --pack {record['pack']['id']} --select '{case['id'].removesuffix('~end')}'"


def _bodies(pack: Mapping[str, Any], case: Case, fetch: Fetch) -> dict[int, Body]:
    shown = {}
    for message in (each for step in case["steps"] for each in step["messages"]):
        if message["direction"] == "simulated" or not message["digest"]:
            continue
        masked = pack["masked"]
        places = masked.get(message["message"], ()) if message["message"] in pack["messages"] else _all(masked)
        body = show_body(fetch(message["digest"]), pack["format"], list(places), LONGEST_BODY)
        shown[message["number"]] = Body(body.text, body.note)
    return shown


def _all(masked: Mapping[str, Sequence[str]]) -> list[str]:
    """Every masked place of every message: for a message of which we do not know what it is."""
    return sorted({place for places in masked.values() for place in places})


def _seats(record: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(case["sut"] for case in record["cases"]))


def _groups(requirements: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for requirement in requirements:
        groups.setdefault(requirement["group"], []).append(requirement)
    return list(groups.items())


def _by_group(pages: Iterable[Page]) -> list[Page]:
    return sorted(pages, key=lambda page: str(page.case["group"]))


def _tally(cases: Iterable[Case]) -> list[tuple[str, int]]:
    """Verdict and number of cases, worst first, controls included."""
    counts = Counter(case["verdict"] for case in cases)
    return [(verdict.value, counts[verdict.value]) for verdict in _WORST_FIRST if counts[verdict.value]]


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix: how the cases of one seat stand to one group of requirements.

    Parameters:
        verdict: the worst.
        good, total: passed cases of all that touch the group.
        first: the case to look at first.
    """

    verdict: str
    good: int
    total: int
    first: str


@dataclass(frozen=True)
class Row:
    """One row of the matrix: a group of requirements, status counts, and a cell for each seat."""

    group: str
    statuses: Sequence[tuple[str, int]]
    cells: Sequence[Cell | None]


def _matrix(record: Mapping[str, Any]) -> list[Row]:
    group_of = {each["id"]: each["group"] for each in record["requirements"]}
    found: dict[tuple[str, str], list[tuple[Verdict, str]]] = {}
    for case in record["cases"]:
        if case["is_control"]:
            continue
        worst: dict[str, Verdict] = {}
        for name, word in case["touched"].items():
            group, verdict = group_of.get(name), Verdict(word)
            if group is not None and verdict.rank >= worst.get(group, verdict).rank:
                worst[group] = verdict
        for group, verdict in worst.items():
            found.setdefault((group, case["sut"]), []).append((verdict, case["id"]))
    seats = _seats(record)
    return [
        Row(
            group,
            [
                (status, count)
                for status in STATUSES
                if (count := sum(each["status"] == status for each in requirements))
            ],
            [_cell(found.get((group, seat), [])) for seat in seats],
        )
        for group, requirements in _groups(record["requirements"])
    ]


def _cell(touched: Sequence[tuple[Verdict, str]]) -> Cell | None:
    if not touched:
        return None
    verdict, first = max(touched, key=lambda each: each[0].rank)
    return Cell(verdict.value, sum(each.value in _SETTLED for each, _ in touched), len(touched), first)
