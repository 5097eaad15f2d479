"""Is a pack whole: do its scenarios load, agree with the tables, give cases, and cover its demands.

What :func:`harness.pack.sound.check_pack` says comes first; here is what needs scenarios.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.check.registry import exercised, timed
from harness.errors import ConfigurationFault
from harness.message.edit import read_edit
from harness.pack.layers import read_table
from harness.pack.model import Pack
from harness.pack.sound import check_pack
from harness.scenario.control import controls_of
from harness.scenario.derive import derive
from harness.scenario.load import load_scenario
from harness.scenario.mistakes import mistakes
from harness.scenario.model import Case, Scenario
from harness.scenario.project import exchanges, is_limited, project


def check_whole(pack: Pack) -> list[ConfigurationFault]:
    """What is wrong with a pack, with file and line; empty when it is whole.

    Whether everything is tested is asked when the rest is right.
    """
    faults = check_pack(pack)
    scenarios: dict[str, Scenario] = {}
    for file in pack.scenarios:
        try:
            scenario = load_scenario(file, pack)
        except ConfigurationFault as fault:
            faults += fault.each
            continue
        if scenario.id in scenarios:
            other = scenarios[scenario.id].where.file
            faults.append(
                ConfigurationFault(f"the scenario id '{scenario.id}' is also that of {other}", where=scenario.where)
            )
        scenarios[scenario.id] = scenario
        faults += mistakes(scenario, pack)
    if faults:  # what follows from them would only be told once more
        return list({str(fault): fault for fault in faults}.values())
    try:
        cases = {seat: _cases(pack, seat, tuple(scenarios.values())) for seat in pack.parties}
    except ConfigurationFault as fault:
        return list(fault.each)
    return [
        *_unplayed(pack, tuple(scenarios.values()), cases),
        *_uncovered(pack, cases),
        *_uncontrolled(cases),
        *_idle(pack),
    ]


def spoken_pointers(pack: Pack) -> dict[str, frozenset[str]]:
    """The places of each request that the scenarios of a pack speak of, in what they change and expect."""
    found: dict[str, set[str]] = {}
    for file in pack.scenarios:
        for step in exchanges(load_scenario(file, pack).steps):
            wanted = [step.expectation, *([step.refused] if step.refused else [])]
            told = {each.pointer for one in wanted for each in (*one.expect, *one.permitted) if each.pointer}
            edit = read_edit(step.defect) if step.defect is not None else None
            found.setdefault(step.message, set()).update((told | ({edit.place} if edit else set())) - {"/"})
    return {message: frozenset(pointers) for message, pointers in found.items()}


def _cases(pack: Pack, seat: str, scenarios: Sequence[Scenario]) -> list[Case]:
    projected = (project(scenario, pack, seat) for scenario in (*scenarios, *derive(pack, seat)))
    return [case for case in projected if case is not None]


def _uncontrolled(cases: Mapping[str, list[Case]]) -> Iterator[ConfigurationFault]:
    """Each negative case needs its positive control: the same message at the same seat, accepted."""
    for seat, found in cases.items():
        controls = controls_of(found)
        alone = [case for case in found if case.negative and case.id not in controls]
        if alone:
            more = f" and {len(alone) - 1} more" if len(alone) > 1 else ""
            yield ConfigurationFault(
                f"no case shows that {seat} does right what it must not do in {alone[0].id}{more}",
                where=alone[0].where,
                expected="a case in which the same message is accepted at the same seat",
                remedy="Give the message a cell with 'proceed' in lifecycle.yaml, or write a scenario that accepts it.",
            )


def _idle(pack: Pack) -> Iterator[ConfigurationFault]:
    """A role on which nothing is demanded would be conformant whatever it does."""
    bearers = {each.bearer for each in pack.requirements.values()}
    for name in pack.roles:
        if name not in bearers and "any" not in bearers:
            yield ConfigurationFault(
                f"nothing is demanded of the role {name}",
                where=read_table(pack.roots, "pack").where(("roles", name)),
                expected="a requirement that it bears, or one that any role bears",
                remedy="Write its requirements, or remove the role.",
            )


def _unplayed(
    pack: Pack, scenarios: Sequence[Scenario], cases: Mapping[str, list[Case]]
) -> Iterator[ConfigurationFault]:
    """Each bearer of a scenario must get a case."""
    played = {(case.scenario, seat) for seat, found in cases.items() for case in found}
    for scenario in scenarios:
        for name in scenario.bearers:
            seats = [seat for seat, party in pack.parties.items() if name in (seat, party.role)]
            if not any((scenario.id, seat) in played for seat in seats):
                yield ConfigurationFault(
                    f"the scenario {scenario.id} gives no case for its bearer {name}",
                    where=scenario.where,
                    expected="a step in which it sends or receives what the scenario is about",
                    remedy="Remove the bearer, or say 'refused' at the step that is wrong on purpose.",
                )


def _uncovered(pack: Pack, cases: Mapping[str, list[Case]]) -> Iterator[ConfigurationFault]:
    """Each requirement must be touched by a case of a role that bears it, or say why none does."""
    table = read_table(pack.roots, "requirements")
    touched = {role: _touched(pack, role, cases) for role in pack.roles}
    for requirement in pack.requirements.values():
        if requirement.untested:
            continue
        roles = pack.roles if requirement.bearer == "any" else (requirement.bearer,)
        if not any(requirement.id in touched[role] for role in roles):
            yield ConfigurationFault(
                f"no case tests the requirement {requirement.id}",
                where=table.where(("requirements", requirement.id)),
                expected="a scenario, a cell of a table or a check that names it",
                remedy="Write a case, or say in 'untested' why there is none.",
            )


def _touched(pack: Pack, role: str, cases: Mapping[str, list[Case]]) -> set[str]:
    touched: set[str] = set()
    for seat, found in cases.items():
        if pack.parties[seat].role != role:
            continue
        for case in found:
            touched.update(case.requirements)
            for step in exchanges(case.steps):
                touched.update(name for name in (step.requirement, step.received) if name)
                if step.sender == seat:
                    touched.update(exercised(pack, role, step.message))
                if step.receiver == seat:
                    touched.update(exercised(pack, role, pack.messages[step.message].answer))
                if is_limited(step, seat):
                    touched.update(timed(pack, role, step.message))
    return touched
