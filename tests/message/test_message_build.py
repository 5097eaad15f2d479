"""Bindings read and write: the law between the two, and every value that cannot be written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigurationFault
from harness.message.binding import errors_binding, read
from harness.message.build import build, write_errors
from harness.message.document import parse
from harness.message.form import print_message
from harness.message.json import JsonDocument, parse_json
from harness.message.model import Binding, Document, Value
from harness.message.xml import XmlDocument, parse_xml

XML = b"""<m:Start xmlns:m="urn:m">
  <Ref>R1</Ref>
  <Date kind="208">2026</Date>
  <Box><Seal><ID>A1</ID><Type>S</Type></Seal><Seal><ID>A2</ID></Seal><Note>n</Note></Box>
  <Box><Seal><ID>B1</ID></Seal></Box>
  <Item><No>1</No><Mass unit="kg">10</Mass></Item>
  <Item><No>2</No><Mass unit="kg">20</Mass></Item>
  <End/>
</m:Start>"""

JSON = (
    b'{"Ref":"R1","Date":{"@kind":"208","text":"2026"},'
    b'"Box":[{"Seal":[{"ID":"A1","Type":"S"},{"ID":"A2"}],"Note":"n"},{"Seal":[{"ID":"B1"}]}],'
    b'"Item":[{"No":1,"Mass":10.50},{"No":2,"Mass":20}],"Sent":true,"None":null,"End":""}'
)


def bound(*bindings: Binding) -> dict[str, Binding]:
    return {binding.name: binding for binding in bindings}


REF = Binding("ref", "Ref")
KIND = Binding("kind", "Date/@kind")
SEALS = Binding("seals", "Box/Seal[*]/ID", drop="Box")
GOODS = Binding("goods", "Item[*]", {"no": "No", "mass": "Mass"})
ALL = bound(REF, KIND, SEALS, GOODS)


@pytest.fixture(params=["xml", "json"])
def sample(request: pytest.FixtureRequest) -> Document:
    return parse(request.param, XML if request.param == "xml" else JSON)


def test_reading_every_kind_of_binding(sample: Document) -> None:
    mass = "10.50" if sample.root == "" else "10"
    assert read(sample, ALL) == {
        "ref": "R1",
        "kind": "208",
        "seals": ["A1", "A2", "B1"],
        "goods": [{"no": "1", "mass": mass}, {"no": "2", "mass": "20"}],
    }


def test_what_is_absent_is_none_or_an_empty_list(sample: Document) -> None:
    absent = bound(
        Binding("text", "No/Where"),
        Binding("attribute", "Date/@no"),
        Binding("list", "Box/None[*]/ID"),
        Binding("records", "None[*]", {"a": "b"}),
        Binding("partly", "Item[*]/None"),
        Binding("field", "Item[*]", {"none": "None"}),
    )
    assert read(sample, absent) == {
        "text": None,
        "attribute": None,
        "list": [],
        "records": [],
        "partly": [],
        "field": [{"none": None}, {"none": None}],
    }


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"ref": "new"},
        {"ref": ""},
        {"ref": "<&>\u00e9\t\n ]]>"},
        {"kind": '"quoted"', "ref": None},
        {"kind": None},
        {"seals": ["X"]},
        {"seals": ["X", "Y", "Z", "X"]},
        {"seals": []},
        {"goods": [{"no": "7", "mass": "1.0"}, {"no": "8", "mass": None}, {"no": "9", "mass": "x"}]},
        {"goods": []},
    ],
)
def test_what_is_set_is_read_and_the_rest_stays(sample: Document, values: dict[str, Value]) -> None:
    before = sample.to_bytes()
    built = build(sample, ALL, values)
    assert read(built, ALL) == {**read(sample, ALL), **values}
    again = parse("json" if sample.root == "" else "xml", built.to_bytes())
    assert read(again, ALL) == read(built, ALL)
    assert sample.to_bytes() == before


def test_none_removes_a_list_or_what_drop_names(sample: Document) -> None:
    built = build(sample, ALL, {"seals": None, "goods": None})
    assert read(built, ALL) == {"ref": "R1", "kind": "208", "seals": [], "goods": []}
    assert built.pointers("Box") == []
    assert built.pointers("Item") == []


def test_none_for_what_is_absent_already_is_no_fault(sample: Document) -> None:
    built = build(sample, bound(Binding("none", "No/Where"), Binding("list", "None[*]")), {"none": None, "list": []})
    assert built.to_bytes() == sample.to_bytes()


def test_entries_are_copies_of_the_first_in_its_place() -> None:
    built = build(parse_xml(XML), ALL, {"seals": ["X", "Y"], "goods": [{"no": "7"}, {"mass": "5"}]})
    lines = built.to_bytes().decode().splitlines()
    assert lines[3].strip() == (
        "<Box><Seal><ID>X</ID><Type>S</Type></Seal><Seal><ID>Y</ID><Type>S</Type></Seal><Note>n</Note></Box>"
    )
    assert lines[4].strip() == "<Box/>"
    assert [line.strip() for line in lines[5:8]] == [
        '<Item><No>7</No><Mass unit="kg">10</Mass></Item>',
        '<Item><No>1</No><Mass unit="kg">5</Mass></Item>',
        "<End/>",
    ]


def test_entries_are_counted_where_the_binding_says_so() -> None:
    route = bound(Binding("route", "Leg[*]/Country", number="No"))
    sample = parse_xml(b"<R><Leg><No>1</No><Country>A</Country></Leg></R>")
    built = build(sample, route, {"route": ["UZ", "TM", "AZ"]})
    assert built.texts("Leg[*]/No") == ["1", "2", "3"]
    assert read(built, route) == {"route": ["UZ", "TM", "AZ"]}


def test_two_lists_over_one_subtree_agree_or_are_refused() -> None:
    pair = bound(Binding("ids", "Box/Seal[*]/ID"), Binding("types", "Box/Seal[*]/Type"))
    built = build(parse_xml(XML), pair, {"ids": ["X", "Y"], "types": ["1", "2"]})
    assert read(built, pair) == {"ids": ["X", "Y"], "types": ["1", "2"]}
    with pytest.raises(ConfigurationFault, match="repeats what another list repeats 2 times"):
        build(parse_xml(XML), pair, {"ids": ["X", "Y"], "types": ["1"]})


def test_an_attribute_that_is_not_there_is_created(sample: Document) -> None:
    extra = bound(Binding("zone", "Date/@zone"), Binding("flags", "Item[*]/@flag"))
    values: dict[str, Value] = {"zone": "Z", "flags": ["a", "b", "c"]}
    assert read(build(sample, extra, values), extra) == values


def test_text_replaces_comments() -> None:
    document = parse_xml(b"<a><b>one<!-- x -->two</b></a>")
    name = bound(Binding("b", "b"))
    assert read(document, name) == {"b": "onetwo"}
    assert build(document, name, {"b": "new"}).to_bytes() == b"<a><b>new</b></a>"


def test_json_keeps_the_type_of_the_sample_where_the_text_allows() -> None:
    names = bound(Binding("mass", "Item[1]/Mass"), Binding("sent", "Sent"), Binding("none", "None"), REF)
    built = build(parse_json(JSON), names, {"mass": "1.00", "sent": "false", "none": "1", "ref": "2"})
    value = json.loads(built.to_bytes(), parse_float=str)
    assert (value["Item"][0]["Mass"], value["Sent"], value["None"], value["Ref"]) == ("1.00", False, "1", "2")
    odd = json.loads(build(parse_json(JSON), names, {"mass": "01", "sent": "yes"}).to_bytes())
    assert (odd["Item"][0]["Mass"], odd["Sent"]) == ("01", "yes")


def test_a_json_list_can_be_empty_absent_or_made_of_a_single_member() -> None:
    names = bound(Binding("seals", "s[*]"), Binding("one", "o[*]/id"))
    sample = parse_json(b'{"s":["A"],"o":{"id":"1"}}')
    assert build(sample, names, {"seals": [], "one": ["1", "2"]}).to_bytes() == b'{"s":[],"o":[{"id":"1"},{"id":"2"}]}'
    assert build(sample, names, {"seals": None, "one": []}).to_bytes() == b'{"o":[]}'


FAULTS: list[tuple[Binding, object, str]] = [
    (Binding("x", "No/Where"), "v", r"'x' \(No/Where\) has no place in the sample"),
    (Binding("x", "Box/None[*]/ID"), ["v"], r"'x' \(Box/None\[\*\]/ID, there Box/None\[\*\]\) has no place"),
    (Binding("x", "Box/Seal[*]/None"), ["v"], "there None.* has no place"),
    (Binding("x", "None/@a"), "v", "has no place"),
    (Binding("x", "Box"), "v", "cannot hold 'v'"),
    (Binding("x", "/"), None, "cannot be removed"),
    (Binding("x", "Ref"), ["v"], "takes a text, not list"),
    (Binding("x", "Ref"), 7, "takes a text, not int"),
    (Binding("x", "Box/Seal[*]/ID"), "v", "is a list, but the value is not"),
    (Binding("x", "Box/Seal[*]/ID"), [{"a": "b"}], "takes a text, not dict"),
    (Binding("x", "Item[*]", {"no": "No"}), ["v"], "an entry is not a record"),
    (Binding("x", "Item[*]", {"no": "No"}), [{"other": "v"}], "has no field 'other'"),
    (Binding("x", "Item[*]", {"no": "None"}), [{"no": "v"}], "there None.* has no place"),
    (Binding("x", "Item[*]/No", {"no": "No"}), [], "must end in"),
    (Binding("x", "Item", {"no": "No"}), [], "must end in"),
    (Binding("x", "Item[*]", {"no": "No[*]"}), [], "a field is one text"),
    (Binding("x", "Box[*]/Seal[*]"), [], "more than one"),
    (Binding("x", "Ref["), "v", "cannot be read"),
    (Binding("x", "Ref"), "\ud800", "cannot hold"),
]


@pytest.mark.parametrize(("binding", "value", "reason"), FAULTS)
def test_what_cannot_be_written_is_said(sample: Document, binding: Binding, value: Any, reason: str) -> None:
    with pytest.raises(ConfigurationFault, match=reason) as caught:
        build(sample, bound(binding), {"x": value})
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["\x00", "\x01", "\ufffe", "\ud800"])
@pytest.mark.parametrize("binding", [REF, KIND])
def test_text_that_xml_forbids_is_refused(binding: Binding, text: str) -> None:
    with pytest.raises(ConfigurationFault, match="cannot hold"):
        build(parse_xml(XML), bound(binding), {binding.name: text})


def test_a_value_without_binding_is_refused(sample: Document) -> None:
    with pytest.raises(ConfigurationFault, match="'other' is not bound") as caught:
        build(sample, ALL, {"other": "v"})
    assert "goods, kind, ref, seals" in str(caught.value)


def test_a_value_inside_what_another_removes_is_refused(sample: Document) -> None:
    names = bound(SEALS, Binding("note", "Box/Note"))
    with pytest.raises(ConfigurationFault, match="another value of this message removed it"):
        build(sample, names, {"note": "v", "seals": None})


@pytest.mark.parametrize(
    ("format_name", "data"),
    [
        ("xml", b"<a><Error><Code>0</Code><At><Where>/</Where></At><Text>t</Text></Error></a>"),
        ("json", b'{"Error":[{"Code":"0","At":{"Where":"/"},"Text":"t"}]}'),
    ],
)
def test_errors_are_written_and_read(format_name: str, data: bytes) -> None:
    errors: list[dict[str, str | None]] = [
        {"code": "220", "pointer": "/A", "text": "no"},
        {"code": "100", "pointer": None, "text": None},
    ]
    places = ("Error[*]", "Code", "At/Where", "Text")
    binding = errors_binding(*places)
    written = write_errors(parse(format_name, data), *places, errors)
    assert read(written, bound(binding)) == {"errors": errors}
    short = errors_binding("Error[*]", "Code", None, None)
    written = write_errors(parse(format_name, data), "Error[*]", "Code", None, None, errors)
    assert read(written, bound(short)) == {"errors": [{"code": "220"}, {"code": "100"}]}
    assert written.texts("Error/At/Where") == ["/", "/"]


# The law, for random trees: one sample, written as XML and as JSON.

LEGAL = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r"),
    max_size=8,
)
FIELDS = st.sets(st.sampled_from(["f", "g", "h/i", "h/j", "@k"]), min_size=1)


@st.composite
def movements(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Binding], dict[str, Value]]:
    """A sample, the names bound in it, and values for some of them."""
    tree: dict[str, Any] = {}
    bindings, values = {}, {}
    for n in range(draw(st.integers(1, 6))):
        name = f"n{n}"
        holder = draw(st.lists(st.sampled_from("abc"), max_size=3))
        count = draw(st.integers(1, 3))
        kind = draw(st.sampled_from(["text", "attribute", "texts", "records"]))
        value: Any
        if kind == "records":
            fields = {f"v{i}": path for i, path in enumerate(sorted(draw(FIELDS)))}
            content: Any = [nested(dict.fromkeys(fields.values(), f"{name}-{i}")) for i in range(count)]
            binding = Binding(name, "/".join([*holder, f"{name}[*]"]), fields)
            value = draw(st.lists(st.fixed_dictionaries(dict.fromkeys(fields, st.none() | LEGAL)), max_size=4))
        elif kind == "texts":
            content = [{"t": f"{name}-{i}", "u": "rest"} for i in range(count)]
            binding = Binding(name, "/".join([*holder, f"{name}[*]", "t"]))
            value = draw(st.lists(LEGAL, max_size=4))
        else:
            content = {"@k": "old"} if kind == "attribute" else "old"
            binding = Binding(name, "/".join([*holder, name, *["@k"] * (kind == "attribute")]))
            value = draw(st.none() | LEGAL)
        graft(tree, {"/".join([*holder, name]): content})
        bindings[name] = binding
        if draw(st.booleans()):
            values[name] = value
    return tree, bindings, values


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    graft(tree, flat)
    return tree


def graft(tree: dict[str, Any], flat: Mapping[str, Any]) -> None:
    for path, content in flat.items():
        *holders, last = path.split("/")
        place = tree
        for holder in holders:
            place = place.setdefault(holder, {})
        place[last] = content


def as_xml(name: str, content: Any) -> str:
    if isinstance(content, list):
        return "".join(as_xml(name, item) for item in content)
    if isinstance(content, str):
        return f"<{name}>{escape(content)}</{name}>"
    attributes = "".join(f" {key[1:]}={quoteattr(text)}" for key, text in content.items() if key[0] == "@")
    children = "".join(as_xml(key, inner) for key, inner in content.items() if key[0] != "@")
    return f"<{name}{attributes}><!-- {name} -->\n{children}</{name}>"


@given(movements())
def test_the_law_holds_for_random_trees(
    movement: tuple[dict[str, Any], dict[str, Binding], dict[str, Value]],
) -> None:
    tree, bindings, values = movement
    for sample in (parse_xml(as_xml("root", tree).encode()), JsonDocument(tree)):
        before = sample.to_bytes()
        expected = {**read(sample, bindings), **values}
        for make in (build, print_message, print_message):  # a form is made, and then used again
            made = make(sample, bindings, values)
            assert read(made, bindings) == expected
            again = parse("json" if sample.root == "" else "xml", made.to_bytes())
            assert read(again, bindings) == expected
            if isinstance(again, XmlDocument):  # what is known of a printed one is what a parser finds
                for path, texts in again.all_texts.items():
                    assert made.texts(path or "/") == texts
                    assert made.pointers(path or "/") == again.pointers(path or "/")
            assert sample.to_bytes() == before


@pytest.mark.parametrize(
    "values", [{"ref": "\x00"}, {"seals": ["A", "\ud800"]}, {"goods": [{"no": "1", "other": "2"}]}]
)
def test_a_form_refuses_what_building_refuses_in_the_same_words(values: dict[str, Value]) -> None:
    said = []
    for make in (build, print_message):
        with pytest.raises(ConfigurationFault) as refused:
            make(parse_xml(XML), ALL, values)
        said.append(str(refused.value))
    assert said[0] == said[1]
