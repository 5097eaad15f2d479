"""Reading certificates that came from strangers."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


@lru_cache(maxsize=512)
def read_certificate(der: bytes) -> x509.Certificate:
    """A certificate that came with a message; all parts that are looked at later can be read.

    Raises:
        ValueError: it is not a readable certificate.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is only unusual is no concern of whoever runs us
            certificate = x509.load_der_x509_certificate(der)
            certificate.subject.rfc4514_string()
            certificate.issuer.rfc4514_string()
            list(certificate.extensions)
            if certificate.serial_number < 0:
                raise ValueError("its serial number is negative")
    except (TypeError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(str(error)) from error
    return certificate


@lru_cache(maxsize=512)
def public_key_of(certificate: x509.Certificate) -> RSAPublicKey | EllipticCurvePublicKey | None:
    """The public key, ``None`` when it is neither RSA nor on an elliptic curve that we know."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, (RSAPublicKey, EllipticCurvePublicKey)) else None


@lru_cache(maxsize=512)
def name_of(certificate: x509.Certificate) -> str:
    """The subject as RFC 4514 writes it."""
    return certificate.subject.rfc4514_string()


def extension_of(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    """The value of an extension, ``None`` when it is not there."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
