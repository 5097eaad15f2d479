"""WS-Security on SOAP, the writing side: an envelope with token, timestamp and signature, composed as text.

Sources: WS-Security SOAP Message Security 1.1.1; X.509 Certificate Token Profile 1.1.1.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from lxml import etree

from harness.message.envelope import NAMESPACES
from harness.security.algorithm import DS, EXC_C14N, STR_TRANSFORM, WRITABLE, WRITABLE_DIGESTS, kind_of
from harness.security.algorithm import sign as sign_bytes
from harness.security.c14n import canonical
from harness.security.markup import WSSE, WSU
from harness.security.model import Identity, PrivateKey
from harness.security.signing import Signing
from harness.security.strtransform import binary_token, token_form
from harness.security.timestamp import write_time
from harness.security.tokens_write import write_token

_MUST_UNDERSTAND = {"1.2": "true", "1.1": "1"}
_DIRECT = f'<ds:Transform Algorithm="{EXC_C14N}"></ds:Transform>'
_OF_TOKEN = (
    f'<ds:Transform Algorithm="{STR_TRANSFORM}"><wsse:TransformationParameters xmlns:wsse="{WSSE}">'
    f'<ds:CanonicalizationMethod Algorithm="{EXC_C14N}"></ds:CanonicalizationMethod>'
    "</wsse:TransformationParameters></ds:Transform>"
)


class Form(NamedTuple):
    """What a reference of the signature digests.

    Parameters:
        identifier: id of the element.
        data: its canonical form.
        transform: how that came about, in canonical XML.
    """

    identifier: str
    data: bytes
    transform: str = _DIRECT


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
        written = write_token(signing.token, signing.identity, f"token-{mark}")
        token = written.token
        forms = []
        if "body" in signing.parts:
            forms.append(Form(f"body-{mark}", canonical(_parse(body))))
        if "timestamp" in signing.parts and timestamp:
            forms.append(Form(f"time-{mark}", timestamp.encode()))
        if "token" in signing.parts:
            forms.append(_token_form(signing.identity, token, mark))
        named = f' wsu:Id="reference-{mark}"' if "token" in signing.parts and not token else ""
        key_info = (
            f"<ds:KeyInfo><wsse:SecurityTokenReference{written.attributes}{named}>{written.reference}"
            "</wsse:SecurityTokenReference></ds:KeyInfo>"
        )
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


def _token_form(identity: Identity, token: str, mark: str) -> Form:
    """A token in the header is signed as it stands; where there is none, the reference is turned into one."""
    if not token:
        made = _parse(binary_token(identity.certificate, "wsse").encode())
        return Form(f"reference-{mark}", token_form(made), _OF_TOKEN)
    declared = _parse(f'<x xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">{token}</x>'.encode())
    return Form(f"token-{mark}", canonical(declared[0]))


def _signature(signing: Signing, forms: Iterable[Form], key_info: str) -> str:
    algorithm, digest = WRITABLE[signing.algorithm], WRITABLE_DIGESTS[signing.digest]
    references = "".join(
        f'<ds:Reference URI="#{form.identifier}"><ds:Transforms>{form.transform}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{digest.uri}"></ds:DigestMethod>'
        f"<ds:DigestValue>{b64encode(digest.of(form.data)).decode()}</ds:DigestValue></ds:Reference>"
        for form in forms
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
