"""The claimed times of a message, and whether it is fresh.

Source: WS-Security SOAP Message Security 1.1.1, section 10. A clock may differ by the tolerance of the pack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from lxml import etree

from harness.errors import MalformedInput
from harness.security.markup import WSU, local_name, path_of, text_of
from harness.security.model import Problem, SecurityProfile

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_ZERO = timedelta()
_CREATED, _EXPIRES = f"{{{WSU}}}Created", f"{{{WSU}}}Expires"


class Times(NamedTuple):
    """The claimed times of one message, UTC."""

    created: datetime | None = None
    expires: datetime | None = None


def write_time(moment: datetime) -> str:
    """A moment as ``2026-01-31T12:00:00.000Z``."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def read_timestamp(timestamps: Sequence[etree._Element], *, required: bool) -> tuple[Times, list[Problem]]:
    """Read the Timestamp of a Security header.

    Parameters:
        timestamps: every Timestamp in it.
        required: whether there must be one.
    """
    if not timestamps:
        missing = Problem("timestamp/missing", "The Security header has no Timestamp.")
        return Times(), [missing] if required else []
    try:
        if len(timestamps) > 1:
            raise MalformedInput("timestamp/malformed", f"The Security header has {len(timestamps)} Timestamps.")
        created, expires = _only(timestamps[0], _CREATED), _only(timestamps[0], _EXPIRES)
        if created is None:
            raise MalformedInput("timestamp/malformed", "The Timestamp has no Created.")
        return Times(read_time(created), None if expires is None else read_time(expires)), []
    except MalformedInput as error:
        return Times(), [Problem(error.code, error.what, path_of(timestamps[0]))]


def _only(timestamp: etree._Element, name: str) -> str | None:
    found = [child for child in timestamp[:] if child.tag == name]
    try:
        if len(found) > 1:
            raise ValueError(f"{local_name(found[0])} stands there {len(found)} times")
        return text_of(found[0]).strip() if found else None
    except ValueError as error:
        raise MalformedInput("timestamp/malformed", f"The Timestamp cannot be read: {error}.") from error


def read_time(text: str) -> datetime:
    """Read a time in UTC.

    Raises:
        MalformedInput: ``timestamp/malformed`` or ``timestamp/not-utc``.
    """
    try:
        if not _TIME.fullmatch(text):
            raise ValueError("it is not written as date, T and time")
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedInput("timestamp/malformed", f"The time {text[:80]!r} cannot be read: {error}.") from error
    if moment.utcoffset() != _ZERO:
        raise MalformedInput("timestamp/not-utc", f"The time {text!r} is not in UTC; it must end with Z.")
    return moment


def freshness_problems(times: Times, now: datetime, profile: SecurityProfile, place: str) -> Iterator[Problem]:
    """Compare the claimed times with each other and with the clock.

    Parameters:
        times: what is claimed; without Expires the lifetime of the profile counts.
        now: the time of receipt.
        place: path of what makes the claim.
    """
    if times.created is None:
        return
    expires = times.expires or times.created + profile.lifetime
    if expires <= times.created:
        text = f"Expires ({write_time(expires)}) is not after Created ({write_time(times.created)})."
        yield Problem("timestamp/inverted", text, place)
    elif expires - times.created > profile.lifetime:
        text = f"It claims to live {expires - times.created}; {profile.lifetime} are allowed."
        yield Problem("timestamp/lifetime", text, place)
    if times.created > now + profile.tolerance:
        text = f"Created {write_time(times.created)} lies in the future {_seen(now, profile)}."
        yield Problem("timestamp/future", text, place)
    elif expires <= now - profile.tolerance:
        text = f"It expired at {write_time(expires)}, seen {_seen(now, profile)}."
        yield Problem("timestamp/stale", text, place)


def forgives(profile: SecurityProfile, ahead: timedelta) -> bool:
    """Whether a message is fresh to a receiver for whose clock that of the sender is ahead by so much.

    Parameters:
        profile: has the tolerance.
        ahead: negative for a clock that is behind.
    """
    now = datetime(2000, 1, 1, tzinfo=UTC)
    return profile.style == "none" or not any(freshness_problems(Times(now + ahead), now, profile, ""))


def _seen(now: datetime, profile: SecurityProfile) -> str:
    return f"at {write_time(now)}, with a tolerance of {profile.tolerance}"
