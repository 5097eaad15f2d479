"""Waivers: failures that an operator has accepted, each for a reason, by somebody, and for a time.

A waiver excuses one case or one requirement. It never changes a verdict, and what stands on a waiver is never called
conformant. It must not rot: one that has expired, or names what the pack does not have, is refused before the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationFault
from harness.pack.entry import Entry
from harness.pack.source import read_source


@dataclass(frozen=True)
class Waiver:
    """One accepted failure.

    Parameters:
        case, requirement: id of what is excused; one of them is empty.
        reason: why, in one sentence.
        link: where it was decided.
        author: who decided it.
        expires: the last day on which it holds, in UTC.
    """

    case: str
    requirement: str
    reason: str
    link: str
    author: str
    expires: date

    @property
    def subject(self) -> str:
        """Id of what is excused."""
        return self.case or self.requirement

    def expired(self, at: datetime) -> bool:
        """Whether it no longer holds at that time."""
        return at.astimezone(UTC).date() > self.expires


def load_waivers(path: Path, at: datetime) -> tuple[Waiver, ...]:
    """Read a file of waivers.

    Parameters:
        path: YAML, see ``c2c schema waivers``.
        at: the time at which all of them must hold, aware.

    Raises:
        ConfigurationFault: a mistake in the file, two waivers for one thing, or a waiver that has expired.
    """
    source = read_source(path, "waivers")
    found: dict[str, Waiver] = {}
    for entry in Entry(source, source.data).list("waivers"):
        waiver = _waiver(entry)
        if waiver.subject in found:
            raise entry.fault(f"{waiver.subject} is waived twice", remedy="Keep one of the two.")
        if waiver.expired(at):
            raise entry.fault(
                f"the waiver of {waiver.subject} expired on {waiver.expires}",
                expected=f"a day not before {at.astimezone(UTC).date()}",
                remedy="Remove it, or have its author decide again and set a new date.",
            )
        found[waiver.subject] = waiver
    return tuple(found.values())


def _waiver(entry: Entry) -> Waiver:
    try:
        return waiver_from_json(entry.data)
    except ValueError:
        raise entry.at("expires").fault(
            f"{entry.data['expires']!r} is not a day", expected="year-month-day, such as 2027-01-31"
        ) from None


def waiver_to_json(waiver: Waiver) -> dict[str, str]:
    """A waiver as it stands in its file, in the plan and in the record."""
    what = {"case": waiver.case} if waiver.case else {"requirement": waiver.requirement}
    return {
        **what,
        "reason": waiver.reason,
        "link": waiver.link,
        "author": waiver.author,
        "expires": waiver.expires.isoformat(),
    }


def waiver_from_json(data: Mapping[str, Any]) -> Waiver:
    """The waiver that :func:`waiver_to_json` wrote.

    Raises:
        ValueError: ``expires`` is not a day.
        KeyError: something is missing.
    """
    return Waiver(
        data.get("case", ""),
        data.get("requirement", ""),
        data["reason"],
        data["link"],
        data["author"],
        date.fromisoformat(data["expires"]),
    )


def check_waivers(waivers: tuple[Waiver, ...], cases: set[str], requirements: set[str]) -> None:
    """Refuse waivers of what there is not.

    Raises:
        ConfigurationFault: a case or requirement is not known.
    """
    for waiver in waivers:
        known = cases if waiver.case else requirements
        if waiver.subject not in known:
            raise ConfigurationFault(
                f"a waiver is stale: there is no {'case' if waiver.case else 'requirement'} {waiver.subject!r}",
                expected="ids that `c2c list` shows for this pack and role",
                remedy="Remove the waiver, or correct the id.",
            )
