"""The path dialect: what it reads, what it refuses, and when two pointers are the same place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigurationFault
from harness.message.path import Path, Step, parse_path, same_place

NAMES = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"],
        exclude_characters="/[]{}@*\ufffe\uffff",
    ),
    min_size=1,
    max_size=8,
).filter(lambda name: not any(character.isspace() for character in name))
INDICES = st.none() | st.just("*") | st.integers(1, 999_999_999)
STEPS = st.builds(Step, NAMES, INDICES)
PATHS = st.builds(
    lambda steps, last: Path((*steps, *last)),
    st.lists(STEPS, max_size=5),
    st.just(()) | st.tuples(st.builds(Step, NAMES, st.none(), st.just(True))),
)


def test_a_path_has_steps_indices_and_an_attribute() -> None:
    assert parse_path("Consignment/Seal[*]/Part[12]/@code").steps == (
        Step("Consignment"),
        Step("Seal", "*"),
        Step("Part", 12),
        Step("code", None, attribute=True),
    )


@given(PATHS)
def test_what_is_written_is_read(path: Path) -> None:
    assert parse_path(str(path)) == path
    assert parse_path("/" + str(path).removeprefix("/")) == path


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_clearly(text: str) -> None:
    try:
        path = parse_path(text)
    except ConfigurationFault as fault:
        reason = fault
    else:
        assert parse_path(str(path)) == path
        return
    assert reason.expected
    assert reason.remedy


@pytest.mark.parametrize(
    "text",
    [
        "",
        "//",
        "A//B",
        "A/",
        "A[0]",
        "A[01]",
        "A[-1]",
        "A[x]",
        "A[1][2]",
        "A[]",
        "@a/B",
        "@a[1]",
        "@",
        "A B",
        "*",
        "{urn:x}A",
        "A\x00",
        "A" * 1001,
    ],
)
def test_what_is_not_in_the_dialect_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationFault):
        parse_path(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/A/B", "A/B"),
        ("/A[1]/B", "/A/B[1]"),
        ("/A[2]/B", "/A/B"),
        ("/A[2]/B", "/A[2]/B[7]"),
        ("A[*]/B", "A[3]/B"),
        ("/", "/"),
        ("A/@x", "/A/@x"),
        (" /A ", "/A"),
        ("not a path", "not a path"),
    ],
)
def test_the_same_place(one: str, other: str) -> None:
    assert same_place(one, other)
    assert same_place(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/A", "/"),
        ("/A/B", "/A"),
        ("/A[1]", "/A[2]"),
        ("/A[1]/B", "/A[2]/B"),
        ("/A/x", "/A/@x"),
        ("/A", "/a"),
        ("not a path", "/A"),
        ("", "/"),
    ],
)
def test_not_the_same_place(one: str, other: str) -> None:
    assert not same_place(one, other)
    assert not same_place(other, one)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_comparison_never_fails_and_has_no_direction(one: str, other: str) -> None:
    assert same_place(one, one)
    assert same_place(one, other) == same_place(other, one)
