"""XML: reading by path, and every hostile input that must be refused by its name."""

from __future__ import annotations

import threading
from encodings.aliases import aliases

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from harness.errors import MalformedInput
from harness.message.document import parse
from harness.message.model import Limits
from harness.message.path import parse_path
from harness.message.xml import XmlDocument, parse_xml

SAMPLE = b"""<m:Movement xmlns:m="urn:m" xmlns="urn:d">
  <Date><Text xmlns:x="urn:x" formatCode="208" x:zone="Z">20261123</Text></Date>
  <Box><Seal>A1</Seal><Seal>A2</Seal></Box>
  <Box><m:Seal/></Box>
  <Note>one<!-- hidden -->two<?skip me?>three&lt;&amp;&gt;</Note>
</m:Movement>"""


def refusal(data: bytes, limits: Limits | None = None) -> MalformedInput:
    with pytest.raises(MalformedInput) as caught:
        parse_xml(data, limits or Limits())
    return caught.value


@pytest.mark.parametrize(
    ("path", "texts", "pointers"),
    [
        ("Date/Text", ["20261123"], ["/Date/Text"]),
        ("/Date[1]/Text", ["20261123"], ["/Date/Text"]),
        ("Date/Text/@formatCode", ["208"], ["/Date/Text/@formatCode"]),
        ("Date/Text/@zone", ["Z"], ["/Date/Text/@zone"]),
        ("Date/Text/@none", [], []),
        ("Box/Seal", ["A1", "A2", ""], ["/Box[1]/Seal[1]", "/Box[1]/Seal[2]", "/Box[2]/Seal"]),
        ("Box[1]/Seal[*]", ["A1", "A2"], ["/Box[1]/Seal[1]", "/Box[1]/Seal[2]"]),
        ("Box[*]/Seal[2]", ["A2"], ["/Box[1]/Seal[2]"]),
        ("Box[3]/Seal", [], []),
        ("Note", ["onetwothree<&>"], ["/Note"]),
        ("Absent", [], []),
    ],
)
def test_reading_by_path(path: str, texts: list[str], pointers: list[str]) -> None:
    document = parse_xml(SAMPLE)
    assert document.texts(path) == texts
    assert document.pointers(path) == pointers
    assert [document.texts(pointer)[0] for pointer in pointers] == texts


def test_cdata_is_text() -> None:
    assert parse_xml(b"<a><b>1<![CDATA[<&>]]>2</b></a>").texts("b") == ["1<&>2"]


def test_the_root_and_the_lines() -> None:
    document = parse_xml(SAMPLE)
    assert document.root == "{urn:m}Movement"
    assert document.pointers("/") == ["/"]
    assert document.line("/") == 1
    assert document.line("/Box[2]") == 4
    assert document.line("/Absent") is None


def test_bytes_are_stable_and_a_view_keeps_its_declarations() -> None:
    outer = etree.fromstring(b'<o xmlns:q="urn:q"><i><q:a kind="q:b"/></i>tail</o>')
    data = XmlDocument(outer[0]).to_bytes()
    assert data == b'<i xmlns:q="urn:q"><q:a kind="q:b"/></i>'
    assert parse_xml(data).to_bytes() == data
    assert parse_xml(SAMPLE).to_bytes() == SAMPLE


def test_a_copy_is_independent() -> None:
    document = parse_xml(SAMPLE)
    document.copy().top.reach(parse_path("Box[1]"))[0].remove()
    assert document.to_bytes() == SAMPLE


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE a><a/>",
        b'\xef\xbb\xbf<?xml version="1.0"?><!-- x --><?y z?>\n<!DOCTYPE a SYSTEM "file:///none"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x "y">]><a b="&x;"/>',
        "<!DOCTYPE a><a/>".encode("utf-16"),
        "<!DOCTYPE a><a/>".encode("utf-16-be"),
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-32"),
        b"<!DOCTYPE a [" + b"<!-- -->" * 1000 + b"]><a/>",
        b"<!-- --><!DOCTYPE broken",
    ],
)
def test_a_doctype_is_refused_in_every_encoding(data: bytes) -> None:
    assert refusal(data).code == "doctype"


def test_billion_laughs_is_refused_as_a_doctype() -> None:
    levels = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(12))
    assert refusal(f'<!DOCTYPE a [<!ENTITY l0 "ha">{levels}]><a>&l12;</a>'.encode()).code == "doctype"


@pytest.mark.parametrize(
    "data", [b"<a><!-- <!DOCTYPE b> --></a>", b"<!-- <!DOCTYPE b> --><a/>", b"<a><![CDATA[<!DOCTYPE b>]]></a>"]
)
def test_the_word_alone_is_no_doctype(data: bytes) -> None:
    assert parse_xml(data).root == "a"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", 1),
        (b"no xml", 1),
        (b"<a>\n<b>\n</a>", 3),
        (b"<a/>\n<a/>", 2),
        (b"<a>&undeclared;</a>", 1),
        (b"<x:a/>", 1),
        (b'<a b="1" b="2"/>', 1),
        (b"<a>\x00</a>", 1),
        (b"<a>\n\x01</a>", 2),
        (b"<a>&#0;</a>", 1),
        (b"<a>\n</a><!-- \xc3", 2),
    ],
)
def test_what_is_not_well_formed_is_refused_with_its_line(data: bytes, line: int) -> None:
    malformed = refusal(data)
    assert (malformed.code, malformed.line) == ("not-well-formed", line)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"<a>\xe9</a>", 1),
        (b"<a>\xc0\xaf</a>", 1),
        (b"<a>\xed\xa0\x80</a>", 1),
        (b'<?xml version="1.0" encoding="UTF-8"?>\n<a>\xff</a>', 2),
        (b'<?xml version="1.0" encoding="no-such-encoding"?><a/>', 1),
        (b'<?xml version="1.0" encoding="UTF-16"?><a/>', 1),
        (b'<?xml version="1.0" encoding="windows-1251"?><a>\x98</a>', 1),
    ],
)
def test_wrong_encodings_are_refused(data: bytes, line: int) -> None:
    malformed = refusal(data)
    assert (malformed.code, malformed.line) == ("encoding", line)


@pytest.mark.parametrize("encoding", sorted({*aliases.values(), "idna", "punycode", "unicode_escape", "undefined"}))
def test_no_codec_of_python_breaks_the_parser(encoding: str) -> None:
    """The declaration is broken, so that our parser does not get as far as refusing the encoding."""
    for rest in (b"<", b"?><a>xn--\xff.begin 666 \\x</a>"):
        with pytest.raises(MalformedInput):
            parse_xml(b'<?xml v1.0" encoding="' + encoding.encode() + b'"' + rest)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_right_encodings_are_read(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    data = f'<?xml version="1.0" encoding="{declared}"?><a>\u00e9</a>'.encode(encoding)
    assert parse_xml(data).texts("/") == ["\u00e9"]


@pytest.mark.parametrize(
    ("encoding", "declared"), [("utf-16", "UTF-8"), ("utf-16", "ISO-8859-1"), ("utf-8-sig", "ISO-8859-1")]
)
def test_a_byte_order_mark_counts_more_than_the_declaration(encoding: str, declared: str) -> None:
    """RFC 7303, 3.2: who receives XML over HTTP should read it by its mark, whatever else is said of its encoding."""
    data = f'<?xml version="1.0" encoding="{declared}"?><a>\u00e9</a>'.encode(encoding)
    assert parse_xml(data).texts("/") == ["\u00e9"]


def test_the_bounds_are_exact() -> None:
    limits = Limits(size=60, depth=3, nodes=5)
    assert parse_xml(b"<a><b><c/></b></a>", limits)
    assert refusal(b"<a><b><c><d/></c></b></a>", limits).code == "too-deep"
    assert parse_xml(b"<a><b/><b/><b/><b/></a>", limits)
    assert refusal(b"<a><b/><b/><b/><b/><b/></a>", limits).code == "too-large"
    assert refusal(b'<a a="" b="" c="" d="" e=""/>', limits).code == "too-large"
    assert refusal(b"<a>" + b"<b/>" * 11 + b"</a>", limits).code == "too-large"
    assert parse_xml(b"<a>" + b"x" * 53 + b"</a>", limits)
    assert refusal(b"<a>" + b"x" * 54 + b"</a>", limits).code == "too-large"


def test_bombs_are_refused() -> None:
    assert refusal(b"<a>" * 500 + b"</a>" * 500).code == "too-deep"
    assert refusal(b"<a>" * 500).code == "too-deep"
    assert refusal(b"<a>" * 400_001).code == "too-large"
    assert refusal(b"<a " + b" ".join(b'a%d=""' % n for n in range(200_001)) + b"/>").code == "too-large"
    assert refusal(("<a " + 'b="" ' * 1001 + "/>").encode("utf-16")).code == "too-large"
    assert parse_xml(b"<a " + b" ".join(b"a%d=''" % n for n in range(1000)) + b"/>")
    assert parse_xml(b"<a>" + b"<b c='='/>x=1" * 2000 + b"</a>")
    assert refusal(b"<" + b"a" * 100_000 + b"/>").code == "too-large"


@given(st.binary(max_size=60))
@example(b"<a xmlns='http://[' />")
@example(b"\xff\xfe")
@example(b"\xfe\xff\x00<")
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        document = parse_xml(data)
    except MalformedInput as malformed:
        reason = malformed
    else:
        assert parse_xml(document.to_bytes()).to_bytes() == document.to_bytes()
        return
    assert reason.code in {"not-well-formed", "encoding", "doctype"}
    assert len(reason.what) < 300


def test_threads_parse_side_by_side() -> None:
    read: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: read.extend(parse_xml(SAMPLE).texts("Box/Seal") for _ in range(50)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read == [["A1", "A2", ""]] * 200


def test_one_door_for_both_formats() -> None:
    assert parse("xml", b"<a><b>1</b></a>").texts("b") == ["1"]
    assert parse("json", b'{"b": 1}').texts("b") == ["1"]
    with pytest.raises(MalformedInput):
        parse("xml", b"<a/>", Limits(size=3))


@pytest.mark.parametrize("name", ["a:b", "b x:y=''"])
def test_undeclared_prefix_is_refused_whatever_comes_after_it(name):
    """A relative namespace name, of which the parser only warns, must not hide it."""
    with pytest.raises(MalformedInput, match="not defined") as refused:
        parse_xml(f"<{name}><c xmlns='relative'/></{name.split(' ')[0]}>".encode())
    assert refused.value.code == "not-well-formed"
    assert parse_xml(b"<b><c xmlns='relative'/></b>").root == "b"
