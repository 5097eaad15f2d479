"""How a WS-Security signature names the certificate of its key: one entry per kind of token.

Source: WS-Security X.509 Certificate Token Profile 1.1.1, section 3.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from lxml import etree

from harness.errors import MalformedInput
from harness.security.markup import WSSE, decode, text_of
from harness.security.model import Identity, Problem
from harness.security.x509 import read_certificate

_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0"
_BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
_X509V3 = f"{_PROFILE}#X509v3"


@dataclass(frozen=True, eq=False)
class Token:
    """A certificate that a signature names.

    Parameters:
        kind: name of the kind, as in ``security.yaml``.
        leaf: the certificate of the signing key.
        intermediates: more certificates that came with it.
    """

    kind: str
    leaf: Certificate
    intermediates: tuple[Certificate, ...] = ()


@dataclass(frozen=True, eq=False)
class Place:
    """Where a token is looked for.

    Parameters:
        key_info: the ds:KeyInfo.
        security: the Security header that the signature stands in.
        ids: id to element, without those that occur twice.
    """

    key_info: etree._Element
    security: etree._Element
    ids: Mapping[str, etree._Element]


@dataclass(frozen=True)
class TokenKind:
    """One way of naming a certificate.

    Parameters:
        write: identity and id to the texts of the token and of the KeyInfo.
        find: the token, or ``None`` when the certificate is named in another way; raises
            :class:`~harness.errors.MalformedInput` with a code of ``signature/token-...``.
    """

    write: Callable[[Identity, str], tuple[str, str]]
    find: Callable[[Place], Token | None]


def find_token(place: Place, allowed: tuple[str, ...]) -> Token | Problem:
    """Look for the certificate of a signature, in every way that is known.

    Parameters:
        allowed: names of the kinds that the pack allows.
    """
    try:
        found = next((token for kind in TOKENS.values() if (token := kind.find(place)) is not None), None)
    except MalformedInput as error:
        return Problem(error.code, error.what)
    if found is None:
        return Problem("signature/token-unknown", "KeyInfo names the certificate in a way that is not understood.")
    if found.kind not in allowed:
        text = f"KeyInfo names the certificate by {found.kind}; allowed: {', '.join(allowed)}."
        return Problem("signature/token-not-allowed", text)
    return found


def _write_x509v3(identity: Identity, token_id: str) -> tuple[str, str]:
    der = b64encode(identity.certificate.public_bytes(Encoding.DER)).decode()
    token = (
        f'<wsse:BinarySecurityToken EncodingType="{_BASE64}" ValueType="{_X509V3}" wsu:Id="{token_id}">'
        f"{der}</wsse:BinarySecurityToken>"
    )
    key_info = (
        "<ds:KeyInfo><wsse:SecurityTokenReference>"
        f'<wsse:Reference URI="#{token_id}" ValueType="{_X509V3}"/>'
        "</wsse:SecurityTokenReference></ds:KeyInfo>"
    )
    return token, key_info


def _find_x509v3(place: Place) -> Token | None:
    reference = place.key_info.find(f"{{{WSSE}}}SecurityTokenReference/{{{WSSE}}}Reference")
    if reference is None or reference.get("ValueType", _X509V3) != _X509V3:
        return None
    uri = reference.get("URI", "")
    token = place.ids.get(uri[1:]) if uri.startswith("#") else None
    if token is None or token.getparent() is not place.security:
        raise MalformedInput("signature/token-missing", f"No token of this Security header has the id {uri[:200]!r}.")
    if token.tag != f"{{{WSSE}}}BinarySecurityToken" or token.get("ValueType", _X509V3) != _X509V3:
        return None
    try:
        if token.get("EncodingType", _BASE64) != _BASE64:
            raise ValueError(f"its encoding is {token.get('EncodingType')}")
        return Token("x509v3", read_certificate(decode(text_of(token))))
    except ValueError as error:
        raise MalformedInput("signature/token-malformed", f"The security token cannot be read: {error}.") from error


TOKENS: Mapping[str, TokenKind] = {"x509v3": TokenKind(_write_x509v3, _find_x509v3)}
"""Kinds of tokens by name; the first one that understands a KeyInfo answers."""
