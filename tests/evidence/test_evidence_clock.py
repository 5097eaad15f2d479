from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from harness.evidence.clock import FixedClock, SystemClock, stamp


def test_system_clock_is_aware_and_never_goes_back():
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.mono() <= clock.mono()


def test_fixed_clock_moves_only_when_told():
    clock = FixedClock(datetime(2020, 1, 1, tzinfo=UTC))
    first = clock.now(), clock.mono()
    assert (clock.now(), clock.mono()) == first
    clock.advance(timedelta(seconds=1.5))
    assert clock.now() - first[0] == timedelta(seconds=1.5)
    assert clock.mono() - first[1] == 1_500_000_000


def test_fixed_clock_demands_a_time_zone():
    with pytest.raises(ValueError, match="time zone"):
        FixedClock(datetime(2020, 1, 1))  # noqa: DTZ001


def test_stamp_is_utc_with_microseconds():
    at = datetime(2020, 1, 1, 5, 0, 0, 7, tzinfo=timezone(timedelta(hours=5)))
    assert stamp(at) == "2020-01-01T00:00:00.000007Z"


@pytest.mark.parametrize("hours", [1, -1])
def test_a_wall_clock_that_is_set_moves_no_time(hours):
    start, passed = datetime(2026, 11, 28, 12, tzinfo=UTC), 0
    shown = start
    clock = SystemClock(lambda: shown, lambda: passed)
    passed, shown = 5_000_000_000, start + timedelta(hours=hours, seconds=5)
    assert clock.now() == start + timedelta(seconds=5)
    assert clock.set_by() == hours * 3600


def test_a_wall_clock_that_nobody_sets_is_not_ahead():
    assert abs(SystemClock().set_by()) < 60
