"""Certification paths for a table of vectors: each is right but for what its vector says."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@cache
def key(name, kind="ec"):
    """One key for each name: making them anew for every vector would only cost time."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    return ec.generate_private_key({"ec": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}[kind])


def name(common, *more):
    return x509.Name([
        x509.NameAttribute(NameOID.COUNTRY_NAME, "KG"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "TEST ONLY"),
        *(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, each) for each in more),
        x509.NameAttribute(NameOID.COMMON_NAME, common),
    ])  # fmt: skip


@dataclass(frozen=True)
class Spec:
    """What one certificate says."""

    common: str
    ca: bool | None = True
    length: int | None = None
    usages: tuple[str, ...] | None = ("key_cert_sign", "crl_sign")
    begin: datetime = NOW - 10 * DAY
    end: datetime = NOW + 10 * DAY
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    kind: str = "ec"
    subject: x509.Name | None = None
    serial: int | None = None
    signer: str | None = None  # another key than that of the issuer
    digest: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)

    @property
    def whole(self):
        return self.subject or name(self.common)

    @property
    def key(self):
        return key(self.common, self.kind)


ROOT = Spec("root")
LEAF = Spec("leaf", ca=False, usages=("digital_signature",))


def authority(number, **changes):
    return Spec(f"authority {number}", **changes)


def issue(spec, issuer):
    builder = (
        x509.CertificateBuilder().subject_name(spec.whole).issuer_name(issuer.whole).public_key(spec.key.public_key())
        .serial_number(spec.serial or x509.random_serial_number())
        .not_valid_before(spec.begin).not_valid_after(spec.end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(spec.key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )  # fmt: skip
    if spec.ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(spec.ca, spec.length), critical=True)
    if spec.usages is not None:
        usage = x509.KeyUsage(**{each: each in spec.usages for each in USAGES})
        builder = builder.add_extension(usage, critical=True)
    for extension, critical in spec.extensions:
        builder = builder.add_extension(extension, critical=critical)
    signer = key(spec.signer) if spec.signer else issuer.key
    return builder.sign(signer, spec.digest)


def path(*specs):
    """Certificates of a path from the root, which signs itself, to the leaf."""
    return [issue(spec, issuer) for spec, issuer in zip(specs, (specs[0], *specs), strict=False)]


def revocation_list(issuer, serials=(), *, begin=NOW - DAY, end=NOW + DAY, extensions=(), signer=None, since=NOW - DAY,
                    reason=None):  # fmt: skip
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.whole).last_update(begin).next_update(end)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
        if reason:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(signer or issuer.key, hashes.SHA256())


def scope(*, full_name=None, reasons=None, users=False, authorities=False, indirect=False, attributes=False):
    points = None if full_name is None else [x509.UniformResourceIdentifier(full_name)]
    point = x509.IssuingDistributionPoint(points, None, users, authorities, reasons, indirect, attributes)
    return ((point, True),)


def network(text):
    return x509.IPAddress(ipaddress.ip_network(text))


def address(text):
    return x509.IPAddress(ipaddress.ip_address(text))
