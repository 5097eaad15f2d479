"""Scenario files: YAML to :class:`~harness.scenario.model.Scenario`, every name checked, with file and line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationFault, Where
from harness.pack.load import expectation_from
from harness.pack.model import Expectation, Pack
from harness.pack.source import Source, read_source
from harness.scenario.model import (
    AnyOrder,
    Attest,
    Bearer,
    Exchange,
    FromPool,
    Given,
    Probe,
    Quiet,
    Scenario,
    Step,
)


def load_scenarios(pack: Pack) -> tuple[Scenario, ...]:
    """All scenarios of a pack, in the order of their files.

    Raises:
        ConfigurationFault: a file is wrong, or two files have one id.
    """
    scenarios: dict[str, Scenario] = {}
    for file in pack.scenarios:
        scenario = load_scenario(file, pack)
        if scenario.id in scenarios:
            raise ConfigurationFault(
                f"the scenario id {scenario.id!r} is used twice",
                where=scenario.where,
                expected=f"an id that {scenarios[scenario.id].where.file} does not use",
            )
        scenarios[scenario.id] = scenario
    return tuple(scenarios.values())


def load_scenario(file: Path, pack: Pack) -> Scenario:
    """Read one scenario file.

    Raises:
        ConfigurationFault: with file, line and path of the mistake.
    """
    source = read_source(file, "scenario")
    return _Reader(source, pack).scenario()


def parse_scenario(source: Source, pack: Pack) -> Scenario:
    """The same for a source that is already read."""
    return _Reader(source, pack).scenario()


class _Reader:
    """One file being read: keeps the source, for places, and the ids that are taken."""

    def __init__(self, source: Source, pack: Pack) -> None:
        self.source, self.pack, self.ids = source, pack, set[str]()

    def scenario(self) -> Scenario:
        data = self.source.data
        parties = tuple(data.get("parties", self.pack.parties))
        for number, party in enumerate(parties):
            self.known("party", party, self.pack.parties, "parties", number)
        steps = tuple(self.steps(data["steps"], ("steps",), frozenset(parties)))
        return Scenario(
            id=data["id"],
            version=data.get("version", 1),
            title=data["title"],
            effect=data["effect"],
            group=data.get("group") or self.group(),
            bearers={role: self.bearer(role, entry) for role, entry in data["bearers"].items()},
            steps=steps,
            parties=parties,
            where=Where(self.source.path, 1),
        )

    def group(self) -> str:
        folder = Path(self.source.path).parent.name
        return "General" if folder == "scenarios" else folder.replace("-", " ").capitalize()

    def bearer(self, name: str, entry: Mapping[str, Any]) -> Bearer:
        """What is proven about a role, or about one seat of it."""
        self.known("role or party", name, [*self.pack.roles, *self.pack.parties], "bearers")
        role = self.pack.parties[name].role if name in self.pack.parties else name
        for number, requirement in enumerate(entry["requirements"]):
            self.known("requirement", requirement, self.pack.requirements, "bearers", name, "requirements", number)
            bearer = self.pack.requirements[requirement].bearer
            if bearer not in (role, "any"):
                raise ConfigurationFault(
                    f"the requirement {requirement} is borne by {bearer}, not by {role}",
                    where=self.where("bearers", name, "requirements", number),
                )
        return Bearer(role, entry["purpose"], tuple(entry["requirements"]))

    def steps(
        self, entries: Sequence[Mapping[str, Any]], at: tuple[str | int, ...], parties: frozenset[str]
    ) -> Iterator[Step]:
        for number, entry in enumerate(entries):
            place = (*at, number)
            if "any_order" in entry:
                inner = tuple(self.steps(entry["any_order"], (*place, "any_order"), parties))
                exchanges = tuple(step for step in inner if isinstance(step, Exchange))
                yield AnyOrder(self.take("any-order", entry, place), exchanges)
            elif "quiet" in entry:
                self.known("message", entry["quiet"], self.pack.messages, *place, "quiet")
                self.known("party", entry["from"], parties, *place, "from")
                self.known("timer", entry["for"], self.pack.timers, *place, "for")
                name = self.take(f"quiet-{entry['quiet']}", entry, place)
                yield Quiet(name, entry["from"], entry["quiet"], entry["for"])
            elif "probe" in entry:
                yield self.probe(entry, place, parties)
            elif "attest" in entry:
                self.known("party", entry["of"], parties, *place, "of")
                yield Attest(self.take("attest", entry, place), entry["of"], entry["attest"])
            else:
                yield self.exchange(entry, place, parties)

    def probe(self, entry: Mapping[str, Any], place: tuple[str | int, ...], parties: frozenset[str]) -> Probe:
        self.known("object", entry["probe"], self.pack.objects, *place, "probe")
        self.known("party", entry["of"], parties, *place, "of")
        for number, state in enumerate(entry["states"]):
            self.known("state", state, self.pack.objects[entry["probe"]].states, *place, "states", number)
        position = entry.get("subject", self.pack.parties[entry["of"]].position)
        name = self.take(f"probe-{entry['probe']}", entry, place)
        return Probe(name, entry["probe"], entry["of"], tuple(entry["states"]), position)

    def exchange(self, entry: Mapping[str, Any], place: tuple[str | int, ...], parties: frozenset[str]) -> Exchange:
        floating = "eventually" in entry
        word = "eventually" if floating else "exchange"
        name = entry[word]
        self.known("message", name, self.pack.messages, *place, word)
        if self.pack.messages[name].answers is not None:
            raise ConfigurationFault(
                f"{name} is an answer; a step names the request",
                where=self.where(*place, word),
                expected=f"{self.pack.messages[name].answers}",
            )
        for end in ("from", "to"):
            self.known("party", entry[end], parties, *place, end)
        if "within" in entry:
            self.known("timer", entry["within"], self.pack.timers, *place, "within")
        if "defect" in entry:
            self.known("defect", entry["defect"], self.pack.defects, *place, "defect")
        if "answer_defect" in entry:
            self.known("defect", entry["answer_defect"], self.pack.defects, *place, "answer_defect")
        if "repeat" in entry and entry["repeat"] not in self.ids:
            raise ConfigurationFault(
                f"nothing before this step has the id {entry['repeat']!r}",
                where=self.where(*place, "repeat"),
                expected="the id of an earlier exchange",
            )
        step = self.take(name, entry, place)
        return Exchange(
            id=step,
            message=name,
            sender=entry["from"],
            receiver=entry["to"],
            subject=entry.get("subject", subject_of(self.pack, entry["from"], entry["to"])),
            values=dict(self.given(name, entry.get("with", {}), place)),
            defect=entry.get("defect"),
            expectation=self.expectation(entry, "answer", place) or Expectation(),
            violation=entry.get("when") == "simulated",
            refused=self.expectation(entry, "refused", place),
            during=tuple(
                inner
                for inner in self.steps(entry.get("during", ()), (*place, "during"), parties)
                if isinstance(inner, Exchange)
            ),
            floating=floating,
            within=entry.get("within"),
            repeats=entry.get("repeat"),
            answer_defect=entry.get("answer_defect"),
        )

    def expectation(self, entry: Mapping[str, Any], word: str, place: tuple[str | int, ...]) -> Expectation | None:
        if word not in entry:
            return None
        return expectation_from(entry[word], self.pack.outcomes, self.where(*place, word))

    def given(
        self, message: str, entries: Mapping[str, Any], place: tuple[str | int, ...]
    ) -> Iterator[tuple[str, Given]]:
        for name, value in entries.items():
            self.known("bound name", name, self.pack.messages[message].bindings, *place, "with", name)
            if isinstance(value, Mapping) and set(value) == {"pool"}:
                self.known("pool", value["pool"], self.pack.pools, *place, "with", name, "pool")
                yield name, FromPool(value["pool"])
            else:
                yield name, value

    def take(self, default: str, entry: Mapping[str, Any], place: tuple[str | int, ...]) -> str:
        """The id that the step gives itself, or the default: free, or with ``.2``, ``.3`` ... behind it."""
        given = entry.get("id")
        if given is not None and given in self.ids:
            raise ConfigurationFault(f"the step id {given!r} is used twice", where=self.where(*place, "id"))
        candidate, number = given or default, 1
        while candidate in self.ids:
            number += 1
            candidate = f"{default}.{number}"
        self.ids.add(candidate)
        return candidate

    def known(self, kind: str, name: str, names: Iterable[str], *path: str | int) -> None:
        if name in names:
            return
        near = difflib.get_close_matches(str(name), list(names), n=1)
        raise ConfigurationFault(
            f"there is no {kind} {name!r}",
            where=self.where(*path),
            expected=near[0] if near else "one of " + ", ".join(sorted(names)),
        )

    def where(self, *path: str | int) -> Where:
        return self.source.where(path)


def subject_of(pack: Pack, sender: str, receiver: str) -> str | None:
    """The position an exchange is about when nothing else is said: the sender's, else the receiver's."""
    return pack.parties[sender].position or pack.parties[receiver].position
