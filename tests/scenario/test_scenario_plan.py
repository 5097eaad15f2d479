"""Projection, derivation and plans, on the pack that comes with the harness."""

import json
from dataclasses import replace

import pytest
from pack_kit import pack_named

from harness.errors import BundleFault, ConfigurationFault
from harness.pack.model import Outcome, Pack
from harness.scenario.derive import derive
from harness.scenario.derive_lifecycle import lifecycle_scenarios
from harness.scenario.model import Case, Exchange, Probe, Quiet
from harness.scenario.plan import END, Parameters, Plan, Subject, make_plan, plan_from_json, plan_to_json, selected_by
from harness.scenario.project import exchanges, mode, seats


@pytest.fixture(scope="module")
def pack() -> Pack:
    return pack_named("etir-4.3")


def plan_for(pack: Pack, role: str, **parameters: object) -> Plan:
    return make_plan(pack, Subject(role), Parameters(**parameters))  # type: ignore[arg-type]


def case(plan: Plan, name: str) -> Case:
    return next(case for case in plan.cases if case.id == name)


def shape(case: Case) -> list[tuple[str, str]]:
    return [(mode(step, case.sut), step.message) for step in exchanges(case.steps)]


def test_every_seat_of_every_role_gets_cases(pack: Pack) -> None:
    for role in pack.roles:
        suts = {case.sut for case in plan_for(pack, role).cases}
        assert suts == set(seats(pack, role))


def test_the_violation_is_sent_by_us_to_the_receiver_and_refused_twice(pack: Pack) -> None:
    found = case(plan_for(pack, "platform"), "lifecycle-I9-declaration-absent@platform")
    assert shape(found)[-2:] == [("deliver", "I9"), ("deliver", "I9")]
    *_, first, again = exchanges(found.steps)
    assert first.expectation.expect == again.expectation.expect == (Outcome("error", "220", "/"),)
    assert found.negative
    assert found.control == "lifecycle-I9-accepted@platform"


def test_the_sender_of_a_violation_sends_a_legal_message_and_is_told(pack: Pack) -> None:
    found = case(plan_for(pack, "customs"), "lifecycle-I9-declaration-absent@departure")
    assert [part for part in shape(found) if part[0] == "await"] == [("await", "I1"), ("await", "I7"), ("await", "I9")]
    assert any(isinstance(step, Quiet) for step in found.steps)
    probes = {step.object: step.states for step in found.steps if isinstance(step, Probe)}
    assert "started" not in probes["operation"]
    assert "in_use" not in probes["guarantee"]


def test_a_position_that_has_no_part_in_the_violation_gets_no_case(pack: Pack) -> None:
    names = {case.id for case in plan_for(pack, "customs").cases}
    assert "lifecycle-I1-guarantee-unknown@departure" in names
    assert "lifecycle-I1-guarantee-unknown@transit" not in names


def test_what_is_owed_is_added_and_never_written(pack: Pack) -> None:
    found = case(plan_for(pack, "platform"), "lifecycle-I9-accepted@platform")
    owed = [step for step in exchanges(found.steps) if step.reaction]
    assert {step.receiver for step in owed if step.message == "I15"} == {"customs.transit", "customs.destination"}
    assert all(mode(step, found.sut) == "await" and step.floating for step in owed if step.message == "I15")


def test_forwarding_happens_inside_the_open_exchange(pack: Pack) -> None:
    found = case(plan_for(pack, "platform"), "lifecycle-E9-accepted@platform")
    outer = next(step for step in found.steps if isinstance(step, Exchange) and step.message == "E9")
    (inner,) = outer.during
    assert (inner.sender, inner.receiver, inner.forwards) == ("platform", "customs.departure", outer.id)


def test_a_script_says_how_what_is_forwarded_is_answered(pack: Pack) -> None:
    for name, defect, variation in (
        ("forwarded-data-answer-lost", "delivery/closed", None),
        ("forwarded-data-answered-in-another-usual-way", None, "prefixed"),
    ):
        found = case(plan_for(pack, "platform"), f"{name}@platform")
        (inner,) = [each for step in exchanges(found.steps) for each in step.during]
        assert (inner.reaction, inner.answer_defect, inner.answer_variation) == (
            "forward-advance-data",
            defect,
            variation,
        )


def test_a_sender_that_was_refused_may_owe_a_message(pack: Pack) -> None:
    name = "lifecycle-I9-declaration-absent@departure"
    notice = next(each for each in pack.reactions if not each.nested)
    asks = replace(notice, id="asks", on="I9", by="customs", send="I5", to="platform", after="refused", event="")
    changed = replace(pack, reactions=(*pack.reactions, asks))
    (owed,) = [each for each in exchanges(case(plan_for(changed, "customs"), name).steps) if each.reaction == "asks"]
    assert (owed.sender, owed.receiver, owed.floating) == ("customs.departure", "platform", True)
    told = next(each for each in exchanges(case(plan_for(changed, "customs"), name).steps) if each.id == "I9")
    assert owed.id.startswith(f"{told.id}/")
    accepted = case(plan_for(changed, "customs"), "lifecycle-I9-accepted@departure")
    assert not [each for each in exchanges(accepted.steps) if each.reaction == "asks"]


def test_step_ids_are_unique_in_every_case(pack: Pack) -> None:
    for role in pack.roles:
        for found in plan_for(pack, role).cases:
            ids = [step.id for step in exchanges(found.steps)]
            ids += [step.id for step in found.steps if not isinstance(step, Exchange)]
            assert len(ids) == len(set(ids)), found.id


def test_no_case_lets_the_sut_send_what_is_wrong_on_purpose(pack: Pack) -> None:
    for role in pack.roles:
        for found in plan_for(pack, role).cases:
            for step in exchanges(found.steps):
                assert not (mode(step, found.sut) == "await" and (step.violation or step.defect)), found.id


def test_controls_come_first_and_once_more_at_the_end(pack: Pack) -> None:
    plan = plan_for(pack, "platform")
    order = {case.id: number for number, case in enumerate(plan.cases)}
    for found in plan.cases:
        if found.control:
            assert order[found.control] < order[found.id] < order[found.control + END]
            assert case(plan, found.control + END).is_control


def test_every_negative_case_has_a_positive_control(pack: Pack) -> None:
    for role in pack.roles:
        missing = [case.id for case in plan_for(pack, role).cases if case.negative and not case.control]
        assert not missing


def test_a_selection_pulls_its_controls_in_without_counting_them(pack: Pack) -> None:
    plan = plan_for(pack, "platform", select=("lifecycle-I9-declaration-absent@*",))
    assert [(case.id, case.is_control) for case in plan.cases] == [
        ("lifecycle-I9-accepted@platform", True),
        ("lifecycle-I9-declaration-absent@platform", False),
        ("lifecycle-I9-accepted@platform~end", True),
    ]


def test_an_unclaimed_message_excludes_its_cases_with_the_rule(pack: Pack) -> None:
    plan = make_plan(pack, Subject("platform", claims=("E1", "I1")), Parameters())
    assert any(each.rule.startswith("not claimed: ") for each in plan.excluded)
    assert {"E1", "I1"} >= {
        step.message for found in plan.cases for step in exchanges(found.steps) if mode(step, found.sut) != "simulate"
    }


def test_every_case_names_the_rule_that_selected_or_excluded_it(pack: Pack) -> None:
    select = ("lifecycle-I9-declaration-absent@*",)
    plan = make_plan(pack, Subject("platform", claims=("E1", "I1", "I7", "I9", "I15", "E7")), Parameters(select=select))
    assert [selected_by(plan, each) for each in plan.cases] == [
        "positive control of 1 selected cases",
        "selected by lifecycle-I9-declaration-absent@*",
        "positive control, once more at the end",
    ]
    rules = {each.rule for each in plan.excluded}
    assert {"not selected", "not claimed: I11 (mandatory)", "not claimed: E5 (mandatory)"} <= rules
    assert selected_by(plan_for(pack, "chain"), plan_for(pack, "chain").cases[0]) == "everything is claimed"


def test_the_facts_of_the_sut_displace_those_of_another_seat(pack: Pack) -> None:
    country = pack.parties["customs.departure"].facts["country"]
    other = pack.parties["customs.transit"].facts["country"]
    subject = Subject("customs", ("departure",), {"": {"country": other}})
    found = make_plan(pack, subject, Parameters()).cases[0]
    assert found.parties["customs.departure"].facts["country"] == other
    assert found.parties["customs.transit"].facts["country"] == country


@pytest.mark.parametrize(
    ("subject", "select", "says"),
    [
        (Subject("custom"), (), "no role"),
        (Subject("customs", ("middle",)), (), "no position"),
        (Subject("customs"), ("no-such-case",), "no case matches"),
    ],
)
def test_a_plan_that_cannot_be_made_says_why(pack: Pack, subject: Subject, select: tuple[str, ...], says: str) -> None:
    with pytest.raises(ConfigurationFault, match=says):
        make_plan(pack, subject, Parameters(select=select))


def test_a_plan_survives_being_written_and_read(pack: Pack) -> None:
    subject = Subject("customs", ("transit",), {"": {"country": "GE"}}, signers=("ab" * 32,))
    plan = make_plan(pack, subject, Parameters(seed=7, token="ABC"))
    again = plan_from_json(json.loads(json.dumps(plan_to_json(plan))), pack)
    assert again == plan
    assert (again.baseline, again.environment) == (plan.baseline, plan.environment)


def test_a_plan_of_another_pack_is_refused(pack: Pack) -> None:
    document = plan_to_json(plan_for(pack, "holder"))
    with pytest.raises(BundleFault, match="not the planned ones"):
        plan_from_json(document, replace(pack, digest="sha256:0"))
    with pytest.raises(BundleFault, match="not a plan"):
        plan_from_json({"sut": {}}, pack)


def test_seed_and_selection_change_environment_and_baseline_apart(pack: Pack) -> None:
    one, other = plan_for(pack, "holder", seed=1), plan_for(pack, "holder", seed=2)
    assert one.baseline == other.baseline
    assert one.environment != other.environment


def test_derived_ids_do_not_depend_on_the_position(pack: Pack) -> None:
    departure, transit, destination = (
        {scenario.id for scenario in lifecycle_scenarios(pack, f"customs.{position}")}
        for position in ("departure", "transit", "destination")
    )
    assert transit == destination
    assert {name for name in transit - departure if "I17" not in name} <= {
        "lifecycle-I9-operation-refused",
        "lifecycle-I15-accepted",
    }


def test_what_needs_another_position_is_derived_where_it_can_happen(pack: Pack) -> None:
    """Nobody declines the first operation: a later country does, once the first one has started."""
    platform = {scenario.id: scenario for scenario in derive(pack, "platform")}
    declined = platform["lifecycle-I17-accepted"]
    steps = [step for step in declined.steps if isinstance(step, Exchange)]
    assert [(step.message, step.subject) for step in steps[-2:]] == [("I9", "departure"), ("I17", "transit")]
    assert not [each.id for each in derive(pack, "customs.departure") if "I17" in each.id]


def test_a_reaction_reaches_the_position_that_the_message_is_about(pack: Pack) -> None:
    asked = {
        seat: [
            (step.receiver, inner.receiver)
            for step in exchanges(case(plan_for(pack, "customs"), f"amendment-en-route@{seat}").steps)
            for inner in step.during
        ]
        for seat in ("transit",)
    }
    assert asked == {"transit": [("platform", "customs.transit")]}
