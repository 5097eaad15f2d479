from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BundleFault
from harness.record.strict import dump_lines, dumps, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_what_is_written_is_read_again(document: dict[str, Any]) -> None:
    try:
        data = dumps(document)
    except UnicodeEncodeError:
        return
    assert loads(data, "x.json") == document == json.loads(data)
    assert dumps(loads(data, "x.json")) == data


def test_every_case_has_a_line_of_its_own() -> None:
    assert dumps({"a": 1, "cases": [{"id": "x"}, {"id": "y"}], "empty": []}).decode() == (
        '{\n"a": 1,\n"cases": [\n {"id": "x"},\n {"id": "y"}\n],\n"empty": []\n}\n'
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a": 1, "a": 2}', "'a' stands twice"),
        (b'{"x": {"b": 1, "c": 2, "b": 3}}', "'b' stands twice"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": -Infinity}', "is not a JSON number"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"a":' * 200_000, "nested too deep"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(BundleFault, match=words) as caught:
        loads(data, "record.json")
    assert str(caught.value).startswith("record.json is not")


def test_a_document_can_be_written_in_pieces() -> None:
    document = {"a": {"b": 1, "c": [2]}, "cases": [{"id": str(number)} for number in range(100)], "empty": {}}
    pieces = list(dump_lines(document))
    assert b"".join(pieces) == dumps(document)
    assert max(map(len, pieces)) < 20
