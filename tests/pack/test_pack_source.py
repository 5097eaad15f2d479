from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import ConfigurationFault
from harness.pack.source import DEPTH, NODES, SIZE, read_source


@pytest.fixture
def write(tmp_path: Path):
    def _write(text: str | bytes) -> Path:
        file = tmp_path / "file.yaml"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    return _write


def refused(file: Path, schema: str | None = None) -> ConfigurationFault:
    with pytest.raises(ConfigurationFault) as caught:
        read_source(file, schema)
    assert caught.value.where is not None
    assert caught.value.where.file == file
    return caught.value


def test_plain_words_stay_texts(write) -> None:
    source = read_source(
        write("country: NO\nanswer: no\nswitch: on\nday: 2026-11-23\ntime: 12:30:45\nversion: 1.0.0\n")
    )
    assert source.data == {
        "country": "NO", "answer": "no", "switch": "on", "day": "2026-11-23", "time": "12:30:45", "version": "1.0.0"
    }  # fmt: skip


def test_values_of_the_core_schema(write) -> None:
    text = "[true, False, null, ~, 12, -3, 0o17, 0x1F, 007, 1.5, 1e3, .5, '12', \"true\", , .inf, yes]"
    source = read_source(write(text.replace(", ,", ",")))
    assert source.data == [True, False, None, None, 12, -3, 15, 31, 7, 1.5, 1000.0, 0.5, "12", "true", ".inf", "yes"]


def test_keys_are_texts(write) -> None:
    assert read_source(write("101: a\ntrue: b\nnull: c\n")).data == {"101": "a", "true": "b", "null": "c"}


def test_json_is_read_as_well(write) -> None:
    data = {"a": [1, {"b": None}], "c": "no"}
    assert read_source(write(json.dumps(data, indent=1))).data == data


def test_every_place_has_its_line(write) -> None:
    source = read_source(write("# note\na:\n  - b: 1\n    c/d: [x, y]\n  -\n    e: 2\n"))
    assert source.where(("a", 0, "c/d", 1)).line == 4
    assert source.where(("a", 1)).line == 6
    assert source.where(("a", 1, "e")).line == 6
    assert str(source.where(("a", 0, "b"))) == f"{source.path}:3 (a/0/b)"


def test_a_place_that_is_not_there_has_the_line_around_it(write) -> None:
    source = read_source(write("a:\n  b:\n    c: 1\n"))
    assert source.where(("a", "b", "x", "y")).line == 2
    assert source.where(("a", "b", "x", "y")).path == "a/b/x/y"
    assert source.where(()).line is None


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("a: 1\nb: &x 2\n", 2, "anchors"),
        ("a: 1\nb: *x\n", 2, "lias"),
        ("a: 1\n&x b: 2\n", 2, "anchors"),
        ("a: 1\nb: !!str 2\n", 2, "tags"),
        ("a: !own {b: 2}\n", 1, "tags"),
        ("a: 1\n<<: {b: 2}\n", 2, "merge"),
        ("a: 1\nb: 2\na: 3\n", 3, "twice, first in line 1"),
        ("? [1, 2]\n: 3\n", 1, "key"),
        ("a: [1, 2\nb: 3\n", 2, "not YAML"),
        ("a: 1\n b: 2\n", 2, "not YAML"),
        ("a: 1\n---\nb: 2\n", 2, "more than one document"),
        ("a: 1\nb: \x07\n", 2, "U+0007"),
        (b"a: 1\nb: \xff\n", 2, "UTF-8"),
        ("[" * (DEPTH + 2) + "]" * (DEPTH + 2), 1, "deeply"),
        ("- 1\n" * (NODES + 1), NODES, "too large"),
    ],
)
def test_what_is_refused(write, text: str | bytes, line: int, word: str) -> None:
    fault = refused(write(text))
    assert fault.where is not None
    assert fault.where.line == line
    assert word in str(fault)


def test_too_many_bytes_are_refused(write) -> None:
    assert "too large" in refused(write(b"#" * (SIZE + 1))).what


def test_an_empty_file_is_refused(write) -> None:
    assert "empty" in refused(write("# nothing\n")).what


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "none.yaml").what


def test_a_byte_order_mark_is_passed_over(write) -> None:
    assert read_source(write(b"\xef\xbb\xbfa: 1\n")).data == {"a": 1}


SCENARIO = """\
id: s
version: 1
title: t
effect: e
bearers:
  customs: {purpose: p, requirements: [R]}
steps:
  - exchange: A
    from: a
    to: b
"""


def test_a_right_file_satisfies_its_schema(write) -> None:
    assert read_source(write(SCENARIO), "scenario").data["steps"][0]["exchange"] == "A"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("title: t", "titel: t", 3, ["'titel'", "Did you mean 'title'?"]),
        ("title: t\n", "", None, ["'title' is missing", "one line", "Add 'title'."]),
        ("version: 1", "version: one", 2, ["'one' is not a whole number"]),
        ("version: 1", "version: 0", 2, ["0 is not right", "from 1"]),
        ("title: t", "title: 12", 3, ["12 is not a text", 'Put it in quotes: "12".']),
        ("[R]", "[]", 6, ["empty"]),
        ("customs:", "cus toms:", 6, ["'cus toms' is no name"]),
        ("exchange: A", "exchagne: A", 8, ["exactly one of the keys", "Did you mean 'exchange'?"]),
        ("exchange: A", "exchange: A\n    probe: o", 8, ["exclude each other"]),
        ("to: b", "to: b\n    answer: {error: 220}", 11, ["220 is not a text", '"220"']),
        ("to: b", "to: b\n    answer: {http: 999}", 11, ["999 is not right", "HTTP status"]),
        ("to: b", "to: b\n    when: simulatd", 11, ["'simulatd'", "simulated"]),
        ("to: b", "to: b\n    defect: signature-missing", 11, ["signature/body-altered"]),
    ],
)
def test_a_mistake_is_told_with_its_line(write, old: str, new: str, line: int | None, words: list[str]) -> None:
    fault = refused(write(SCENARIO.replace(old, new)), "scenario")
    assert fault.where is not None
    assert fault.where.line == line
    for word in words:
        assert word in str(fault)
    assert fault.remedy


def test_all_mistakes_are_counted(write) -> None:
    fault = refused(write(SCENARIO.replace("title: t", "title: 1").replace("effect: e", "efect: e")), "scenario")
    assert fault.where is not None
    assert fault.where.line == 3
    assert "more mistakes in this file: line 4" in fault.what


def test_a_choice_of_words_names_the_nearest(write) -> None:
    text = "codes: {a: b}\nid: x\ntitle: t\nversion: v\nsource: 'publik: x'\n"
    assert "'public: '" in str(refused(write(text), "codelist"))


def test_the_example_of_the_manual_is_right(write) -> None:
    manual = Path(__file__).parents[2] / "docs" / "scenarios.md"
    example = manual.read_text("utf-8").partition("```yaml\n")[2].partition("```")[0]
    assert read_source(write(example), "scenario").data["id"] == "start-before-declaration"


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"]), max_size=12)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
).filter(lambda value: value is not None)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=documents)
def test_what_is_written_is_read(tmp_path: Path, data: object) -> None:
    file = tmp_path / "data.yaml"
    file.write_text(json.dumps(data, ensure_ascii=False, indent=1), "utf-8")
    assert read_source(file).data == data


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=60) | st.text("a:-[]{}&*!|>%@#'\"\n ?,~", max_size=30).map(str.encode))
def test_noise_is_read_or_refused(tmp_path: Path, noise: bytes) -> None:
    file = tmp_path / "noise.yaml"
    file.write_bytes(noise)
    with suppress(ConfigurationFault):
        read_source(file)
