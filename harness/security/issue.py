"""Making certificates and revocation lists for tests: drafts in, signed certificates out. Nothing is kept here."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.x509.oid import NameOID

from harness.errors import ConfigurationFault
from harness.security.model import PrivateKey

PublicKey: TypeAlias = EllipticCurvePublicKey | RSAPublicKey
Window: TypeAlias = tuple[datetime, datetime]

MARK = "TEST"
"""The organisation of every subject made here begins with it."""

_ALL_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
_CURVES = ("secp256r1", "secp384r1", "secp521r1")


@dataclass(frozen=True)
class Draft:
    """What shall stand in a certificate.

    Parameters:
        subject: whole subject name.
        valid: first and last moment.
        names: subject alternative names.
        usages: key usages, as attributes of :class:`cryptography.x509.KeyUsage`.
        purposes: extended key usages.
        authority: whether it is a certification authority.
        critical: more extensions, which are critical.
        serial: serial number; left out, a random one.
    """

    subject: x509.Name
    valid: Window
    names: Sequence[x509.GeneralName] = ()
    usages: Sequence[str] = ("digital_signature",)
    purposes: Sequence[x509.ObjectIdentifier] = ()
    authority: bool = False
    critical: Sequence[x509.ExtensionType] = ()
    serial: int | None = None


def new_key(kind: Literal["ec", "rsa"] = "ec", rsa_bits: int = 2048) -> PrivateKey:
    """A fresh key: P-256, or RSA of that many bits."""
    return generate_ec_key(SECP256R1()) if kind == "ec" else generate_rsa_key(65537, rsa_bits)


def is_test(certificate: x509.Certificate) -> bool:
    """Whether the subject is marked as made for tests."""
    organisations = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return any(str(each.value).startswith(MARK) for each in organisations)


def subject_name(name: str, country: str | None = None) -> x509.Name:
    """The subject of a party, marked TEST.

    Raises:
        ConfigurationFault: the name or country cannot stand in a certificate.
    """
    values = [
        (NameOID.COUNTRY_NAME, country),
        (NameOID.ORGANIZATION_NAME, f"{MARK} ONLY, no authority"),
        (NameOID.COMMON_NAME, name),
    ]
    try:
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in values if value])
    except ValueError as error:
        raise ConfigurationFault(
            f"A certificate cannot name {name!r} of {country!r}: {error}",
            expected="a name of 1 to 64 characters and a country code of two letters",
            remedy="Correct the name or the country.",
        ) from error


def general_names(hosts: Sequence[str], uri: str | None) -> tuple[x509.GeneralName, ...]:
    """Subject alternative names of hosts (DNS name or IP address) and a URI.

    Raises:
        ConfigurationFault: one of them cannot stand in a certificate.
    """
    try:
        names = [_host_name(host) for host in hosts]
        return (*names, x509.UniformResourceIdentifier(uri)) if uri else tuple(names)
    except ValueError as error:
        raise ConfigurationFault(
            f"A certificate cannot carry one of the hosts {', '.join(hosts)} or the URI {uri}: {error}",
            expected="DNS names and a URI in ASCII (xn--... for other scripts), or IP addresses",
            remedy="Correct the hosts or the URI.",
        ) from error


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def make_certificate(
    draft: Draft, public_key: PublicKey, issuer: x509.Name, issuer_key: PrivateKey
) -> x509.Certificate:
    """Sign a certificate, whatever the draft says.

    Parameters:
        public_key: the subject's key.
        issuer, issuer_key: name and key of who signs.
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(draft.subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(draft.serial or x509.random_serial_number())
        .not_valid_before(draft.valid[0])
        .not_valid_after(draft.valid[1])
        .add_extension(x509.BasicConstraints(ca=draft.authority, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{usage: usage in draft.usages for usage in _ALL_USAGES}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if draft.names:
        builder = builder.add_extension(x509.SubjectAlternativeName(draft.names), critical=False)
    if draft.purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(draft.purposes), critical=False)
    for extension in draft.critical:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def make_crl(
    issuer: x509.Name, issuer_key: PrivateKey, now: datetime, revoked: Mapping[int, datetime]
) -> x509.CertificateRevocationList:
    """Sign a revocation list that is current for a year.

    Parameters:
        revoked: serial number to the moment of revocation.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer)
        .last_update(now - timedelta(hours=1))
        .next_update(now + timedelta(days=365))
        .add_extension(x509.CRLNumber(len(revoked) + 1), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    for serial, moment in revoked.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer_key, hashes.SHA256())


@dataclass(frozen=True)
class Request:
    """What counts of a certificate signing request.

    Parameters:
        name: its common name.
        key: its public key.
        names: the DNS names, IP addresses and URIs that it asks for.
    """

    name: str
    key: PublicKey
    names: tuple[x509.GeneralName, ...]


def read_request(csr_pem: bytes) -> Request:
    """Read a certificate signing request (PKCS#10, PEM) and check that its own key signed it.

    Raises:
        ConfigurationFault: it cannot be read, its signature is wrong, it has no common name, or its key is too weak
            or of another kind.
    """
    try:
        request = x509.load_pem_x509_csr(csr_pem)
        key = request.public_key()
        signed = request.is_signature_valid
        common = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        names = _requested_names(request)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, x509.DuplicateExtension) as error:
        raise _bad_request(
            f"cannot be read ({error})", "PEM text with a line -----BEGIN CERTIFICATE REQUEST-----"
        ) from error
    if not signed:
        raise _bad_request("is not signed by its own key", "a request signed by the key that it asks a certificate for")
    if not common:
        raise _bad_request("has no common name", "a subject with CN=<name of the party>")
    strong_rsa = isinstance(key, RSAPublicKey) and key.key_size >= 2048
    known_curve = isinstance(key, EllipticCurvePublicKey) and key.curve.name in _CURVES
    if not isinstance(key, (RSAPublicKey, EllipticCurvePublicKey)) or not (strong_rsa or known_curve):
        raise _bad_request("has an unsuitable key", f"RSA of at least 2048 bits, or a key on {', '.join(_CURVES)}")
    return Request(str(common[0].value), key, names)


def _requested_names(request: x509.CertificateSigningRequest) -> tuple[x509.GeneralName, ...]:
    try:
        asked = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(
        name for name in asked if isinstance(name, (x509.DNSName, x509.IPAddress, x509.UniformResourceIdentifier))
    )


def _bad_request(what: str, expected: str) -> ConfigurationFault:
    return ConfigurationFault(
        f"The certificate signing request {what}",
        expected=expected,
        remedy="Make it with: openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout KEY -out CSR",
    )
