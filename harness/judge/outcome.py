"""How an exchange ended, held against what was expected: three sets and nothing between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from harness.message.path import same_place
from harness.message.plain import plain
from harness.pack.model import Expectation, Outcome

_SHOWN = 120
"""Characters of a code or pointer that are shown; peers choose them."""

_WITH_CODE = {"fault": "SOAP fault {}", "http": "HTTP {}"}
_WITHOUT = {
    "accepted": "accepted",
    "fault": "a SOAP fault",
    "http": "an HTTP answer without a message",
    "tls": "refused in the TLS handshake",
    "closed": "connection closed without an answer",
    "silence": "no answer in time",
}

Meets = Literal["expect", "permitted", "other"]


def meets(outcomes: Iterable[Outcome], expectation: Expectation) -> Meets:
    """In which of the three sets an answer lies. An answer with several errors lies in the best set of any of them."""
    observed = tuple(outcomes)
    if _is_one(observed, expectation.expect):
        return "expect"
    return "permitted" if _is_one(observed, expectation.permitted) else "other"


def departs(outcomes: Iterable[Outcome], expectation: Expectation) -> bool:
    """Whether a legal answer leaves the script: it accepts where that goes on refused, or refuses where it goes on.

    What the script says after such an exchange does not apply any more. An expected answer never leaves it.
    """
    observed = tuple(outcomes)
    if not observed or meets(observed, expectation) != "permitted":
        return False
    accepted, wanted = (any(each.kind == "accepted" for each in some) for some in (observed, expectation.expect))
    return accepted != wanted


def _is_one(observed: tuple[Outcome, ...], wanted: tuple[Outcome, ...]) -> bool:
    for each in observed:
        for one in wanted:
            if _is(each, one):
                return True
    return False


def _is(observed: Outcome, wanted: Outcome) -> bool:
    if observed.kind != wanted.kind:
        return False
    if wanted.code is not None and not _same_code(observed.code, wanted.code):
        return False
    if wanted.by is not None and observed.by != wanted.by:
        return False
    if wanted.pointer is None:
        return True
    return observed.pointer is not None and same_place(observed.pointer, wanted.pointer)


def _same_code(observed: str | None, wanted: str) -> bool:
    if observed is None:
        return False
    if len(wanted) == 3 and wanted.endswith("xx"):
        return len(observed) == 3 and observed[0] == wanted[0]
    return observed == wanted


def describe(outcome: Outcome) -> str:
    """An outcome in words, such as ``error 220 at /``, ``error 13 in CD917C`` or ``HTTP 403``."""
    code = plain(outcome.code, _SHOWN) if outcome.code else None
    where = f" at {plain(outcome.pointer, _SHOWN)}" if outcome.pointer else ""
    place = where + (f" in {outcome.by}" if outcome.by else "")
    if outcome.kind == "error":
        return f"error {code}{place}" if code else "any error of the protocol" + place
    return _WITH_CODE[outcome.kind].format(code) if code and outcome.kind in _WITH_CODE else _WITHOUT[outcome.kind]


def describe_all(outcomes: Iterable[Outcome]) -> str:
    """Several outcomes in words; ``nothing`` for none."""
    return ", or ".join(describe(outcome) for outcome in outcomes) or "nothing"
