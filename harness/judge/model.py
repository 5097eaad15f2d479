"""Verdicts: the words, and their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.check.model import Finding
from harness.message.plain import plain
from harness.security.model import SignatureReport


class Verdict(StrEnum):
    """Verdict of a step or case, worst wins (ISO/IEC 9646, widened); ``not_applicable`` is neutral."""

    NOT_APPLICABLE = "not_applicable"
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    WARNING = "warning"
    REVIEW = "review"
    INCONCLUSIVE = "inconclusive"
    NOT_RUN = "not_run"
    FAIL = "fail"
    HARNESS_ERROR = "harness_error"

    rank: int
    """Position in the order; the worst has the highest."""

    def __init__(self, _word: str) -> None:
        self.rank = len(type(self).__members__)


class Status(StrEnum):
    """Status of a requirement."""

    PASSED = "passed"
    PASSED_WITH_WARNING = "passed with warning"
    FAILED = "failed"
    NOT_VERIFIED = "not verified"
    NOT_TESTED = "not tested"
    NOT_APPLICABLE = "not applicable"


class RunVerdict(StrEnum):
    """Verdict of a run, with its exit code in :mod:`harness.errors`."""

    CONFORMANT = "conformant"
    NOT_CONFORMANT = "not conformant"
    NOT_FULLY_VERIFIED = "not fully verified"


@dataclass(frozen=True)
class StepVerdict:
    """What the judge says about one step.

    Parameters:
        step: id of the step.
        verdict: of this step.
        reason: one sentence; what it quotes of the system under test is made fit to be read, here and below.
        expected, observed: for reading side by side.
        findings: of all checks, also those that are only information.
        events: numbers of the events it stands on.
        clocks: name to reading: ``request``, ``answer`` (UTC), ``seconds`` between them, ``budget`` in seconds.
        signatures: what the signature of each received message says, by the number of its event.
        unsaid: what was ruled of the step itself and no finding says: the purpose bears it, whatever else was found.
    """

    step: str
    verdict: Verdict
    reason: str
    expected: str = ""
    observed: str = ""
    findings: tuple[Finding, ...] = ()
    events: tuple[int, ...] = ()
    clocks: Mapping[str, str] = field(default_factory=dict)
    signatures: Mapping[int, SignatureReport] = field(default_factory=dict)
    unsaid: Verdict = Verdict.NOT_APPLICABLE

    def __post_init__(self) -> None:
        for name in ("reason", "expected", "observed"):
            object.__setattr__(self, name, plain(getattr(self, name)))


@dataclass(frozen=True)
class CaseVerdict:
    """What the judge says about one case.

    Parameters:
        case: id of the case.
        verdict: worst of its steps, then of its positive control.
        reason: of the step that decided.
        steps: in the order of the script.
        requirements: verdict for each requirement that the case touched.
        attempt: which attempt was judged.
        references: references of the SUT's messages, which no other case may have seen.
        refusals: of each refusal as expected that names several codes, the expected ones of them, and all of them.
    """

    case: str
    verdict: Verdict
    reason: str
    steps: tuple[StepVerdict, ...]
    requirements: Mapping[str, Verdict]
    attempt: int = 1
    references: tuple[str, ...] = ()
    refusals: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", plain(self.reason))
