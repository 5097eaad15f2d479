"""Derived cases of content and defects: what is broken, what is expected, and what shows that nothing was recorded."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from pack_kit import pack_named

from harness.pack.model import Outcome
from harness.pack.variation import alters
from harness.scenario.derive import derive
from harness.scenario.derive_setting import received_by, sent_by, watch
from harness.scenario.load import load_scenarios
from harness.scenario.model import Case, Exchange, Probe, Quiet, Scenario
from harness.scenario.plan import Parameters, Subject, make_plan
from harness.scenario.project import exchanges, mode
from harness.scenario.route import related, routes

PACK = pack_named("etir-4.3")
SEATS = tuple(PACK.parties)


def scenario(seat: str, name: str, depth: str = "full") -> Scenario:
    return next(each for each in derive(PACK, seat, depth) if each.id == name)  # type: ignore[arg-type]


def cases(role: str, depth: str = "full") -> list[Case]:
    return [*make_plan(PACK, Subject(role), Parameters(depth=depth)).cases]  # type: ignore[arg-type]


@pytest.mark.parametrize("seat", SEATS)
def test_derived_scenarios_have_ids_of_their_own_a_title_a_purpose_and_a_reason(seat: str) -> None:
    found = derive(PACK, seat, "exhaustive")
    assert len({each.id for each in found}) == len(found)
    for each in (scenario for scenario in found if scenario.bearers):
        assert each.title
        assert each.effect
        assert each.derived_from
        assert all(bearer.purpose and bearer.requirements for bearer in each.bearers.values())


def test_the_broken_message_is_followed_by_the_right_one() -> None:
    found = scenario("platform", "content-I9-missing-TransitOperation.SupervisingOffice")
    *_, broken, right = exchanges(found.steps)
    assert broken.defect == "message/without at /TransitOperation/SupervisingOffice"
    assert broken.expectation.expect == (Outcome("error", "101", "/TransitOperation/SupervisingOffice"),)
    assert Outcome("error", "101", "/TransitOperation") in broken.expectation.permitted
    assert (right.message, right.defect) == ("I9", None)
    assert Outcome("accepted") in right.expectation.expect
    assert found.bearers["platform"].requirements == ("ETIR-MSG-101",)


def test_of_two_elements_in_the_wrong_order_either_may_be_named() -> None:
    found = scenario("platform", "content-I9-order-Submitter")
    *_, broken, _ = exchanges(found.steps)
    assert {each.pointer for each in broken.expectation.expect} == {"/Submitter", "/Recipient"}


def test_a_wrong_code_is_refused_with_the_code_of_its_list() -> None:
    found = scenario("platform", "content-I9-code-Control.TypeCode")
    *_, broken, _ = exchanges(found.steps)
    assert broken.expectation.expect == (Outcome("error", "306", "/Control/TypeCode"),)
    assert Outcome("error", "300") in broken.expectation.permitted


@pytest.mark.parametrize(("rule", "legal"), [("seals-distinct", True), ("itinerary-sequence", False)])
def test_a_broken_rule_may_be_answered_as_the_table_permits(rule: str, legal: bool) -> None:
    *_, broken, _ = exchanges(scenario("platform", f"content-I9-rule-{rule}").steps)
    assert (Outcome("error", "309") in broken.expectation.permitted) is legal


def test_what_is_owed_to_a_seat_is_broken_just_before_it_is_due() -> None:
    found = scenario("customs.transit", "content-I15-missing-Status.NameCode")
    *_, broken, cause = exchanges(found.steps)
    assert (broken.sender, broken.receiver, broken.message) == ("platform", "customs.transit", "I15")
    assert cause.message == "I7"
    case = next(each for each in cases("customs") if each.id == "content-I15-missing-Status.NameCode@transit")
    played = [step for step in exchanges(case.steps) if mode(step, case.sut) == "deliver"]
    assert [step.defect is None for step in played] == [False, True]
    assert case.control == "lifecycle-I15-accepted@transit"


def test_a_message_in_another_legal_way_is_accepted_like_the_usual_one() -> None:
    found = scenario("platform", "variation-E11-character-references")
    *_, last = exchanges(found.steps)
    assert (last.message, last.variation, last.defect) == ("E11", "character-references", None)
    assert Outcome("accepted") in last.expectation.expect
    assert found.bearers["platform"].requirements == ("ETIR-READ-USUAL",)


def test_what_is_owed_is_written_like_its_cause_and_is_about_that_way_alone() -> None:
    case = next(each for each in cases("customs") if each.id == "variation-I15-prefixed@transit")
    (told,) = [step for step in exchanges(case.steps) if step.variation and mode(step, case.sut) == "deliver"]
    assert (told.message, told.variation, told.received) == ("I15", "prefixed", None)
    assert told.id in case.purpose_steps


def test_an_answer_in_another_legal_way_is_understood_by_who_goes_on() -> None:
    found = scenario("customs.departure", "variation-I8-prefixed")
    *_, varied, following = [step for step in found.steps if isinstance(step, Exchange)]
    assert (varied.message, varied.answer_variation, following.message) == ("I7", "prefixed", "I9")
    assert [step.states for step in found.steps if isinstance(step, Probe)] == [("recorded",)]


@pytest.mark.parametrize("seat", SEATS)
def test_a_variation_of_the_content_is_tried_where_it_changes_the_content(seat: str) -> None:
    for found in derive(PACK, seat, "exhaustive"):
        for step in exchanges(found.steps):
            name = step.variation or step.answer_variation
            if name is not None and PACK.variations[name].hook == "structure":
                message = found.id.removeprefix("variation-").partition("-")[0]
                assert alters(PACK, message, PACK.variations[name])


def test_a_message_that_only_refuses_comes_in_reply_and_is_no_request() -> None:
    pack = pack_named("ncts-p5")
    replies = {name for name, message in pack.messages.items() if message.replies}
    assert {"CD906C", "CD917C"} <= replies
    for seat in pack.parties:
        assert not replies & {setting.step.message for setting in received_by(pack, seat)}


def variations(depth: str) -> Counter[str]:
    reasons = [each.derived_from or "" for each in derive(PACK, "platform", depth)]  # type: ignore[arg-type]
    return Counter(each.split(" ")[1].rstrip(":") for each in reasons if each.startswith("variation "))


def test_every_variation_is_tried_once_with_a_seat_and_with_every_message_on_demand() -> None:
    sent = {each.id: 1 for each in PACK.variations.values() if each.requirement}
    answers = [PACK.messages[each.send].answer or "" for each in PACK.reactions if each.forward]
    told = Counter(
        each.id
        for each in PACK.variations.values()
        if each.told and (each.hook != "structure" or any(alters(PACK, answer, each) for answer in answers))
    )
    assert variations("full") == told + Counter(sent)
    assert variations("exhaustive").keys() == sent.keys() | told.keys()
    assert variations("exhaustive")["prefixed"] > 1


def test_a_broken_answer_is_given_to_who_sends_and_watched() -> None:
    found = scenario("customs.departure", "content-I8-missing-FunctionCode")
    last = [step for step in found.steps if isinstance(step, Exchange)][-1]
    assert last.answer_defect == "message/without at /FunctionCode"
    assert any(isinstance(step, Quiet) for step in found.steps)
    assert any(isinstance(step, Probe) for step in found.steps)


def test_each_defect_goes_into_one_message_or_into_all() -> None:
    for seat in ("customs.departure", "holder"):
        received = len(received_by(PACK, seat))
        watched = sum(any(watch(PACK, setting.step)) for setting in sent_by(PACK, seat))
        for depth, most in (("full", bool(received) + 1), ("exhaustive", received + watched)):
            found = [each for each in derive(PACK, seat, depth) if "signature-missing" in each.id]  # type: ignore[arg-type]
            assert len(found) == most


def passed_on(depth: str) -> list[tuple[Scenario, Exchange, Exchange]]:
    """The cases of the platform in which a simulated administration answers in an unusual way, with both exchanges."""
    return [
        (each, outer, inner)
        for each in derive(PACK, "platform", depth)  # type: ignore[arg-type]
        for outer in exchanges(each.steps)
        for inner in outer.during
        if inner.answer_defect or inner.answer_variation
    ]


def test_no_demand_on_answers_is_left_out_for_any_message_that_is_passed_on() -> None:
    told = {each.told for each in PACK.defects.values() if each.told} | {"ETIR-ANS-VALID"}
    for message in (each.send for each in PACK.reactions if each.forward):
        broken = [each for each, _, inner in passed_on("full") if inner.message == message and inner.answer_defect]
        assert {name for each in broken for name in each.bearers["platform"].requirements} == told
    defects = {each.id for each in PACK.defects.values() if each.told}
    every = [inner.answer_defect for _, _, inner in passed_on("exhaustive") if inner.answer_defect in defects]
    assert defects <= {inner.answer_defect for _, _, inner in passed_on("full")}
    assert Counter(every) == dict.fromkeys(defects, sum(each.forward for each in PACK.reactions))


def test_who_passes_on_must_not_tell_an_acceptance_that_it_cannot_believe() -> None:
    for each, outer, inner in passed_on("full"):
        (probe,) = [step for step in each.steps if isinstance(step, Probe)]
        (held,) = PACK.rules_by_message[outer.message].effects.values()
        told = Outcome("accepted") in outer.expectation.expect
        assert told == (inner.answer_variation is not None) == (held in probe.states), each.id
        assert probe.party == inner.sender == outer.receiver == "platform"


def test_nothing_is_derived_for_what_is_passed_on_where_the_pack_does_not_say_how_it_ends_unanswered() -> None:
    silent = replace(PACK, reactions=tuple(replace(each, unanswered=None) for each in PACK.reactions))
    assert not [each for each in sent_by(silent, "platform") if each.inside]
    assert [each.inside.message for each in sent_by(PACK, "platform") if each.inside] == ["E9", "E11", "E13"]


def test_cases_of_one_answer_in_several_settings_have_ids_of_their_own() -> None:
    first = next(each for each in PACK.reactions if each.unanswered)
    again = replace(first, id="forward-to-transit", to="customs.transit")
    own = replace(first, id="forward-note", send="I15", forward=False)
    shared = {"E11": replace(PACK.messages["E11"], answer="E10")}
    pack = replace(PACK, reactions=(*PACK.reactions, again, own), messages={**PACK.messages, **shared})
    marks = {"platform": ["", "", "", "-forward-amendment", "", "-forward-to-transit", "-forward-note"]}
    for seat, expected in (marks | {"holder": ["", "-E11", ""]}).items():
        assert [each.mark for each in sent_by(pack, seat)] == expected
        assert not any(each.mark for each in sent_by(PACK, seat))
        found = [each.id for each in derive(pack, seat, "exhaustive")]
        assert len(set(found)) == len(found)
        assert any(each.endswith(expected[-1] or "-E11") for each in found)


def told(seat: str, depth: str) -> dict[str, Scenario]:
    return {each.id: each for each in derive(PACK, seat, depth) if each.group == "Refusals"}  # type: ignore[arg-type]


@pytest.mark.parametrize("seat", ["chain", "holder", "customs.departure", "customs.transit", "customs.destination"])
def test_a_sender_is_told_every_code_that_its_answers_may_carry(seat: str) -> None:
    """Each code once by default, from the table or from here; each with each answer on demand."""
    messages = [setting.step.message for setting in sent_by(PACK, seat) if any(watch(PACK, setting.step))]
    codes = {code for each in messages for code in PACK.refusals[PACK.messages[each].answer or ""].meanings}
    cells = [cell for each in messages for cell in PACK.rules_by_message[each].cells if cell.told and cell.refuse]
    full, exhaustive = told(seat, "full"), told(seat, "exhaustive")
    here = [each.rpartition("-")[2] for each in full]
    assert len(here) == len(set(here))
    assert {*here, *(cell.refuse.code for cell in cells if cell.refuse)} >= codes
    assert full.keys() < exhaustive.keys()
    assert len({each.rpartition("-")[0] for each in full}) > 1


def test_who_is_told_a_code_sends_a_correct_message_and_is_watched() -> None:
    found = told("customs.departure", "exhaustive")["refusal-I10-321"]
    assert (
        found.title
        == "Whoever is told 321 (Holder not authorised) in answer to a correct I9 (Start TIR operation) does not go on"
    )
    assert found.bearers["customs.departure"].requirements == ("ETIR-ANS-CODE",)
    *_, start = [step for step in found.steps if isinstance(step, Exchange)]
    assert (start.violation, start.expectation.expect) == (False, (Outcome("error", "321"),))
    assert [step.message for step in found.steps if isinstance(step, Quiet)] == ["I11"]


def test_a_code_that_may_mean_it_is_so_already_is_not_told() -> None:
    every = {each for seat in SEATS for each in told(seat, "exhaustive")}
    assert not {f"refusal-{each}" for each in ("E2-204", "E4-205", "I10-210", "I10-299", "I12-211", "I14-212")} & every


def test_the_case_of_an_answer_to_what_is_passed_on_carries_the_demands_of_the_reaction() -> None:
    found = next(each for each in cases("platform") if each.id == "defect-E12-delivery-closed@platform")
    (inner,) = [inner for step in exchanges(found.steps) for inner in step.during if inner.answer_defect]
    assert (inner.reaction, inner.requirement, inner.subject) == ("forward-amendment", "ETIR-E11-FORWARD", "departure")
    assert (found.negative, found.control) == (True, "lifecycle-E11-accepted@platform")


@pytest.mark.parametrize("role", PACK.roles)
def test_the_quick_cases_are_some_of_the_full_ones_and_touch_the_same_requirements(role: str) -> None:
    quick, full = cases(role, "quick"), cases(role)
    assert {each.id for each in quick} < {each.id for each in full}
    long = {each.id for each in load_scenarios(PACK) if each.depth == "full"}
    assert long
    assert not long & {each.scenario for each in quick}
    shown = Counter(
        (each.group, each.sut, each.requirements) for each in quick if each.derived_from and not each.is_control
    )
    assert set(shown.values()) == {1}
    assert {name for each in quick for name in each.requirements} == {
        name for each in full for name in each.requirements
    }


def test_objects_that_nothing_ties_together_do_not_multiply() -> None:
    pack = pack_named("ncts-p5")
    assert related(pack, "CD203C") == {"guarantee"}
    assert related(pack, "CD142C") == {"movement", "enquiry"}
    states = list(routes(pack, "departure", "CD203C"))
    assert [[step.message for step in route] for _, route in states] == [[], ["CD203C"], ["CD203C", "CD204C"]]


def test_a_pointer_to_an_attribute_may_be_written_in_several_ways() -> None:
    found = scenario("platform", "content-I7-attribute-value-Declaration.TotalGrossMassMeasure.unitCode")
    (broken,) = (step for step in found.steps if isinstance(step, Exchange) and step.defect)
    place = "/Declaration/TotalGrossMassMeasure"
    assert {each.pointer for each in broken.expectation.expect} == {f"{place}/@unitCode"}
    assert {each.pointer for each in broken.expectation.permitted} >= {place, f"{place}/unitCode"}
