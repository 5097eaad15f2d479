"""The words that several files share: outcomes, expectations, durations, sources."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from harness.pack.model import Expectation, Mark, Origin, Outcome, OutcomeKind
from harness.pack.names import pick

if TYPE_CHECKING:
    from harness.pack.entry import Entry

Sets = Mapping[str, tuple[Outcome, ...]]
"""The named sets of outcomes of a pack."""

WORDS = ("accepted", "error", "fault", "http", "tls", "closed", "silence")
"""Outcomes without a code, as plain words. No named set may have such a name."""

_UNITS = {"ms": 0.001, "min": 60.0, "s": 1.0, "h": 3600.0}


def read_origin(text: str) -> Origin:
    """Read ``mark: text``, as the published schemas demand it."""
    mark, _, rest = text.partition(": ")
    return Origin(cast("Mark", mark), rest.strip())


def read_duration(text: str) -> timedelta:
    """Read ``500ms``, ``10s``, ``5min`` or ``2h``, as the published schemas demand it."""
    unit = next(unit for unit in _UNITS if text.endswith(unit))
    return timedelta(seconds=float(text.removesuffix(unit)) * _UNITS[unit])


def read_outcomes(entry: Entry, sets: Sets) -> tuple[Outcome, ...]:
    """Read one outcome, the name of a set, or a list of these.

    Raises:
        ConfigurationFault: a name that is not known, or an outcome of two kinds.
    """
    if isinstance(entry.data, list):
        return tuple(each for index in range(len(entry.data)) for each in read_outcomes(entry.at(index), sets))
    if isinstance(entry.data, str):
        if entry.data in WORDS:
            return (Outcome(cast("OutcomeKind", entry.data)),)
        known = {*WORDS, *sets}
        return sets[pick(entry.data, known, "outcome", entry.where)]
    return (_outcome(entry),)


def read_expectation(entry: Entry, sets: Sets) -> Expectation:
    """Read an outcome, a list of outcomes, or a mapping with ``expect`` (or one outcome) and ``permitted``.

    Raises:
        ConfigurationFault: a name that is not known, or a mapping that does not say what is expected.
    """
    if not isinstance(entry.data, dict):
        return Expectation(read_outcomes(entry, sets))
    if "expect" in entry:
        if clash := [key for key in ("error", "pointer", "by", "fault", "http", "tls") if key in entry]:
            raise entry.fault(f"'expect' and '{clash[0]}' exclude each other", remedy="Put it into the list 'expect'.")
        expect = read_outcomes(entry.at("expect"), sets)
    else:
        expect = (_outcome(entry),)
    permitted = read_outcomes(entry.at("permitted"), sets) if "permitted" in entry else ()
    return Expectation(expect, permitted, entry.get("permitted_verdict", "inconclusive"))


def _outcome(entry: Entry) -> Outcome:
    kinds = [kind for kind in ("error", "fault", "http", "tls") if kind in entry]
    if len(kinds) != 1:
        what = "this names no outcome" if not kinds else f"{' and '.join(kinds)} exclude each other"
        raise entry.fault(what, expected="exactly one of the keys error, fault, http, tls")
    for key, what in (("pointer", "a pointer"), ("by", "a message that says it")):
        if key in entry and kinds != ["error"]:
            raise entry.fault(f"only an error has {what}", remedy=f"Remove '{key}'.")
    kind = cast("OutcomeKind", kinds[0])
    code = None if kind == "tls" else str(entry.data[kind])
    return Outcome(kind, code, read_pointer(entry.get("pointer")), entry.get("by"))


def read_pointer(text: str | None) -> str | None:
    """A pointer with its leading slash, which a file may leave out."""
    return text if text is None or text.startswith("/") else f"/{text}"
