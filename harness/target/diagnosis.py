"""One line of the examination before a run, and the lines that several examinations share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509

from harness.errors import ConfigurationFault
from harness.pack.model import Pack

SOON = timedelta(days=30)
"""A certificate that ends within this time is told."""


@dataclass(frozen=True)
class Line:
    """One line of the examination.

    Parameters:
        check: what was looked at, one or two words.
        ok: ``True``, ``False`` (a run makes no sense), or ``None`` (worth knowing, or cannot be seen).
        what: one sentence: what was found.
        remedy: one sentence: what to do; empty when there is nothing to do.
    """

    check: str
    ok: bool | None
    what: str
    remedy: str = ""


def wrong(check: str, fault: ConfigurationFault) -> Line:
    """What a fault of configuration says."""
    return Line(check, False, str(fault), "" if fault.expected or fault.remedy else "Correct it.")


def validity(check: str, whose: str, certificate: x509.Certificate) -> Line:
    """Whether a certificate is valid now, and for how long."""
    first, last, now = certificate.not_valid_before_utc, certificate.not_valid_after_utc, datetime.now(UTC)
    if last < now:
        return Line(check, False, f"{whose} ended on {last:%Y-%m-%d %H:%M} UTC.", "Get a new one.")
    if first > now:
        return Line(
            check,
            False,
            f"{whose} begins only on {first:%Y-%m-%d %H:%M} UTC.",
            "Wait, or check the clock of this computer.",
        )
    if last - now < SOON:
        return Line(check, None, f"{whose} ends soon, on {last:%Y-%m-%d}.", "Get a new one in time.")
    return Line(check, True, f"{whose} is valid until {last:%Y-%m-%d}.")


def clock(where: str, theirs: datetime, ours: datetime, pack: Pack) -> Line:
    """Compare two clocks; a Date header has whole seconds."""
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    away = abs((theirs - ours).total_seconds())
    tolerance = pack.security.tolerance.total_seconds()
    what = f"By {where}, its clock and ours differ by {max(0.0, away - 1):.0f} s; {tolerance:.0f} s are tolerated."
    if away - 1 > tolerance:
        return Line("clock", False, what, "Set both clocks by NTP.")
    if away - 1 > tolerance / 10:
        return Line("clock", None, what, "Set both clocks by NTP: durations will look wrong.")
    return Line("clock", True, what)
