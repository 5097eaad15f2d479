"""Violations of XML Schema, one row for each way to be wrong."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from harness.errors import ConfigurationFault
from harness.pack.content import All, Any, Choice, Name, Particle, Repeat, Series, classify
from harness.pack.xsd import compile_schema, xml_violations

TYPES = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
  <xs:simpleType name="Short"><xs:restriction base="xs:string">
    <xs:minLength value="1"/><xs:maxLength value="3"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Word"><xs:restriction base="xs:string">
    <xs:pattern value="[a-z]*"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Amount"><xs:restriction base="xs:decimal">
    <xs:minInclusive value="0"/><xs:totalDigits value="4"/><xs:fractionDigits value="2"/>
  </xs:restriction></xs:simpleType>
  <xs:simpleType name="Colour"><xs:restriction base="xs:string">
    <xs:enumeration value="red"/><xs:enumeration value="green"/></xs:restriction></xs:simpleType>
  <xs:group name="Head"><xs:sequence>
    <xs:element name="Id" type="Short"/>
    <xs:element name="Word" type="Word" minOccurs="0"/>
  </xs:sequence></xs:group>
  <xs:complexType name="Base"><xs:sequence><xs:group ref="Head"/></xs:sequence></xs:complexType>
</xs:schema>
"""
MESSAGE = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:m" targetNamespace="urn:m"
           elementFormDefault="qualified">
  <xs:include schemaLocation="shared/types.xsd"/>
  <xs:element name="Message"><xs:complexType><xs:complexContent><xs:extension base="Base"><xs:sequence>
    <xs:element name="Amount" type="Amount"/>
    <xs:element name="Item" maxOccurs="3"><xs:complexType>
      <xs:sequence><xs:element name="Colour" type="Colour"/><xs:element ref="Note" minOccurs="0"/></xs:sequence>
      <xs:attribute name="number" type="xs:positiveInteger" use="required"/>
    </xs:complexType></xs:element>
    <xs:choice><xs:element name="Road" type="Word"/><xs:element name="Rail" type="Word"/></xs:choice>
    <xs:element name="End" minOccurs="0"><xs:complexType><xs:all>
      <xs:element name="Day" type="xs:date"/><xs:element name="Place" type="Word" minOccurs="0"/>
    </xs:all></xs:complexType></xs:element>
  </xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:element>
  <xs:element name="Note" type="Word"/>
</xs:schema>
"""
GOOD = """\
<Message xmlns="urn:m">
  <Id>abc</Id>
  <Word>w</Word>
  <Amount>1.50</Amount>
  <Item number="1"><Colour>red</Colour><Note>n</Note></Item>
  <Item number="2"><Colour>green</Colour></Item>
  <Road>a</Road>
  <End><Place>p</Place><Day>2026-11-23</Day></End>
</Message>"""


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    folder = tmp_path / "schemas"
    (folder / "shared").mkdir(parents=True)
    (folder / "shared" / "types.xsd").write_text(TYPES)
    (folder / "message.xsd").write_text(MESSAGE)
    return folder


def found(schemas: Path, text: str) -> list[tuple[str, str]]:
    payload = etree.fromstring(text.encode())
    violations = xml_violations(compile_schema(schemas / "message.xsd", (schemas,)), payload)
    return [(each.kind, each.pointer) for each in violations]


def test_a_valid_message_has_no_violation(schemas: Path) -> None:
    assert found(schemas, GOOD) == []


ROWS = [
    # old, new, what is found
    ("  <Id>abc</Id>\n", "", [("missing", "/Id")]),
    ("  <Amount>1.50</Amount>\n", "", [("missing", "/Amount")]),
    ("<Road>a</Road>", "", [("missing", "/Road")]),
    ("<Colour>red</Colour>", "", [("missing", "/Item[1]/Colour")]),
    ("<Colour>green</Colour>", "", [("missing", "/Item[2]/Colour")]),
    ("<Day>2026-11-23</Day>", "", [("missing", "/End/Day")]),
    ('<Item number="1"><Colour>red</Colour><Note>n</Note></Item>\n  <Item number="2"><Colour>green</Colour></Item>',
     "", [("missing", "/Item")]),
    ("<Id>abc</Id>\n  <Word>w</Word>", "<Word>w</Word>\n  <Id>abc</Id>", [("order", "/Word")]),
    ("<Colour>red</Colour><Note>n</Note>", "<Note>n</Note><Colour>red</Colour>", [("order", "/Item[1]/Note")]),
    ("  <Road>a</Road>\n", "  <Road>a</Road>\n  <Word>w</Word>\n", [("repeated", "/Word[2]")]),
    ("  <Word>w</Word>\n  <Amount>1.50</Amount>\n", "  <Amount>1.50</Amount>\n  <Word>w</Word>\n",
     [("order", "/Word")]),
    ("<Id>abc</Id>", "<Id>abc</Id><Id>abd</Id>", [("repeated", "/Id[2]")]),
    ("  <Road>", "  <Item number='3'><Colour>red</Colour></Item><Item number='4'><Colour>red</Colour></Item><Road>",
     [("repeated", "/Item[4]")]),
    ("<Place>p</Place>", "<Place>p</Place><Place>p</Place>", [("repeated", "/End/Place[2]")]),
    ("<Road>a</Road>", "<Road>a</Road><Rail>b</Rail>", [("unexpected", "/Rail")]),
    ("<Road>a</Road>", "<Sea>a</Sea><Road>a</Road>", [("unexpected", "/Sea")]),
    ("<Id>abc</Id>", "<Id xmlns='urn:other'>abc</Id>", [("unexpected", "/Id")]),
    ("<Id>abc</Id>", "<Id><b/></Id>", [("unexpected", "/Id/b"), ("length", "/Id")]),
    ("urn:m", "urn:n", [("unexpected", "/")]),
    ("<Id>abc</Id>", "<Id>abcd</Id>", [("length", "/Id")]),
    ("<Id>abc</Id>", "<Id/>", [("length", "/Id")]),
    ("1.50", "123.45", [("length", "/Amount")]),
    ("1.50", "1.505", [("length", "/Amount")]),
    ("<Word>w</Word>", "<Word>W</Word>", [("pattern", "/Word")]),
    ("green", "blue", [("enumeration", "/Item[2]/Colour")]),
    ("1.50", "one", [("type", "/Amount")]),
    ("1.50", "-1", [("type", "/Amount")]),
    ("2026-11-23", "2026-13-23", [("type", "/End/Day")]),
    ("<Road>", "text<Road>", [("type", "/")]),
    (' number="1"', "", [("attribute-missing", "/Item[1]/@number")]),
    (' number="1"', ' number="1" colour="red"', [("attribute-unexpected", "/Item[1]/@colour")]),
    ("<Road>", '<Road way="1">', [("attribute-unexpected", "/Road/@way")]),
    (' number="2"', ' number="0"', [("attribute-value", "/Item[2]/@number")]),
    (' number="2"', ' number="x"', [("attribute-value", "/Item[2]/@number")]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), ROWS)
@pytest.mark.parametrize("prefixed", [False, True])
def test_each_violation_has_its_kind_and_place(
    schemas: Path, old: str, new: str, expected: list[tuple[str, str]], prefixed: bool
) -> None:
    assert old in GOOD
    payload = etree.fromstring(GOOD.replace(old, new, 1).encode())
    if prefixed:
        payload = etree.fromstring(with_prefix(payload))
    violations = xml_violations(compile_schema(schemas / "message.xsd", (schemas,)), payload)
    assert [(each.kind, each.pointer) for each in violations] == expected
    assert all(each.text for each in violations)


def with_prefix(payload: etree._Element) -> bytes:
    """The same message, its namespace bound to a prefix."""
    renamed = etree.Element(payload.tag, nsmap={"m": str(etree.QName(payload).namespace)})
    renamed.text = payload.text
    renamed.extend(payload)
    data = etree.tostring(renamed)
    assert b"<m:" in data
    return data


def test_several_violations_are_told_in_order(schemas: Path) -> None:
    text = GOOD.replace("abc", "abcd").replace("green", "blue").replace(">w<", ">W<")
    assert found(schemas, text) == [("length", "/Id"), ("pattern", "/Word"), ("enumeration", "/Item[2]/Colour")]


def test_a_payload_inside_an_envelope_is_judged_alone(schemas: Path) -> None:
    envelope = f'<e:Envelope xmlns:e="urn:e">\n<e:Body>\n<!-- note -->{GOOD}\n</e:Body></e:Envelope>'
    payload = etree.fromstring(envelope.replace("green", "blue").encode())[0][1]
    (violation,) = xml_violations(compile_schema(schemas / "message.xsd", (schemas,)), payload)
    assert (violation.kind, violation.pointer, violation.line) == ("enumeration", "/Item[2]/Colour", 8)


def test_no_value_of_a_message_is_quoted(schemas: Path) -> None:
    secret = "s'ecret is not an element of the set here"
    for old in ("abc", ">w<", "1.50", "green", '"1"', "2026-11-23"):
        new = f">{secret}<" if old == ">w<" else f'"{secret}"' if old == '"1"' else secret
        payload = etree.fromstring(GOOD.replace(old, new, 1).encode())
        violations = xml_violations(compile_schema(schemas / "message.xsd", (schemas,)), payload)
        assert violations
        assert all("ecret" not in each.text for each in violations)


def test_a_schema_that_the_message_names_is_not_opened(schemas: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.xsd"
    other.write_text(
        MESSAGE.replace("urn:m", "urn:other").replace('<xs:include schemaLocation="shared/types.xsd"/>', "")
    )
    hint = f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:other {other}"'
    assert found(schemas, GOOD.replace('xmlns="urn:m"', f'xmlns="urn:m" {hint}')) == []
    assert found(schemas, GOOD.replace("<Road>", f'<Note xmlns="urn:other" {hint}/><Road>')) == [
        ("unexpected", "/Note")
    ]


def test_threads_do_not_see_the_errors_of_each_other(schemas: Path) -> None:
    wrong: list[object] = []

    def work(text: str, expected: list[tuple[str, str]]) -> None:
        wrong.extend(got for _ in range(50) if (got := found(schemas, text)) != expected)

    jobs = [(GOOD.replace("green", "blue"), [("enumeration", "/Item[2]/Colour")]), (GOOD, [])]
    threads = [threading.Thread(target=work, args=job) for job in jobs * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("location", "word"),
    [
        ("/etc/passwd", "lies outside"),
        ("../../types.xsd", "lies outside"),
        ("shared/../../types.xsd", "lies outside"),
        ("file:///etc/passwd", "lies outside"),
        ("http://127.0.0.1/types.xsd", "lies outside"),
        ("shared/none.xsd", "no file 'shared/none.xsd'"),
    ],
)
@pytest.mark.parametrize("statement", ["include", "import", "redefine"])
def test_schemas_come_from_the_pack_only(schemas: Path, location: str, word: str, statement: str) -> None:
    text = MESSAGE.replace("shared/types.xsd", location).replace("xs:include", f"xs:{statement}")
    (schemas / "message.xsd").write_text(text)
    with pytest.raises(ConfigurationFault, match=word) as caught:
        found(schemas, GOOD)
    assert caught.value.where is not None
    assert (caught.value.where.file, caught.value.where.line) == (schemas / "message.xsd", 3)


def test_a_link_out_of_the_pack_is_not_followed(schemas: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.xsd").write_text(TYPES)
    (schemas / "shared" / "types.xsd").unlink()
    try:
        (schemas / "shared" / "types.xsd").symlink_to(tmp_path / "outside.xsd")
    except OSError:
        pytest.skip("only on systems where links can be made")
    with pytest.raises(ConfigurationFault, match="no file"):
        found(schemas, GOOD)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("<!DOCTYPE x [<!ENTITY a 'b'>]>" + MESSAGE, "document type"),
        (MESSAGE.replace("</xs:schema>", ""), "cannot be parsed"),
        (MESSAGE.replace('type="Amount"', 'type="Amont"'), "not a right XML Schema"),
    ],
)
def test_a_wrong_schema_is_a_fault_of_the_pack(schemas: Path, text: str, word: str) -> None:
    (schemas / "message.xsd").write_text(text)
    with pytest.raises(ConfigurationFault, match=word) as caught:
        found(schemas, GOOD)
    assert caught.value.where is not None
    assert caught.value.where.file == schemas / "message.xsd"


LETTERS = "abcd"
MODEL = Series(
    (
        Name("a"),
        Repeat(Name("b"), 0, 2),
        Choice((Series((Name("c"), Name("d"))), Name("d"))),
        Repeat(Series((Name("a"), Repeat(Name("c"), 0, 1))), 0, None),
    )
)


@pytest.mark.parametrize(
    ("model", "children", "expected"),
    [
        (MODEL, "abbcdaca", None),
        (MODEL, "", ("missing", 0, "a")),
        (MODEL, "a", ("missing", 1, "c")),
        (MODEL, "abbbd", ("repeated", 3, "b")),
        (MODEL, "acb", ("order", 2, "b")),
        (MODEL, "bd", ("missing", 0, "a")),
        (MODEL, "ba", ("order", 0, "b")),
        (MODEL, "adc", ("missing", 2, "a")),
        (MODEL, "ade", ("unexpected", 2, "e")),
        (Series((Name("a"), Any(), Name("b"))), "axb", None),
        (All(frozenset("ab"), frozenset("c")), "cba", None),
        (All(frozenset("ab"), frozenset("c")), "ca", ("missing", 2, "b")),
        (All(frozenset("ab"), frozenset("c")), "cabc", ("repeated", 3, "c")),
    ],
)
def test_children_are_classified(model: Particle, children: str, expected: tuple[str, int, str] | None) -> None:
    wrong = classify(model, children)
    assert (wrong and (wrong.kind, wrong.index, wrong.tag)) == expected


@settings(max_examples=150, deadline=None)
@given(children=st.text(LETTERS, max_size=9))
def test_the_content_model_agrees_with_a_regular_expression(children: str) -> None:
    import re

    right = re.fullmatch("ab{0,2}(cd|d)(ac?)*", children) is not None
    assert (classify(MODEL, children) is None) == right
