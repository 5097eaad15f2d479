"""Scenario files: YAML to :class:`~harness.scenario.model.Scenario`, every name checked, with file and line."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from harness.check.named import named_checks
from harness.errors import ConfigurationFault, Where, gathering, refuse
from harness.evidence.conversation import Save
from harness.message.edit import read_edit
from harness.message.model import Value
from harness.message.path import parse_path
from harness.pack.entry import Entry
from harness.pack.model import Expectation, Pack
from harness.pack.move import move_outcomes
from harness.pack.names import pick
from harness.pack.notation import read_duration, read_expectation
from harness.pack.source import read_source
from harness.scenario.model import (
    MOVEMENTS,
    AnyOrder,
    Attest,
    Bearer,
    CheckCall,
    Exchange,
    FromPool,
    FromSaved,
    FromSeats,
    Given,
    Probe,
    Quiet,
    Scenario,
    Step,
)


@lru_cache(maxsize=16)
def load_scenarios(pack: Pack) -> tuple[Scenario, ...]:
    """All scenarios of a pack, in the order of their files.

    Raises:
        ConfigurationFault: a file is wrong, or two files have one id.
    """
    scenarios: dict[str, Scenario] = {}
    for file in pack.scenarios:
        scenario = load_scenario(file, pack)
        if scenario.id in scenarios:
            other = scenarios[scenario.id].where.file
            raise ConfigurationFault(f"the scenario id '{scenario.id}' is also that of {other}", where=scenario.where)
        scenarios[scenario.id] = scenario
    return tuple(scenarios.values())


def load_scenario(file: Path, pack: Pack) -> Scenario:
    """Read one scenario file.

    Raises:
        ConfigurationFault: with file, line and path of the mistake.
    """
    source = read_source(file, "scenario")
    top = Entry(source, source.data)
    if top.get("id") != file.stem:
        raise top.at("id").fault(
            f"the scenario id '{top.get('id')}' is not the name of its file", expected=f"id: {file.stem}"
        )
    journey = _journey(top, pack)
    seats = top.names("parties", pack.parties, "party") or tuple(pack.on(journey).parties)
    reader = _Reader(pack, seats)
    reader.set_clocks(top)
    faults: list[ConfigurationFault] = []
    bearers: dict[str, Bearer] = {}
    steps: tuple[Step, ...] = ()
    with gathering(faults):
        bearers = top.made("bearers", lambda name, entry: _bearer(name, entry, pack))
    with gathering(faults):
        steps = top.made_list("steps", reader.step)
    refuse(faults)
    return Scenario(
        id=top.get("id"),
        version=top.get("version"),
        title=top.get("title"),
        effect=top.get("effect"),
        group=_group(file),
        bearers=bearers,
        steps=steps,
        places=reader.places,
        parties=seats,
        where=Where(file, 1),
        journey=journey,
        needs=top.names("needs", pack.procedures, "procedure"),
        depth=top.get("depth", "quick"),
    )


def _journey(top: Entry, pack: Pack) -> str:
    """The journey of a scenario; an overlay whose samples have another form plays those of its base on its own."""
    inherited = not top.source.path.is_relative_to(pack.root)
    if "journey" not in top or (inherited and top.get("journey") not in pack.journeys):
        return ""
    return top.name("journey", pack.journeys, "journey")


def _group(file: Path) -> str:
    folder = file.parent.name
    return "General" if folder == "scenarios" else folder.replace("-", " ").capitalize()


def _bearer(name: str, entry: Entry, pack: Pack) -> Bearer:
    """What is proven about a role, or about one seat of it."""
    pick(name, [*pack.roles, *pack.parties], "role or party", entry.where)
    role = pack.parties[name].role if name in pack.parties else name
    for item in entry.list("requirements"):
        requirement = pack.requirements[pick(item.data, pack.requirements, "requirement", item.where)]
        if requirement.bearer not in (role, "any"):
            raise item.fault(f"the requirement {requirement.id} is a demand on {requirement.bearer}, not on {role}")
    return Bearer(role, entry.get("purpose"), tuple(entry.get("requirements")))


@dataclass
class _Reader:
    """One file being read: remembers which step ids are taken and where, what is saved, and how the clocks go."""

    pack: Pack
    seats: Collection[str]
    ids: set[str] = field(default_factory=set)
    movements: set[str] = field(default_factory=set)
    saved: set[str] = field(default_factory=set)
    clocks: dict[str, timedelta] = field(default_factory=dict)
    places: dict[str, Where] = field(default_factory=dict)

    def step(self, entry: Entry) -> Step:
        if "any_order" in entry:
            block = AnyOrder(self.take("any-order", entry), self.exchanges(entry, "any_order"))
            if sum(each.beaten is not None for each in block.steps) == 1:
                raise entry.fault("one exchange alone cannot race", expected="beaten: at two exchanges or more")
            return block
        if "quiet" in entry:
            message = entry.name("quiet", self.pack.messages, "message")
            seat = entry.name("from", self.seats, "party")
            timer = entry.name("for", self.pack.timers, "timer")
            return Quiet(self.take(f"quiet-{message}", entry), seat, message, timer, entry.get("movement", ""))
        if "probe" in entry:
            name = entry.name("probe", self.pack.objects, "object")
            seat = entry.name("of", self.seats, "party")
            states = entry.names("states", self.pack.objects[name].states, f"state of {name}")
            position = entry.get("subject", self.pack.parties[seat].position)
            return Probe(self.take(f"probe-{name}", entry), name, seat, states, position, entry.get("movement", ""))
        if "attest" in entry:
            return Attest(self.take("attest", entry), entry.name("of", self.seats, "party"), entry.get("attest"))
        if "beaten" in entry:
            raise entry.at("beaten").fault("nothing races here", remedy="Put what races into one any_order block.")
        return self.exchange(entry)

    def exchanges(self, entry: Entry, key: str) -> tuple[Exchange, ...]:
        return entry.made_list(key, self.exchange)

    def exchange(self, entry: Entry) -> Exchange:
        floating = "eventually" in entry
        word = "eventually" if floating else "exchange"
        identity = self.take(entry.get(word), entry)
        message = entry.name(word, self.pack.messages, "message")
        answers = self.pack.messages[message].answers
        if answers is not None and self.pack.answers == "reply":
            raise entry.at(word).fault(f"{message} is an answer; a step names the request", expected=answers)
        sender, receiver = (entry.name(end, self.seats, "party") for end in ("from", "to"))
        repeats = entry.optional("repeat", self.ids - {identity}, "earlier exchange")
        clocks = self.set_clocks(entry)
        return Exchange(
            id=identity,
            message=message,
            sender=sender,
            receiver=receiver,
            subject=entry.get("subject", subject_of(self.pack, sender, receiver)),
            movement=self.movement(entry),
            values=dict((*self.given(message, entry, "with"), *self.given(message, entry, "changes"))),
            changes=self.changes(entry),
            defect=self.defect(message, entry, "defect"),
            expectation=self.expectation(message, entry, "answer") or Expectation(),
            violation=entry.get("when") == "simulated",
            refused=self.expectation(message, entry, "refused"),
            beaten=self.expectation(message, entry, "beaten"),
            during=self.exchanges(entry, "during"),
            floating=floating,
            within=entry.optional("within", self.pack.timers, "timer"),
            repeats=repeats,
            answer_defect=self.defect(self.pack.messages[message].answer, entry, "answer_defect"),
            variation=self.variation(entry, "variation", "defect"),
            answer_variation=self.variation(entry, "answer_variation", "answer_defect"),
            check=self.check(entry.at("check")) if "check" in entry else None,
            save=dict(self.save(message, entry)),
            clocks=clocks,
        )

    def set_clocks(self, entry: Entry) -> dict[str, timedelta]:
        """How all clocks go from here on, those that are set here included."""
        for seat, value in entry.table("clocks"):
            pick(seat, self.seats, "party", value.where)
            amount, _, way = str(value.data).partition(" ")
            ahead = read_duration(amount) if way else timedelta()
            self.clocks[seat] = -ahead if way == "behind" else ahead
        return dict(self.clocks)

    def movement(self, entry: Entry) -> str:
        name = str(entry.get("movement", ""))
        self.movements.add(name)
        if len(self.movements) > MOVEMENTS:
            raise entry.at("movement").fault(f"one scenario has at most {MOVEMENTS} movements")
        return name

    def defect(self, message: str | None, entry: Entry, key: str) -> str | None:
        """The name of a defect of the pack, or of an edit."""
        given = entry.get(key)
        try:
            edit = read_edit(given) if given is not None else None
        except ConfigurationFault as fault:
            raise entry.at(key).fault(fault.what) from None
        if edit is not None and message is not None:
            edit = replace(edit, place=self.pack.paths.path(message, edit.place, entry.at(key).where))
        return edit.name if edit is not None else entry.optional(key, self.pack.defects, "defect")

    def variation(self, entry: Entry, key: str, other: str) -> str | None:
        """The name of a legal variation; what is wrong on purpose is not written in another legal way, too."""
        sent = [each.id for each in self.pack.variations.values() if each.is_sent]
        name = entry.optional(key, sent, "variation in which the harness can send")
        if name is not None and other in entry:
            raise entry.at(key).fault(f"a message has a variation or a defect, not both: leave out {key} or {other}")
        return name

    def expectation(self, message: str, entry: Entry, key: str) -> Expectation | None:
        if key not in entry:
            return None
        place, paths = entry.at(key), self.pack.paths
        wanted = read_expectation(place, self.pack.outcomes)
        return replace(
            wanted,
            expect=move_outcomes(paths, message, wanted.expect, place.where),
            permitted=move_outcomes(paths, message, wanted.permitted, place.where),
        )

    def changes(self, entry: Entry) -> frozenset[str]:
        """The names of what is new from this step on; what is wrong on purpose changes nothing."""
        names = frozenset(name for name, _ in entry.table("changes"))
        if names and ("when" in entry or "defect" in entry):
            raise entry.at("changes").fault(
                "a step that is wrong on purpose changes nothing for the others", remedy="Set the value with `with:`."
            )
        if twice := names.intersection(name for name, _ in entry.table("with")):
            raise entry.at("changes").fault(f"{min(twice)} is set twice", remedy="Leave it out in `with:`.")
        return names

    def given(self, message: str, entry: Entry, key: str) -> Iterator[tuple[str, Given]]:
        for name, value in entry.table(key):
            pick(name, self.pack.messages[message].bindings, f"bound name of {message}", value.where)
            if isinstance(value.data, dict) and "pool" in value:
                yield name, FromPool(value.name("pool", self.pack.pools, "pool"))
            elif isinstance(value.data, dict) and "seats" in value:
                if self.pack.values[name].make.kind != "facts":
                    raise value.fault(f"{name} is not made from the facts of seats", expected="a text or a list")
                yield name, FromSeats(value.names("seats", self.seats, "party"))
            else:
                yield name, self.value(value)

    def value(self, entry: Entry) -> Value | FromSaved:
        if isinstance(entry.data, dict):
            if "saved" not in entry:
                raise entry.fault("a check takes no value from a pool", expected="{saved: NAME}, a text or a list")
            return FromSaved(entry.name("saved", self.saved, "saved value of an earlier step"))
        data: Value = entry.data
        return data

    def check(self, entry: Entry) -> CheckCall:
        if isinstance(entry.data, str):
            return CheckCall(pick(entry.data, named_checks(), "check", entry.where))
        parameters = {name: self.value(value) for name, value in entry.table("with")}
        return CheckCall(entry.name("name", named_checks(), "check"), parameters)

    def save(self, message: str, entry: Entry) -> Iterator[tuple[str, Save]]:
        for name, value in entry.table("save"):
            ((part, place),) = value.data.items()
            source = self.pack.messages[message].answer if part == "answer" else message
            if source is None:
                raise value.fault(f"{message} has no answer to save a value from", expected="request: NAME")
            if place not in self.pack.messages[source].bindings:
                try:
                    place = self.pack.paths.path(source, str(parse_path(place)), value.where)
                except ConfigurationFault:
                    raise value.fault(
                        f"'{place}' is no bound name of {source}, and no path", remedy="See docs/packs.md for paths."
                    ) from None
            self.saved.add(name)
            yield name, (part, place)

    def take(self, default: str, entry: Entry) -> str:
        """The id that the step gives itself, or the default: free, or with ``.2``, ``.3`` ... behind it."""
        given = entry.get("id")
        if given is not None and given in self.ids:
            raise entry.at("id").fault(f"the step id '{given}' is used twice")
        candidate, number = given or default, 1
        while candidate in self.ids:
            number += 1
            candidate = f"{default}.{number}"
        self.ids.add(candidate)
        self.places[candidate] = entry.where
        return candidate


def subject_of(pack: Pack, sender: str, receiver: str) -> str | None:
    """The position an exchange is about when nothing else is said: the sender's, else the receiver's."""
    return pack.parties[sender].position or pack.parties[receiver].position
