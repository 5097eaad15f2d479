"""Is a certificate of a path revoked, as far as the lists at hand can tell?

Source: RFC 5280, sections 5 and 6.3. A list is believed only when the issuer of the certificate signed it itself:
indirect, partial and delta lists are refused, because half of a list is easily taken for the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509

from harness.security.model import Problem, Trust
from harness.security.x509 import extension_of, name_of


def check_revocation(chain: Sequence[x509.Certificate], trust: Trust, at: datetime) -> tuple[list[Problem], str]:
    """Look for the certificates of a path on the lists of their issuers.

    Parameters:
        chain: from the leaf to the anchor, which is not checked.
        trust: the lists at hand; one counts that the issuer itself signed, in full, and that is in date.
        at: the moment, in whole seconds.

    Returns:
        the problems, and ``revoked``, ``good`` (every certificate was checked) or ``not checked``.
    """
    problems: list[Problem] = []
    checked = len(chain) > 1
    for certificate, issuer in pairwise(chain):
        lists = [crl for crl in trust.crls if crl.issuer == issuer.subject]
        refusals = [_why_out_of_date(crl, at) or _why_not_authentic(crl, issuer) for crl in lists]
        usable = [crl for crl, refusal in zip(lists, refusals, strict=True) if refusal is None]
        if any(_is_on(crl, certificate) for crl in usable):
            problems.append(Problem("certificate/revoked", f"{name_of(certificate)} is revoked by its issuer."))
        elif not usable:
            checked = False
            if lists:
                text = f"No revocation list at hand can be used for {name_of(certificate)}: {refusals[0]}."
                problems.append(Problem("certificate/revocation-unknown", text))
    if any(problem.code == "certificate/revoked" for problem in problems):
        return problems, "revoked"
    return problems, "good" if checked else "not checked"


def _why_not_authentic(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> str | None:
    """Whether the issuer itself signed the list, in full and for all its certificates."""
    try:
        usage = extension_of(issuer, x509.KeyUsage)
        if usage is not None and not usage.crl_sign:
            return "the key of the issuer may not sign revocation lists"
        if not crl.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
            return "its signature is not that of the issuer"
        critical = [each.oid.dotted_string for each in crl.extensions if each.critical]
    except (TypeError, ValueError) as error:
        return f"it cannot be read: {error}"
    return f"it has a critical extension that is not understood: {', '.join(critical)}" if critical else None


def _why_out_of_date(crl: x509.CertificateRevocationList, at: datetime) -> str | None:
    if at < crl.last_update_utc:
        return f"it was issued later, at {crl.last_update_utc:%Y-%m-%d %H:%M:%S} UTC"
    if crl.next_update_utc is not None and at >= crl.next_update_utc:
        return f"it was to be replaced by {crl.next_update_utc:%Y-%m-%d %H:%M:%S} UTC"
    return None


def _is_on(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is None:
        return False
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (x509.ExtensionNotFound, ValueError):
        return True
    return reason is not x509.ReasonFlags.remove_from_crl
