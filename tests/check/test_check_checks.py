"""Every check by itself: one message in which it fires, and the same message, right, in which it stays silent."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pack_kit import pack_named

from harness.check.dialogue import _shown
from harness.check.model import Dialogue, Finding, Subject
from harness.check.registry import CHECKS, broken_by, exercised, findings
from harness.evidence.conversation import Conversation
from harness.evidence.message import Opened, open_message
from harness.message.build import build
from harness.message.document import parse
from harness.message.envelope import make_fault, wrap
from harness.message.model import Binding, Values
from harness.pack.model import Pack
from harness.record.redact import MASK, redact_finding

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TYPE = {"content-type": "application/soap+xml; charset=utf-8"}


@pytest.fixture(scope="module")
def pack() -> Pack:
    return pack_named("etir-4.3")


def opened(pack: Pack, name: str, values: Values | None = None, extra: Binding | None = None) -> Opened:
    """The golden sample of a message with some values changed, in an envelope without a signature."""
    message = pack.messages[name]
    bindings = {**message.bindings, **({extra.name: extra} if extra else {})}
    document = build(parse("xml", message.golden["accepted"].read_bytes()), bindings, values or {})
    return open_message(pack, {"line": "POST / HTTP/1.1"}, wrap(document, "1.2"), at=NOW, trust=None)


def run(check: str, subject: Subject) -> list[Finding]:
    return list(CHECKS[check](subject))


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_every_check_is_silent_about_golden_samples(pack: Pack, check: str) -> None:
    for name in pack.messages:
        assert run(check, Subject(pack, opened(pack, name), (name,), TYPE)) == [], name


def test_a_message_of_another_kind_is_in_the_wrong_place(pack: Pack) -> None:
    (found,) = run("envelope", Subject(pack, opened(pack, "I9"), ("I11",)))
    assert found.code == "wrong-message"


def test_a_root_that_belongs_to_no_message_is_told(pack: Pack) -> None:
    data = wrap(parse("xml", b"<other xmlns='urn:x'/>"), "1.2")
    message = open_message(pack, {}, data, at=NOW, trust=None)
    (found,) = run("envelope", Subject(pack, message))
    assert (found.code, "{urn:x}other" in found.message) == ("unknown-message", True)


@pytest.mark.parametrize(("status", "codes"), [(200, ["fault-status"]), (500, [])])
def test_a_fault_comes_with_a_status_that_says_so(pack: Pack, status: int, codes: list[str]) -> None:
    head = {"line": f"HTTP/1.1 {status} X"}
    message = open_message(pack, head, make_fault("1.2", "Sender", "no"), at=NOW, trust=None, answer_to="I9")
    assert [found.code for found in run("envelope", Subject(pack, message))] == codes


@pytest.mark.parametrize(
    ("line", "complete", "code"),
    [
        ("PUT /customs.x/platform HTTP/1.1", True, "method"),
        ("POST /elsewhere HTTP/1.1", True, "address"),
        ("POST /platform HTTP/1.1", False, "incomplete"),
        ("POST /platform HTTP/1.1", True, None),
    ],
)
def test_what_http_says_must_agree(pack: Pack, line: str, complete: bool, code: str | None) -> None:
    subject = dialogue(pack, opened(pack, "I9"))._replace(line=line, complete=complete)
    assert [found.code for found in run("transport", subject)] == ([code] if code else [])


def test_an_acceptance_needs_a_status_of_success(pack: Pack) -> None:
    data = wrap(parse("xml", pack.messages["I10"].golden["accepted"].read_bytes()), "1.2")
    for status, codes in ((200, []), (500, ["status"])):
        line = f"HTTP/1.1 {status} X"
        message = open_message(pack, {"line": line}, data, at=NOW, trust=None, answer_to="I9")
        assert [found.code for found in run("transport", Subject(pack, message, (), TYPE, line))] == codes


def test_another_media_type_is_told(pack: Pack) -> None:
    (found,) = run("encoding", Subject(pack, opened(pack, "I9"), (), {"content-type": "text/html"}))
    assert found.code == "media-type"


def test_a_missing_field_has_the_code_and_the_pointer_of_the_pack(pack: Pack) -> None:
    (found,) = run("schema", Subject(pack, opened(pack, "I9", {"guarantee": None})))
    assert found.code == "101"
    assert found.pointer.endswith("ReferenceID")


def test_a_code_outside_its_list_is_told(pack: Pack) -> None:
    coded = next(each for each in pack.coded if each.codelist == "country")
    value = ["ZZ"] if "[*]" in coded.path else "ZZ"
    (found,) = run("codelist", Subject(pack, opened(pack, coded.message, {"x": value}, Binding("x", coded.path))))
    assert found.code == coded.code


def test_masses_that_do_not_add_up_break_a_rule(pack: Pack) -> None:
    rule = next(each for each in pack.rules.values() if each.kind == "sum")
    total = Binding("x", str(rule.parameters["total"]))
    found = run("rule", Subject(pack, opened(pack, rule.messages[0], {"x": "1"}, total)))
    assert [each.code for each in found] == [rule.code]


def dialogue(pack: Pack, message: Opened, **more: object) -> Subject:
    surroundings = Dialogue(
        "step", "request", "departure", Conversation(pack), pack.parties, "customs.departure", "platform", **more
    )  # type: ignore[arg-type]
    return Subject(pack, message, (), TYPE, dialogue=surroundings)


def test_content_that_changed_on_the_way_is_told(pack: Pack) -> None:
    original, changed = opened(pack, "E9"), opened(pack, "E9", {"holder": "UZB/999/000099"})
    assert run("relay", dialogue(pack, original, forwards=original)) == []
    (found,) = run("relay", dialogue(pack, changed, forwards=original))
    assert found.code == "holder"


def test_content_that_no_name_binds_must_not_change_either(pack: Pack) -> None:
    original = opened(pack, "E9")
    fresh = {"reference": "ANOTHER-1", "sent_at": "20261124000000Z"}
    assert run("relay", dialogue(pack, opened(pack, "E9", fresh), forwards=original)) == []
    place = "ObligationGuarantee/Principal/Name"
    assert place not in {binding.path for binding in pack.messages["E9"].bindings.values()}
    changed = opened(pack, "E9", {"x": "Somebody else"}, Binding("x", place))
    (found,) = run("relay", dialogue(pack, changed, forwards=original))
    assert (found.code, found.pointer) == ("content", f"/{place}")


def test_a_number_may_be_written_otherwise_and_a_text_may_not(pack: Pack) -> None:
    original = opened(pack, "E9")
    padded = opened(pack, "E9", {"x": "01"}, Binding("x", "Consignment/Itinerary[1]/SequenceNumeric"))
    assert run("relay", dialogue(pack, padded, forwards=original)) == []
    other = opened(pack, "E9", {"x": "02"}, Binding("x", "Consignment/Itinerary[1]/SequenceNumeric"))
    assert len(run("relay", dialogue(pack, other, forwards=original))) == 1
    name = opened(pack, "E9", {"x": "01"}, Binding("x", "ObligationGuarantee/Principal/Name"))
    short = opened(pack, "E9", {"x": "1"}, Binding("x", "ObligationGuarantee/Principal/Name"))
    assert len(run("relay", dialogue(pack, short, forwards=name))) == 1


def test_the_answer_to_a_forwarded_message_is_not_compared_with_it(pack: Pack) -> None:
    subject = dialogue(pack, opened(pack, "E10"), forwards=opened(pack, "E9"))
    assert subject.dialogue is not None
    assert run("relay", subject._replace(dialogue=subject.dialogue._replace(part="answer"))) == []


def test_content_that_was_left_out_or_added_is_told(pack: Pack) -> None:
    original, without = opened(pack, "E9"), opened(pack, "E9", {"consignor": None, "vehicle": None})
    assert original.document is not None
    assert without.document is not None
    assert len(list(without.document.walk())) < len(list(original.document.walk()))
    lost = run("relay", dialogue(pack, without, forwards=original))
    added = run("relay", dialogue(pack, original, forwards=without))
    assert lost
    assert len(lost) == len(added) <= 5
    assert all("without it" in found.message for found in lost)


def test_a_value_that_the_conversation_knows_otherwise_is_told(pack: Pack) -> None:
    first = opened(pack, "I1")
    heard = Conversation(pack).heard("I1", "request", "customs.departure", first, subject="departure")
    later = opened(pack, "I9", {"guarantee": "XC25999999"})
    for message, codes in ((opened(pack, "I9"), []), (later, ["guarantee"])):
        subject = Subject(
            pack, message, (), TYPE, dialogue=
            Dialogue("I9", "request", "departure", heard, pack.parties, "customs.departure", "platform"),
        )  # fmt: skip
        assert [found.code for found in run("consistency", subject)] == codes


def test_what_a_finding_quotes_can_be_read_and_masked(pack: Pack) -> None:
    def said(message: str, **values: Any) -> str:
        before = Conversation(pack).heard("I1", "request", "customs.departure", opened(pack, message), subject="x")
        later = opened(pack, message, values)
        about = Dialogue("I", "request", "x", before, pack.parties, "customs.departure", "platform")
        (found,) = run("consistency", Subject(pack, later, (), TYPE, dialogue=about))
        return redact_finding(found.message, found.pointer, [found.pointer])

    route = opened(pack, "I7").values["itinerary"]
    assert isinstance(route, list)
    shown = said("I7", itinerary=route[:1])
    assert shown.startswith(f"countries of the route: here '{MASK}'; the conversation knows '{MASK}', '{MASK}'")
    assert said("I7", guarantee="XC2'5").endswith(f"here '{MASK}'; the conversation knows '{MASK}'")
    assert _shown("it's") == "'it`s'"
    assert _shown([{"a": "1", "b": None}, {"a": "2"}]) == "a '1' b nothing, a '2'"
    assert _shown(["x" * 200, *"123456789"]).endswith(", ...")


OLD, NEW = ["UZ0048213", "UZ0048214"], ["TM0071155", "TM0071156"]


@pytest.mark.parametrize(
    ("step", "seals", "changes", "later", "text"),
    [
        ("I9.2", NEW, (), (), None),
        ("I9.2", OLD, (), (), "the conversation knows"),
        ("late", OLD, (), ("I11", "I9.2"), None),
        ("late", ["TM0000001"], (), ("I11", "I9.2"), "the conversation knows"),
        ("I11.2", NEW, ("seals",), (), "it was to be changed"),
        ("I11.2", OLD, ("seals",), (), None),
    ],
)
def test_what_a_step_has_changed_is_said_anew_from_then_on(
    pack: Pack, step: str, seals: list[str], changes: tuple[str, ...], later: tuple[str, ...], text: str | None
) -> None:
    sender = "customs.departure"
    heard = Conversation(pack).heard("I7", "request", sender, opened(pack, "I7", {"seals": OLD}), subject="departure")
    changed = opened(pack, "I11", {"seals": NEW})
    own = frozenset({"seals"})
    heard = heard.heard("I11", "request", sender, changed, subject="departure", own=own, changes=own)
    assert (heard.known("seals", "departure"), heard.before("seals", None, "", ["I11"])) == (NEW, (OLD,))
    named = frozenset(changes)
    about = Dialogue(
        step, "request", "departure", heard, pack.parties, sender, "platform",
        own=named, changes=named, later=frozenset(later),
    )  # fmt: skip
    found = run("consistency", Subject(pack, opened(pack, "I11", {"seals": seals}), (), TYPE, dialogue=about))
    assert [each.code for each in found] == (["seals"] if text else [])
    assert all(text in each.message for each in found if text)


def test_a_finding_finds_the_requirement_that_names_it_most_exactly(pack: Pack) -> None:
    exact = next(broken_by(pack, Finding("correlation", "reference-reused", ""), "customs", "I9"))
    assert exact.id == "ETIR-REF-UNIQUE"
    assert next(broken_by(pack, Finding("no-such-check", "x", ""), "customs", "I9"), None) is None


def test_what_no_requirement_names_stays_a_finding(pack: Pack) -> None:
    message = opened(pack, "I9", {"guarantee": None})
    subject = Subject(pack, message, ("I11",))
    named = findings(subject, "customs", ("schema", "envelope"))
    assert {found.check for found in named} == {"schema", "envelope"}
    assert any(found.requirement for found in named)


def test_checks_exercise_requirements_of_the_sender_only(pack: Pack) -> None:
    for role, message in (("customs", "I9"), ("platform", "I10")):
        touched: frozenset[str] = exercised(pack, role, message)
        assert touched
        assert {pack.requirements[name].bearer for name in touched} <= {role, "any"}


def test_who_signs_is_tested_only_where_the_certificates_are_known(pack: Pack) -> None:
    known, unknown = exercised(pack, "customs", "I9", signers=True), exercised(pack, "customs", "I9")
    assert known - unknown == {"ETIR-SEC-SIGNER"}
    assert unknown - known == {"ETIR-SEC-SIGNER-STEADY"}


def test_the_registry_names_every_check_once(pack: Pack) -> None:
    functions: list[Callable[..., object]] = list(CHECKS.values())
    assert len(set(functions)) == len(functions)


@pytest.mark.parametrize(
    ("name", "refers_to", "code"),
    [
        ("arrival", None, None),
        ("arrival", "ANY", "forbidden-reference"),
        ("query-result", None, "no-reference"),
        ("query-result", "Q-1", None),
        ("query-result", "Q-2", "wrong-reference"),
        ("record", None, None),
        ("record", "Q-1", None),
        ("record", "Q-2", "wrong-reference"),
    ],
)
def test_a_message_refers_to_another_as_its_kind_demands(name: str, refers_to: str | None, code: str | None) -> None:
    letters = pack_named("letters")

    def letter(kind: str, changed: dict[str, str | None]) -> Opened:
        message = letters.messages[kind]
        content = json.loads(message.golden["accepted"].read_bytes()) | changed
        data = json.dumps({name: value for name, value in content.items() if value is not None}).encode()
        return open_message(letters, {"line": f"POST /x/{message.target} HTTP/1.1"}, data, at=NOW, trust=None)

    sender = "customs.import" if name == "arrival" else "customs.export"
    said = Conversation(letters).heard(
        "query", "request", "customs.import", letter("query", {"reference": "Q-1"}), subject=None
    )
    around = Dialogue(name, "request", None, said, letters.parties, sender, "customs")
    subject = Subject(letters, letter(name, {"refersTo": refers_to}), (name,), dialogue=around)
    assert [found.code for found in run("correlation", subject)] == ([code] if code else [])
