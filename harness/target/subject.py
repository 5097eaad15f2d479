"""What a plan says of the system under test, from its target file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import timedelta

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, CertificateRevocationList

from harness.scenario.plan import Subject
from harness.security.keys import to_pem
from harness.target.identities import load_signers, load_trust
from harness.target.model import GuidedControl, NoControl, Target

ACTION = "action"
"""Name of the timer for what the system is asked to do."""
BY_HAND = timedelta(hours=8)
"""Its length where a person makes the system act, unless the IXIT says otherwise."""


def subject_of(target: Target) -> Subject:
    """The SUT as the plan knows it.

    Raises:
        ConfigurationFault: a certificate that it signs with cannot be read, or must not be used.
    """
    return Subject(
        role=target.role,
        positions=target.positions,
        facts={f"{target.role}.{position}" if position else "": facts for position, facts in target.facts.items()},
        authority=target.sut.authority,
        product=target.sut.product,
        version=target.sut.version,
        contact=target.sut.contact,
        language=target.sut.language,
        observable=not isinstance(target.control, NoControl),
        claims=target.ics.messages,
        procedures=tuple(name for name, claimed in target.ics.procedures.items() if claimed),
        signers=tuple(each.fingerprint(SHA256()).hex() for each in load_signers(target)),
    )


def timers_of(target: Target) -> dict[str, timedelta]:
    """The timers of the target; where a person makes the system act, the person has time."""
    by_hand = isinstance(target.control, GuidedControl | NoControl)
    return {**({ACTION: BY_HAND} if by_hand else {}), **target.ixit.timers}


def believed(target: Target) -> dict[str, tuple[str, ...]]:
    """What the SUT's signatures are believed on, as parameters of a plan.

    Raises:
        ConfigurationFault: a file cannot be read, or must not be used.
    """
    trust = load_trust(target)
    return {
        "anchors": _pem_texts((*trust.anchors, *trust.intermediates)),
        "crls": _pem_texts(trust.crls),
        "ocsp": tuple(b64encode(each.public_bytes(Encoding.DER)).decode("ascii") for each in trust.ocsp),
    }


def _pem_texts(items: Iterable[Certificate | CertificateRevocationList]) -> tuple[str, ...]:
    return tuple(to_pem((item,)).decode("ascii") for item in items)
