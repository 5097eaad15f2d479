"""Waivers: failures that an operator has accepted, each for a reason, by somebody, and for a time.

A waiver excuses one requirement, everywhere or in one case, or what one case is for. It never changes a verdict, and
what stands on a waiver is never called conformant. It must not rot: one that has expired, or names what the pack does
not have, is refused before the run.
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
        case, requirement: id of what is excused; one of them may be empty: the requirement everywhere, or what the case
            is for.
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
        """What is excused: ``CASE``, ``REQUIREMENT``, or ``CASE/REQUIREMENT``."""
        return "/".join(each for each in (self.case, self.requirement) if each)

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
    return {
        **({"case": waiver.case} if waiver.case else {}),
        **({"requirement": waiver.requirement} if waiver.requirement else {}),
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
        for kind, name, known in (("case", waiver.case, cases), ("requirement", waiver.requirement, requirements)):
            if name and name not in known:
                raise ConfigurationFault(
                    f"a waiver is stale: there is no {kind} {name!r}",
                    expected="ids that `c2c list` shows for this pack and role",
                    remedy="Remove the waiver, or correct the id.",
                )
