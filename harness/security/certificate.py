"""Is a certificate trusted, at one moment, for signing messages?

Paths are built and their rules judged one by one, so that each refusal has its own reason; what our rules accept is
shown to the verifier of :mod:`cryptography` as well, wherever it knows all extensions of the path. The leaf is judged
by what the pack wants of it: key usage, sizes and curves; an authority that poses as an end entity is refused.

Sources: RFC 5280, sections 4.2.1.3 (key usage) and 6 (path validation).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from harness.security.model import Problem, SecurityProfile, Trust
from harness.security.ocsp import moments_of
from harness.security.path_build import Chain, chains, why_none
from harness.security.path_rules import rule_problems
from harness.security.revocation import check_revocation, revoked_since
from harness.security.x509 import Facts, extension_of, facts_of, name_of, public_key_of

LEAST_RSA_BITS = 2048
"""Below this a key is refused, whatever a profile says."""


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
    signer, others = facts_of(leaf), tuple(map(facts_of, intermediates))
    changes = _changes(signer, others, trust)
    span = bisect_right(changes, at)
    beginning = changes[span - 1] if span else changes[0] - timedelta(seconds=1)
    return _judge(signer, others, trust, beginning, profile)


@lru_cache(maxsize=512)
def _changes(signer: Facts, others: tuple[Facts, ...], trust: Trust) -> tuple[datetime, ...]:
    """Every moment at which something that counts begins or ceases to be valid, in order; whole seconds."""
    sent = [each.certificate for each in (signer, *others)]
    certificates = (*sent, *trust.intermediates, *trust.anchors)
    changes = {each.not_valid_before_utc for each in certificates}
    changes |= {each.not_valid_after_utc + timedelta(seconds=1) for each in certificates}
    changes |= {crl.last_update_utc for crl in trust.crls}
    changes |= {crl.next_update_utc for crl in trust.crls if crl.next_update_utc is not None}
    entries = (crl.get_revoked_certificate_by_serial_number(each.serial_number) for crl in trust.crls
               for each in certificates)  # fmt: skip
    changes |= {revoked_since(entry) for entry in entries if entry is not None}
    changes |= {moment for response in trust.ocsp for moment in moments_of(response)}
    return tuple(sorted(changes))


@lru_cache(maxsize=512)
def _judge(signer: Facts, others: tuple[Facts, ...], trust: Trust, at: datetime, profile: SecurityProfile) -> FoundPath:
    leaf, known = signer.certificate, (*(each.certificate for each in others), *trust.intermediates)
    moment = min(max(at, leaf.not_valid_before_utc), leaf.not_valid_after_utc)
    problems = [*_validity_problems(leaf, at)]
    chain, broken = _best(leaf, known, trust.anchors, moment, profile)
    keys = [problem for each in chain or (leaf,) for problem in _key_problems(each, profile)]
    refusal = None if broken or keys else _second_opinion(chain, moment)
    if refusal is not None:
        broken = [Problem("certificate/path-invalid", f"The path of {name_of(leaf)} breaks a rule: {refusal}.")]
    problems += [*broken, *_leaf_problems(leaf, profile), *keys]
    revoked, revocation = check_revocation(chain, known, trust, at, required=profile.revocation_required)
    believed = () if any(each.code in _NO_PATH for each in broken) else chain
    return FoundPath(tuple(name_of(each) for each in believed), (*problems, *revoked), revocation)


# --- the path ---------------------------------------------------------------------------------------------------------

_NO_PATH = {
    f"certificate/{word}"
    for word in (
        "untrusted", "self-signed", "issuer-out-of-date", "issuer-no-authority", "issuer-key-usage", "path-length",
        "name-constraints", "critical-extension", "weak-signature", "policy", "path-invalid",
    )
}  # fmt: skip
"""Problems because of which a path does not count as one."""


def _best(
    leaf: x509.Certificate,
    known: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    at: datetime,
    profile: SecurityProfile,
) -> tuple[Chain, list[Problem]]:
    """The first path that keeps all rules, or the one that breaks the fewest, with what it breaks."""
    found = [(chain, [*rule_problems(chain, at, profile)]) for chain in chains(leaf, known, anchors)]
    if not found:
        return (), [why_none(leaf, known, anchors)]
    return min(found, key=lambda each: len(each[1]))


_END_ENTITY = ExtensionPolicy.permit_all()
_AUTHORITY = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
_BEYOND = (x509.CertificatePolicies, x509.PolicyConstraints, x509.InhibitAnyPolicy, x509.NameConstraints)
"""Extensions that the library does not understand in full; our own rules have judged them. It also wants names to be
spelt the same."""


def _second_opinion(chain: Chain, at: datetime) -> str | None:
    """Whether the library, which knows more rules of encoding, has something against a path; why it has."""
    respelt = any(each.issuer != issuer.subject for each, issuer in pairwise(chain))
    if len(chain) == 1 or respelt or any(extension_of(each, kind) is not None for each in chain for kind in _BEYOND):
        return None
    verifier = (
        PolicyBuilder()
        .store(Store([chain[-1]]))
        .time(at)
        .extension_policies(ee_policy=_END_ENTITY, ca_policy=_AUTHORITY)
        .build_client_verifier()
    )
    try:
        verifier.verify(chain[0], list(chain[1:-1]))
    except VerificationError as error:
        return str(error)
    except ValueError as error:
        return f"a certificate cannot be read: {error}"
    return None


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
        due = max(profile.rsa_bits, LEAST_RSA_BITS)
        if key.key_size < due:
            text = f"{name} has an RSA key of {key.key_size} bits; {due} are due."
            yield Problem("certificate/weak-key", text)
    elif key is not None:
        if key.curve.name not in profile.curves:
            text = f"{name} has a key on the curve {key.curve.name}; allowed: {', '.join(profile.curves)}."
            yield Problem("certificate/curve", text)
    else:
        yield Problem("certificate/key-kind", f"{name} has {_kind(certificate)}; RSA or a known elliptic curve is due.")


def _kind(certificate: x509.Certificate) -> str:
    try:
        kind = type(certificate.public_key()).__name__.removesuffix("PublicKey")
    except (ValueError, UnsupportedAlgorithm):
        return "a key that cannot be read"
    return f"a key of the kind {kind}"
