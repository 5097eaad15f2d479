"""Texts that fit the facets of a type, and the smallest message of a schema."""

from __future__ import annotations

import pytest
from lxml import etree

from harness.pack.data import find_pack
from harness.pack.xsd import compile_schema
from harness.pack.xsd_text import Text, fits, sample_text
from harness.pack.xsd_tree import places, smallest, words

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:simpleType>
<xs:restriction base="xs:{base}">{facets}</xs:restriction></xs:simpleType></xs:element></xs:schema>"""


@pytest.mark.parametrize(
    ("base", "facets"),
    [
        ("string", '<xs:pattern value="[A-Z]{2}[0-9]{4,6}(X|Y)?"/>'),
        ("string", '<xs:pattern value=".{1,35}"/>'),
        ("string", '<xs:pattern value="\\d{2}-\\w+\\.[^a-z]"/>'),
        ("string", '<xs:pattern value="([2][4-9]|[3-9][0-9])[A-Z]{2}[A-Z0-9]{12}[J-M][0-9]"/>'),
        ("string", '<xs:pattern value="\\p{Lu}\\p{Nd}*"/><xs:minLength value="3"/>'),
        ("token", '<xs:minLength value="4"/><xs:maxLength value="5"/>'),
        ("token", '<xs:enumeration value="B1"/><xs:enumeration value="A1"/>'),
        ("decimal", '<xs:minInclusive value="5"/><xs:totalDigits value="3"/>'),
        ("integer", '<xs:minExclusive value="7"/>'),
        ("date", ""),
        ("dateTime", ""),
        ("boolean", ""),
        ("gYear", ""),
        ("base64Binary", ""),
        ("positiveInteger", ""),
        ("negativeInteger", ""),
    ],
)
def test_the_sample_text_of_a_type_is_valid(base: str, facets: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("schemas")
    (folder / "a.xsd").write_text(SCHEMA.format(base=base, facets=facets))
    compiled = compile_schema(folder / "a.xsd", (folder,))
    element = smallest(compiled.grammar, "a", set(), {})
    assert compiled.schema.validate(element), etree.tostring(element)
    declaration = compiled.grammar.element("a")
    assert declaration is not None
    text = compiled.grammar.text(declaration)
    assert text is not None
    assert fits(text, str(element.text))


def test_the_smallest_message_of_every_schema_is_valid_and_has_what_is_wanted() -> None:
    folder = find_pack("etir-4.3") / "schemas"
    for file in sorted(folder.glob("[EI]*.xsd")):
        compiled = compile_schema(file, (folder,))
        root = compiled.grammar.declared()[0]
        assert compiled.schema.validate(smallest(compiled.grammar, root, set(), {})), file.name
        every = {node.path for node in places(compiled.grammar, root) if node.path}
        full = smallest(compiled.grammar, root, every, {})
        assert compiled.schema.validate(full), file.name
        there = {"/".join(step.partition("}")[2] for step in _steps(each)) for each in full.iter()} - {""}
        assert there == {path for path in every if "@" not in path}, file.name


def _steps(element: etree._Element) -> list[str]:
    parent = element.getparent()
    return [] if parent is None else [*_steps(parent), str(element.tag)]


def test_a_value_that_cannot_stand_there_does_not_fit() -> None:
    assert not fits(Text(values=("1", "2")), "3")
    assert not fits(Text("decimal"), "x")
    assert not fits(Text(most=3), "long")
    assert not fits(Text(patterns=("[0-9]+",)), "x")
    assert not fits(Text("date"), "today")
    assert not fits(Text(fixed="a"), "b")
    assert fits(Text(patterns=(r"\i\c*",)), "name.1")
    assert sample_text(Text(fixed="a")) == "a"


def test_words_of_a_name() -> None:
    assert words("TIROperationID2") == ("tir", "operation", "id", "2")
    assert words("FunctionalReference_ID") == ("functional", "reference", "id")
