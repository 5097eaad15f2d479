"""Edits: one change of one place, by a name that can be read and carried out again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigurationFault
from harness.message.defect import message_defect
from harness.message.edit import Edit, read_edit
from harness.message.json import parse_json
from harness.message.xml import parse_xml

XML = b'<m xmlns="urn:x"><a u="1">one</a><b><c>two</c></b><b><c>three</c></b></m>'
JSON = b'{"a":"one","b":[{"c":"two"},{"c":3}]}'


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("message/without at /a", b'<m xmlns="urn:x"><b><c>two</c></b><b><c>three</c></b></m>'),
        ("message/without at /a/@u", b'<m xmlns="urn:x"><a>one</a><b><c>two</c></b><b><c>three</c></b></m>'),
        (
            "message/twice at /a",
            b'<m xmlns="urn:x"><a u="1">one</a><a u="1">one</a><b><c>two</c></b><b><c>three</c></b></m>',
        ),
        ("message/swapped at /a", b'<m xmlns="urn:x"><b><c>two</c></b><a u="1">one</a><b><c>three</c></b></m>'),
        (
            "message/foreign at /b[1]",
            b'<m xmlns="urn:x"><a u="1">one</a><b><c>two</c><Unexpected>x</Unexpected></b><b><c>three</c></b></m>',
        ),
        (
            "message/text at /b[2]/c as 12, 5 as text",
            b'<m xmlns="urn:x"><a u="1">one</a><b><c>two</c></b><b><c>12, 5 as text</c></b></m>',
        ),
        (
            "message/text at /a/@new as x",
            b'<m xmlns="urn:x"><a u="1" new="x">one</a><b><c>two</c></b><b><c>three</c></b></m>',
        ),
    ],
)
def test_an_edit_of_xml_changes_one_place(name: str, expected: bytes) -> None:
    document = parse_xml(XML)
    defect = message_defect(name)
    assert defect is not None
    assert defect.apply(document).to_bytes() == expected
    assert document.to_bytes() == XML


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("message/without at /b[1]", b'{"a":"one","b":[{"c":3}]}'),
        ("message/twice at /a", b'{"a":["one","one"],"b":[{"c":"two"},{"c":3}]}'),
        ("message/foreign at /b[2]", b'{"a":"one","b":[{"c":"two"},{"c":3,"unexpected":"x"}]}'),
        ("message/text at /b[2]/c as 4", b'{"a":"one","b":[{"c":"two"},{"c":4}]}'),
        ("message/text at /b[2]/c as four", b'{"a":"one","b":[{"c":"two"},{"c":"four"}]}'),
    ],
)
def test_an_edit_of_json_changes_one_place(name: str, expected: bytes) -> None:
    edit = read_edit(name)
    assert edit is not None
    assert edit.apply(parse_json(JSON)).to_bytes() == expected


@pytest.mark.parametrize(
    "name",
    [
        "message/without at /z",
        "message/swapped at /b[2]",
        "message/swapped at /a/@u",
        "message/foreign at /a/@u",
        "message/text at /b[1] as x",
    ],
)
def test_what_cannot_be_done_to_xml_is_said(name: str) -> None:
    edit = read_edit(name)
    assert edit is not None
    with pytest.raises(ConfigurationFault, match="cannot be made"):
        edit.apply(parse_xml(XML))


def test_members_of_an_object_have_no_order() -> None:
    with pytest.raises(ConfigurationFault, match="no order"):
        Edit("swapped", "/a").apply(parse_json(JSON))


@pytest.mark.parametrize("name", ["message/text at /a", "message/without at /a as x", "signature/sha1"])
def test_other_names_are_no_edits(name: str) -> None:
    assert read_edit(name) is None


@given(
    st.sampled_from(["/a", "/b[1]/c", "/a/@u"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])),
)
def test_a_name_is_read_as_it_was_written(place: str, text: str) -> None:
    edit = Edit("text", place, text)
    assert read_edit(edit.name) == edit


def test_walking_names_every_place_once_and_every_name_reaches_it() -> None:
    for document, places in (
        (parse_xml(XML), ["/a", "/a/@u", "/b[1]", "/b[1]/c", "/b[2]", "/b[2]/c"]),
        (parse_json(JSON), ["/a", "/b[1]", "/b[1]/c", "/b[2]", "/b[2]/c"]),
    ):
        assert list(document.walk()) == places
        assert [pointer for place in places for pointer in document.pointers(place)] == places
