"""Every defect breaks exactly what it says, and nothing beside it."""

from __future__ import annotations

import pytest

from harness.errors import ConfigurationFault, MalformedInput
from harness.message.defect import DEFECTS
from harness.message.document import parse
from harness.message.envelope import open_envelope, wrap
from harness.message.json import parse_json
from harness.message.xml import parse_xml

PAYLOAD = '<m:Start xmlns:m="urn:m"><m:Name>\u00c9mile, \u0422\u0430\u0448</m:Name></m:Start>'.encode()
JSON = b'{"name":"\xc3\x89mile"}'
SOAP = pytest.mark.parametrize("soap", ["1.2", "1.1"])


def codes(data: bytes, soap: str) -> list[str]:
    return [code for code, _ in open_envelope(data, soap).problems]


def malformed(format_name: str, data: bytes) -> str:
    with pytest.raises(MalformedInput) as caught:
        parse(format_name, data)
    return caught.value.code


def test_names_texts_and_formats_are_complete() -> None:
    for name, defect in DEFECTS.items():
        assert name == defect.name
        assert name.partition("/")[0] in {"message", "envelope"}
        assert defect.text.endswith(".")
        assert defect.applies
        assert defect.applies <= {"xml", "json"}
        assert defect.stage in {"document", "bytes"}


@pytest.mark.parametrize(
    ("name", "xml", "json"),
    [
        ("message/doctype", "doctype", None),
        ("message/not-well-formed", "not-well-formed", "not-well-formed"),
        ("message/wrong-encoding", "encoding", "encoding"),
        ("message/empty", "not-well-formed", "not-well-formed"),
    ],
)
@SOAP
def test_defects_of_the_bytes_make_a_message_unreadable_in_their_own_way(
    name: str, xml: str, json: str | None, soap: str
) -> None:
    defect = DEFECTS[name]
    assert defect.applies == ({"xml", "json"} if json else {"xml"})
    assert malformed("xml", defect.apply(wrap(parse_xml(PAYLOAD), soap))) == xml
    assert malformed("xml", defect.apply(PAYLOAD)) == xml
    if json:
        assert malformed("json", defect.apply(JSON)) == json


def test_a_doctype_is_all_that_is_added() -> None:
    data = wrap(parse_xml(PAYLOAD), "1.2")
    broken = DEFECTS["message/doctype"].apply(data)
    start = broken.index(b"<!DOCTYPE")
    assert broken[:start] + broken[broken.index(b"]>") + 2 :] == data


def test_only_the_declared_encoding_is_wrong() -> None:
    broken = DEFECTS["message/wrong-encoding"].apply(wrap(parse_xml(PAYLOAD), "1.2"))
    opened = open_envelope(broken.replace(b"UTF-8", b"ISO-8859-1"), "1.2")
    assert opened.body is not None
    assert opened.body.texts("Name") == parse_xml(PAYLOAD).texts("Name")
    broken = DEFECTS["message/wrong-encoding"].apply(JSON)
    assert parse_json(broken.decode("utf-16").encode()).to_bytes() == JSON


def test_only_the_name_of_the_root_is_wrong() -> None:
    payload = parse_xml(PAYLOAD)
    broken = DEFECTS["message/wrong-root"].apply(payload)
    assert broken.root == "{urn:m}StartX"
    assert broken.to_bytes().replace(b"StartX", b"Start") == PAYLOAD == payload.to_bytes()


def test_only_one_element_is_added_and_it_is_the_first() -> None:
    payload = parse_xml(PAYLOAD)
    broken = DEFECTS["message/unexpected-element"].apply(payload)
    first, *rest = broken.element
    assert first.tag == "{urn:example:unexpected}Unexpected"
    assert [child.tag for child in rest] == ["{urn:m}Name"]
    assert payload.to_bytes() == PAYLOAD


def test_only_one_member_is_added_and_it_is_the_first() -> None:
    payload = parse_json(JSON)
    broken = DEFECTS["message/unexpected-element"].apply(payload)
    assert broken.to_bytes() == b'{"unexpected":"text",' + JSON[1:]
    assert payload.to_bytes() == JSON


def test_defects_that_cannot_be_put_in_say_so() -> None:
    with pytest.raises(ConfigurationFault):
        DEFECTS["message/wrong-root"].apply(parse_json(JSON))
    with pytest.raises(ConfigurationFault):
        DEFECTS["message/unexpected-element"].apply(parse_json(b"[]"))


@SOAP
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("envelope/second-body", "structure/second-body"),
        ("envelope/no-body", "structure/no-body"),
        ("envelope/body-missing-payload", "structure/no-payload"),
        ("envelope/wrong-soap-version", "structure/soap-version"),
    ],
)
def test_defects_of_the_envelope_break_one_rule_of_its_structure(name: str, code: str, soap: str) -> None:
    data = wrap(parse_xml(PAYLOAD), soap)
    assert codes(data, soap) == []
    assert codes(DEFECTS[name].apply(data), soap) == [code]


def test_a_second_body_leaves_the_first_as_it_was() -> None:
    opened = open_envelope(DEFECTS["envelope/second-body"].apply(wrap(parse_xml(PAYLOAD), "1.2")))
    assert opened.body is not None
    assert opened.body.texts("Name") == parse_xml(PAYLOAD).texts("Name")


def test_another_version_is_all_that_changes() -> None:
    broken = DEFECTS["envelope/wrong-soap-version"].apply(wrap(parse_xml(PAYLOAD), "1.2"))
    assert broken == wrap(parse_xml(PAYLOAD), "1.1")
