"""JSON: reading by path, text as it was written, and every hostile input that must be refused by its name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import MalformedInput
from harness.message.json import Number, parse_json
from harness.message.model import Limits
from harness.message.path import parse_path

SAMPLE = (
    b'{"mass":1.10,"count":12345678901234567890,"open":true,"none":null,"empty":[],"@id":"x",'
    b'"box":[{"seal":["A1","A2"]},{"seal":"B1"},[{"seal":"C1"}]],"at":{"text":"caf\xc3\xa9"}}'
)


def refusal(data: bytes, limits: Limits | None = None) -> MalformedInput:
    with pytest.raises(MalformedInput) as caught:
        parse_json(data, limits or Limits())
    return caught.value


@pytest.mark.parametrize(
    ("path", "texts", "pointers"),
    [
        ("mass", ["1.10"], ["/mass"]),
        ("count", ["12345678901234567890"], ["/count"]),
        ("open", ["true"], ["/open"]),
        ("none", [], []),
        ("empty[*]", [], []),
        ("@id", ["x"], ["/@id"]),
        ("at/text", ["caf\u00e9"], ["/at/text"]),
        ("at", ['{"text":"caf\u00e9"}'], ["/at"]),
        ("at[1]/text[1]", ["caf\u00e9"], ["/at/text"]),
        ("at[2]/text", [], []),
        ("box/seal", ["A1", "A2", "B1"], ["/box[1]/seal[1]", "/box[1]/seal[2]", "/box[2]/seal"]),
        ("box[*]/seal[2]", ["A2"], ["/box[1]/seal[2]"]),
        ("mass/deeper", [], []),
        ("absent", [], []),
    ],
)
def test_reading_by_path(path: str, texts: list[str], pointers: list[str]) -> None:
    document = parse_json(SAMPLE)
    assert document.texts(path) == texts
    assert document.pointers(path) == pointers
    assert [document.texts(pointer)[0] for pointer in pointers] == texts


def test_the_root_has_no_name_and_bytes_are_stable() -> None:
    document = parse_json(b" " + SAMPLE)
    assert document.root == ""
    assert document.pointers("/") == ["/"]
    assert document.texts("/") == [SAMPLE.decode()]
    assert document.line("/mass") is None
    assert document.to_bytes() == SAMPLE
    assert parse_json(b'\xef\xbb\xbf"text"').texts("/") == ["text"]


def test_a_copy_is_independent() -> None:
    document = parse_json(SAMPLE)
    document.copy().top.reach(parse_path("box[1]/seal[1]"))[0].remove()
    assert document.to_bytes() == SAMPLE


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not-well-formed"),
        (b"{", "not-well-formed"),
        (b"{} {}", "not-well-formed"),
        (b'{"a":NaN}', "not-well-formed"),
        (b'{"a":-Infinity}', "not-well-formed"),
        (b'{"a":01}', "not-well-formed"),
        (b'{"a":"\x00"}', "not-well-formed"),
        (b'{"a":"\n"}', "not-well-formed"),
        (b"{'a':1}", "not-well-formed"),
        (b"}" * 300, "not-well-formed"),
        (b'{"a":1,"b":2,"a":1}', "duplicate-key"),
        (b'{"x":[{"a":1,"\\u0061":1}]}', "duplicate-key"),
        (b'{"a":"\xff"}', "encoding"),
        (b'{"a":"\xc0\xaf"}', "encoding"),
        ('{"a":1}'.encode("utf-16"), "encoding"),
        (b'{"a":"\\ud800"}', "encoding"),
        (b'{"\\uDFFF":1}', "encoding"),
        (b"[" * 1_000_000, "too-large"),
        (b"[" * 100_000, "too-deep"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "too-deep"),
        (b"[" + b"0," * 200_001 + b"0]", "too-large"),
        (b'["' + b"x" * 11_000_000 + b'"]', "too-large"),
    ],
)
def test_hostile_input_is_refused(data: bytes, code: str) -> None:
    assert refusal(data).code == code


def test_a_refusal_names_the_line() -> None:
    assert refusal(b'{\n"a": 1,\n"b" 2}').line == 3
    assert refusal(b'{\n"a": "\xff"}').line == 2


def test_brackets_and_commas_in_strings_do_not_count() -> None:
    limits = Limits(depth=3, nodes=5)
    assert parse_json(b'{"a":"[[[[[[,,,,,,\\"{{{{"}', limits).texts("a") == ['[[[[[[,,,,,,"{{{{']
    assert parse_json(b'[["a",1],[]]', limits)
    assert refusal(b"[[[[]]]]", limits).code == "too-deep"
    assert refusal(b"[1,2,3,4,5,6]", limits).code == "too-large"


def test_pairs_of_surrogates_are_one_character() -> None:
    assert parse_json(b'{"a":"\\ud83d\\ude9a"}').texts("a") == ["\U0001f69a"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=10,
    )
)
def test_what_json_writes_is_read_unchanged(value: object) -> None:
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    assert parse_json(data).to_bytes() == data
    assert parse_json(json.dumps(value).encode()).to_bytes() == data


@given(st.binary(max_size=40) | st.text(st.sampled_from('{}[]",:\\u0123e+-. tfn'), max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        document = parse_json(data)
    except MalformedInput as malformed:
        reason = malformed
    else:
        assert parse_json(document.to_bytes()).to_bytes() == document.to_bytes()
        return
    assert reason.code in {"not-well-formed", "encoding", "duplicate-key"}


def test_a_number_is_its_text() -> None:
    assert parse_json(b"[1E+2]").value == [Number("1E+2")]
