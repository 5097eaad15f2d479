"""Details of the record that are not the judge's words: what would have been allowed, defects in words, keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from harness.exchange import delivery
from harness.judge.outcome import describe
from harness.message import defect as message
from harness.scenario.model import Exchange
from harness.scenario.project import everything, mode
from harness.security import defect as security

if TYPE_CHECKING:
    from harness.evidence.model import Event
    from harness.scenario.model import Case


def alternatives(case: Case) -> dict[str, dict[str, list[str]]]:
    """Step to every answer that passes (``expect``) and every other legal one (``permitted``), in words.

    Only for the steps in which the system under test answers.
    """
    return {
        step.id: {
            "expect": [describe(outcome) for outcome in step.expectation.expect],
            "permitted": [describe(outcome) for outcome in step.expectation.permitted],
        }
        for step in everything(case.steps)
        if isinstance(step, Exchange) and mode(step, case.sut) == "deliver"
    }


def defect_texts(events: Iterable[Event]) -> dict[str, str]:
    """What each defect is that was put into a message of this run, in one sentence."""
    texts: dict[str, str] = {
        name: defect.text
        for known in (message.DEFECTS, security.DEFECTS, delivery.DEFECTS)
        for name, defect in known.items()
    }
    used = sorted({str(event.data["defect"]) for event in events if event.data.get("defect")})
    return {name: texts.get(name, "") for name in used}


@lru_cache(maxsize=1024)
def certificate_facts(der: bytes | None) -> Mapping[str, Any]:
    """Key, serial number and SHA-256 of a certificate; nothing of one that cannot be read."""
    if der is None:
        return {}
    try:
        certificate = x509.load_der_x509_certificate(der)
        return {
            "key": _key(certificate),
            "serial": f"{certificate.serial_number:x}",
            "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(),
        }
    except ValueError:
        return {}


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.strip("_").removesuffix("PublicKey")
