"""Cached answers about the revocation of a certificate (OCSP), given as files.

An answer is believed when the issuer of the certificate signed it, or somebody to whom the issuer gave a certificate
for that. No answer is ever asked for over a network; one that TLS stapled cannot be had, because Python's ssl module
does not hand it out.

Source: RFC 6960, sections 3.2 (acceptance), 4.2.2.2 (who may answer) and 4.2.1 (status).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from harness.security.model import Problem
from harness.security.path_build import signed_by
from harness.security.x509 import extension_of, name_of

WITHOUT_END = timedelta(days=1)
"""How long an answer is taken that does not say when the next one is due."""

GOOD, REVOKED, UNKNOWN = "good", "revoked", "unknown"


def answers(
    certificate: x509.Certificate, issuer: x509.Certificate, responses: Sequence[ocsp.OCSPResponse], at: datetime
) -> Iterator[str | Problem]:
    """What the responses at hand say of one certificate: a status, or why an answer is not believed.

    Parameters:
        certificate, issuer: whom it is about; the issuer is one that is believed.
        responses: those at hand; what they say of others does not matter.
        at: the moment.
    """
    for response in responses:
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            continue
        for single in response.responses:
            if _is_about(single, certificate, issuer):
                refusal = _why_not_authentic(response, issuer, at) or _why_out_of_date(single, certificate, at)
                yield refusal or _status(single, at)


def holds_until(response: ocsp.OCSPResponse) -> datetime:
    """The moment from which something that a response says does not hold any more."""
    return min(each.next_update_utc or each.this_update_utc + WITHOUT_END for each in response.responses)


def moments_of(response: ocsp.OCSPResponse) -> Iterator[datetime]:
    """Every moment at which what a response says begins or ceases to hold."""
    if response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL:
        for single in response.responses:
            yield single.this_update_utc
            yield single.next_update_utc or single.this_update_utc + WITHOUT_END
            if single.revocation_time_utc is not None:
                yield single.revocation_time_utc
        for certificate in response.certificates:
            yield certificate.not_valid_before_utc
            yield certificate.not_valid_after_utc + timedelta(seconds=1)


def _is_about(single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        algorithm = single.hash_algorithm
    except UnsupportedAlgorithm:
        return False
    name, key = hashes.Hash(algorithm), hashes.Hash(algorithm)
    name.update(issuer.subject.public_bytes())
    key.update(_key_bits(issuer))
    return (
        single.serial_number == certificate.serial_number
        and single.issuer_name_hash == name.finalize()
        and single.issuer_key_hash == key.finalize()
    )


def _key_bits(certificate: x509.Certificate) -> bytes:
    """The key as its hashes are made of it: without algorithm and length (RFC 6960, section 4.1.1)."""
    key = certificate.public_key()
    if isinstance(key, EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if isinstance(key, RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return b""


def _why_not_authentic(response: ocsp.OCSPResponse, issuer: x509.Certificate, at: datetime) -> Problem | None:
    def refuse(why: str) -> Problem:
        return Problem("certificate/ocsp-untrusted", f"The OCSP answer of {name_of(issuer)} is not believed: {why}.")

    if isinstance(response.signature_hash_algorithm, (hashes.MD5, hashes.SHA1)):
        return refuse("it is signed with a digest that has been broken")
    if any(each.critical for each in response.extensions):
        return refuse("it has a critical extension that is not known")
    if _is_signer(response, issuer):
        return None if _signed(response, issuer) else refuse("its signature is not that of the issuer")
    signer = next((each for each in response.certificates if _is_signer(response, each)), None)
    if signer is None:
        return refuse("its signer is not known")
    purposes = extension_of(signer, x509.ExtendedKeyUsage)
    if not signed_by(signer, issuer):
        return refuse(f"{name_of(signer)} signed it, whom the issuer did not certify")
    if purposes is None or ExtendedKeyUsageOID.OCSP_SIGNING not in purposes:
        return refuse(f"{name_of(signer)} signed it, whose certificate is not for OCSP")
    if not signer.not_valid_before_utc <= at <= signer.not_valid_after_utc:
        return refuse(f"the certificate of {name_of(signer)}, who signed it, is out of date")
    return None if _signed(response, signer) else refuse(f"its signature is not that of {name_of(signer)}")


def _is_signer(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == certificate.subject
    digest = hashes.Hash(hashes.SHA1())  # noqa: S303 (names a key; nothing is believed on it)
    digest.update(_key_bits(certificate))
    return response.responder_key_hash == digest.finalize()


def _signed(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, algorithm = signer.public_key(), response.signature_hash_algorithm
    try:
        if isinstance(key, RSAPublicKey) and algorithm is not None:
            key.verify(response.signature, response.tbs_response_bytes, PKCS1v15(), algorithm)
        elif isinstance(key, EllipticCurvePublicKey) and algorithm is not None:
            key.verify(response.signature, response.tbs_response_bytes, ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _why_out_of_date(single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, at: datetime) -> Problem | None:
    begin = single.this_update_utc
    end = single.next_update_utc or begin + WITHOUT_END
    if begin <= at < end:
        return None
    span = f"from {begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC"
    return Problem("certificate/ocsp-stale", f"The OCSP answer for {name_of(certificate)} holds {span}.")


def _status(single: ocsp.OCSPSingleResponse, at: datetime) -> str:
    if single.certificate_status is ocsp.OCSPCertStatus.GOOD:
        return GOOD
    if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        return UNKNOWN
    since = single.revocation_time_utc
    return REVOKED if since is None or since <= at else GOOD
