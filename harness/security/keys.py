"""Keys, certificates and revocation lists from files. What is wrong with a file is told with what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.ocsp import OCSPResponseStatus

from harness import host
from harness.errors import ConfigurationFault, Where
from harness.security.model import Identity
from harness.security.x509 import read_certificate, read_crl, read_ocsp

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from cryptography.x509.ocsp import OCSPResponse

    from harness.security.model import PrivateKey


def load_identity(name: str, certificate_file: Path, key_file: Path, password: str | None = None) -> Identity:
    """A party's key with its certificate.

    Parameters:
        name: the party's name in the run.
        certificate_file: PEM; the end entity first, then its intermediates.
        key_file: PEM; nobody but its owner may read it.
        password: of an encrypted key file.

    Raises:
        ConfigurationFault: a file is missing, unreadable, not PEM or readable by others; the password is
            missing or wrong; the key is of a kind we cannot sign with or belongs to another certificate.
    """
    leaf, *chain = load_certificates(certificate_file)
    key = _load_key(key_file, password)
    if _public_bytes(key.public_key()) != _public_bytes(leaf.public_key()):
        raise ConfigurationFault(
            f"The private key of {name} does not belong to its certificate",
            where=Where(key_file),
            expected=f"the key of the first certificate in {certificate_file} ({leaf.subject.rfc4514_string()})",
            remedy="Name the two files that were made together, with the end entity first in the certificate file.",
        )
    return Identity(name, leaf, key, tuple(chain), certificate_file, key_file)


def load_certificates(file: Path) -> tuple[x509.Certificate, ...]:
    """Every certificate of a PEM file, in order; at least one.

    Raises:
        ConfigurationFault: the file is missing, unreadable or holds no PEM certificate.
    """
    data = _read(file)
    try:
        return tuple(
            read_certificate(each.public_bytes(Encoding.DER)) for each in x509.load_pem_x509_certificates(data)
        )
    except ValueError as error:
        raise _not_pem(file, "CERTIFICATE", "certificate", "x509 -inform der") from error


def load_crls(file: Path) -> tuple[x509.CertificateRevocationList, ...]:
    """Every certificate revocation list of a PEM file, in order; at least one.

    Raises:
        ConfigurationFault: the file is missing, unreadable or holds no PEM list.
    """
    begin, end = b"-----BEGIN X509 CRL-----", b"-----END X509 CRL-----"
    try:
        crls = tuple(
            read_crl(x509.load_pem_x509_crl(begin + part.partition(end)[0] + end + b"\n").public_bytes(Encoding.DER))
            for part in _read(file).split(begin)[1:]
        )
    except ValueError as error:
        raise _not_pem(file, "X509 CRL", "revocation list", "crl -inform der") from error
    if not crls:
        raise _not_pem(file, "X509 CRL", "revocation list", "crl -inform der")
    return crls


def load_ocsp(file: Path) -> OCSPResponse:
    """A cached OCSP response, in DER as responders send it.

    Raises:
        ConfigurationFault: the file is missing, unreadable or no successful response.
    """
    try:
        response = read_ocsp(_read(file))
        status = response.response_status
    except ValueError as error:
        raise ConfigurationFault(
            f"The file holds no readable OCSP response: {error}",
            where=Where(file),
            expected="a response in DER, as it came from the responder",
            remedy="Get it with: openssl ocsp -issuer CA.pem -cert CERT.pem -url URL -respout FILE.der",
        ) from error
    if status is not OCSPResponseStatus.SUCCESSFUL:
        raise ConfigurationFault(
            f"The OCSP responder gave no answer but said {status.name.lower().replace('_', ' ')}",
            where=Where(file),
            expected="a successful response",
            remedy="Ask the responder again.",
        )
    return response


def to_pem(certificates: Iterable[x509.Certificate | x509.CertificateRevocationList]) -> bytes:
    """Certificates or revocation lists as the text of one PEM file."""
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def _load_key(file: Path, password: str | None) -> PrivateKey:
    data = _read(file)
    host.demand_private(file, "private key")
    try:
        key = load_pem_private_key(data, password.encode() if password is not None else None)
    except TypeError:
        needed = password is None
        raise ConfigurationFault(
            f"The private key is {'' if needed else 'not '}encrypted",
            where=Where(file),
            expected="a password" if needed else "no password",
            remedy="Give the password of the key." if needed else "Leave the password out.",
        ) from None
    except ValueError:
        if b"ENCRYPTED" in data:
            raise ConfigurationFault(
                "The password does not open the private key",
                where=Where(file),
                expected="the password with which the key was written",
                remedy="Correct the password.",
            ) from None
        raise _not_pem(file, "PRIVATE KEY", "private key", "pkey -inform der") from None
    if not isinstance(key, (EllipticCurvePrivateKey, RSAPrivateKey)):
        raise ConfigurationFault(
            "Messages cannot be signed with this kind of key",
            where=Where(file),
            expected="an RSA or elliptic curve key",
            remedy="Make a key with: openssl ecparam -name prime256v1 -genkey -noout -out KEY.pem",
        )
    return key


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationFault(
            f"The file cannot be read: {error.strerror}",
            where=Where(file),
            expected="a PEM file",
            remedy="Correct the path or its rights; a relative path starts at the file that names it.",
        ) from error


def _not_pem(file: Path, label: str, what: str, command: str) -> ConfigurationFault:
    return ConfigurationFault(
        f"The file holds no readable {what}",
        where=Where(file),
        expected=f"PEM text with a line -----BEGIN {label}-----",
        remedy=f"A DER file is turned into PEM with: openssl {command} -in FILE -out FILE.pem",
    )


def _public_bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
