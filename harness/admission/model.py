"""The words of admission: policy, outcome of a rule, certificate, status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

Part = Literal["tester", "reviewer"]
Word = Literal["admitted", "admitted with waivers"]
Status = Literal["valid", "suspended", "revoked", "expired"]
Action = Literal["admitted", "suspended", "resumed", "revoked"]


@dataclass(frozen=True)
class Signatory:
    """A person or office that signs.

    Parameters:
        name: as the register shows it.
        part: whether it tests or reviews.
        key: id of its statement key.
    """

    name: str
    part: Part
    key: str


@dataclass(frozen=True)
class Policy:
    """The rules of an operator.

    Parameters:
        name: with its year or version.
        digest: of the file.
        pack, versions, digests: the profile; no digests means any.
        roles, positions: which may be admitted, and which must be certified; empty means no rule.
        mandatory: patterns over case ids.
        maximum_age: days from the last message of the system, from the first one where it is not one uninterrupted run
            of a day at most; ``None`` means as long as the statement holds.
        assurance: levels; empty means any.
        challenge: the run must answer one.
        waivers: patterns over what may be waived.
        depth: of derivation; empty means any.
        adopt_assumed: the run counted requirements whose source is assumed.
        timers: patterns over the time limits that a run may change; ``None`` means any.
        unclaimed: patterns over the requests that a system need not claim; ``None`` means any.
        spared: patterns over the cases that a run by hand may leave out; ``None`` means any.
        signers_declared: the target named the certificates that the system signs with.
        revocation: every trusted signature of the system was held against a revocation list or an OCSP answer.
        timestamp: a trusted time-stamping authority says when the tester had signed.
        annexes: packs whose questions were answered beside the run, and every demand of which a reviewer found met.
        same_tool: the very version of this tool that checks the rules made the bundle.
        uninterrupted: the run went through at once: it was not resumed, and no case was played again.
        reproduction: a second run is needed.
        disputes: where to write when a rule seems wrong, or was applied wrongly; may be empty.
        test_keys: statements of demonstrations are accepted.
        signers: who may sign.
    """

    name: str
    digest: str
    pack: str
    versions: tuple[str, ...]
    signers: tuple[Signatory, ...]
    digests: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    positions: tuple[str, ...] = ()
    mandatory: tuple[str, ...] = ()
    maximum_age: int | None = None
    assurance: tuple[str, ...] = ()
    challenge: bool = False
    waivers: tuple[str, ...] = ()
    depth: tuple[str, ...] = ()
    adopt_assumed: bool = False
    timers: tuple[str, ...] | None = None
    unclaimed: tuple[str, ...] | None = None
    spared: tuple[str, ...] | None = None
    signers_declared: bool = False
    revocation: bool = False
    timestamp: bool = False
    annexes: tuple[str, ...] = ()
    same_tool: bool = False
    uninterrupted: bool = False
    reproduction: bool = False
    disputes: str = ""
    test_keys: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of one rule.

    Parameters:
        rule: its name in the policy, or ``bundle``, ``verdict``.
        met: whether it is met.
        text: why, in plain words.
        warning: it is met, but the policy itself should say more.
    """

    rule: str
    met: bool
    text: str
    warning: bool = False


@dataclass(frozen=True)
class Certificate:
    """An entry of the register.

    Parameters:
        id: its number.
        statement: digest of what was signed, ``sha256:<hex>``.
        word: never "conformant": that is the judge's word.
        authority, product, version: the system.
        role, positions, pack: what it was certified for.
        waivers: what is waived.
        issued, until: RFC 3339, UTC.
        tester, reviewer: who signed.
        policy: name and digest of the policy.
        evidence: by what its evidence is known again; empty in an entry of an older version of this tool.
    """

    id: str
    statement: str
    word: Word
    authority: str
    product: str
    version: str
    role: str
    positions: Sequence[str]
    pack: str
    waivers: Sequence[str]
    issued: str
    until: str
    tester: str
    reviewer: str
    policy: str
    evidence: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Certificate:
        """As it was kept."""
        return cls(**data)


@dataclass(frozen=True)
class Entry:
    """One line of a certificate's history.

    Parameters:
        certificate: id.
        at: RFC 3339, UTC.
        action: what was done.
        person: who did it.
        reason: why.
    """

    certificate: str
    at: str
    action: Action
    person: str
    reason: str


def status_of(certificate: Certificate, history: Sequence[Entry], at: datetime) -> Status:
    """The status of a certificate at a time: revoked for ever, else suspended, else expired, else valid."""
    actions = [each.action for each in history]
    if "revoked" in actions:
        return "revoked"
    last = next((each for each in reversed(actions) if each in ("suspended", "resumed")), None)
    if last == "suspended":
        return "suspended"
    return "expired" if at > datetime.fromisoformat(certificate.until) else "valid"
