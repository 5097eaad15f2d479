"""Algorithms by name and by URI, and those that are refused by name. A pack allows some of them; nothing else runs.

Sources: XML Signature 1.1, section 6; RFC 9231 (URIs); RFC 8017 (RSA); FIPS 186-5 (ECDSA).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness.security.model import PrivateKey, Problem

DS = "http://www.w3.org/2000/09/xmldsig#"
DS_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
DS_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
DS_11 = "http://www.w3.org/2009/xmldsig11#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = f"{DS}enveloped-signature"
STR_TRANSFORM = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform"


@dataclass(frozen=True)
class SignatureAlgorithm:
    """A public-key signature with its digest.

    Parameters:
        name: as in ``security.yaml``.
        uri: its URI in XML Signature.
        key: ``RSA`` or ``EC``.
        digest: of what is signed.
        scheme: how the library does it: a padding of RSA, or ECDSA, whose value is r and s, each as long as the
            curve's order; ``None`` for what is no public-key signature.
    """

    name: str
    uri: str
    key: str
    digest: hashes.HashAlgorithm
    scheme: AsymmetricPadding | ECDSA | None = None


@dataclass(frozen=True)
class Digest:
    """A digest."""

    name: str
    uri: str

    def of(self, data: bytes) -> bytes:
        """The digest of some bytes."""
        digest: bytes = getattr(hashlib, self.name)(data).digest()  # hashlib.new looks the name up on a longer way
        return digest


@dataclass(frozen=True)
class Canonicalisation:
    """A form of Canonical XML."""

    name: str
    uri: str
    exclusive: bool
    comments: bool


def _rsa(bits: int, digest: hashes.HashAlgorithm) -> SignatureAlgorithm:
    return SignatureAlgorithm(f"rsa-sha{bits}", f"{DS_MORE}rsa-sha{bits}", "RSA", digest, PKCS1v15())


def _rsa_pss(bits: int, digest: hashes.HashAlgorithm) -> SignatureAlgorithm:
    padding = PSS(MGF1(digest), digest.digest_size)
    return SignatureAlgorithm(f"rsa-pss-sha{bits}", f"{DS_2007}sha{bits}-rsa-MGF1", "RSA", digest, padding)


def _ecdsa(bits: int, digest: hashes.HashAlgorithm) -> SignatureAlgorithm:
    return SignatureAlgorithm(f"ecdsa-sha{bits}", f"{DS_MORE}ecdsa-sha{bits}", "EC", digest, ECDSA(digest))


_SHA2 = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}

SIGNATURES: Mapping[str, SignatureAlgorithm] = {
    algorithm.uri: algorithm
    for make in (_rsa, _rsa_pss, _ecdsa)
    for algorithm in (make(bits, digest) for bits, digest in _SHA2.items())
}
"""Signature algorithms by URI."""

DIGESTS: Mapping[str, Digest] = {
    digest.uri: digest
    for digest in (
        Digest("sha256", f"{XENC}sha256"),
        Digest("sha384", f"{DS_MORE}sha384"),
        Digest("sha512", f"{XENC}sha512"),
    )
}
"""Digests by URI."""

CANONICALISATIONS: Mapping[str, Canonicalisation] = {
    each.uri: each
    for each in (
        Canonicalisation("exc-c14n", EXC_C14N, exclusive=True, comments=False),
        Canonicalisation("exc-c14n-with-comments", f"{EXC_C14N}WithComments", exclusive=True, comments=True),
        Canonicalisation("c14n", C14N, exclusive=False, comments=False),
        Canonicalisation("c14n-with-comments", f"{C14N}#WithComments", exclusive=False, comments=True),
    )
}
"""Canonicalisations by URI."""

_WEAK = (
    SignatureAlgorithm("rsa-sha1", f"{DS}rsa-sha1", "RSA", hashes.SHA1(), PKCS1v15()),  # noqa: S303
    SignatureAlgorithm("ecdsa-sha1", f"{DS_MORE}ecdsa-sha1", "EC", hashes.SHA1(), ECDSA(hashes.SHA1())),  # noqa: S303
    SignatureAlgorithm("hmac-sha256", f"{DS_MORE}hmac-sha256", "HMAC", hashes.SHA256()),
    SignatureAlgorithm("rsa-unknown", "urn:example:rsa", "RSA", hashes.SHA256(), PKCS1v15()),
    SignatureAlgorithm("ecdsa-unknown", "urn:example:ecdsa", "EC", hashes.SHA256(), ECDSA(hashes.SHA256())),
)

WRITABLE: Mapping[str, SignatureAlgorithm] = {each.name: each for each in (*SIGNATURES.values(), *_WEAK)}
"""Signature algorithms by name. Others are written to see whether a receiver refuses them, and never verified: weak
ones, a code that is keyed with the public key (so that whoever takes it for a signature finds it right), and one that
has no name anywhere."""

WRITABLE_DIGESTS: Mapping[str, Digest] = {
    each.name: each for each in (*DIGESTS.values(), Digest("sha1", f"{DS}sha1"), Digest("md5", f"{DS_MORE}md5"))
}
"""Digests by name, likewise."""


_REFUSED = {"^dsa-": "algorithm/dsa", "hmac": "algorithm/hmac", "sha1": "algorithm/sha1", "md5": "algorithm/md5"}
"""What is refused whatever a profile says: how the name of the algorithm is known, and the code."""


def refuse(uri: str, name: str | None, allowed: tuple[str, ...], pointer: str) -> Problem:
    """Say why an algorithm that the pack does not allow may not run.

    Parameters:
        uri: as in the message.
        name: its name here, ``None`` when it is not in the table.
        allowed: names that the pack allows.
        pointer: where it is named.
    """
    word = uri.lower().rpartition("#")[2]
    for weak, code in _REFUSED.items():
        if re.search(weak, word):
            return Problem(code, f"{uri[:200]} is refused, whatever a profile says.", pointer)
    if name is None:
        return Problem("algorithm/unknown", f"The algorithm {uri[:200]!r} is not known.", pointer)
    return Problem("algorithm/not-allowed", f"{name} is not allowed; allowed: {', '.join(allowed)}.", pointer)


def kind_of(key: PrivateKey | RSAPublicKey | EllipticCurvePublicKey) -> str:
    """``RSA`` or ``EC``."""
    return _kind_of(type(key))


@cache
def _kind_of(implementation: type) -> str:
    """The same; asking abstract classes what belongs to them takes long, and there are few implementations."""
    return "RSA" if issubclass(implementation, (RSAPrivateKey, RSAPublicKey)) else "EC"


def sign(algorithm: SignatureAlgorithm, key: PrivateKey, data: bytes) -> bytes:
    """The signature value of some bytes.

    Raises:
        ValueError: the key is of another kind.
    """
    if algorithm.key == "HMAC":
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return hmac.digest(public, data, algorithm.digest.name)
    if algorithm.scheme is None or algorithm.key != kind_of(key):
        raise ValueError(f"{algorithm.name} needs another kind of key")
    if algorithm.key == "RSA":
        return cast("RSAPrivateKey", key).sign(data, cast("AsymmetricPadding", algorithm.scheme), algorithm.digest)
    curve = cast("EllipticCurvePrivateKey", key)
    r, s = decode_dss_signature(curve.sign(data, cast("ECDSA", algorithm.scheme)))
    size = _order_size(curve)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def verify(
    algorithm: SignatureAlgorithm, key: RSAPublicKey | EllipticCurvePublicKey, value: bytes, data: bytes
) -> Problem | None:
    """Say why a signature value is not valid, or ``None`` when it is."""
    if algorithm.scheme is None or algorithm.key != kind_of(key):
        text = f"{algorithm.name} needs an {algorithm.key} key, and the certificate has an {kind_of(key)} key."
        return Problem("signature/key-mismatch", text)
    try:
        if algorithm.key == "RSA":
            padding = cast("AsymmetricPadding", algorithm.scheme)
            cast("RSAPublicKey", key).verify(value, data, padding, algorithm.digest)
        else:
            curve = cast("EllipticCurvePublicKey", key)
            size = _order_size(curve)
            if len(value) != 2 * size:
                return _wrong_length(value, size)
            r, s = int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
            curve.verify(encode_dss_signature(r, s), data, cast("ECDSA", algorithm.scheme))
    except InvalidSignature:
        return Problem("signature/value-invalid", "The signature value is not that of this key over these bytes.")
    return None


def _order_size(key: EllipticCurvePrivateKey | EllipticCurvePublicKey) -> int:
    """Bytes of the order of the curve (XML Signature 1.1, section 6.4.3)."""
    return (key.curve.group_order.bit_length() + 7) // 8


def _wrong_length(value: bytes, size: int) -> Problem:
    try:
        decode_dss_signature(value)
    except ValueError:
        text = f"The signature value has {len(value)} bytes; {2 * size} are due."
        return Problem("signature/value-invalid", text)
    text = "The ECDSA value is in DER; XML Signature wants r and s one after the other (section 6.4.3)."
    return Problem("signature/ecdsa-der", text)
