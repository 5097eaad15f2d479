"""What signatures are believed on, from what an operator hands over: one set of certificates and its lists."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography.x509 import Certificate, CertificateRevocationList

from harness.security.model import Trust


def make_trust(certificates: Iterable[Certificate], crls: Iterable[CertificateRevocationList] = ()) -> Trust:
    """Tell anchors from intermediates: a certificate whose issuer is in the set as well is an intermediate.

    Parameters:
        certificates: the anchors, and the authorities below them that messages need not carry along.
        crls: revocation lists at hand.
    """
    given = tuple(certificates)
    subjects = {each.subject for each in given}
    below = tuple(each for each in given if each.issuer != each.subject and each.issuer in subjects)
    return Trust(tuple(each for each in given if each not in below), tuple(crls), below)
