"""The pack is sound, complete and true to its sources; whether its cases play is tested elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
from pack_kit import pack_named

from harness.check.registry import exercised, timed
from harness.message.binding import read
from harness.message.document import parse
from harness.message.model import Document
from harness.message.path import parse_path
from harness.pack.checkdigit import is_container_number
from harness.pack.model import Cell, Message, Outcome, Pack
from harness.pack.rule import rule_violations
from harness.pack.schema import schema_folders, violations
from harness.pack.sound import check_pack
from harness.pack.xsd import compile_schema
from harness.pack.xsd_tree import places
from harness.reference.hooks import Hooks
from harness.scenario.contradiction import contradictions
from harness.scenario.derive import derive
from harness.scenario.load import load_scenarios
from harness.scenario.model import Case, Exchange, Scenario
from harness.scenario.project import exchanges, project

PUBLIC_CODES = {
    "E1": "204 302 303 321 322 330",
    "E3": "203 205 301 302 303 320 331 332",
    "E5": "301 322",
    "E9": "301 308 320 500",
    "E11": "213 301 308 320 500",
    "E13": "301 308 320 500",
    "I1": "201 301 320 321 322 330 331 332",
    "I3": "322",
    "I5": "301 322",
    "I7": "301 305 307 320",
    "I9": "201 210 220 299 301 302 303 305 306 309 321 322 340",
    "I11": "201 211 213 299 301 302 303 305 306 309 321 322 340",
    "I13": "201 212 213 299 301 302 303 305 321 322",
    "I17": "214 215 216 301 302 303 306",
    "I19": "304",
}
"""Which codes the published list gives for which request, apart from those of every message."""

CYRILLIC, LATIN_BEYOND_ASCII, GEORGIAN = r"[\u0400-\u04ff]", r"[\u00c0-\u024f]", r"[\u10d0-\u10ff]"


@pytest.fixture(scope="module")
def pack() -> Pack:
    return pack_named("etir-4.3")


@pytest.fixture(scope="module")
def scenarios(pack: Pack) -> tuple[Scenario, ...]:
    return load_scenarios(pack)


@pytest.fixture(scope="module")
def cases(pack: Pack, scenarios: tuple[Scenario, ...]) -> dict[str, list[Case]]:
    """All cases by seat."""
    projected = {
        seat: [project(scenario, pack, seat) for scenario in (*scenarios, *derive(pack, seat))] for seat in pack.parties
    }
    return {seat: [case for case in found if case is not None] for seat, found in projected.items()}


def of_role(role: str, pack: Pack, cases: dict[str, list[Case]]) -> list[Case]:
    return [case for seat, found in cases.items() if pack.parties[seat].role == role for case in found]


def cells(pack: Pack) -> Iterator[Cell]:
    for rules in pack.rules_by_message.values():
        yield from rules.cells


def samples(pack: Pack) -> Iterator[tuple[Message, str, Document]]:
    for message in pack.messages.values():
        for shape, file in message.golden.items():
            yield message, shape, parse("xml", file.read_bytes())


def sample(pack: Pack, name: str) -> Document:
    return parse("xml", pack.messages[name].golden["accepted"].read_bytes())


def changed(document: Document, old: str, new: str) -> Document:
    text = document.to_bytes().decode()
    assert old in text
    return parse("xml", text.replace(old, new).encode())


def test_a_golden_request_has_every_place_of_its_schema_so_that_each_is_tested(pack: Pack) -> None:
    for message in pack.messages.values():
        if message.answers is None:
            top = sample(pack, message.name).top
            grammar = compile_schema(message.schema, schema_folders(pack)).grammar
            paths = [node.path for node in places(grammar, message.root)[1:]]
            assert [path for path in paths if not top.reach(parse_path(path))] == [], message.name


def test_the_pack_is_sound(pack: Pack) -> None:
    assert [str(fault) for fault in check_pack(pack)] == []


def test_every_sample_is_valid_and_every_file_is_a_sample(pack: Pack) -> None:
    for message, shape, document in samples(pack):
        found = [*violations(pack, message.name, document), *rule_violations(pack, message.name, document)]
        assert not found, f"{message.name} {shape}"
    used = {file for message in pack.messages.values() for file in message.golden.values()}
    assert used == set(pack.fixtures.iterdir())


@pytest.mark.parametrize(
    ("journey", "route", "scripts"),
    [
        ("", ["UZ", "TM", "AZ"], (CYRILLIC, LATIN_BEYOND_ASCII)),
        ("kg-tj", ["KG", "TJ"], (CYRILLIC, "Қ|Ҷ|ӯ")),
        ("ge-tr", ["GE", "TR"], (GEORGIAN, "İ|ğ|ş")),
    ],
)
def test_the_samples_tell_one_story(pack: Pack, journey: str, route: list[str], scripts: tuple[str, ...]) -> None:
    played = pack.on(journey)
    known: dict[str, object] = {}
    for message, shape, document in samples(played):
        found = [*violations(pack, message.name, document), *rule_violations(pack, message.name, document)]
        assert not found, f"{message.name} {shape}"
        for name, value in read(document, message.bindings).items():
            if value is not None and pack.values[name].scope != "message":
                assert known.setdefault(name, value) == value, f"{name} in {message.name}"
    assert known["itinerary"] == route
    assert {file.parent for message in played.messages.values() for file in message.golden.values()} == {
        played.fixtures
    }
    text = sample(played, "E9").to_bytes().decode()
    for script in scripts:
        assert re.search(script, text)
    assert text.count("<LoadingLocation>") == {"": 1, "ge-tr": 2}.get(journey, 0)


def test_nothing_of_one_journey_stands_in_another(pack: Pack) -> None:
    own = []
    for journey in ("", *pack.journeys):
        played = pack.on(journey)
        values = read(sample(played, "I7"), played.messages["I7"].bindings)
        own.append(
            {str(values[name]) for name in ("guarantee", "declaration", "container", "vehicle", "seals", "goods")}
        )
    assert not own[0] & own[1]
    assert not own[0] & own[2]
    assert not own[1] & own[2]


@pytest.mark.parametrize("journey", ["kg-tj", "ge-tr"])
def test_every_role_plays_on_every_journey(
    pack: Pack, cases: dict[str, list[Case]], scenarios: tuple[Scenario, ...], journey: str
) -> None:
    assert len([each for each in scenarios if each.journey == journey]) >= 3
    played = pack.on(journey).parties
    assert "customs.transit" not in played
    for seat in played:
        assert any(case.journey == journey for case in cases[seat]), seat
    for found in cases.values():
        for case in found:
            if case.journey == journey and case.sut != "customs.departure":
                assert (
                    case.parties["customs.departure"].facts["country"] == played["customs.departure"].facts["country"]
                )


def test_the_declaration_is_a_real_one(pack: Pack) -> None:
    declaration = read(sample(pack, "I7"), pack.messages["I7"].bindings)
    goods = declaration["goods"]
    assert isinstance(goods, list)
    assert len(goods) >= 3
    assert all(None not in item.values() for item in goods)
    text = sample(pack, "I7").to_bytes().decode()
    for script in (CYRILLIC, LATIN_BEYOND_ASCII):
        assert re.search(script, text)
    assert is_container_number(str(declaration["container"]))


@pytest.mark.parametrize(
    ("message", "old", "new", "kind", "pointer"),
    [
        ("I9", "XC95000011", "XC24000011", "pattern", "/ObligationGuarantee/ReferenceID"),
        ("I9", "UZB/999/000017", "UZ/999/000017", "pattern", "/ObligationGuarantee/Principal/ID"),
        ("I9", ' formatCode="304"', "", "attribute-missing", "/IssueDateTime/DateTimeString/@formatCode"),
        ("I9", "20260914084000Z", "20261314084000Z", "pattern", "/IssueDateTime/DateTimeString"),
        ("I7", "<GoodsItemQuantity>3", "<GoodsItemQuantity>three", "type", "/Declaration/GoodsItemQuantity"),
        ("I7", "<ID>DEC-26000117</ID>", "", "missing", "/Declaration/ID"),
        ("I10", "<FunctionCode>44", "<FunctionCode>45", "enumeration", "/FunctionCode"),
    ],
)  # fmt: skip
def test_the_schemas_see(pack: Pack, message: str, old: str, new: str, kind: str, pointer: str) -> None:
    found = violations(pack, message, changed(sample(pack, message), old, new))
    assert (kind, pointer) in [(violation.kind, violation.pointer) for violation in found]


def test_a_public_guarantee_number_is_valid(pack: Pack) -> None:
    assert not violations(pack, "I9", changed(sample(pack, "I9"), "XC95000011", "JX95000448"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (">820.250<", ">820.251<"),
        ("<QuantityQuantity>40<", "<QuantityQuantity>41<"),
        ("<GoodsItemQuantity>3<", "<GoodsItemQuantity>2<"),
        ("<SequenceNumeric>3<", "<SequenceNumeric>4<"),
        ("UZ0048214", "UZ0048213"),
    ],
)
def test_the_rules_see(pack: Pack, old: str, new: str) -> None:
    assert list(rule_violations(pack, "I7", changed(sample(pack, "I7"), old, new)))


def test_every_error_code_is_in_the_list(pack: Pack) -> None:
    expectations = [constraint.expectation for constraint in pack.constraints.values()]
    expectations += [defect.expectation for defect in pack.defects.values()]
    outcomes: list[Outcome] = [*chain.from_iterable((*each.expect, *each.permitted) for each in expectations)]
    outcomes += [outcome for cell in cells(pack) for outcome in (cell.refuse, *cell.permitted) if outcome]
    codes = {outcome.code for outcome in outcomes if outcome.kind == "error"}
    codes |= {coded.code for coded in pack.coded} | {rule.code for rule in pack.rules.values()}
    assert codes <= set(pack.codelists["error-code"].codes)


def test_a_public_cell_cites_the_row_of_its_code(pack: Pack) -> None:
    for cell in cells(pack):
        if cell.refuse and cell.source.mark == "public":
            assert f"row {cell.refuse.code}" in cell.source.text, str(cell.where)


def test_a_cell_of_the_platform_stands_on_a_requirement_or_is_open(pack: Pack) -> None:
    for cell in cells(pack):
        assert cell.requirement or "open" in cell.source.text or cell.permitted, str(cell.where)


def test_the_catalogue_has_every_public_code_of_every_pair(pack: Pack) -> None:
    wanted = {f"ETIR-{name}-{code}" for name, codes in PUBLIC_CODES.items() for code in codes.split()}
    assert wanted - set(pack.requirements) == set()


def test_events_are_in_their_list(pack: Pack) -> None:
    assert {each.event for each in pack.reactions if each.event} == set(pack.codelists["event-type"].codes)


def test_every_requirement_is_used_or_excused(pack: Pack, scenarios: tuple[Scenario, ...]) -> None:
    used = {name for scenario in scenarios for bearer in scenario.bearers.values() for name in bearer.requirements}
    used |= {name for cell in cells(pack) for name in (cell.requirement, cell.told) if name}
    used |= {name for each in pack.reactions for name in (each.requirement, each.received) if name}
    used |= {each.requirement for each in (*pack.coded, *pack.rules.values()) if each.requirement}
    used |= {name for name, requirement in pack.requirements.items() if requirement.checks or requirement.untested}
    assert set(pack.requirements) - used == set()


def test_every_requirement_of_a_role_is_touched_by_a_case(pack: Pack, cases: dict[str, list[Case]]) -> None:
    for role in pack.roles:
        touched: set[str] = set()
        for case in of_role(role, pack, cases):
            touched.update(case.requirements)
            for step in exchanges(case.steps):
                if step.sender == case.sut:
                    touched.update(exercised(pack, role, step.message))
                if step.receiver == case.sut:
                    touched.update(exercised(pack, role, pack.messages[step.message].answer))
                    touched.update(timed(pack, role, step.message))
        for requirement in pack.requirements.values():
            if requirement.bearer in (role, "any") and not requirement.untested:
                assert requirement.id in touched, f"{role}: {requirement.id}"


def test_no_written_answer_contradicts_the_table(pack: Pack, scenarios: tuple[Scenario, ...]) -> None:
    assert [str(fault) for scenario in scenarios for fault in contradictions(scenario, pack)] == []


def test_a_refusal_for_want_of_an_answer_is_no_contradiction_and_one_without_a_reason_is(
    pack: Pack, scenarios: tuple[Scenario, ...]
) -> None:
    scenario = next(each for each in scenarios if each.id == "forwarded-data-answer-lost")
    *before, outer, probe = scenario.steps
    assert isinstance(outer, Exchange)
    answered = tuple(replace(each, answer_defect=None) for each in outer.during)
    changed = replace(scenario, steps=(*before, replace(outer, during=answered), probe))
    (found,) = contradictions(changed, pack)
    assert "the life-cycle table says accepted" in str(found)


def test_a_late_answer_leaves_open_how_what_waits_for_it_ends(pack: Pack, scenarios: tuple[Scenario, ...]) -> None:
    scenario = next(each for each in scenarios if each.id == "forwarded-data-answer-late")
    *before, outer, probe = scenario.steps
    assert isinstance(outer, Exchange)
    assert not list(contradictions(scenario, pack))
    in_time = tuple(replace(each, answer_defect=None) for each in outer.during)
    changed = replace(scenario, steps=(*before, replace(outer, during=in_time), probe))
    (found,) = contradictions(changed, pack)
    assert "the life-cycle table says accepted" in str(found)


def test_scenarios_are_named_as_their_files(scenarios: tuple[Scenario, ...]) -> None:
    for scenario in scenarios:
        assert str(scenario.where.file).endswith(f"{scenario.id}.yaml")


def test_every_bearer_of_a_scenario_gets_a_case(pack: Pack, scenarios: tuple[Scenario, ...]) -> None:
    for scenario in scenarios:
        for name in scenario.bearers:
            fitting = [seat for seat, party in pack.parties.items() if name in (seat, party.role)]
            assert any(project(scenario, pack, seat) for seat in fitting), f"{scenario.id}: {name}"


@pytest.mark.parametrize("seat", ["chain", "platform", "customs.departure", "customs.transit", "customs.destination"])
@pytest.mark.parametrize("requirement", ["ETIR-SEC-NO-UNSIGNED", "ETIR-SEC-NO-ALTERED", "ETIR-SEC-NO-STRANGER"])
def test_whoever_is_asked_has_security_cases(cases: dict[str, list[Case]], seat: str, requirement: str) -> None:
    assert any(requirement in case.requirements for case in cases[seat])


def test_every_seat_plays_the_whole_movement(cases: dict[str, list[Case]]) -> None:
    for seat, found in cases.items():
        assert any(case.scenario == "nominal-movement" for case in found), seat


def test_faults_fit_their_hooks_and_break_what_a_case_tests(pack: Pack, cases: dict[str, list[Case]]) -> None:
    Hooks(pack.faults.values())
    for fault in pack.faults.values():
        tested = {name for case in of_role(fault.role, pack, cases) for name in case.requirements}
        demand = pack.requirements[fault.requirement]
        assert demand.bearer in (fault.role, "any"), fault.id
        assert fault.requirement in tested or demand.checks, fault.id


def test_faults_reach_both_directions_of_every_role(pack: Pack) -> None:
    acting = ("after-refusal", "build", "sign", "notify")
    by_role = {role: [fault for fault in pack.faults.values() if fault.role == role] for role in pack.roles}
    for role, least in {"platform": 4, "customs": 4, "chain": 1}.items():
        active = [fault for fault in by_role[role] if fault.hook in acting]
        assert len(active) >= least, role
        assert len(by_role[role]) - len(active) >= least, role
    assert len(by_role["holder"]) >= 2


def test_a_demand_that_names_a_message_stands_on_the_page_of_one(pack: Pack) -> None:
    folder = Path(__file__).parents[2] / "docs" / "messages" / pack.id
    pages = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*.md"))
    for name in pack.requirements:
        if re.match(r"ETIR-[EI]\d+-", name):
            assert f"| {name} |" in pages, name
