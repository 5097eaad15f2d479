from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_kit import pack_named

from harness.evidence.conversation import Conversation
from harness.evidence.message import Opened
from harness.exchange.compose import compose_answer, compose_request, demand_correct, misled, order_parameters
from harness.exchange.data import NoDataError, make_data, number_after
from harness.message.binding import read
from harness.message.build import build
from harness.pack.model import Outcome
from harness.scenario.model import FromPool
from harness.scenario.plan import Parameters, Subject, make_plan
from harness.scenario.project import exchanges

NOW = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
PACK = pack_named("neighbours")


def cases(position):
    return make_plan(PACK, Subject("customs", (position,)), Parameters()).cases


def own(message, document):
    return Opened(message.name, "request", document, read(document, message.bindings))


def first(case, **options):
    return next(exchanges(case.steps)), data_of(case, **options)


def data_of(case, *, serial=0, seed=0, token="AB12", draw=lambda pool, name, serial: "NB-CARRIER-02"):
    return make_data(PACK, case, seed=seed, serial=serial, token=token, now=NOW, draw=draw)


@given(st.sampled_from(["##", "#@", "A-#@", "@"]), st.text(max_size=5))
def test_every_number_has_a_text_of_its_own(pattern, salt):
    capacity = {"##": 100, "#@": 260, "A-#@": 260, "@": 26}[pattern]
    made = [number_after(pattern, salt, number) for number in range(capacity)]
    assert len(set(made)) == capacity
    with pytest.raises(NoDataError, match=f"All {capacity}"):
        number_after(pattern, salt, capacity)


@given(st.integers(0, 10**8 - 1), st.integers())
def test_numbers_fit_their_pattern(number, seed):
    made = number_after("XC-####@#", str(seed), number % (10**5 * 26))
    assert made.startswith("XC-")
    assert made[3:7].isdigit()
    assert made[7].isalpha()


def test_the_order_depends_on_the_seed():
    assert [number_after("####", "1", number) for number in range(5)] != [
        number_after("####", "2", number) for number in range(5)
    ]


def test_data_follow_from_seed_and_serial():
    case = cases("import")[0]
    assert data_of(case).values == data_of(case).values
    assert data_of(case).values["consignment", None, ""] != data_of(case, serial=1).values["consignment", None, ""]
    assert data_of(case).values["consignment", None, ""] != data_of(case, seed=1).values["consignment", None, ""]
    assert data_of(case).to_json()["mode"] == "3"


def test_references_carry_the_token_and_are_unique():
    case = cases("import")[0]
    made = {
        data_of(case, serial=serial).reference(step.id, part)
        for serial in range(3)
        for step in exchanges(case.steps)
        for part in ("request", "answer")
    }
    assert len(made) == 6 * len(list(exchanges(case.steps)))
    long = data_of(case, token="0123456789abcdef" * 4, serial=123456).reference(
        next(exchanges(case.steps)).id, "answer"
    )
    assert long == f"{hashlib.sha256(b'0123456789abcdef' * 4).hexdigest()[:16]}-123456-1A"
    assert len(long) <= 35  # an..35, the length of identifiers in customs data models


def test_an_empty_pool_is_told():
    def draw(pool, name, serial):
        raise NoDataError("The pool is empty.")

    with pytest.raises(NoDataError):
        data_of(cases("import")[0], draw=draw)


def test_a_request_is_the_golden_sample_with_values_set():
    step, data = first(cases("import")[0])
    composed = compose_request(data, Conversation(PACK), step, NOW)
    demand_correct(PACK, composed)
    document = composed.document
    assert document.texts("sentAt") == ["2020-01-02T03:04:05Z"]
    assert document.texts("sender") == ["XA-CUSTOMS"]
    assert document.texts("reference") == ["AB12-0-1R"]
    assert document.texts("consignment/number") == [data.values["consignment", None, ""]]
    assert document.texts("carrier") == ["NB-CARRIER-02"]


def test_what_was_said_first_wins_over_what_is_made():
    step, data = first(cases("import")[0])
    request = compose_request(data, Conversation(PACK), step, NOW)
    heard = Conversation(PACK).heard(
        step.id, "request", step.sender, own(request.message, request.document), subject=None
    )
    later = compose_request(data_of(data.case, serial=7), heard, replace(step, values={"plate": "NEW-1"}), NOW)
    assert later.document.texts("consignment/number") == request.document.texts("consignment/number")
    assert later.document.texts("vehicle/plate") == ["NEW-1"]


def test_a_step_takes_values_from_a_pool_and_removes_them():
    case = cases("import")[0]
    step = replace(next(exchanges(case.steps)), values={"carrier": FromPool("carriers"), "seals": None})
    case = replace(case, steps=(step,))
    data = data_of(case, draw=lambda pool, name, serial: f"{pool}/{name}")
    document = compose_request(data, Conversation(PACK), step, NOW).document
    assert document.texts("carrier") == ["carriers/carrier"]
    assert document.texts("seals[*]") == []


def test_an_answer_replies_to_its_request():
    step, data = first(cases("export")[0])
    request = own(PACK.messages[step.message], compose_request(data, Conversation(PACK), step, NOW).document)
    accepted = compose_answer(data, Conversation(PACK), step, request, Outcome("accepted"), NOW)
    demand_correct(PACK, accepted)
    assert accepted.document.texts("inReplyTo") == [request.text("reference")]
    assert accepted.document.texts("sender") == ["XB-CUSTOMS"]
    refused = compose_answer(data, Conversation(PACK), step, request, Outcome("error", "L01", "/consignment"), NOW)
    demand_correct(PACK, refused)
    assert refused.document.texts("errors[*]/code") == ["L01"]
    assert refused.document.texts("errors[*]/pointer") == ["/consignment"]


def test_a_sut_is_told_what_others_own_and_what_was_said():
    step, data = first(cases("export")[0])
    assert "consignment" not in order_parameters(data, Conversation(PACK), step)
    request = own(PACK.messages[step.message], compose_request(data, Conversation(PACK), step, NOW).document)
    heard = Conversation(PACK).heard(step.id, "request", step.sender, request, subject=None)
    told = order_parameters(data, heard, step)
    assert told["consignment"] == request.values["consignment"]
    assert "reference" not in told


def test_who_said_something_wrong_misleads():
    step, data = first(cases("import")[0])
    composed = compose_request(data, Conversation(PACK), step, NOW)
    right = own(composed.message, composed.document)
    broken = own(composed.message, build(composed.document, composed.message.bindings, {"consignment": None}))
    for opened, expected in ((right, False), (broken, True)):
        said = Conversation(PACK).heard(step.id, "request", step.sender, opened, subject=None)
        assert misled(PACK, said, step.sender) is expected
        assert not misled(PACK, said, step.receiver)


def test_an_entry_of_a_pool_is_the_only_one_of_a_list():
    pack = pack_named("etir-4.3")
    case = next(
        case for case in make_plan(pack, Subject("platform"), Parameters()).cases if "unknown-office" in case.id
    )
    data = make_data(pack, case, seed=0, serial=0, token="", now=NOW, draw=lambda pool, name, serial: f"{pool} {name}")
    assert data.given(next(exchanges(case.steps)), "offices", {}) == ["unknown_offices offices"]
