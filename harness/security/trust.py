"""What signatures are believed on, from what an operator hands over: one set of certificates and its lists."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography.x509 import BasicConstraints, Certificate, CertificateRevocationList
from cryptography.x509.ocsp import OCSPResponse

from harness.security.model import Trust
from harness.security.x509 import extension_of


def make_trust(
    certificates: Iterable[Certificate],
    crls: Iterable[CertificateRevocationList] = (),
    ocsp: Iterable[OCSPResponse] = (),
) -> Trust:
    """Tell anchors from intermediates: a certificate whose issuer is in the set as well is an intermediate.

    Certificates that are no authorities are those that a signature may point at. One without its issuer in the set is
    an anchor as well: the operator believes it and nothing else.

    Parameters:
        certificates: the anchors, the authorities below them that messages need not carry along, and certificates of
            signers that messages only point at.
        crls: revocation lists at hand.
        ocsp: cached OCSP responses at hand.
    """
    given = tuple(certificates)
    subjects = {each.subject for each in given}
    below = tuple(each for each in given if each.issuer != each.subject and each.issuer in subjects)
    signers = tuple(each for each in given if not is_authority(each))
    return Trust(
        tuple(each for each in given if each not in below),
        tuple(crls),
        tuple(each for each in below if each not in signers),
        signers,
        tuple(ocsp),
    )


def is_authority(certificate: Certificate) -> bool:
    """Whether a certificate says of itself that it may issue others."""
    constraints = extension_of(certificate, BasicConstraints)
    return constraints is not None and constraints.ca
