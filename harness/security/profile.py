"""Does a security profile say only what is understood here?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from harness.errors import ConfigurationFault
from harness.message.envelope import NAMESPACES
from harness.security import xmldsig_document
from harness.security.algorithm import CANONICALISATIONS, DIGESTS, SIGNATURES
from harness.security.jws import ALGORITHMS, CRITICAL, FORMS
from harness.security.model import SecurityProfile
from harness.security.tokens import TOKENS

ID_ATTRIBUTES = ("wsu:Id", "Id", "xml:id")
"""Attributes that name what is signed."""

PARTS = ("body", "timestamp", "token")
"""The parts of a message that a profile can want signed."""

_STYLES = ("wss", "jws", "xmldsig", "none")
_KEY_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign",
)  # fmt: skip


@lru_cache(maxsize=64)
def check_profile(profile: SecurityProfile) -> None:
    """Make sure that every name in a profile is known.

    Raises:
        ConfigurationFault: the first one that is not, with those that are.
    """
    for name, given, known in _names(profile):
        for each in given:
            if each not in known:
                raise ConfigurationFault(
                    f"The security profile of the pack has {each!r} under {name}, which is not known",
                    expected=", ".join(known),
                    remedy="Correct security.yaml.",
                )


def _names(profile: SecurityProfile) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    yield "style", (profile.style,), _STYLES
    yield "envelope", (profile.soap,) if profile.soap else (), tuple(NAMESPACES)
    if profile.style in ("wss", "xmldsig"):
        yield "signatures", profile.signatures, tuple(each.name for each in SIGNATURES.values())
        yield "digests", profile.digests, tuple(each.name for each in DIGESTS.values())
        yield "canonicalisations", profile.canonicalisations, tuple(each.name for each in CANONICALISATIONS.values())
    if profile.style == "wss":
        yield "tokens", profile.tokens, TOKENS
        yield "signed", profile.signed, PARTS
        yield "ids", (profile.ids,), ID_ATTRIBUTES
    if profile.style == "xmldsig":
        yield "tokens", profile.tokens, xmldsig_document.TOKENS
        yield "form", (profile.form,) if profile.form else (), xmldsig_document.FORMS
    if profile.style == "jws":
        yield "signatures", profile.signatures, tuple(ALGORITHMS)
        yield "form", (profile.form,) if profile.form else (), FORMS
        yield "critical", profile.critical, CRITICAL
    yield "key_usages", profile.key_usages, _KEY_USAGES
