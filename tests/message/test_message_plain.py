"""Text from strangers is shown in one line that cannot command a terminal, and every script stays readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.message.plain import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Xəzər Ticarət, Баку", "Xəzər Ticarət, Баку"),
        ("می‌خواهم ქართული العربية", "می‌خواهم ქართული العربية"),
        ("a\r\nINFO all is well", "a\\u000d\\u000aINFO all is well"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("abc\u202edcb", "abc\\u202edcb"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_long_text_is_cut_and_says_how_long_it_was() -> None:
    assert plain("x" * 50, 10) == "xxxxxxxxxx... (50 characters)"


@given(st.text())
def test_it_is_one_line_that_can_be_encoded(text: str) -> None:
    shown = plain(text)
    assert len(shown.splitlines()) <= 1
    shown.encode()
    assert plain(shown) == shown
