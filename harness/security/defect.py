"""Defects of protection: each one makes one right message wrong in one precise way.

A message with a defect is signed like any other, with one parameter changed (*prepare*), by an identity that is wrong
in one way (*spare*), or its finished text is edited (*edit*). Nodes of a tree are never moved: that would change their
namespace declarations, and break more than was meant.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from harness.security.algorithm import kind_of
from harness.security.issue import new_key
from harness.security.jws import encode_header
from harness.security.model import SecurityProfile
from harness.security.signing import Protected, Signing

Prepare = Callable[[Signing, SecurityProfile], Signing]
Edit = Callable[[Protected], Protected]


@dataclass(frozen=True)
class SecurityDefect:
    """A way to protect a message wrongly.

    Parameters:
        name: ``signature/...``, ``certificate/...`` or ``timestamp/...``.
        text: what is wrong, in one sentence.
        problems: by style, the codes that our own verification reports for it; a style that is missing cannot have
            this defect.
        spare: the identity that signs instead, as in ``certificate/<spare>``.
        prepare: changes how the message is signed.
        edit: by style, changes the finished message.
    """

    name: str
    text: str
    problems: Mapping[str, tuple[str, ...]]
    spare: str | None = None
    prepare: Prepare = lambda signing, _profile: signing
    edit: Mapping[str, Edit] = field(default_factory=dict)


# --- signed with a wrong parameter ------------------------------------------------------------------------------------


def _sign_nothing(signing: Signing, _profile: SecurityProfile) -> Signing:
    return replace(signing, parts=())


def _sign_all_but(part: str) -> Prepare:
    return lambda signing, _profile: replace(signing, parts=tuple(each for each in signing.parts if each != part))


def _sign_with_sha1(signing: Signing, _profile: SecurityProfile) -> Signing:
    return replace(signing, algorithm=f"{'rsa' if kind_of(signing.key) == 'RSA' else 'ecdsa'}-sha1", digest="sha1")


def _sign_with_another_key(signing: Signing, _profile: SecurityProfile) -> Signing:
    return replace(signing, key=new_key("rsa" if kind_of(signing.key) == "RSA" else "ec"))


def _shift(direction: int) -> Prepare:
    """Claim another time, so far away that no usual tolerance forgives it."""

    def prepare(signing: Signing, profile: SecurityProfile) -> Signing:
        by = direction * (profile.lifetime + 2 * profile.tolerance + timedelta(hours=1))
        created, expires = (each + by if each else None for each in (signing.created, signing.expires))
        return replace(signing, created=created, expires=expires)

    return prepare


def _claim_no_time(signing: Signing, _profile: SecurityProfile) -> Signing:
    return replace(signing, created=None, expires=None)


# --- edited afterwards ------------------------------------------------------------------------------------------------

_BODY = re.compile(rb'(<env:Body [^>]*wsu:Id=")([^"]*)("[^>]*>)(.*)(</env:Body>)', re.DOTALL)
_XML_TEXT = re.compile(rb">([^<>&]*[0-9A-Za-z][^<>&]*)<")
_JSON_TEXT = re.compile(rb':\s*"([^"\\]*[0-9A-Za-z][^"\\]*)"')
_DIGIT = re.compile(rb"[0-9]")
_LETTER_OR_DIGIT = re.compile(rb"[0-9A-Za-z]")


def _alter_content(content: bytes, texts: re.Pattern[bytes]) -> bytes:
    """Change one digit, or else one letter, of the longest text; without any text, add a space.

    A digit first: a number or a time with another digit is still one, so that nothing but the signature breaks.
    """
    found = max(texts.finditer(content), key=lambda match: len(match[1]), default=None)
    if found is None:
        return content + b" "
    digits, letters = (list(each.finditer(content, *found.span(1))) for each in (_DIGIT, _LETTER_OR_DIGIT))
    at = (digits or letters)[-1].start()
    old = content[at : at + 1]
    other, another = (b"7", b"8") if old.isdigit() else (b"x", b"y") if old.islower() else (b"X", b"Y")
    return content[:at] + (another if old == other else other) + content[at + 1 :]


def _alter_body(protected: Protected) -> Protected:
    def altered(match: re.Match[bytes]) -> bytes:
        return match[1] + match[2] + match[3] + _alter_content(match[4], _XML_TEXT) + match[5]

    return replace(protected, data=_BODY.sub(altered, protected.data))


def _alter_payload(protected: Protected) -> Protected:
    texts = _XML_TEXT if protected.data.lstrip().startswith(b"<") else _JSON_TEXT
    return replace(protected, data=_alter_content(protected.data, texts))


def _alter_time(protected: Protected) -> Protected:
    """Claim a slightly shorter life: Created a little later, or Expires a little earlier."""
    last = re.search(rb"<wsu:Created>[^<]*([0-9])Z<", protected.data)
    if last is None:
        return protected
    name, digit = (b"Created", b"9") if last[1] != b"9" else (b"Expires", b"8")
    pattern = re.compile(rb"(<wsu:%b>[^<]*)[0-9](Z<)" % name)
    return replace(protected, data=pattern.sub(lambda match: match[1] + digit + match[2], protected.data))


def _flip_bit_in(element: bytes) -> Edit:
    def edit(protected: Protected) -> Protected:
        pattern = re.compile(b"(<ds:%b>)([^<]*)(<)" % element)
        return replace(
            protected,
            data=pattern.sub(lambda match: match[1] + _flip_bit(match[2]) + match[3], protected.data, count=1),
        )

    return edit


def _flip_bit(text: bytes) -> bytes:
    value = bytearray(b64decode(text))
    value[len(value) // 2] ^= 1
    return b64encode(value)


def _wrap_body(identifier: Callable[[bytes], bytes]) -> Edit:
    """Move the signed Body into the Header, and put an altered one, with that id, in its place."""

    def edit(protected: Protected) -> Protected:
        body = _BODY.search(protected.data)
        if body is None:
            return protected
        forged = body[1] + identifier(body[2]) + body[3] + _alter_content(body[4], _XML_TEXT) + body[5]
        wrapper = b'<w:Wrapper xmlns:w="urn:example:wrapper">' + body[0] + b"</w:Wrapper></env:Header>"
        data = protected.data.replace(body[0], forged).replace(b"</env:Header>", wrapper, 1)
        return replace(protected, data=data)

    return edit


def _edit_jws(change: Callable[[list[str]], list[str]]) -> Edit:
    """Change the three parts of a detached JWS."""

    def edit(protected: Protected) -> Protected:
        return replace(
            protected, headers={name: ".".join(change(jws.split("."))) for name, jws in protected.headers.items()}
        )

    return edit


def _say_none(parts: list[str]) -> list[str]:
    header = json.loads(urlsafe_b64decode(parts[0] + "=="))
    return [encode_header({**header, "alg": "none"}), "", ""]


def _flip_jws_bit(parts: list[str]) -> list[str]:
    middle = len(parts[2]) // 2
    return [parts[0], "", parts[2][:middle] + ("A" if parts[2][middle] != "A" else "B") + parts[2][middle + 1 :]]


# --- the table --------------------------------------------------------------------------------------------------------


def _both(*codes: str) -> dict[str, tuple[str, ...]]:
    return {"wss": codes, "jws": codes}


def _certificate(spare: str, text: str, code: str | None = None) -> SecurityDefect:
    return SecurityDefect(f"certificate/{spare}", text, _both(f"certificate/{code or spare}"), spare=spare)


_MISMATCH, _INVALID = "signature/digest-mismatch", "signature/value-invalid"

_DEFECTS = (
    SecurityDefect("signature/missing", "There is no signature.", _both("signature/missing"), prepare=_sign_nothing),
    SecurityDefect(
        "signature/body-altered",
        "The body was changed after it was signed.",
        {"wss": (_MISMATCH,), "jws": (_INVALID,)},
        edit={"wss": _alter_body, "jws": _alter_payload},
    ),
    SecurityDefect(
        "signature/timestamp-altered",
        "The time was changed after it was signed.",
        {"wss": (_MISMATCH,)},
        edit={"wss": _alter_time},
    ),
    SecurityDefect(
        "signature/value-corrupt",
        "One bit of the signature value is wrong.",
        _both(_INVALID),
        edit={"wss": _flip_bit_in(b"SignatureValue"), "jws": _edit_jws(_flip_jws_bit)},
    ),
    SecurityDefect(
        "signature/digest-corrupt",
        "One bit of a digest in the signature is wrong.",
        {"wss": (_INVALID, _MISMATCH)},
        edit={"wss": _flip_bit_in(b"DigestValue")},
    ),
    SecurityDefect(
        "signature/body-not-signed",
        "The signature is valid and does not cover the body.",
        {"wss": ("signature/body-not-signed",)},
        prepare=_sign_all_but("body"),
    ),
    SecurityDefect(
        "signature/timestamp-not-signed",
        "The signature is valid and does not cover the time.",
        {"wss": ("signature/timestamp-not-signed",)},
        prepare=_sign_all_but("timestamp"),
    ),
    SecurityDefect(
        "signature/sha1",
        "Signature and digests use SHA-1, which has been broken.",
        {"wss": ("algorithm/sha1",)},
        prepare=_sign_with_sha1,
    ),
    SecurityDefect(
        "signature/wrapped-body",
        "The signed body was moved into the header, and another body stands in its place.",
        {"wss": ("signature/wrapped",)},
        edit={"wss": _wrap_body(lambda _identifier: b"body-of-somebody-else")},
    ),
    SecurityDefect(
        "signature/duplicate-id",
        "The signed body was moved into the header, and another body with the same id stands in its place.",
        {"wss": ("structure/duplicate-id",)},
        edit={"wss": _wrap_body(lambda identifier: identifier)},
    ),
    SecurityDefect(
        "signature/foreign-key",
        "The certificate is the right one, and the signature was made with another key.",
        _both(_INVALID),
        prepare=_sign_with_another_key,
    ),
    SecurityDefect(
        "signature/alg-none",
        "The signature says that there is none.",
        {"jws": ("algorithm/none",)},
        edit={"jws": _edit_jws(_say_none)},
    ),
    _certificate("foreign-ca", "The certificate was issued by an authority that is not trusted.", "untrusted"),
    _certificate("expired", "The certificate has expired."),
    _certificate("not-yet-valid", "The certificate is not valid yet."),
    _certificate("self-signed", "The certificate is signed by its own key."),
    _certificate("revoked", "The certificate was revoked by its issuer."),
    _certificate("key-usage", "The key usage of the certificate does not allow signatures."),
    _certificate("is-ca", "The certificate is that of a certification authority."),
    _certificate("weak-key", "The key is RSA with 1024 bits."),
    SecurityDefect("timestamp/stale", "The time lies far in the past.", _both("timestamp/stale"), prepare=_shift(-1)),
    SecurityDefect("timestamp/future", "The time lies in the future.", _both("timestamp/future"), prepare=_shift(1)),
    SecurityDefect("timestamp/missing", "There is no time.", _both("timestamp/missing"), prepare=_claim_no_time),
)

DEFECTS: Mapping[str, SecurityDefect] = {defect.name: defect for defect in _DEFECTS}
"""Every defect of protection, by name."""
