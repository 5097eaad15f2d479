"""WS-Security on SOAP, the writing side: an envelope with token, timestamp and signature, composed as text.

What is signed the usual way (exclusive canonicalisation, no PrefixList, one signature) is digested while it is
composed. Anything else is composed with blanks, which :mod:`harness.security.xmldsig_write` fills in.

Sources: WS-Security SOAP Message Security 1.1.1; X.509 Certificate Token Profile 1.1.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from xml.sax.saxutils import quoteattr

from lxml import etree

from harness.message.envelope import NAMESPACES
from harness.message.model import Document
from harness.message.xml import XmlDocument, parse_own
from harness.security.algorithm import (
    STR_TRANSFORM,
    WRITABLE,
    kind_of,
    sign,
)
from harness.security.c14n import canonical
from harness.security.markup import WSSE, WSU, index_ids
from harness.security.model import PrivateKey
from harness.security.octets import Dereference
from harness.security.signing import Form, Protected, Signing
from harness.security.strtransform import binary_token, signed_token, token_form
from harness.security.tokens import Place
from harness.security.tokens_write import write_token
from harness.security.xmldsig_write import complete, compose, method_of

_MUST_UNDERSTAND = {"1.2": "true", "1.1": "1"}
_ACTOR = {"1.2": "role", "1.1": "actor"}


def fits(name: str, key: PrivateKey) -> bool:
    """Whether a signature algorithm of ``security.yaml`` can be used with a key."""
    return name in WRITABLE and WRITABLE[name].key == kind_of(key)


def write(body: Document, soap: str, signing: Signing) -> Protected:
    """Put a payload into a signed envelope.

    What is signed is written in its canonical form (Timestamp, SignedInfo), or parsed and canonicalised (Body): a tree
    that was built is never digested.

    Parameters:
        body: the payload.
        soap: ``1.2`` or ``1.1``.
        signing: how.

    Raises:
        MalformedInput: the payload has no canonical form.
    """
    envelope, payload = NAMESPACES[soap], body.to_bytes()
    mark = sha256(payload + str(signing.created).encode()).hexdigest()[:16]
    opening = f'<env:Body xmlns:env="{envelope}" xmlns:wsu="{WSU}" {signing.ids}="body-{mark}">'
    text = opening.encode() + payload + b"</env:Body>"
    usual = signing.canonicalisation == "exc-c14n" and not signing.prefixes and not signing.cosigners
    form, found = _read(opening.encode(), body, payload, signing) if usual else (None, None)
    timestamp = _timestamp(signing, f"time-{mark}")
    signers = (signing, *signing.cosigners) if signing.parts else ()
    written = [_sign(each, number, mark, form, timestamp) for number, each in enumerate(signers)]
    actor = f" env:{_ACTOR[soap]}={quoteattr(signing.actor)}" if signing.actor else ""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<env:Envelope xmlns:env="{envelope}"><env:Header>'
        f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" env:mustUnderstand="{_MUST_UNDERSTAND[soap]}"{actor}>'
        f"{''.join(token for token, _ in written)}{timestamp}{''.join(signature for _, signature in written)}"
        "</wsse:Security></env:Header>"
    )
    data = head.encode() + text + b"</env:Envelope>"
    if usual:
        return Protected(data, {}, found)
    signs = [partial(sign, WRITABLE[each.algorithm], each.key) for each in signers]
    return Protected(complete(data, signs, dereference=partial(_resolver, signers)), {})


def _read(opening: bytes, body: Document, payload: bytes, signing: Signing) -> tuple[bytes, Document]:
    """The canonical form of the Body, and the payload as it was read from this very text.

    A payload that was read before is not read again, where it stands in the form of the Body as it does in its own:
    where it has no prefix of ours.
    """
    alone = signing.ids == "wsu:Id" and not any(prefix in payload for prefix in (b"xmlns:env=", b"xmlns:wsu="))
    if alone and isinstance(body, XmlDocument) and body.written is not None:
        return opening + canonical(body.element) + b"</env:Body>", body
    parsed = parse_own(b"\n" + opening + payload + b"</env:Body>")
    return canonical(parsed), XmlDocument(parsed[0])


def _resolver(signers: Sequence[Signing], root: etree._Element) -> Dereference:
    security = next(root.iter(f"{{{WSSE}}}Security"))
    known = tuple(each.identity.certificate for each in signers)
    place = Place(security, index_ids(root).elements, known, known[0].not_valid_before_utc)
    return partial(signed_token, place=place)


def _timestamp(signing: Signing, identifier: str) -> str:
    if signing.created is None:
        return ""
    expires = f"<wsu:Expires>{signing.write_time(signing.expires)}</wsu:Expires>" if signing.expires else ""
    return (
        f'<wsu:Timestamp xmlns:wsu="{WSU}" {signing.ids}="{identifier}">'
        f"<wsu:Created>{signing.write_time(signing.created)}</wsu:Created>{expires}</wsu:Timestamp>"
    )


def _sign(signing: Signing, number: int, mark: str, body: bytes | None, timestamp: str) -> tuple[str, str]:
    """Token and signature of one signer; every signer after the first also covers the first signature.

    Parameters:
        body: its canonical form, where everything that is digested is known before the whole envelope is.
    """
    own = f"{number}-{mark}" if number else mark
    written = write_token(signing.token, signing.identity, f"token-{own}", signing.ids)
    usual = body is not None
    method = method_of(signing)
    forms = []
    if "body" in signing.parts:
        forms.append(("body", Form(f"#body-{mark}", body, method)))
    if "timestamp" in signing.parts and timestamp:
        forms.append(("timestamp", Form(f"#time-{mark}", timestamp.encode() if usual else None, method)))
    if "token" in signing.parts:
        forms.append(("token", _token_form(signing, written.token, own, usual=usual)))
    if number:
        forms.append(("signature", Form(f"#signature-{mark}", None, method)))
    named = f' {signing.ids}="reference-{own}"' if "token" in signing.parts and not written.token else ""
    key_info = written.reference
    if not written.direct:
        opening = f"<wsse:SecurityTokenReference{written.attributes}{named}>"
        key_info = f"{opening}{written.reference}</wsse:SecurityTokenReference>"
    forged = [signing.forge[part](form) if part in signing.forge else form for part, form in forms]
    identifier = f' Id="signature-{mark}"' if signing.cosigners else ""
    return written.token, compose(signing, forged, key_info, own, identifier, usual=usual)


def _token_form(signing: Signing, token: str, own: str, *, usual: bool) -> Form:
    """A token in the header is signed as it stands; where there is none, the reference is turned into one."""
    if not token:
        made = parse_own(binary_token(signing.identity.certificate, "wsse").encode())
        of_token = (
            f'<ds:Transform Algorithm="{STR_TRANSFORM}"><wsse:TransformationParameters xmlns:wsse="{WSSE}">'
            f"{method_of(signing, 'CanonicalizationMethod')}</wsse:TransformationParameters></ds:Transform>"
        )
        return Form(f"#reference-{own}", token_form(made) if usual else None, of_token)
    data = None
    if usual:
        data = canonical(parse_own(f'<x xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">{token}</x>'.encode())[0])
    return Form(f"#token-{own}", data, method_of(signing))
