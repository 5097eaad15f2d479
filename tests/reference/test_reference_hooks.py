"""Hook points: a fault changes what it says, where it says, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.errors import ConfigurationFault
from harness.message.structure import STRUCTURES
from harness.pack.fault import Fault
from harness.pack.model import Outcome, Pack
from harness.reference.hooks import Hooks
from harness.reference.points import POINTS

REFUSED = Outcome("error", "220", "/")


def hooks(hook: str, **parameters: Any) -> Hooks:
    return Hooks([Fault("f", "platform", "", "R", hook, parameters)])


CASES: list[tuple[str, dict[str, Any], Callable[[Hooks], Any], Any, Any]] = [
    # point, parameters, question, answer without the fault, answer with it
    (
        "accept-signature",
        {"problem": "certificate/*"},
        lambda h: h.accepts_problem(message="I9", problem="certificate/expired"),
        False,
        True,
    ),
    ("accept-schema", {"kind": "missing"}, lambda h: h.accepts_violation(message="I9", kind="missing"), False, True),
    ("accept-rule", {"code": "306"}, lambda h: h.accepts_breach(message="I9", code="306"), False, True),
    ("duplicate", {"as": "proceed"}, lambda h: h.duplicate(REFUSED, message="I9"), REFUSED, None),
    (
        "guard",
        {"object": "declaration", "as": "proceed"},
        lambda h: h.guard(REFUSED, message="I9", object="declaration", state="absent"),
        REFUSED,
        None,
    ),
    (
        "guard",
        {"as": {"error": "210", "pointer": "/A"}},
        lambda h: h.guard(None, message="I9", object="declaration", state="absent"),
        None,
        Outcome("error", "210", "/A"),
    ),
    ("match", {"as": "320"}, lambda h: h.match(None, message="I9", value="holder"), None, Outcome("error", "320", "/")),
    (
        "refuse",
        {"as": {"error": "92", "by": "I10"}},
        lambda h: h.refuse(message="I9"),
        None,
        Outcome("error", "92", "/", "I10"),
    ),
    ("effect", {"as": "none"}, lambda h: h.effect("started", message="I9", object="operation"), "started", None),
    ("effect", {"as": "ended"}, lambda h: h.effect("started", message="I9", object="operation"), "started", "ended"),
    ("error-code", {"code": "220", "as": "300"}, lambda h: h.error_code("220", message=("I9", "I10")), "220", "300"),
    (
        "error-pointer",
        {"as": "/X"},
        lambda h: h.error_pointer("/", message=("I9", "I10"), code="220"),
        "/",
        "/X",
    ),
    ("correlation", {"as": "other"}, lambda h: h.correlation("R1", message=("I9", "I10")), "R1", "other"),
    ("correlation", {"as": "none"}, lambda h: h.correlation("R1", message=("I9", "I10")), "R1", None),
    ("correlation", {"as": "ignore"}, lambda h: h.correlation("R1", message=("I9", "I10")), "R1", "R1"),
    ("correlation", {"as": "ignore"}, lambda h: h.ignores_correlation(message=("I9", "I10")), False, True),
    (
        "build",
        {"set": {"seals": None}},
        lambda h: h.build({"a": "1", "seals": ["S"]}, message="I9"),
        {"a": "1", "seals": ["S"]},
        {"a": "1", "seals": None},
    ),
    ("sign", {"defect": "signature/missing"}, lambda h: h.sign(message="I9"), None, "signature/missing"),
    ("notify", {"as": "none"}, lambda h: h.notify(("a",), reaction="r", message="I15", others=("b",)), ("a",), ()),
    (
        "notify",
        {"as": "twice"},
        lambda h: h.notify(("a",), reaction="r", message="I15", others=("b",)),
        ("a",),
        ("a", "a"),
    ),
    (
        "notify",
        {"as": "wrong-party"},
        lambda h: h.notify(("a",), reaction="r", message="I15", others=("b",)),
        ("a",),
        ("b",),
    ),
    ("after-refusal", {"as": "proceed"}, lambda h: h.proceeds(message=("I9", "I10"), code=("220",)), False, True),
    ("delay", {"seconds": 3}, lambda h: h.delay(message="I9"), 0.0, 3.0),
    ("answer", {"as": "html"}, lambda h: h.answer(message=("I9", "I10")), None, "html"),
    ("state", {"as": "none"}, lambda h: h.state("started", object="operation"), "started", "none"),
    ("read", {"as": "lenient"}, lambda h: h.reads_leniently, False, True),
    ("scan", {"text": "<m:", "as": "forbidden"}, lambda h: h.finds_unreadable({}, b"<m:I9>"), "", "'<m:' is forbidden"),
    ("scan", {"text": "<m:", "as": "needed"}, lambda h: h.finds_unreadable({}, b"<I9>"), "", "'<m:' is needed"),
    ("scan", {"text": "<m:", "as": "needed"}, lambda h: h.finds_unreadable({}, b"<m:I9>"), "", ""),
    (
        "scan",
        {"text": "content-length: ", "as": "needed"},
        lambda h: h.finds_unreadable({"transfer-encoding": "chunked"}, b"<I9>"),
        "",
        "'content-length: ' is needed",
    ),
    (
        "scan",
        {"text": "content-length: ", "as": "needed"},
        lambda h: h.finds_unreadable({"content-length": "4"}, b"<I9>"),
        "",
        "",
    ),
    ("turn-away", {"as": "close"}, lambda h: h.turn_away(), "fault", "close"),
    ("pause", {"seconds": 0.5}, lambda h: h.pause(message="I9"), 0.0, 0.5),
    ("errors", {"before": ["200"]}, lambda h: h.errors_before(message=("I9", "I10"), code="220"), (), ("200",)),
    ("text", {"path": "*/Name", "as": "upper-case"}, lambda h: h.text("a", message="I9", path="X/Name"), "a", "A"),
    ("structure", {"as": "twice"}, lambda h: h.structure(message="I9", path="X"), None, STRUCTURES["twice"]),
    (
        "tolerance",
        {"problem": "*/stale", "seconds": 60},
        lambda h: h.tolerance(problem="timestamp/stale"),
        None,
        60.0,
    ),
    ("clock", {"seconds": -90}, lambda h: h.clock(message="I9"), 0.0, -90.0),
    ("wire", {"as": "bom"}, lambda h: h.wire(b"<a/>", message="I9"), b"<a/>", b"\xef\xbb\xbf<a/>"),
    (
        "headers",
        {"set": {"content-TYPE": "x/y", "B": None}},
        lambda h: h.headers({"Content-Type": "a/b", "B": "c"}, message="I9"),
        {"Content-Type": "a/b", "B": "c"},
        {"content-TYPE": "x/y"},
    ),
    ("repeat", {"after": "broken", "as": "same"}, lambda h: h.repeat(message="I9", after="broken"), None, "same"),
    (
        "notify",
        {"as": "everybody"},
        lambda h: h.notify(("a",), reaction="r", message="I15", others=("b",)),
        ("a",),
        ("a", "b"),
    ),
    ("object-key", {"without": "country"}, lambda h: h.key_without(object="operation"), None, "country"),
    (
        "memory",
        {"as": "last"},
        lambda h: h.memory({"a": "1"}, message="I9", last={"a": "2"}),
        {"a": "1"},
        {"a": "2"},
    ),
    ("restart", {"lost": "all"}, lambda h: h.restart(message="I9"), None, "all"),
]


@pytest.mark.parametrize(("point", "parameters", "ask", "right", "wrong"), CASES)
def test_a_fault_replaces_the_default(
    point: str, parameters: dict[str, Any], ask: Callable[[Hooks], Any], right: Any, wrong: Any
) -> None:
    assert ask(Hooks()) == right
    assert ask(hooks(point, **parameters)) == wrong


@pytest.mark.parametrize(("point", "parameters", "ask", "right", "_"), [case for case in CASES if POINTS[case[0]][0]])
def test_it_fits_only_where_its_parameters_agree(
    point: str, parameters: dict[str, Any], ask: Callable[[Hooks], Any], right: Any, _: Any
) -> None:
    fact = next(each for each in ("message", "object", "problem") if each in POINTS[point][0])
    assert ask(hooks(point, **{**parameters, fact: "another"})) == right


def test_every_point_is_tried() -> None:
    asked_elsewhere = {"key"}  # by whoever makes the keys
    assert {case[0] for case in CASES} | asked_elsewhere == set(POINTS)


def test_the_name_of_request_or_answer_will_do() -> None:
    for name in ("I9", "I10"):
        assert hooks("answer", message=name, **{"as": "close"}).answer(message=("I9", "I10")) == "close"


@pytest.mark.parametrize(
    ("hook", "parameters", "says"),
    [
        ("gard", {"as": "proceed"}, "hook point 'gard'"),
        ("guard", {"as": "proceed", "mesage": "I9"}, "mesage"),
        ("guard", {"message": "I9"}, "Expected: as"),
        ("notify", {"as": "never"}, "none, twice, wrong-party, everybody"),
        ("guard", {"as": {"code": "210"}}, "proceed, or an error"),
    ],
)
def test_a_wrong_fault_is_refused(hook: str, parameters: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationFault, match=says):
        hooks(hook, **parameters)


def test_the_faults_of_the_packs_fit_the_hooks(neighbours: Pack, etir: Pack) -> None:
    Hooks(neighbours.faults.values())
    Hooks(etir.faults.values())
