"""Is a certificate trusted, at one moment, for signing messages?

:mod:`cryptography` builds the path and checks signatures, validity, basic constraints and name constraints. What it
leaves to its caller is done here: key usage, key sizes and curves, authorities that pose as end entities, revocation,
and the reason when no path is found.

Sources: RFC 5280, sections 4.2.1.3 (key usage) and 6 (path validation).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from harness.security.model import Problem, SecurityProfile, Trust
from harness.security.revocation import check_revocation
from harness.security.x509 import extension_of, name_of, public_key_of


class FoundPath(NamedTuple):
    """What :func:`find_path` found.

    Parameters:
        subjects: from the leaf to the trust anchor; empty without a path.
        problems: everything that is wrong with the certificate, codes ``certificate/...``.
        revocation: ``good`` when every certificate below the anchor was checked, ``revoked``, or ``not checked``.
    """

    subjects: tuple[str, ...]
    problems: tuple[Problem, ...]
    revocation: str


def find_path(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    trust: Trust,
    at: datetime,
    profile: SecurityProfile,
) -> FoundPath:
    """Judge a signing certificate at one moment.

    A certificate that is out of date is followed at the end of its life that is nearest, so that *expired* and
    *untrusted* stay two different findings.

    The answer can change only when a certificate or a revocation list begins or ceases to be valid. So it is worked
    out once for each span between two such moments, and remembered.

    Parameters:
        leaf: the signing certificate.
        intermediates: what came with the message; those of *trust* are used as well.
        trust: anchors, revocation lists.
        at: the moment, with its time zone; fractions of a second do not count.
        profile: smallest RSA key, curves, key usages.
    """
    known, same = tuple(intermediates), _Same(trust)
    changes = _changes(leaf, known, same)
    span = bisect_right(changes, at)
    beginning = changes[span - 1] if span else changes[0] - timedelta(seconds=1)
    return _judge(leaf, known, same, beginning, profile)


class _Same:
    """A trust as a cache key: equal to the very same object only, because revocation lists have no hash."""

    __slots__ = ("trust",)

    def __init__(self, trust: Trust) -> None:
        self.trust = trust

    def __hash__(self) -> int:
        return id(self.trust)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.trust is self.trust


@lru_cache(maxsize=512)
def _changes(leaf: x509.Certificate, intermediates: tuple[x509.Certificate, ...], same: _Same) -> tuple[datetime, ...]:
    """Every moment at which something that counts begins or ceases to be valid, in order; whole seconds."""
    certificates = (leaf, *intermediates, *same.trust.intermediates, *same.trust.anchors)
    changes = {each.not_valid_before_utc for each in certificates}
    changes |= {each.not_valid_after_utc + timedelta(seconds=1) for each in certificates}
    changes |= {crl.last_update_utc for crl in same.trust.crls}
    changes |= {crl.next_update_utc for crl in same.trust.crls if crl.next_update_utc is not None}
    return tuple(sorted(changes))


@lru_cache(maxsize=512)
def _judge(
    leaf: x509.Certificate,
    intermediates: tuple[x509.Certificate, ...],
    same: _Same,
    at: datetime,
    profile: SecurityProfile,
) -> FoundPath:
    trust, known = same.trust, (*intermediates, *same.trust.intermediates)
    moment = min(max(at, leaf.not_valid_before_utc), leaf.not_valid_after_utc)
    problems = [*_validity_problems(leaf, at)]
    chain = _build(leaf, known, trust.anchors, moment)
    if isinstance(chain, str):
        problems.append(_why_no_path(leaf, known, trust.anchors, moment, chain))
        chain = ()
    problems += _leaf_problems(leaf, profile)
    problems += [problem for each in chain or (leaf,) for problem in _key_problems(each, profile)]
    revoked, revocation = check_revocation(chain, trust, at)
    return FoundPath(tuple(name_of(each) for each in chain), (*problems, *revoked), revocation)


# --- the path ---------------------------------------------------------------------------------------------------------


def _require_authority(_policy: Policy, _certificate: x509.Certificate, extension: x509.BasicConstraints) -> None:
    if not extension.ca:
        raise ValueError("an issuer in the path is not a certification authority")


def _require_certificate_signing(
    _policy: Policy, _certificate: x509.Certificate, extension: x509.KeyUsage | None
) -> None:
    if extension is not None and not extension.key_cert_sign:
        raise ValueError("the key of an issuer in the path may not sign certificates")


_END_ENTITY = ExtensionPolicy.permit_all()
_AUTHORITY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _require_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _require_certificate_signing)
)


def _build(
    leaf: x509.Certificate, intermediates: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], at: datetime
) -> tuple[x509.Certificate, ...] | str:
    """The path from the leaf to an anchor, or why there is none."""
    if not anchors:
        return "no trust anchor is configured"
    verifier = (
        PolicyBuilder()
        .store(Store(list(anchors)))
        .time(at)
        .extension_policies(ee_policy=_END_ENTITY, ca_policy=_AUTHORITY)
        .build_client_verifier()
    )
    try:
        return tuple(verifier.verify(leaf, list(intermediates)).chain)
    except VerificationError as error:
        return str(error)
    except ValueError as error:
        return f"a certificate cannot be read: {error}"


def _why_no_path(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    at: datetime,
    reason: str,
) -> Problem:
    """Follow names and signatures from the leaf upwards, as far as they go."""
    if _signed_by(leaf, leaf) and leaf not in anchors:
        return Problem("certificate/self-signed", f"{name_of(leaf)} is signed by its own key and is no trust anchor.")
    current = leaf
    for _ in range(len(intermediates) + len(anchors) + 1):
        if current in anchors:
            break
        namesakes = [each for each in (*anchors, *intermediates) if each.subject == current.issuer]
        issuer = next((each for each in namesakes if each != current and _signed_by(current, each)), None)
        if issuer is None:
            name = current.issuer.rfc4514_string()
            why = f"another key of the same name as {name}" if namesakes else f"{name}, which is not known here"
            text = f"No path to a trust anchor: {name_of(current)} is issued by {why}."
            return Problem("certificate/untrusted", text)
        for _problem in _validity_problems(issuer, at):
            return Problem("certificate/issuer-out-of-date", _problem.text)
        current = issuer
    return Problem("certificate/path-invalid", f"The path of {name_of(leaf)} breaks a rule: {reason}.")


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


# --- the certificates on it -------------------------------------------------------------------------------------------


def _validity_problems(certificate: x509.Certificate, at: datetime) -> Iterator[Problem]:
    if at > certificate.not_valid_after_utc:
        end = f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S}"
        yield Problem("certificate/expired", f"{name_of(certificate)} expired at {end} UTC.")
    if at < certificate.not_valid_before_utc:
        begin = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S}"
        yield Problem("certificate/not-yet-valid", f"{name_of(certificate)} is valid from {begin} UTC.")


def _leaf_problems(leaf: x509.Certificate, profile: SecurityProfile) -> Iterator[Problem]:
    constraints = extension_of(leaf, x509.BasicConstraints)
    usage = extension_of(leaf, x509.KeyUsage)
    if constraints is not None and constraints.ca:
        yield Problem("certificate/is-ca", f"{name_of(leaf)} is a certification authority and may not sign messages.")
    if usage is not None and profile.key_usages and not any(getattr(usage, name) for name in profile.key_usages):
        wanted = " or ".join(profile.key_usages)
        yield Problem("certificate/key-usage", f"The key usage of {name_of(leaf)} lacks {wanted}.")


def _key_problems(certificate: x509.Certificate, profile: SecurityProfile) -> Iterator[Problem]:
    name = name_of(certificate)
    key = public_key_of(certificate)
    if isinstance(key, RSAPublicKey):
        if key.key_size < profile.rsa_bits:
            text = f"{name} has an RSA key of {key.key_size} bits; {profile.rsa_bits} are due."
            yield Problem("certificate/weak-key", text)
    elif key is not None:
        if key.curve.name not in profile.curves:
            text = f"{name} has a key on the curve {key.curve.name}; allowed: {', '.join(profile.curves)}."
            yield Problem("certificate/curve", text)
    else:
        yield Problem("certificate/key-kind", f"{name} has no RSA key and no key on a known elliptic curve.")
