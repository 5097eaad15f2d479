"""Waivers: read from a file, refused when they rot, carried by the plan."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from harness.errors import ConfigurationFault
from harness.scenario.waiver import Waiver, check_waivers, load_waivers, waiver_from_json, waiver_to_json

AT = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
GOOD = """\
waivers:
  - case: arrival-of-unknown@import
    reason: The supplier mends it with release 3.2.
    link: https://tracker.example/1
    author: A. Officer
    expires: 2026-03-01
  - requirement: N-1
    reason: Not used on this border.
    link: https://tracker.example/2
    author: A. Officer
    expires: 2027-01-31
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "waivers.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_waiver_holds_to_the_end_of_its_last_day(tmp_path: Path) -> None:
    first, second = load_waivers(written(tmp_path, GOOD), AT)
    assert (first.case, first.requirement, first.expires) == ("arrival-of-unknown@import", "", date(2026, 3, 1))
    assert (second.subject, second.author) == ("N-1", "A. Officer")


@pytest.mark.parametrize(
    ("change", "words", "line"),
    [
        (("expires: 2026-03-01", "expires: 2026-02-28"), "expired on 2026-02-28", 2),
        (("expires: 2026-03-01", "expires: 2026-02-31"), "'2026-02-31' is not a day", 6),
        (("requirement: N-1", "case: arrival-of-unknown@import"), "is waived twice", 7),
        (("    author: A. Officer\n    expires: 2026-03-01\n", "    expires: 2026-03-01\n"), "author", 2),
        (("https://tracker.example/1", "ticket 1"), "link", 4),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line(
    change: tuple[str, str], words: str, line: int, tmp_path: Path
) -> None:
    text = GOOD.replace(*change)
    assert text != GOOD
    with pytest.raises(ConfigurationFault) as caught:
        load_waivers(written(tmp_path, text), AT)
    assert words in str(caught.value)
    assert caught.value.where is not None
    assert caught.value.where.line == line


def test_a_waiver_of_what_there_is_not_is_stale(tmp_path: Path) -> None:
    waivers = load_waivers(written(tmp_path, GOOD), AT)
    check_waivers(waivers, {"arrival-of-unknown@import"}, {"N-1"})
    with pytest.raises(ConfigurationFault, match="stale: there is no case 'arrival-of-unknown@import'"):
        check_waivers(waivers, set(), {"N-1"})
    with pytest.raises(ConfigurationFault, match="stale: there is no requirement 'N-1'"):
        check_waivers(waivers, {"arrival-of-unknown@import"}, set())


def test_a_waiver_is_written_and_read_again() -> None:
    waiver = Waiver("", "N-1", "why", "https://x.example", "who", date(2027, 1, 31))
    assert waiver_from_json(waiver_to_json(waiver)) == waiver
