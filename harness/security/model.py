"""Who sent a message and whether it is whole: the words in which every security answer is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509 import Certificate, CertificateRevocationList
from cryptography.x509.ocsp import OCSPResponse

PrivateKey: TypeAlias = EllipticCurvePrivateKey | RSAPrivateKey
"""The kinds of keys that messages are signed with."""


@dataclass(frozen=True)
class Identity:
    """A key and its certificate: what a party signs or answers TLS with.

    Parameters:
        name: the party's name in the run, such as ``customs.departure``.
        certificate: the end entity certificate.
        key: its private key; never printed (the representation leaves it out).
        chain: intermediate certificates, leaf side first, without the anchor.
        certificate_file, key_file: PEM files, for :mod:`ssl`, which takes nothing else; certificate_file
            holds leaf and chain.
    """

    name: str
    certificate: Certificate
    key: PrivateKey = field(repr=False)
    chain: tuple[Certificate, ...] = ()
    certificate_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, eq=False)
class Trust:
    """What signatures are believed on. Compared by identity: it is made once in a run.

    Parameters:
        anchors: certificates of the operator's trust anchors.
        crls: certificate revocation lists at hand; a certificate whose issuer has none is not checked
            for revocation, and the answer says so.
        ocsp: cached OCSP responses at hand, beside the lists.
        intermediates: certificates that may help to find a path; they are not believed themselves.
        known: end entity certificates at hand, for signatures that only point at theirs; not believed either.
    """

    anchors: tuple[Certificate, ...]
    crls: tuple[CertificateRevocationList, ...] = field(default=(), hash=False)  # a list cannot be hashed
    intermediates: tuple[Certificate, ...] = ()
    known: tuple[Certificate, ...] = ()
    ocsp: tuple[OCSPResponse, ...] = field(default=(), hash=False)


@dataclass(frozen=True, eq=False)
class SecurityProfile:
    """``security.yaml``: how messages are protected. Every value is the pack's. Compared by identity, like the pack.

    Parameters:
        style: ``wss`` (WS-Security in SOAP), ``jws`` (JSON Web Signature), ``xmldsig`` (XML signature without an
            envelope) or ``none``.
        soap: ``1.2`` or ``1.1``; ``None`` without an envelope.
        signatures: allowed signature algorithms, by short name: ``rsa-sha256``, ``ecdsa-sha256``, ...;
            for JWS ``RS256``, ``ES256``, ``PS256``, ...
        digests: allowed digests: ``sha256``, ``sha384``, ``sha512``.
        canonicalisations: allowed canonicalisations: ``exc-c14n``, ``c14n``, ...
        tokens: allowed ways to name the certificate, out of :data:`harness.security.tokens.TOKENS`: ``x509v3`` (binary
            security token), ...; the first is the one that we write.
        signed: the parts that must be signed: ``body``, ``timestamp``, ``token``.
        prefixes: PrefixList that we write with an exclusive canonicalisation; any is read.
        ids: attribute by which we name what is signed: ``wsu:Id``, ``Id`` or ``xml:id``; all of them are read.
        actor: role (SOAP 1.2) or actor (1.1) of the Security header that is ours; empty for the one of the ultimate
            receiver.
        most_signatures: how many signatures a Security header may hold; all of them must be right.
        tolerance: clock difference that is forgiven.
        lifetime: time from Created to Expires that we write, and the longest that we accept.
        rsa_bits: smallest RSA key.
        curves: allowed curves: ``secp256r1``, ...
        key_usages: key usages of which one must be present, when the extension is present.
        extended_key_usages: dotted object identifiers of which one must be present, when the extension is present; none
            means any.
        policies: dotted object identifiers of certificate policies of which one must be valid for the path; none means
            any or none.
        revocation_required: whether a certificate counts only when a list or an answer at hand acquits it.
        header: HTTP header that carries a detached JWS.
        form: how the signature travels: for JWS ``detached`` (beside the body, in an HTTP header), ``compact``,
            ``flattened`` or ``general`` (as the body); for XML signatures ``enveloped`` or ``enveloping``; empty is the
            first of them.
        critical: critical members that a JWS header may have: ``b64`` (we sign the payload as it is then), ``iat``.
    """

    style: str
    soap: str | None = None
    signatures: tuple[str, ...] = ("rsa-sha256", "ecdsa-sha256")
    digests: tuple[str, ...] = ("sha256",)
    canonicalisations: tuple[str, ...] = ("exc-c14n",)
    tokens: tuple[str, ...] = ("x509v3",)
    signed: tuple[str, ...] = ("body", "timestamp")
    prefixes: tuple[str, ...] = ()
    ids: str = "wsu:Id"
    actor: str = ""
    most_signatures: int = 1
    tolerance: timedelta = timedelta(minutes=5)
    lifetime: timedelta = timedelta(minutes=5)
    rsa_bits: int = 2048
    curves: tuple[str, ...] = ("secp256r1", "secp384r1")
    key_usages: tuple[str, ...] = ("digital_signature", "content_commitment")
    extended_key_usages: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    revocation_required: bool = False
    header: str = "x-jws-signature"
    form: str = ""
    critical: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the protection of a message.

    Parameters:
        code: stable word, one per kind of problem, in the namespace of its part: ``signature/missing``,
            ``signature/digest-mismatch``, ``signature/value-invalid``, ``algorithm/not-allowed``,
            ``certificate/untrusted``, ``certificate/expired``, ``timestamp/stale``, ``structure/duplicate-id``, ...
        text: one plain sentence with the facts.
        pointer: place in the envelope, ``/`` for the whole.
    """

    code: str
    text: str
    pointer: str = "/"


@dataclass(frozen=True)
class SignatureReport:
    """*What exactly was signed by whom, at which time, under which trust*; never only true or false.

    Parameters:
        signed: absolute paths of the signed elements, in document order; ``body`` for a JWS.
        signer: subject of the signing certificate (RFC 4514), ``None`` when unknown.
        certificate: the signing certificate in DER.
        algorithms: ``{"signature": ..., "digest": ..., "canonicalisation": ..., "token": ...}``.
        created, expires: the claimed times, UTC.
        path: subjects from the leaf to the trust anchor; empty when no path was found.
        revocation: ``good``, ``revoked`` or ``not checked``.
        problems: everything that is wrong, in the order of verification; empty means valid and trusted. The codes
            are listed in :mod:`harness.security.problems`.
        steps: what each step of the verification came to: ``ok``, ``failed`` or ``not done``.
        others: role or actor of each Security header that is meant for another receiver; nobody looked into them.
        also: subjects of the certificates of further signatures, where several are allowed; what is wrong with those
            signatures is among the problems.
    """

    signed: tuple[str, ...] = ()
    signer: str | None = None
    certificate: bytes | None = field(default=None, repr=False)
    algorithms: Mapping[str, str] = field(default_factory=dict)
    created: datetime | None = None
    expires: datetime | None = None
    path: tuple[str, ...] = ()
    revocation: str = "not checked"
    problems: tuple[Problem, ...] = ()
    steps: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    def covers_body(self) -> bool:
        """Whether the payload that was handed out is signed, by whomever."""
        return "/Envelope/Body" in self.signed or "body" in self.signed

    @property
    def trusted(self) -> bool:
        """Whether a path to an anchor was found and nothing is wrong with the signature."""
        return bool(self.path) and not self.problems

    @property
    def doubtful(self) -> bool:
        """Whether nobody knows who sent the message: it should be signed, and no signature can be trusted."""
        return bool(self.steps) and not self.trusted
