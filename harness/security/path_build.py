"""Certification paths from a leaf to the anchors, by names and signatures; their rules are judged elsewhere.

Source: RFC 5280, section 6; RFC 4158 (building).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from harness.security.model import Problem
from harness.security.names import comparable
from harness.security.x509 import name_of

LONGEST = 10
MOST_SIGNATURES = 100
"""Bounds on the search: certificates of a path, and signatures that are looked at."""

Chain: TypeAlias = tuple[x509.Certificate, ...]


def chains(
    leaf: x509.Certificate, intermediates: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]
) -> list[Chain]:
    """Every path from a leaf to an anchor, shortest first; an anchor that is the leaf is a path of its own."""
    budget = [MOST_SIGNATURES]
    found = list(_climb((leaf,), intermediates, anchors, budget))
    return sorted(found, key=len)


def _climb(
    chain: Chain, intermediates: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], budget: list[int]
) -> Iterator[Chain]:
    last = chain[-1]
    if last in anchors:
        yield chain
        return
    if len(chain) > LONGEST:
        return
    for issuer in (*anchors, *intermediates):
        if issuer in chain or not same_name(issuer.subject, last.issuer):
            continue
        if budget[0] <= 0:
            return
        budget[0] -= 1
        if signed_by(last, issuer):
            yield from _climb((*chain, issuer), intermediates, anchors, budget)


def why_none(
    leaf: x509.Certificate, intermediates: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]
) -> Problem:
    """Why there is no path: follow names and signatures from the leaf upwards, as far as they go."""
    if not anchors:
        return Problem("certificate/untrusted", "No path to a trust anchor: none is configured.")
    if signed_by(leaf, leaf):
        return Problem("certificate/self-signed", f"{name_of(leaf)} is signed by its own key and is no trust anchor.")
    current, seen = leaf, {leaf}
    while len(seen) <= LONGEST:
        namesakes = [each for each in (*anchors, *intermediates) if same_name(each.subject, current.issuer)]
        issuer = next((each for each in namesakes if each not in seen and signed_by(current, each)), None)
        if issuer is None:
            name = current.issuer.rfc4514_string()
            why = f"another key of the same name as {name}" if namesakes else f"{name}, which is not known here"
            text = f"No path to a trust anchor: {name_of(current)} is issued by {why}."
            return Problem("certificate/untrusted", text)
        seen.add(issuer)
        current = issuer
    return Problem("certificate/untrusted", f"No path to a trust anchor within {LONGEST} certificates.")


def signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name and key are those that signed."""
    if not same_name(certificate.issuer, issuer.subject):
        return False
    try:
        key, how = issuer.public_key(), certificate.signature_algorithm_parameters
        digest = certificate.signature_hash_algorithm
        if isinstance(key, RSAPublicKey) and isinstance(how, (PKCS1v15, PSS)) and digest is not None:
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, how, digest)
            return True
        if isinstance(key, EllipticCurvePublicKey) and isinstance(how, ECDSA):
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, how)
            return True
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return False


def same_name(one: x509.Name, other: x509.Name) -> bool:
    """Whether two names are the same as RFC 5280 compares them (section 7.1)."""
    return one == other or comparable(one) == comparable(other)
