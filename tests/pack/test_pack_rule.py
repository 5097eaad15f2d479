"""Rules, code lists and check digits: each fires on what is wrong and is silent on what is right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.message.document import parse
from harness.pack.checkdigit import (
    is_container_number,
    is_guarantee_reference_number,
    is_movement_reference_number,
)
from harness.pack.codelist import coded_violations
from harness.pack.model import Origin, Pack, Rule
from harness.pack.rule import rule_violations


def broken(pack: Pack, kind: str, parameters: dict[str, Any], text: str) -> list[str]:
    """Pointers at which a rule over an XML message is broken."""
    rule = Rule("R", ("notice",), kind, parameters, "The rule.", "M06", "NB-CONTENT", Origin("assumed", "test"))
    document = parse("xml", f"<m>{text}</m>".encode())
    breaches = list(rule_violations(replace(pack, rules={"R": rule}), "notice", document))
    assert all((each.code, each.requirement) == ("M06", "NB-CONTENT") for each in breaches)
    assert all(each.line == (None if "missing" in each.text else 1) for each in breaches)
    assert all(each.text.startswith("R: The rule. (") for each in breaches)
    return [each.pointer for each in breaches]


TYPE = {"decide": [{"if": {"t": "TIR"}, "then": {"n": "R"}}, {"then": {"n": "N"}}]}
INSIDE = {
    "each": "g[*]",
    "decide": [
        {"if": {"k": {"in": "transport-mode"}}, "then": {"m": "O", "c": "N"}},
        {"if": {"k": {"form": "V."}, "any": [{"m": {"present": True}}, {"/top": "1"}]}, "then": {"c": "R"}},
        {"then": {"m": {"above": "0"}, "c": {"least": "m"}}},
    ],
}


def only(test: dict[str, Any]) -> dict[str, Any]:
    return {"decide": [{"then": {"a": test}}]}


SUM = {"total": "t", "parts": "p[*]/n"}
IF = {"if": "a", "equals": "1", "then": "b/c"}
PARTS = "<p><n>0.1</n></p><p><n>0.2</n></p>"


@pytest.mark.parametrize(
    ("kind", "parameters", "text", "expected"),
    [
        ("condition", TYPE, "<t>TIR</t><n>1</n>", []),
        ("condition", TYPE, "<t>TIR</t>", ["/n"]),
        ("condition", TYPE, "<t>T1</t>", []),
        ("condition", TYPE, "<t>T1</t><n>1</n>", ["/n"]),
        ("condition", INSIDE, "<g><k>3</k></g><g><k>3</k><c>1</c></g>", ["/g[2]/c"]),
        ("condition", INSIDE, "<g><k>VQ</k><m>x</m></g>", ["/g/c"]),
        ("condition", INSIDE, "<top>1</top><g><k>VQ</k></g>", ["/g/c"]),
        ("condition", INSIDE, "<top>2</top><g><k>VQ</k></g>", []),
        ("condition", INSIDE, "<g><k>PK</k><m>2</m><c>1</c></g>", ["/g/c"]),
        ("condition", INSIDE, "<g><k>PK</k><m>2</m><c>2.0</c></g>", []),
        ("condition", INSIDE, "<g><k>PK</k><m>0</m></g>", ["/g/m"]),
        ("condition", only({"is": ["1", "2"], "last": 1}), "<a>91</a><a>93</a>", ["/a[2]"]),
        ("condition", only({"not": ["0"]}), "<a>0</a>", ["/a"]),
        ("condition", only({"not": ["0"]}), "<a>1</a>", []),
        ("condition", only({"same": "b", "first": 2}), "<a>DE01</a><b>DE99</b>", []),
        ("condition", only({"same": "b", "first": 2}), "<a>DE01</a><b>FR99</b>", ["/a"]),
        ("condition", only({"same": "b", "first": 2}), "<a>DE01</a>", []),
        ("condition", only({"most": "5"}), "<a>6</a><a>five</a>", ["/a[1]"]),
        ("condition", only({"check-digit": "mrn"}), "<a>23AT0000000000000J</a>", ["/a"]),
        ("condition", {"decide": [{"if": {"a": {"not": "1"}}, "then": {"b": "R"}}]}, "<a>2</a>", ["/b"]),
        ("condition", {"decide": [{"if": {"a": {"not": "1"}}, "then": {"b": "R"}}]}, "<a>1</a>", []),
        ("condition", {"decide": [{"if": {"a": {"not": "1"}}, "then": {"b": "R"}}]}, "<c/>", []),
        ("sequence", {"each": "g[*]", "path": "i[*]/n"}, "<g><i><n>1</n></i></g><g><i><n>1</n></i></g>", []),
        ("sequence", {"each": "g[*]", "path": "i[*]/n"}, "<g><i><n>1</n></i></g><g><i><n>2</n></i></g>", ["/g[2]/i/n"]),
        ("sum", {**SUM, "at_least": True}, "<t>0.4</t>" + PARTS, []),
        ("sum", {**SUM, "at_least": True}, "<t>0.2</t>" + PARTS, ["/t"]),
        ("sum", SUM, "<t>0.3</t>" + PARTS, []),
        ("sum", SUM, "<t>0.30</t>" + PARTS, []),
        ("sum", SUM, "<t>0.31</t>" + PARTS, ["/t"]),
        ("sum", {**SUM, "tolerance": "0.01"}, "<t>0.31</t>" + PARTS, []),
        ("sum", {**SUM, "tolerance": "0.01"}, "<t>0.3101</t>" + PARTS, ["/t"]),
        ("sum", SUM, "<t>x</t>" + PARTS, []),
        ("sum", SUM, "<t>NaN</t>" + PARTS, []),
        ("sum", SUM, "<t>1e999999999</t>" + PARTS, []),
        ("sum", SUM, PARTS, []),
        ("sum", SUM, "<t>1</t>", []),
        ("count", {"number": "n", "of": "p[*]"}, "<n>2</n><p/><p/>", []),
        ("count", {"number": "n", "of": "p[*]"}, "<n>3</n><p/><p/>", ["/n"]),
        ("count", {"number": "n", "of": "p[*]"}, "<n>0</n>", []),
        ("count", {"number": "n", "of": "p[*]"}, "<p/>", []),
        ("sequence", {"path": "p[*]/n"}, "<p><n>1</n></p><p><n>2</n></p>", []),
        ("sequence", {"path": "p[*]/n"}, "<p><n>1</n></p><p><n>3</n></p><p><n>2</n></p>", ["/p[2]/n"]),
        ("sequence", {"path": "p[*]/n"}, "", []),
        ("required-if", IF, "<a>1</a><b><c/></b>", []),
        ("required-if", IF, "<a>2</a>", []),
        ("required-if", IF, "<a>1</a>", ["/b/c"]),
        ("required-if", {"if": "a", "present": True, "then": "b[*]/c"}, "<a/>", ["/b/c"]),
        ("required-if", {"if": "a", "present": False, "then": "b"}, "<c/>", ["/b"]),
        ("required-if", {"if": "a", "present": False, "then": "b"}, "<a/>", []),
        ("forbidden-if", IF, "<a>1</a>", []),
        ("forbidden-if", IF, "<a>2</a><b><c/></b>", []),
        ("forbidden-if", IF, "<a>1</a><b><c/><c/></b>", ["/b/c[1]", "/b/c[2]"]),
        ("order", {"earlier": "e", "later": "l"}, "<e>20261123120000Z</e><l>20261123120000Z</l>", []),
        ("order", {"earlier": "e", "later": "l"}, "<e>20261123120001Z</e><l>20261123120000Z</l>", ["/l"]),
        ("order", {"earlier": "e", "later": "l"}, "<e>2026-11-23T13:00:00+01:00</e><l>20261123120000Z</l>", []),
        ("order", {"earlier": "e", "later": "l"}, "<e>2026-11-23T13:00:01+01:00</e><l>20261123120000Z</l>", ["/l"]),
        ("order", {"earlier": "e", "later": "l"}, "<e>20261124</e><l>2026-11-23</l>", ["/l"]),
        ("order", {"earlier": "e", "later": "l"}, "<e>20261124</e><l>20261123120000Z</l>", []),
        ("order", {"earlier": "e", "later": "l"}, "<e>tomorrow</e><l>2026-11-23</l>", []),
        ("distinct", {"path": "p[*]/n"}, "<p><n>1</n></p><p><n>2</n></p>", []),
        ("distinct", {"path": "p[*]/n"}, "<p><n>1</n></p><p><n>2</n></p><p><n>1</n></p>", ["/p[3]/n"]),
        ("check-digit", {"path": "c", "scheme": "iso6346"}, "<c>CSQU3054383</c>", []),
        ("check-digit", {"path": "c", "scheme": "iso6346"}, "<c>CSQU3054384</c>", ["/c"]),
        ("check-digit", {"path": "c", "scheme": "mrn"}, "<c>23GB0002460KDZ43J8</c>", []),
        ("check-digit", {"path": "c", "scheme": "mrn"}, "<c>23GB0002460KDZ43J9</c><c/>", ["/c[1]", "/c[2]"]),
    ],
)
def test_rules(pack: Pack, kind: str, parameters: dict[str, Any], text: str, expected: list[str]) -> None:
    assert broken(pack, kind, parameters, text) == expected


def test_a_rule_is_about_its_messages_only(pack: Pack) -> None:
    text = pack.messages["notice"].golden["accepted"].read_text().replace("18420.5", "18420.4")
    document = parse("json", text.encode())
    (breach,) = rule_violations(pack, "notice", document)
    assert (breach.code, breach.pointer, breach.requirement) == ("M06", "/consignment/grossMass", "NB-CONTENT-REFUSED")
    assert list(rule_violations(pack, "arrival", document)) == []


def test_codes_must_be_in_their_list(pack: Pack) -> None:
    text = pack.messages["notice"].golden["accepted"].read_text()
    assert list(coded_violations(pack, "notice", parse("json", text.encode()))) == []
    wrong = parse("json", text.replace('"mode": "3"', '"mode": "9"').encode())
    (breach,) = coded_violations(pack, "notice", wrong)
    assert (breach.code, breach.pointer) == ("M05", "/vehicle/mode")
    assert "Mode of transport" in breach.text
    assert list(coded_violations(pack, "arrival", wrong)) == []
    absent = parse("json", text.replace('"mode": "3"', '"weight": "3"').encode())
    assert list(coded_violations(pack, "notice", absent)) == []


@pytest.mark.parametrize("number", ["CSQU3054383", "MSKU6011672", "TGHU7599330"])
def test_container_numbers(number: str) -> None:
    assert is_container_number(number)
    assert not is_container_number(number[:-1] + str((int(number[-1]) + 1) % 10))
    assert not is_container_number(number.lower())
    assert not is_container_number(number + "0")
    assert not is_container_number("CSQX" + number[4:])


def test_movement_reference_numbers() -> None:
    assert is_movement_reference_number("24GB0002463CTPQVJ0")
    assert not is_movement_reference_number("24GB0002463CTPQVJ1")
    assert not is_movement_reference_number("24GB0002463CTPQVJ")
    assert not is_movement_reference_number("2\uff14GB0002463CTPQVJ0")


@pytest.mark.parametrize(
    ("when", "broken"), [("2025-01-20T23:59:59", True), ("2025-01-21T00:00:00", False), ("", True)]
)
def test_a_date_in_the_message_decides_whether_a_rule_holds(pack: Pack, when: str, broken: bool) -> None:
    """Whoever makes the message with another clock tests the other side of the date."""
    rule = Rule(
        "R", ("notice",), "condition", only({"form": ".{1,5}"}), "Short.", "M06", None, Origin("assumed", "test"),
        decisive="at", until="2025-01-21T00:00:00",
    )  # fmt: skip
    later = replace(rule, until=None, since="2025-01-21T00:00:00")
    document = parse("xml", f"<m><at>{when}</at><a>too long</a></m>".encode())
    assert bool(list(rule_violations(replace(pack, rules={"R": rule}), "notice", document))) is broken
    assert bool(list(rule_violations(replace(pack, rules={"R": later}), "notice", document))) is (
        not broken or not when
    )


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("24DE0000000000A14", True),
        ("26UZ000000000X773", True),
        ("24DE0000000000A14A000001", True),
        ("24DE0000000000A15", False),
        ("24DE0000000000A14A00001", False),
        ("x", False),
    ],
)
def test_guarantee_reference_numbers(text: str, right: bool) -> None:
    assert is_guarantee_reference_number(text) is right
