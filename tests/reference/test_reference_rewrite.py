"""What is sent, written otherwise: every spelling, arrangement and handling does what it says, and what it can."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from harness.errors import ConfigurationFault, MalformedInput
from harness.message.handling import HANDLINGS
from harness.message.json import JsonDocument
from harness.message.xml import XmlDocument, parse_xml
from harness.pack.fault import Fault
from harness.reference.hooks import Hooks
from harness.reference.rewrite import mended, rewritten
from harness.reference.spelling import SPELLINGS

XML = b'<m xmlns="urn:x"><a formatCode="304">20261125080000Z</a><b><name>\xd0\xa2\xd0\xbe</name></b><c>7.50</c></m>'
SIGNED = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope '
    b'xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:wsse="urn:s" xmlns:wsu="urn:u" xmlns:ds="urn:d">'
    b'<env:Header><wsse:Security env:mustUnderstand="true"><wsse:BinarySecurityToken>AA</wsse:BinarySecurityToken>'
    b"<wsu:Timestamp>T</wsu:Timestamp><ds:Signature Id='s'>S</ds:Signature></wsse:Security></env:Header>"
    b'<env:Body wsu:Id="b"><m formatCode="304"><n>\xc2\xabSilk\xc2\xbb</n><o></o></m></env:Body></env:Envelope>'
)
BREAKS = {"entities", "wrong-encoding", "cut"}
OTHER_CONTENT = {
    "indented",
    "prefix-rewritten",
    "defaults-removed",
    "second-body",
    "other-soap",
    "bare",
    "another-block",
}
OTHER_CONTENT |= {"timestamp-first", "signature-first", "token-last", "spaced-header", "one-line"}


def hooks(hook: str, **parameters: Any) -> Hooks:
    return Hooks([Fault("f", "platform", "", "R", hook, parameters)])


@pytest.mark.parametrize(
    ("name", "text", "spelt"),
    [
        ("upper-case", "xəzər", "XƏZƏR"),
        ("padded", "a", "a   "),
        ("four-times", "ab", "abababab"),
        ("first-10", "0123456789ab", "0123456789"),
        ("first-word", "one two", "one"),
        ("code-page", "Бакы", "Ð\x91Ð°ÐºÑ\x8b"),
        ("question-marks", "xəzər", "x?z?r"),
        ("without-marks", "Neftçilər", "Neftcilər"),
        ("decomposed", "ç", "c\u0327"),
        ("backwards", "ABC", "CBA"),
        ("escaped-twice", "ə", "&#601;"),
        ("decimal-comma", "7.50", "7,50"),
        ("thousands", "7.5", "7500.0"),
        ("whole", "7.50", "8"),
        ("whole", "no number", "no number"),
        ("one-more", "1", "2"),
        ("one-less", "1", "0"),
        ("more-decimals", "7.5", "7.50"),
        ("fewer-decimals", "7.50", "7.5"),
        ("fewer-decimals", "750", "750"),
        ("leading-zero", "1", "01"),
        ("no-leading-zeros", "007", "7"),
        ("digits-only", "OP-12", "12"),
        ("no-zone", "20261125080000Z", "20261125130000"),
        ("date-only", "20261125080000Z", "20261125"),
        ("iso-8601", "20261125080000Z", "2026-11-25T08:00:00Z"),
        ("zone-east", "20261125080000Z", "20261125130000+05"),
        ("zone-colon", "20261125220000Z", "20261126020000+04:00"),
        ("zone-west", "20261125080000Z", "20261125050000-0300"),
        ("zone-west", "no time", "no time"),
    ],
)
def test_a_spelling(name: str, text: str, spelt: str) -> None:
    assert SPELLINGS[name](text) == spelt


def test_a_text_is_spelt_otherwise_where_the_path_fits_and_nowhere_else() -> None:
    document = parse_xml(XML)
    changed = rewritten(document, hooks("text", path="b/*", **{"as": "question-marks"}), "I9")
    assert (changed.texts("b/name"), changed.texts("c")) == (["??"], ["7.50"])
    assert document.texts("b/name") == ["\u0422\u043e"], "the one that came in stays"


def test_json_is_spelt_otherwise_too() -> None:
    document = JsonDocument({"a": {"b": ["x", "y"]}, "c": 1})
    changed = rewritten(document, hooks("text", path="a/b", **{"as": "upper-case"}), "start")
    assert isinstance(changed, JsonDocument)
    assert changed.value == {"a": {"b": ["X", "Y"]}, "c": 1}


def test_without_a_switch_nothing_is_copied() -> None:
    document = parse_xml(XML)
    assert rewritten(document, Hooks(), "I9") is document


PLACE = {
    "/": (
        "without-namespace",
        "other-namespace",
        "with-stranger",
        "with-attribute",
        "comment",
        "instruction",
        "prefixed",
    ),
    "a": ("swapped", "cdata", "comment-in-text", "without-attributes"),
    "b": ("emptied", "removed", "twice", "spacious"),
}


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in PLACE.items() for name in names])
def test_an_arrangement_changes_the_bytes(path: str, name: str) -> None:
    changed = rewritten(parse_xml(XML), hooks("structure", path=path, **{"as": name}), "I9")
    assert changed.to_bytes() != parse_xml(XML).to_bytes()
    parse_xml(changed.to_bytes())


def test_the_namespace_can_be_lost() -> None:
    changed = parse_xml(
        rewritten(parse_xml(XML), hooks("structure", path="/", **{"as": "without-namespace"}), "I9").to_bytes()
    )
    assert {each.tag for each in changed.element.iter()} == {"m", "a", "b", "name", "c"}


def test_an_element_can_be_called_otherwise() -> None:
    upper = parse_xml(b"<M><Name>x</Name></M>")
    assert (
        rewritten(upper, hooks("structure", path="Name", **{"as": "renamed"}), "I9").to_bytes()
        == b"<M><name>x</name></M>"
    )


@pytest.mark.parametrize(
    ("name", "path"),
    [(name, "*") for name in ("comment", "comment-in-text", "instruction", "cdata", "compact", "spacious")]
    + [("prefixed", "/"), ("with-spare-declaration", "*")],
)
def test_a_legal_arrangement_says_the_same(name: str, path: str) -> None:
    changed = rewritten(parse_xml(XML), hooks("structure", path=path, **{"as": name}), "I9")
    again = parse_xml(changed.to_bytes())
    for path in ("a", "a/@formatCode", "b/name", "c"):
        assert again.texts(path) == parse_xml(XML).texts(path)


@pytest.mark.parametrize("name", HANDLINGS)
def test_a_handling_does_what_it_says(name: str) -> None:
    data = HANDLINGS[name](SIGNED)
    if name not in ("one-line",):
        assert data != SIGNED
    if name in BREAKS:
        with pytest.raises(MalformedInput):
            parse_xml(data)
    elif name not in OTHER_CONTENT:
        assert canonical(parse_xml(data)) == canonical(parse_xml(SIGNED))


def canonical(document: XmlDocument) -> bytes:
    return etree.tostring(document.element, method="c14n", exclusive=True, with_comments=False)


def test_what_is_no_message_is_mended() -> None:
    assert parse_xml(mended(b"<!DOCTYPE a [<!ENTITY e 'x'>]><a><b>1</b></a>")).texts("b") == ["1"]
    assert parse_xml(mended(b"<a><b>1</b>")).texts("b") == ["1"]


@pytest.mark.parametrize(
    "hook", ["text", "structure", "wire", "read", "turn-away", "repeat", "memory", "restart", "key"]
)
def test_a_word_that_is_not_there_is_refused(hook: str) -> None:
    with pytest.raises(ConfigurationFault, match="one of"):
        hooks(hook, **{"lost" if hook == "restart" else "as": "otherwise"})
