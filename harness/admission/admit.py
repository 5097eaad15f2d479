"""Admitting a system: every rule of the policy is checked, the reviewer countersigns, the register takes it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from harness.admission.conditions import ends, waived_by
from harness.admission.model import Certificate, Outcome, Policy
from harness.admission.policy import Graded, Submission, apply_policy, signer_of
from harness.admission.store import Register, entry
from harness.bundle.files import STATEMENT
from harness.bundle.review import judge_reviewed, open_reviews
from harness.bundle.sign import sign_bundle
from harness.bundle.statement import statement_digest
from harness.bundle.verify import Verification, opened, read_document, verify_bundle
from harness.bundle.write import RECORD
from harness.errors import BundleFault, ConfigurationFault, Where
from harness.evidence.clock import stamp
from harness.record.aggregate import VALID_DAYS
from harness.security.statement_key import Signer, key_id

_ID_DIGITS = 16


@dataclass(frozen=True)
class Papers:
    """Where everything lies that is put before an operator.

    Parameters:
        bundle: folder or ``.zip``.
        again: the bundle of a second run.
        reviews: signed files of what persons decided about the bundle.
        challenge: the one that the operator gave before the run, where there was one.
        authorities: certificates of the time-stamping authorities that the operator trusts.
    """

    bundle: Path
    again: Path | None = None
    reviews: Sequence[Path] = ()
    challenge: str | None = None
    authorities: Sequence[x509.Certificate] = ()


@dataclass(frozen=True)
class Decision:
    """What an operator decided about a bundle.

    Parameters:
        outcomes: of every rule.
        certificate: the entry of the register, where it was admitted.
    """

    outcomes: Sequence[Outcome]
    certificate: Certificate | None

    @property
    def all_met(self) -> bool:
        """Whether every rule is met."""
        return all(each.met for each in self.outcomes)


def check(policy: Policy, papers: Papers, at: datetime, register: Register | None = None) -> Sequence[Outcome]:
    """Check every rule, and change nothing.

    Parameters:
        policy: the rules.
        papers: what is to be admitted.
        at: now.
        register: is asked whether it knows the evidence already; ``None`` while there is none.

    Raises:
        ConfigurationFault: there is no bundle, or a review cannot be read.
    """
    return _outcomes(policy, _submission(papers, None, at), register, at)


def _outcomes(policy: Policy, submission: Submission, register: Register | None, at: datetime) -> Sequence[Outcome]:
    outcomes = apply_policy(policy, submission, at)
    if register is None or not submission.predicate:
        return outcomes
    return (*outcomes, in_register(register, submission, at))


def in_register(register: Register, submission: Submission, at: datetime) -> Outcome:
    """Whether the register does not know the evidence yet: one run has one certificate, whoever judges it again."""
    record = submission.record
    older = datetime.fromisoformat(record["finished"]) + timedelta(days=VALID_DAYS)
    there = register.known(_id(submission.digest), record["evidence"], stamp(older))
    if there is None:
        return Outcome("register", True, "The register does not know this evidence yet.")
    status, last = register.status(there, at)
    name = f"This evidence was admitted before, as certificate {there.id}"
    why = {
        "valid": f", which is valid until {there.until}: one run has one certificate, also when it is judged again.",
        "expired": f", which expired on {there.until}. Make a new run.",
        "suspended": f", which is suspended since {last.at}: {last.reason} Only the register resumes it.",
        "revoked": f", which was revoked on {last.at}: {last.reason} Make a new run.",
    }
    return Outcome("register", False, name + why[status])


def _submission(papers: Papers, reviewer: str | None, at: datetime) -> Submission:
    verification, record, digest = _verified(papers.bundle, at, papers.authorities)
    graded = None
    if papers.reviews and verification.statement is not None:
        with opened(papers.bundle) as folder:
            graded = _graded(folder, papers.reviews)
    again, again_record, _ = (None, {}, "") if papers.again is None else _verified(papers.again, at)
    return Submission(verification, record, reviewer, again, again_record, graded, digest, papers.challenge)


def _verified(
    bundle: Path, at: datetime, authorities: Sequence[x509.Certificate] = ()
) -> tuple[Verification, dict[str, Any], str]:
    """What verifying a bundle shows, and when it is valid its record and the digest of its statement."""
    verification = verify_bundle(bundle, None, at, authorities)
    if verification.statement is None:
        return verification, {}, ""
    with opened(bundle) as folder:
        digest = statement_digest((folder / STATEMENT).read_bytes())
        return verification, read_document(folder / RECORD), digest


def _graded(folder: Path, files: Sequence[Path]) -> Graded:
    data, signed = (folder / RECORD).read_bytes(), []
    for file in files:
        try:
            signed.append(open_reviews(file.read_bytes(), data))
        except BundleFault as fault:
            return Graded(problem=f"{file}: {fault.what}.")
    try:
        _, record = judge_reviewed(folder, [one for each in signed for one in each.reviews])
    except BundleFault as fault:
        return Graded(problem=f"The bundle cannot be judged with its reviews: {fault.what}.")
    return Graded(signed, record)


def admit(policy: Policy, papers: Papers, key: Signer, register: Register, at: datetime) -> Decision:
    """Check every rule; when all are met, countersign and enter it into the register.

    Parameters:
        policy, papers, at: as for :func:`check`; the bundle must be a folder.
        key: of the reviewer.
        register: where it is entered.

    Raises:
        ConfigurationFault: there is no folder.
    """
    folder = papers.bundle
    if not folder.is_dir():
        raise ConfigurationFault(
            "this is not the folder of a bundle",
            where=Where(folder),
            remedy="Unpack a .zip first: it gets a signature.",
        )
    reviewer = key_id(key.public)
    submission = _submission(papers, reviewer, at)
    outcomes = _outcomes(policy, submission, register, at)
    if not all(each.met for each in outcomes):
        return Decision(outcomes, None)
    certificate = _certificate(policy, submission, at)
    if reviewer not in map(key_id, submission.verification.signers):
        sign_bundle(folder, key, at)
    reason = f"policy {certificate.policy}"
    if submission.graded is not None:
        reason += f"; reviews {' '.join(each.digest for each in submission.graded.files)}"
    register.add(certificate, entry(certificate.id, at, "admitted", certificate.reviewer, reason))
    return Decision(outcomes, certificate)


def _id(digest: str) -> str:
    """The number of a certificate, from the digest of its statement."""
    return digest.removeprefix("sha256:")[:_ID_DIGITS]


def _certificate(policy: Policy, submission: Submission, at: datetime) -> Certificate:
    said = submission.predicate
    record = submission.judged
    tester = signer_of(policy, [key_id(each) for each in submission.verification.signers], "tester")
    signs = signer_of(policy, [submission.reviewer or ""], "reviewer")
    assert tester is not None  # noqa: S101 - the rule `tester` is met
    assert signs is not None  # noqa: S101 - the rule `reviewer` is met
    return Certificate(
        id=_id(submission.digest),
        statement=submission.digest,
        word="admitted with waivers" if record["on_waivers"] else "admitted",
        authority=said["sut"]["authority"],
        product=said["sut"]["product"],
        version=said["sut"]["version"],
        role=said["role"],
        positions=tuple(said["positions"]),
        pack=f"{said['pack']['id']} {said['pack']['version']}",
        waivers=tuple(waived_by(record)),
        issued=stamp(at),
        until=until_of(record),
        tester=tester.name,
        reviewer=signs.name,
        policy=f"{policy.name} {policy.digest}",
        evidence=tuple(submission.record["evidence"]),
    )


def until_of(record: Mapping[str, Any]) -> str:
    """The end of a certificate: that of the statement, or of the first waiver on which it stands."""
    waivers = (stamp(ends(each)) for each in record["waivers"] if each["state"] == "used")
    return min([str(record["validity"]["until"]), *waivers])
