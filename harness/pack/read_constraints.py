"""``constraints.yaml`` and the code lists: what a message must satisfy, and which error answers it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationFault, gathering, refuse
from harness.pack.entry import Entry
from harness.pack.model import CodedField, CodeList, Constraint, Message, Outcome, Requirement, Rule
from harness.pack.move import move_parameters
from harness.pack.names import pick
from harness.pack.notation import Sets, read_expectation, read_origin, read_outcomes
from harness.pack.paths import Paths
from harness.pack.read_pack import demand
from harness.pack.source import read_source
from harness.pack.violation import Refusals


def read_constraints(table: Entry, sets: Sets, requirements: Mapping[str, Requirement]) -> dict[str, Constraint]:
    """Kind of schema violation to how it must be answered."""
    return table.made("constraints", lambda kind, entry: _constraint(kind, entry, sets, requirements))


def _constraint(kind: str, entry: Entry, sets: Sets, requirements: Mapping[str, Requirement]) -> Constraint:
    return Constraint(
        kind,
        read_expectation(entry, sets),
        demand(entry, "requirement", requirements),
        read_origin(entry.get("source")),
        demand(entry, "told", requirements),
        {name: _constraint(kind, each, sets, requirements) for name, each in entry.table("at")},
    )


def read_codelists(files: Mapping[str, Path]) -> dict[str, CodeList]:
    """The code lists of a pack.

    Parameters:
        files: the files, by their path in the pack.

    Raises:
        ConfigurationFault: a file that is not right, or whose id is not its name.
    """
    lists: dict[str, CodeList] = {}
    faults: list[ConfigurationFault] = []
    for file in files.values():
        with gathering(faults):
            lists[file.stem] = _codelist(file)
    refuse(faults)
    return lists


def _codelist(file: Path) -> CodeList:
    source = read_source(file, "codelist")
    data = source.data
    if data["id"] != file.stem:
        entry = Entry(source, data).at("id")
        raise entry.fault(f"the id '{data['id']}' is not the name of the file", expected=f"id: {file.stem}")
    return CodeList(data["id"], data["title"], data["version"], data["codes"], read_origin(data["source"]))


def read_coded(
    table: Entry,
    messages: Mapping[str, Message],
    codelists: Collection[str],
    requirements: Mapping[str, Requirement],
    paths: Paths,
    sets: Sets,
) -> tuple[CodedField, ...]:
    """The places whose values must be in a code list.

    Raises:
        ConfigurationFault: an unknown message, code list or requirement.
    """

    def coded(entry: Entry) -> CodedField:
        return CodedField(
            message=(message := entry.name("message", messages, "message")),
            path=paths.path(message, entry.get("path"), entry.at("path").where),
            codelist=entry.name("list", codelists, "code list"),
            code=entry.get("error"),
            requirement=demand(
                entry, "requirement", requirements, messages[message].receiver, messages[message].sender
            ),
            permitted=_permitted(entry, sets),
        )

    return table.made_list("codelists", coded)


def read_refusals(
    table: Entry,
    messages: Mapping[str, Message],
    codelists: Mapping[str, CodeList],
    requirements: Mapping[str, Requirement],
) -> dict[str, Refusals]:
    """The codes with which each answer may refuse.

    Raises:
        ConfigurationFault: an unknown answer, code list, code or requirement.
    """
    answers = {message.name: message for message in messages.values() if message.answers}

    def refusals(name: str, entry: Entry) -> Refusals:
        answer = answers[pick(name, answers, "answer", entry.where)]
        known = codelists[entry.name("list", codelists, "code list")].codes
        told = pick(entry.get("told"), requirements, "requirement", entry.at("told").where)
        demand(entry, "told", requirements, answer.receiver)
        meanings = {code: known[code] for code in entry.names("codes", known, "code")}
        return Refusals(name, meanings, told)

    return table.made("refusals", refusals)


def read_rules(
    table: Entry,
    messages: Collection[str],
    codelists: Collection[str],
    requirements: Mapping[str, Requirement],
    paths: Paths,
    sets: Sets,
) -> dict[str, Rule]:
    """Rules and conditions over one message.

    Raises:
        ConfigurationFault: an unknown message, code list or requirement.
    """

    def rule(name: str, entry: Entry) -> Rule:
        parameters, where = entry.get("parameters"), entry.at("parameters").where
        named = entry.names("messages", messages, "message")
        for codelist in _lists(parameters):
            pick(codelist, codelists, "code list", where)
        return Rule(
            id=name,
            messages=named,
            kind=entry.get("kind"),
            parameters=parameters,
            text=entry.get("text"),
            code=error if isinstance(error := entry.get("error"), str) else error["else"],
            codes={} if isinstance(error, str) else error,
            requirement=demand(entry, "requirement", requirements),
            kept=demand(entry, "kept", requirements),
            permitted=_permitted(entry, sets),
            source=read_origin(entry.get("source")),
            decisive=entry.get("decisive"),
            since=entry.get("since"),
            until=entry.get("until"),
            moved={each: move_parameters(paths, each, parameters, where) for each in named if paths.moves.get(each)},
        )

    return table.made("rules", rule)


def _permitted(entry: Entry, sets: Sets) -> tuple[Outcome, ...]:
    return read_outcomes(entry.at("permitted"), sets) if "permitted" in entry else ()


def _lists(given: Any) -> Iterator[str]:
    """The code lists that the tests of a rule name."""
    if isinstance(given, dict):
        if isinstance(given.get("in"), str):
            yield given["in"]
        for inner in given.values():
            yield from _lists(inner)
    elif isinstance(given, list):
        for inner in given:
            yield from _lists(inner)
