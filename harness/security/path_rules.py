"""The rules that every path must keep, each with a reason of its own.

Source: RFC 5280, sections 4.2 (extensions) and 6.1 (path validation). The anchor is believed: of its own extensions
only name constraints and path length count (RFC 5937).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from harness.security.model import Problem, SecurityProfile
from harness.security.name_constraints import name_problem
from harness.security.path_build import same_name
from harness.security.path_policy import MAPPINGS, policy_problem
from harness.security.x509 import extension_of, name_of

_UNDERSTOOD = {
    kind.oid.dotted_string
    for kind in (
        x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName, x509.NameConstraints,
        x509.CertificatePolicies, x509.PolicyConstraints, x509.InhibitAnyPolicy, x509.SubjectKeyIdentifier,
        x509.AuthorityKeyIdentifier, x509.CRLDistributionPoints,
    )
} | {MAPPINGS.dotted_string}  # fmt: skip
_WEAK = (hashes.MD5, hashes.SHA1)


def rule_problems(chain: Sequence[x509.Certificate], at: datetime, profile: SecurityProfile) -> Iterator[Problem]:
    """Say what is wrong with a path whose names and signatures fit.

    Parameters:
        chain: from the leaf to the anchor.
        at: the moment at which issuers must be valid.
        profile: wanted policies and extended key usages.
    """
    *below, _anchor = chain
    for certificate in below:
        yield from _extension_problems(certificate)
        yield from _signature_problems(certificate)
    for place, issuer in enumerate(chain[1:], 1):
        yield from _validity(issuer, at)
        yield from _issuer_problems(issuer, chain[1:place])
    yield from _purpose_problems(chain[0], profile)
    named = name_problem(chain)
    if named is not None:
        yield Problem("certificate/name-constraints", f"{named}.")
    try:
        policy = policy_problem(below[::-1], profile.policies) if below else None
    except ValueError as error:
        policy = str(error)
    if policy is not None:
        yield Problem("certificate/policy", f"The path of {name_of(chain[0])} lacks the policy that is due: {policy}.")


def _extension_problems(certificate: x509.Certificate) -> Iterator[Problem]:
    for extension in certificate.extensions:
        if extension.critical and extension.oid.dotted_string not in _UNDERSTOOD:
            text = f"{name_of(certificate)} has the critical extension {extension.oid.dotted_string}, which is unknown."
            yield Problem("certificate/critical-extension", text)


def _signature_problems(certificate: x509.Certificate) -> Iterator[Problem]:
    algorithm = certificate.signature_hash_algorithm
    if isinstance(algorithm, _WEAK):
        text = f"{name_of(certificate)} was signed by its issuer with {algorithm.name}, which has been broken."
        yield Problem("certificate/weak-signature", text)


def _validity(issuer: x509.Certificate, at: datetime) -> Iterator[Problem]:
    begin, end = issuer.not_valid_before_utc, issuer.not_valid_after_utc
    if not begin <= at <= end:
        text = f"{name_of(issuer)} is valid from {begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC only."
        yield Problem("certificate/issuer-out-of-date", text)


def _issuer_problems(issuer: x509.Certificate, between: Sequence[x509.Certificate]) -> Iterator[Problem]:
    name = name_of(issuer)
    constraints, usage = extension_of(issuer, x509.BasicConstraints), extension_of(issuer, x509.KeyUsage)
    if constraints is None or not constraints.ca:
        yield Problem("certificate/issuer-no-authority", f"{name} issued a certificate and is no authority.")
    elif constraints.path_length is not None:
        authorities = sum(1 for each in between if not same_name(each.subject, each.issuer))
        if authorities > constraints.path_length:
            text = f"{name} allows {constraints.path_length} authorities below it, and there are {authorities}."
            yield Problem("certificate/path-length", text)
    if usage is not None and not usage.key_cert_sign:
        yield Problem("certificate/issuer-key-usage", f"The key of {name} may not sign certificates.")


def _purpose_problems(leaf: x509.Certificate, profile: SecurityProfile) -> Iterator[Problem]:
    listed = extension_of(leaf, x509.ExtendedKeyUsage)
    if listed is None or not profile.extended_key_usages:
        return
    purposes = {each.dotted_string for each in listed}
    if not purposes & {*profile.extended_key_usages, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string}:
        wanted = " or ".join(profile.extended_key_usages)
        yield Problem("certificate/extended-key-usage", f"The extended key usage of {name_of(leaf)} lacks {wanted}.")
