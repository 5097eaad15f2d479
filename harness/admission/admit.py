"""Admitting a system: every rule of the policy is checked, the reviewer countersigns, the register takes it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.admission.model import Certificate, Outcome, Policy
from harness.admission.policy import Submission, apply_policy, signer_of, waived_by
from harness.admission.store import Register, entry
from harness.bundle.files import STATEMENT
from harness.bundle.sign import sign_bundle
from harness.bundle.statement import statement_digest
from harness.bundle.verify import opened, read_document, verify_bundle
from harness.bundle.write import RECORD
from harness.errors import BUNDLE_INVALID, ConfigurationFault, Where
from harness.evidence.clock import stamp
from harness.security.statement_key import Signer, key_id

_ID_DIGITS = 16


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


def check(policy: Policy, bundle: Path, again: Path | None, reviewer: str | None, at: datetime) -> Sequence[Outcome]:
    """Check every rule, and change nothing.

    Parameters:
        policy: the rules.
        bundle: folder or ``.zip``.
        again: the bundle of a second run.
        reviewer: id of the key that would countersign.
        at: now.

    Raises:
        ConfigurationFault: there is no bundle.
    """
    verification = verify_bundle(bundle, None, at)
    record = {}
    if verification.exit_code != BUNDLE_INVALID:
        with opened(bundle) as folder:
            record = read_document(folder / RECORD)
    second = verify_bundle(again, None, at) if again is not None else None
    return apply_policy(policy, Submission(verification, record, reviewer, second), at)


def admit(policy: Policy, folder: Path, again: Path | None, key: Signer, register: Register, at: datetime) -> Decision:
    """Check every rule; when all are met, countersign and enter it into the register.

    Parameters:
        policy, again, at: as for :func:`check`.
        folder: of the bundle.
        key: of the reviewer.
        register: where it is entered.

    Raises:
        ConfigurationFault: there is no folder, or the certificate is in the register already.
    """
    if not folder.is_dir():
        raise ConfigurationFault(
            "this is not the folder of a bundle",
            where=Where(folder),
            remedy="Unpack a .zip first: it gets a signature.",
        )
    reviewer = key_id(key.public)
    outcomes = check(policy, folder, again, reviewer, at)
    if not all(each.met for each in outcomes):
        return Decision(outcomes, None)
    certificate = _certificate(policy, folder, reviewer, at)
    if register.find(certificate.id) is not None:
        raise ConfigurationFault(f"certificate {certificate.id} is in the register already", where=Where(register.name))
    if reviewer not in map(key_id, verify_bundle(folder, None, at).signers):
        sign_bundle(folder, key, at)
    register.add(
        certificate, entry(certificate.id, at, "admitted", certificate.reviewer, f"policy {certificate.policy}")
    )
    return Decision(outcomes, certificate)


def _certificate(policy: Policy, folder: Path, reviewer: str, at: datetime) -> Certificate:
    verification = verify_bundle(folder, None, at)
    assert verification.statement is not None  # noqa: S101 - the rule `bundle` is met
    said, record = verification.statement["predicate"], read_document(folder / RECORD)
    digest = statement_digest((folder / STATEMENT).read_bytes())
    tester = signer_of(policy, [key_id(each) for each in verification.signers], "tester")
    signs = signer_of(policy, [reviewer], "reviewer")
    assert tester is not None  # noqa: S101 - the rule `tester` is met
    assert signs is not None  # noqa: S101 - the rule `reviewer` is met
    return Certificate(
        id=digest.removeprefix("sha256:")[:_ID_DIGITS],
        statement=digest,
        word="admitted with waivers" if record["on_waivers"] else "admitted",
        authority=said["sut"]["authority"],
        product=said["sut"]["product"],
        version=said["sut"]["version"],
        role=said["role"],
        positions=tuple(said["positions"]),
        pack=f"{said['pack']['id']} {said['pack']['version']}",
        waivers=tuple(waived_by(record)),
        issued=stamp(at),
        until=said["validity"]["until"],
        tester=tester.name,
        reviewer=signs.name,
        policy=f"{policy.name} {policy.digest}",
    )
