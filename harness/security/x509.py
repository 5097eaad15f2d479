"""Reading certificates that came from strangers."""

from __future__ import annotations

import warnings
from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

_UNREADABLE = (
    TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType,
)  # fmt: skip
_MOST_REMEMBERED = 512
MOST_BYTES = 64 * 1024
"""Size of a certificate, at most: certificates are remembered, and those of strangers may not fill the memory."""
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


@lru_cache(maxsize=_MOST_REMEMBERED)
def read_certificate(der: bytes) -> x509.Certificate:
    """A certificate that came with a message; all parts that are looked at later can be read.

    Raises:
        ValueError: it is not a readable certificate, or larger than :data:`MOST_BYTES`.
    """
    if len(der) > MOST_BYTES:
        raise ValueError(f"the certificate has {len(der)} bytes, more than {MOST_BYTES}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is only unusual is no concern of whoever runs us
            certificate = x509.load_der_x509_certificate(der)
            certificate.subject.rfc4514_string()
            certificate.issuer.rfc4514_string()
            list(certificate.extensions)
            if certificate.serial_number < 0:
                raise ValueError("its serial number is negative")
    except _UNREADABLE as error:
        raise ValueError(str(error)) from error
    return certificate


def read_crl(der: bytes) -> x509.CertificateRevocationList:
    """A revocation list; all parts that are looked at later can be read.

    Raises:
        ValueError: it is not a readable list.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            crl = x509.load_der_x509_crl(der)
            _touch(crl.issuer.rfc4514_string(), crl.last_update_utc, crl.next_update_utc, crl.signature_hash_algorithm)
            for each in (crl, *crl):
                list(each.extensions)
            for entry in crl:
                _touch(entry.serial_number, entry.revocation_date_utc)
        except _UNREADABLE as error:
            raise ValueError(str(error)) from error
    return crl


def issuer_of(crl: x509.CertificateRevocationList) -> x509.Name:
    """The name in a list; the library reads it anew each time, and warns of what is only unusual in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return crl.issuer


def read_ocsp(der: bytes) -> ocsp.OCSPResponse:
    """An OCSP response; all parts of a successful one that are looked at later can be read.

    Raises:
        ValueError: it is not a readable response.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            response = ocsp.load_der_ocsp_response(der)
            if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
                return response
            _touch(response.signature_hash_algorithm, response.signature, response.responder_name)
            list(response.extensions)
            for each in response.certificates:
                read_certificate(each.public_bytes(Encoding.DER))
            for single in response.responses:
                _touch(single.serial_number, single.certificate_status, single.this_update_utc, single.next_update_utc)
                _touch(single.revocation_time_utc, single.issuer_key_hash, single.issuer_name_hash)
        except _UNREADABLE as error:
            raise ValueError(str(error)) from error
    return response


def _touch(*parts: object) -> None:
    """The library reads parts when they are asked for; asking for them is all that is wanted."""


@dataclass(frozen=True, eq=False)
class Facts:
    """What is asked of a certificate again and again, worked out once.

    It also stands for its certificate in the key of a cache: the library's own hash and comparison read the whole
    certificate each time.
    """

    certificate: x509.Certificate

    @cached_property
    def der(self) -> bytes:
        """The certificate as it travels."""
        return self.certificate.public_bytes(Encoding.DER)

    @cached_property
    def text(self) -> str:
        """The same in base64."""
        return b64encode(self.der).decode()

    @cached_property
    def name(self) -> str:
        """The subject as RFC 4514 writes it."""
        return self.certificate.subject.rfc4514_string()

    @cached_property
    def key(self) -> RSAPublicKey | EllipticCurvePublicKey | None:
        """The public key, ``None`` when it is neither RSA nor on an elliptic curve that we know."""
        try:
            key = self.certificate.public_key()
        except (ValueError, UnsupportedAlgorithm):
            return None
        return key if isinstance(key, (RSAPublicKey, EllipticCurvePublicKey)) else None


_facts: dict[int, Facts] = {}


def facts_of(certificate: x509.Certificate) -> Facts:
    """The facts of this very object. What is remembered stays alive, so that no other object can get its number."""
    facts = _facts.get(id(certificate))
    if facts is None:
        if len(_facts) >= _MOST_REMEMBERED:
            _facts.clear()
        facts = _facts[id(certificate)] = Facts(certificate)
    return facts


def public_key_of(certificate: x509.Certificate) -> RSAPublicKey | EllipticCurvePublicKey | None:
    """See :attr:`Facts.key`."""
    return facts_of(certificate).key


def name_of(certificate: x509.Certificate) -> str:
    """See :attr:`Facts.name`."""
    return facts_of(certificate).name


def der_of(certificate: x509.Certificate) -> bytes:
    """See :attr:`Facts.der`."""
    return facts_of(certificate).der


def text_of(certificate: x509.Certificate) -> str:
    """See :attr:`Facts.text`."""
    return facts_of(certificate).text


def extension_of(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    """The value of an extension, ``None`` when it is not there."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
