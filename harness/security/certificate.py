"""Is a certificate trusted, at one moment, for signing messages?

:mod:`cryptography` builds the path and checks signatures, validity, basic constraints and name constraints. What it
leaves to its caller is done here: key usage, key sizes and curves, authorities that pose as end entities, revocation,
and the reason when no path is found.

Sources: RFC 5280, sections 4.2.1.3 (key usage), 5 (revocation lists), 6 (path validation).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from harness.security.model import Problem, SecurityProfile, Trust

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


class FoundPath(NamedTuple):
    """What :func:`find_path` found.

    Parameters:
        subjects: from the leaf to the trust anchor; empty without a path.
        problems: everything that is wrong with the certificate, codes ``certificate/...``.
        revocation: ``good`` when every certificate below the anchor was checked, ``revoked``, or ``not checked``.
    """

    subjects: tuple[str, ...]
    problems: tuple[Problem, ...]
    revocation: str


def find_path(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    trust: Trust,
    at: datetime,
    profile: SecurityProfile,
) -> FoundPath:
    """Judge a signing certificate at one moment.

    A certificate that is out of date is followed at the end of its life that is nearest, so that *expired* and
    *untrusted* stay two different findings.

    Parameters:
        leaf: the signing certificate.
        intermediates: what came with the message; those of *trust* are used as well.
        trust: anchors, revocation lists.
        at: the moment, with its time zone.
        profile: smallest RSA key, curves, key usages.
    """
    at = at.replace(microsecond=0)
    moment = min(max(at, leaf.not_valid_before_utc), leaf.not_valid_after_utc)
    known = (*intermediates, *trust.intermediates)
    path = _build(leaf, known, trust.anchors, _last_change((leaf, *known, *trust.anchors), moment))
    problems = [*_validity_problems(leaf, at)]
    chain: tuple[x509.Certificate, ...] = ()
    if isinstance(path, str):
        problems.append(_why_no_path(leaf, known, trust.anchors, moment, path))
    else:
        chain = path
    problems += _leaf_problems(leaf, profile)
    problems += [problem for each in chain or (leaf,) for problem in _key_problems(each, profile)]
    revoked, revocation = _check_revocation(chain, trust, at)
    return FoundPath(tuple(name_of(each) for each in chain), (*problems, *revoked), revocation)


@lru_cache(maxsize=512)
def read_certificate(der: bytes) -> x509.Certificate:
    """A certificate that came with a message; all parts that are looked at later can be read.

    Raises:
        ValueError: it is not a readable certificate.
    """
    certificate = x509.load_der_x509_certificate(der)
    try:
        certificate.subject.rfc4514_string()
        certificate.issuer.rfc4514_string()
        list(certificate.extensions)
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
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


def name_of(certificate: x509.Certificate) -> str:
    """The subject as RFC 4514 writes it."""
    return certificate.subject.rfc4514_string()


# --- the path ---------------------------------------------------------------------------------------------------------


def _last_change(certificates: Sequence[x509.Certificate], at: datetime) -> datetime:
    """The last moment up to *at* at which one of the certificates became valid or stopped being so.

    Between two such moments the path cannot change, so it is looked for once.
    """
    changes = {each.not_valid_before_utc for each in certificates}
    changes |= {each.not_valid_after_utc + timedelta(seconds=1) for each in certificates}
    return max((change for change in changes if change <= at), default=at)


def _require_authority(_policy: Policy, _certificate: x509.Certificate, extension: x509.BasicConstraints) -> None:
    if not extension.ca:
        raise ValueError("an issuer in the path is not a certification authority")


def _require_certificate_signing(
    _policy: Policy, _certificate: x509.Certificate, extension: x509.KeyUsage | None
) -> None:
    if extension is not None and not extension.key_cert_sign:
        raise ValueError("the key of an issuer in the path may not sign certificates")


_END_ENTITY = ExtensionPolicy.permit_all()
_AUTHORITY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _require_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _require_certificate_signing)
)


@lru_cache(maxsize=512)
def _build(
    leaf: x509.Certificate,
    intermediates: tuple[x509.Certificate, ...],
    anchors: tuple[x509.Certificate, ...],
    at: datetime,
) -> tuple[x509.Certificate, ...] | str:
    """The path from the leaf to an anchor, or why there is none."""
    if not anchors:
        return "no trust anchor is configured"
    verifier = (
        PolicyBuilder()
        .store(Store(list(anchors)))
        .time(at)
        .extension_policies(ee_policy=_END_ENTITY, ca_policy=_AUTHORITY)
        .build_client_verifier()
    )
    try:
        return tuple(verifier.verify(leaf, list(intermediates)).chain)
    except VerificationError as error:
        return str(error)
    except ValueError as error:
        return f"a certificate cannot be read: {error}"


def _why_no_path(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    at: datetime,
    reason: str,
) -> Problem:
    """Follow names and signatures from the leaf upwards, as far as they go."""
    if _signed_by(leaf, leaf) and leaf not in anchors:
        return Problem("certificate/self-signed", f"{name_of(leaf)} is signed by its own key and is no trust anchor.")
    current = leaf
    for _ in range(len(intermediates) + len(anchors) + 1):
        if current in anchors:
            break
        namesakes = [each for each in (*anchors, *intermediates) if each.subject == current.issuer]
        issuer = next((each for each in namesakes if each != current and _signed_by(current, each)), None)
        if issuer is None:
            name = current.issuer.rfc4514_string()
            why = f"another key of the same name as {name}" if namesakes else f"{name}, which is not known here"
            text = f"No path to a trust anchor: {name_of(current)} is issued by {why}."
            return Problem("certificate/untrusted", text)
        for _problem in _validity_problems(issuer, at):
            return Problem("certificate/issuer-out-of-date", _problem.text)
        current = issuer
    return Problem("certificate/path-invalid", f"The path of {name_of(leaf)} breaks a rule: {reason}.")


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


# --- the certificates on it -------------------------------------------------------------------------------------------


def _validity_problems(certificate: x509.Certificate, at: datetime) -> Iterator[Problem]:
    if at > certificate.not_valid_after_utc:
        end = f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S}"
        yield Problem("certificate/expired", f"{name_of(certificate)} expired at {end} UTC.")
    if at < certificate.not_valid_before_utc:
        begin = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S}"
        yield Problem("certificate/not-yet-valid", f"{name_of(certificate)} is valid from {begin} UTC.")


def _leaf_problems(leaf: x509.Certificate, profile: SecurityProfile) -> Iterator[Problem]:
    constraints = _extension(leaf, x509.BasicConstraints)
    usage = _extension(leaf, x509.KeyUsage)
    if constraints is not None and constraints.ca:
        yield Problem("certificate/is-ca", f"{name_of(leaf)} is a certification authority and may not sign messages.")
    if usage is not None and profile.key_usages and not any(getattr(usage, name) for name in profile.key_usages):
        wanted = " or ".join(profile.key_usages)
        yield Problem("certificate/key-usage", f"The key usage of {name_of(leaf)} lacks {wanted}.")


def _key_problems(certificate: x509.Certificate, profile: SecurityProfile) -> Iterator[Problem]:
    name = name_of(certificate)
    key = public_key_of(certificate)
    if isinstance(key, RSAPublicKey):
        if key.key_size < profile.rsa_bits:
            text = f"{name} has an RSA key of {key.key_size} bits; {profile.rsa_bits} are due."
            yield Problem("certificate/weak-key", text)
    elif key is not None:
        if key.curve.name not in profile.curves:
            text = f"{name} has a key on the curve {key.curve.name}; allowed: {', '.join(profile.curves)}."
            yield Problem("certificate/curve", text)
    else:
        yield Problem("certificate/key-kind", f"{name} has no RSA key and no key on a known elliptic curve.")


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


# --- revocation -------------------------------------------------------------------------------------------------------


def _check_revocation(
    chain: Sequence[x509.Certificate], trust: Trust, at: datetime
) -> tuple[list[Problem], str]:
    problems: list[Problem] = []
    checked = bool(len(chain) > 1)
    for certificate, issuer in pairwise(chain):
        lists = [crl for crl in trust.crls if crl.issuer == certificate.issuer]
        refusals = [_why_unusable(crl, issuer, at) for crl in lists]
        usable = [crl for crl, refusal in zip(lists, refusals, strict=True) if refusal is None]
        if any(_lists(crl, certificate) for crl in usable):
            problems.append(Problem("certificate/revoked", f"{name_of(certificate)} is revoked by its issuer."))
        elif not usable:
            checked = False
            if lists:
                text = f"No revocation list at hand can be used for {name_of(certificate)}: {refusals[0]}."
                problems.append(Problem("certificate/revocation-unknown", text))
    if any(problem.code == "certificate/revoked" for problem in problems):
        return problems, "revoked"
    return problems, "good" if checked else "not checked"


def _why_unusable(crl: x509.CertificateRevocationList, issuer: x509.Certificate, at: datetime) -> str | None:
    if at < crl.last_update_utc:
        return f"it was issued later, at {crl.last_update_utc:%Y-%m-%d %H:%M:%S} UTC"
    if crl.next_update_utc is not None and at >= crl.next_update_utc:
        return f"it was to be replaced by {crl.next_update_utc:%Y-%m-%d %H:%M:%S} UTC"
    return _why_not_authentic(_Same(crl), issuer)


class _Same:
    """A revocation list as a cache key: equal to itself only; lists have no hash."""

    __slots__ = ("crl",)

    def __init__(self, crl: x509.CertificateRevocationList) -> None:
        self.crl = crl

    def __hash__(self) -> int:
        return id(self.crl)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.crl is self.crl


@lru_cache(maxsize=128)
def _why_not_authentic(same: _Same, issuer: x509.Certificate) -> str | None:
    """Whether the issuer itself signed the list, in full and for all its certificates."""
    try:
        usage = _extension(issuer, x509.KeyUsage)
        if usage is not None and not usage.crl_sign:
            return "the key of the issuer may not sign revocation lists"
        if not same.crl.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
            return "its signature is not that of the issuer"
        critical = [each.oid.dotted_string for each in same.crl.extensions if each.critical]
    except (TypeError, ValueError) as error:
        return f"it cannot be read: {error}"
    return f"it has a critical extension that is not understood: {', '.join(critical)}" if critical else None


def _lists(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is None:
        return False
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (x509.ExtensionNotFound, ValueError):
        return True
    return reason is not x509.ReasonFlags.remove_from_crl
