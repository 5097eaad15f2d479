"""What the signatures of the system under test are believed on, as the plan of a run says."""

from __future__ import annotations

from base64 import b64decode
from functools import lru_cache

from cryptography import x509

from harness.scenario.plan import Parameters
from harness.security.model import Trust
from harness.security.trust import make_trust
from harness.security.x509 import read_ocsp


def trust_of(parameters: Parameters) -> Trust:
    """What a plan says that the SUT's signatures are believed on."""
    return _trust_of(parameters.anchors, parameters.crls, parameters.ocsp)


@lru_cache(maxsize=8)
def _trust_of(anchors: tuple[str, ...], crls: tuple[str, ...], ocsp: tuple[str, ...]) -> Trust:
    return make_trust(
        tuple(x509.load_pem_x509_certificate(text.encode()) for text in anchors),
        tuple(x509.load_pem_x509_crl(text.encode()) for text in crls),
        tuple(read_ocsp(b64decode(text)) for text in ocsp),
    )
