"""WS-Security on SOAP, the writing side: an envelope with token, timestamp and signature, composed as text.

Sources: WS-Security SOAP Message Security 1.1.1; X.509 Certificate Token Profile 1.1.1.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256

from lxml import etree

from harness.message.envelope import NAMESPACES
from harness.security.algorithm import DS, EXC_C14N, WRITABLE, WRITABLE_DIGESTS, kind_of
from harness.security.algorithm import sign as sign_bytes
from harness.security.c14n import canonical
from harness.security.markup import WSSE, WSU
from harness.security.model import PrivateKey
from harness.security.signing import Signing
from harness.security.timestamp import write_time
from harness.security.tokens import TOKENS

_MUST_UNDERSTAND = {"1.2": "true", "1.1": "1"}


def fits(name: str, key: PrivateKey) -> bool:
    """Whether a signature algorithm of ``security.yaml`` can be used with a key."""
    return name in WRITABLE and WRITABLE[name].key == kind_of(key)


def write(payload: bytes, soap: str, signing: Signing) -> bytes:
    """Put a payload into a signed envelope.

    What is signed is written in its canonical form (Timestamp, SignedInfo), or parsed and canonicalised once (Body):
    a tree that was built is never digested.

    Parameters:
        payload: the element, UTF-8, without XML declaration.
        soap: ``1.2`` or ``1.1``.
        signing: how.

    Raises:
        MalformedInput: the payload has no canonical form.
    """
    envelope = NAMESPACES[soap]
    mark = sha256(payload + repr(signing.created).encode()).hexdigest()[:16]
    body = (
        f'<env:Body xmlns:env="{envelope}" xmlns:wsu="{WSU}" wsu:Id="body-{mark}">'.encode() + payload + b"</env:Body>"
    )
    timestamp = _timestamp(signing, f"time-{mark}")
    token, signature = "", ""
    if signing.parts:
        forms = []
        if "body" in signing.parts:
            forms.append((f"body-{mark}", canonical(_parse(body))))
        if "timestamp" in signing.parts and timestamp:
            forms.append((f"time-{mark}", timestamp.encode()))
        token, key_info = TOKENS[signing.token].write(signing.identity, f"token-{mark}")
        signature = _signature(signing, forms, key_info)
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<env:Envelope xmlns:env="{envelope}"><env:Header>'
        f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" env:mustUnderstand="{_MUST_UNDERSTAND[soap]}">'
        f"{token}{timestamp}{signature}</wsse:Security></env:Header>"
    )
    return head.encode() + body + b"</env:Envelope>"


def _timestamp(signing: Signing, identifier: str) -> str:
    if signing.created is None:
        return ""
    expires = f"<wsu:Expires>{write_time(signing.expires)}</wsu:Expires>" if signing.expires else ""
    return (
        f'<wsu:Timestamp xmlns:wsu="{WSU}" wsu:Id="{identifier}">'
        f"<wsu:Created>{write_time(signing.created)}</wsu:Created>{expires}</wsu:Timestamp>"
    )


def _signature(signing: Signing, forms: Iterable[tuple[str, bytes]], key_info: str) -> str:
    """Sign the canonical forms of elements, given with their ids."""
    algorithm, digest = WRITABLE[signing.algorithm], WRITABLE_DIGESTS[signing.digest]
    references = "".join(
        f'<ds:Reference URI="#{identifier}">'
        f'<ds:Transforms><ds:Transform Algorithm="{EXC_C14N}"></ds:Transform></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{digest.uri}"></ds:DigestMethod>'
        f"<ds:DigestValue>{b64encode(digest.of(form)).decode()}</ds:DigestValue></ds:Reference>"
        for identifier, form in forms
    )
    signed_info = (
        f'<ds:SignedInfo xmlns:ds="{DS}">'
        f'<ds:CanonicalizationMethod Algorithm="{EXC_C14N}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{algorithm.uri}"></ds:SignatureMethod>'
        f"{references}</ds:SignedInfo>"
    )
    value = b64encode(sign_bytes(algorithm, signing.key, signed_info.encode())).decode()
    return (
        f'<ds:Signature xmlns:ds="{DS}">{signed_info}<ds:SignatureValue>{value}</ds:SignatureValue>'
        f"{key_info}</ds:Signature>"
    )


def _parse(data: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    root: etree._Element = etree.fromstring(data, parser)
    return root
