"""Is a certificate of a path revoked, as far as the lists and answers at hand can tell?

Source: RFC 5280, sections 5 and 6.3. A list is believed only when the issuer of the certificate signed it itself: an
indirect list is refused; a delta list, and a list for some reasons only, can revoke but not acquit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from harness.security import ocsp
from harness.security.model import Problem, Trust
from harness.security.path_build import same_name, signed_by
from harness.security.x509 import extension_of, issuer_of, name_of

_POINT, _DELTA = x509.IssuingDistributionPoint, x509.DeltaCRLIndicator.oid
_EVERY_REASON = frozenset(x509.ReasonFlags) - {x509.ReasonFlags.unspecified, x509.ReasonFlags.remove_from_crl}


def check_revocation(
    chain: Sequence[x509.Certificate],
    known: Sequence[x509.Certificate],
    trust: Trust,
    at: datetime,
    *,
    required: bool = False,
) -> tuple[list[Problem], str]:
    """Look for the certificates of a path on the lists of their issuers, and in cached OCSP answers.

    Parameters:
        chain: from the leaf to the anchor, which is not checked.
        known: more certificates: an authority may have another key, under its own name, for its lists.
        trust: the lists and answers at hand.
        at: the moment, in whole seconds.
        required: whether every certificate must be checked.

    Returns:
        the problems, and ``revoked``, ``good`` (every certificate was checked) or ``not checked``.
    """
    problems: list[Problem] = []
    checked = len(chain) > 1
    for place, (certificate, issuer) in enumerate(pairwise(chain)):
        signers = _signers(chain[place + 1 :], known, trust, at)
        found = [*_from_lists(certificate, signers, trust, at), *ocsp.answers(certificate, issuer, trust.ocsp, at)]
        if ocsp.REVOKED in found:
            problems.append(Problem("certificate/revoked", f"{name_of(certificate)} is revoked by its issuer."))
        elif ocsp.GOOD not in found:
            checked = False
            problems += [each for each in found if isinstance(each, Problem)][:1]
            if ocsp.UNKNOWN in found:
                text = f"The issuer of {name_of(certificate)} answered that it does not know it."
                problems.append(Problem("certificate/ocsp-unknown", text))
            if required and not found:
                text = f"Nothing at hand says whether {name_of(certificate)} is revoked, and the pack wants it checked."
                problems.append(Problem("certificate/revocation-missing", text))
    if any(problem.code == "certificate/revoked" for problem in problems):
        return problems, "revoked"
    return problems, "good" if checked else "not checked"


def _signers(
    above: Sequence[x509.Certificate], known: Sequence[x509.Certificate], trust: Trust, at: datetime
) -> list[x509.Certificate]:
    """Whose signature on a list counts: the issuer's, and that of its other keys.

    Those are the keys of its name further up the path, and those that the issuer, or who issued the issuer, certified
    and did not revoke.

    Parameters:
        above: the path from the issuer to the anchor.
        known, trust, at: as for :func:`check_revocation`.
    """
    issuer = above[0]
    lists = [crl for crl in trust.crls if any(_why_not_authentic(crl, each) is None for each in above[:2])]
    others = [
        each for each in known
        if each not in above and same_name(each.subject, issuer.subject)
        and any(signed_by(each, one) for one in above[:2])
        and not any(same_name(issuer_of(crl), each.issuer) and _is_on(crl, each, at) for crl in lists)
    ]  # fmt: skip
    return [*(each for each in above if same_name(each.subject, issuer.subject)), *others]


def _from_lists(
    certificate: x509.Certificate, signers: Sequence[x509.Certificate], trust: Trust, at: datetime
) -> Iterator[str | Problem]:
    reasons: set[x509.ReasonFlags] = set()
    for crl in trust.crls:
        if not same_name(issuer_of(crl), signers[0].subject):
            continue
        scope = _scope(crl, certificate)
        refusals = [_why_not_authentic(crl, each) for each in signers]
        refusal = (refusals[0] if all(refusals) else None) or _why_out_of_date(crl, at)
        if isinstance(scope, Problem):
            yield refusal or scope
        elif scope is None:
            continue
        elif refusal is not None:
            yield refusal
        elif _is_on(crl, certificate, at):
            yield ocsp.REVOKED
        elif scope < _EVERY_REASON and reasons | scope < _EVERY_REASON:
            reasons |= scope
            yield _problem("certificate/crl-scope", crl, "it is for some reasons only, or says only what has changed")
        else:
            yield ocsp.GOOD


def _problem(code: str, crl: x509.CertificateRevocationList, why: str) -> Problem:
    return Problem(code, f"The revocation list of {issuer_of(crl).rfc4514_string()} is of no use: {why}.")


def _why_not_authentic(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> Problem | None:
    """Whether the issuer itself signed the list."""
    usage = extension_of(issuer, x509.KeyUsage)
    if usage is not None and not usage.crl_sign:
        return _problem("certificate/crl-untrusted", crl, "the key of the issuer may not sign revocation lists")
    try:
        if not crl.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
            return _problem("certificate/crl-untrusted", crl, "its signature is not that of the issuer")
        if isinstance(crl.signature_hash_algorithm, (hashes.MD5, hashes.SHA1)):
            return _problem("certificate/crl-untrusted", crl, "it is signed with a digest that has been broken")
    except (TypeError, ValueError) as error:
        return _problem("certificate/crl-untrusted", crl, f"it cannot be read: {error}")
    return None


def _why_out_of_date(crl: x509.CertificateRevocationList, at: datetime) -> Problem | None:
    begin, end = crl.last_update_utc, crl.next_update_utc
    if at < begin:
        return _problem("certificate/crl-stale", crl, f"it was issued later, at {begin:%Y-%m-%d %H:%M:%S} UTC")
    if end is not None and at >= end:
        return _problem("certificate/crl-stale", crl, f"it was to be replaced by {end:%Y-%m-%d %H:%M:%S} UTC")
    return None


def _scope(
    crl: x509.CertificateRevocationList, certificate: x509.Certificate
) -> frozenset[x509.ReasonFlags] | Problem | None:
    """The reasons for which a list can acquit a certificate; ``None``: it does not speak of it."""
    try:
        critical = {each.oid for each in crl.extensions if each.critical}
        point = next((each.value for each in crl.extensions if isinstance(each.value, _POINT)), None)
    except ValueError as error:
        return _problem("certificate/crl-untrusted", crl, f"it cannot be read: {error}")
    unknown = critical - {_POINT.oid, _DELTA, x509.AuthorityKeyIdentifier.oid, x509.CRLNumber.oid}
    reasons = frozenset() if _DELTA in critical else _EVERY_REASON
    if unknown:
        names = ", ".join(sorted(each.dotted_string for each in unknown))
        return _problem("certificate/crl-scope", crl, f"it has the critical extension {names}, which is not known")
    if point is None:
        return reasons
    if point.indirect_crl:
        return _problem("certificate/crl-scope", crl, "it is an indirect list, which speaks for other issuers")
    constraints = extension_of(certificate, x509.BasicConstraints)
    authority = constraints is not None and constraints.ca
    if point.only_contains_attribute_certs or (authority and point.only_contains_user_certs):
        return None
    if point.only_contains_ca_certs and not authority:
        return None
    if point.relative_name is not None:
        return _problem("certificate/crl-scope", crl, "its distribution point has a relative name")
    if point.full_name is not None and not set(point.full_name) & _points_of(certificate):
        return None
    return reasons & (point.only_some_reasons or _EVERY_REASON)


def _points_of(certificate: x509.Certificate) -> set[x509.GeneralName]:
    """Where a certificate says that its lists are; without a word, under the name of its issuer."""
    points = extension_of(certificate, x509.CRLDistributionPoints)
    named = {name for point in points or () for name in point.full_name or ()}
    return named or {x509.DirectoryName(certificate.issuer)}


def _is_on(crl: x509.CertificateRevocationList, certificate: x509.Certificate, at: datetime) -> bool:
    """Whether a list revokes a certificate, already at that moment."""
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is None:
        return False
    return _reason(entry) is not x509.ReasonFlags.remove_from_crl and revoked_since(entry) <= at


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (x509.ExtensionNotFound, ValueError):
        return None


def revoked_since(entry: x509.RevokedCertificate) -> datetime:
    """From when on an entry counts: the day from which the key is not to be believed, where it is given."""
    try:
        since = entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc
    except (x509.ExtensionNotFound, ValueError):
        return entry.revocation_date_utc
    return min(since, entry.revocation_date_utc)
