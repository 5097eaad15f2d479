"""Defects of protection: each one makes one right message wrong in one precise way.

A message with a defect is signed like any other, with one parameter changed (*prepare*), by an identity that is wrong
in one way (*spare*), or its finished text is edited (*edit*).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from harness.security import defect_jws, defect_xml
from harness.security.algorithm import kind_of
from harness.security.issue import new_key
from harness.security.markup import WSSE
from harness.security.model import SecurityProfile
from harness.security.signing import Edit, Form, Signing
from harness.security.timestamp import write_time

Prepare = Callable[[Signing, SecurityProfile], Signing]


def _as_planned(signing: Signing, _profile: SecurityProfile) -> Signing:
    return signing


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
    prepare: Prepare = _as_planned
    edit: Mapping[str, Edit] = field(default_factory=dict)


# --- signed with a wrong parameter ------------------------------------------------------------------------------------


def _with(**changes: Any) -> Prepare:
    """Change parts of the plan."""
    return lambda signing, _profile: replace(signing, **changes)


def _sign_all_but(part: str) -> Prepare:
    return lambda signing, _profile: replace(signing, parts=tuple(each for each in signing.parts if each != part))


def _algorithm(word: str, digest: str | None = None) -> Prepare:
    """Sign with the algorithm of this word for the kind of key at hand."""

    def prepare(signing: Signing, _profile: SecurityProfile) -> Signing:
        name = f"{'rsa' if kind_of(signing.key) == 'RSA' else 'ecdsa'}-{word}"
        return replace(signing, algorithm=name, digest=digest or signing.digest)

    return prepare


def _sign_with_another_key(signing: Signing, _profile: SecurityProfile) -> Signing:
    return replace(signing, key=new_key("rsa" if kind_of(signing.key) == "RSA" else "ec"))


def _give_the_key_alone(signing: Signing, profile: SecurityProfile) -> Signing:
    return replace(_sign_all_but("token")(signing, profile), token="bare-key")  # noqa: S106 (no secret)


def _forge(part: str, change: Callable[[Form], Form]) -> Prepare:
    return _with(forge={part: change})


def _shift(direction: int) -> Prepare:
    """Claim another time, so far away that no usual tolerance forgives it."""

    def prepare(signing: Signing, profile: SecurityProfile) -> Signing:
        by = direction * (profile.lifetime + 2 * profile.tolerance + timedelta(hours=1))
        created, expires = (each + by if each else None for each in (signing.created, signing.expires))
        return replace(signing, created=created, expires=expires)

    return prepare


def _expire_before(signing: Signing, _profile: SecurityProfile) -> Signing:
    return replace(signing, expires=signing.created and signing.created - timedelta(seconds=1))


def _last_long(signing: Signing, profile: SecurityProfile) -> Signing:
    return replace(signing, expires=signing.created and signing.created + 3 * profile.lifetime)


def _without_zone(moment: datetime) -> str:
    return write_time(moment).removesuffix("Z")


# --- the table --------------------------------------------------------------------------------------------------------


def _all(*codes: str) -> dict[str, tuple[str, ...]]:
    return {"wss": codes, "jws": codes, "xmldsig": codes}


def _both(*codes: str) -> dict[str, tuple[str, ...]]:
    return {"wss": codes, "jws": codes}


def _for(*styles: str) -> Callable[..., SecurityDefect]:
    """A defect of these styles, by name, text, codes, and how it is made."""

    def make(
        name: str, text: str, *codes: str, prepare: Prepare = _as_planned, edit: Edit | None = None
    ) -> SecurityDefect:
        problems = dict.fromkeys(styles, codes)
        return SecurityDefect(name, text, problems, prepare=prepare, edit=dict.fromkeys(styles, edit) if edit else {})

    return make


_wss, _jws, _xml = _for("wss"), _for("jws"), _for("wss", "xmldsig")


def _certificate(spare: str, text: str, code: str | None = None) -> SecurityDefect:
    return SecurityDefect(f"certificate/{spare}", text, _all(f"certificate/{code or spare}"), spare=spare)


_MISMATCH, _INVALID, _MALFORMED = "signature/digest-mismatch", "signature/value-invalid", "signature/malformed"
_NO_BODY, _NO_TIME = "signature/body-not-signed", "signature/timestamp-not-signed"
_TRANSFORM = "algorithm/transform-not-allowed"

_WHOLE = (
    SecurityDefect("signature/missing", "There is no signature.", _all("signature/missing"), prepare=_with(parts=())),
    SecurityDefect(
        "signature/body-altered",
        "The body was changed after it was signed.",
        {"wss": (_MISMATCH,), "jws": (_INVALID,), "xmldsig": (_MISMATCH,)},
        edit={
            "wss": defect_xml.alter_body,
            "jws": defect_jws.alter_payload,
            "xmldsig": defect_xml.alter_document,
        },
    ),
    SecurityDefect(
        "signature/value-corrupt",
        "One bit of the signature value is wrong.",
        _all(_INVALID),
        edit={
            "wss": defect_xml.flip_bit_in(b"SignatureValue"),
            "jws": defect_jws.edit_jws(defect_jws.flip_bit),
            "xmldsig": defect_xml.flip_bit_in(b"SignatureValue"),
        },
    ),
    SecurityDefect(
        "signature/foreign-key",
        "The certificate is the right one, and the signature was made with another key.",
        _all(_INVALID),
        prepare=_sign_with_another_key,
    ),
    SecurityDefect(
        "signature/hmac",
        "The signature is a message authentication code, keyed with the public key of the certificate.",
        _all("algorithm/hmac"),
        prepare=_with(algorithm="hmac-sha256"),
    ),
    _wss(
        "signature/timestamp-altered",
        "The time was changed after it was signed.",
        _MISMATCH,
        edit=defect_xml.alter_time,
    ),
    _xml(
        "signature/digest-corrupt",
        "One bit of a digest in the signature is wrong.",
        _INVALID,
        _MISMATCH,
        edit=defect_xml.flip_bit_in(b"DigestValue"),
    ),
    _wss("signature/body-not-signed", "The signature is valid and does not cover the body.", _NO_BODY,
         prepare=_sign_all_but("body")),
    _wss("signature/timestamp-not-signed", "The signature is valid and does not cover the time.", _NO_TIME,
         prepare=_sign_all_but("timestamp")),
    _wss("signature/no-references", "The signature is valid and covers nothing.", "signature/no-references",
         prepare=_with(parts=("nothing",))),
    _wss("signature/other-actor", "The Security header is meant for another receiver.", "signature/missing",
         prepare=_with(actor="urn:example:another-receiver")),
    _wss("signature/second-header", "There are two Security headers for the receiver.",
         "structure/second-security-header",
         edit=defect_xml.insert(rb"</env:Header>", lambda _: f'<wsse:Security xmlns:wsse="{WSSE}"/>'.encode())),
    _wss("signature/second-signature", "The signature stands there twice.", "structure/second-signature",
         edit=defect_xml.repeat(rb"<ds:Signature .*?</ds:Signature>")),
    _xml("signature/second-signed-info", "There are two SignedInfo in the signature.", _MALFORMED,
         edit=defect_xml.insert(rb"<ds:SignedInfo .*?</ds:SignedInfo>", lambda found: found)),
    _xml("signature/comment-in-digest", "A comment stands in a digest, where careless readers take it for the digest.",
         _MALFORMED, edit=defect_xml.comment_digest),
    _xml("signature/key-info-missing", "The signature does not say with which certificate it was made.",
         "signature/token-missing", prepare=_sign_all_but("token"),
         edit=defect_xml.remove(rb"<ds:KeyInfo>.*</ds:KeyInfo>")),
    _xml("signature/bare-key", "The signature gives its key, and no certificate that says whose it is.",
         "signature/token-bare-key", prepare=_give_the_key_alone),
)  # fmt: skip

_ALGORITHMS = (
    _xml("signature/sha1", "Signature and digests use SHA-1, which has been broken.", "algorithm/sha1",
         prepare=_algorithm("sha1", "sha1")),
    _xml("signature/digest-sha1", "The digests use SHA-1, and the signature does not.", "algorithm/sha1",
         prepare=_with(digest="sha1")),
    _xml("signature/digest-md5", "The digests use MD5, which has been broken.", "algorithm/md5",
         prepare=_with(digest="md5")),
    _xml("signature/unknown-algorithm", "The signature names an algorithm that nobody knows.", "algorithm/unknown",
         prepare=_algorithm("unknown")),
    _xml("signature/hidden-by-xpath", "A transform with XPath takes everything out of what is signed.", _TRANSFORM,
         prepare=_forge("body", defect_xml.hide_by_xpath)),
    _xml("signature/replaced-by-xslt", "A transform with XSLT turns what is signed into something else.", _TRANSFORM,
         prepare=_forge("body", defect_xml.replace_by_xslt)),
    _wss("signature/external-reference", "A reference leads out of the message.", "signature/external-reference",
         _NO_BODY, prepare=_forge("body", defect_xml.point_at("https://signed.example.org/body.xml"))),
    _wss("signature/dangling-reference", "A reference names an id that is not in the message.",
         "signature/reference-unresolved", _NO_BODY, prepare=_forge("body", defect_xml.point_at("#nowhere"))),
)  # fmt: skip

_WRAPPING = (
    _wss("signature/wrapped-body", "The signed body was moved into the header, and another body stands in its place.",
         "signature/wrapped", edit=defect_xml.wrap_body(lambda _: b"body-of-somebody-else")),
    _wss("signature/duplicate-id",
         "The signed body was moved into the header, and another body with the same id stands in its place.",
         "structure/duplicate-id", edit=defect_xml.wrap_body(lambda identifier: identifier)),
    _wss("signature/nested-body", "The signed body was moved into another body that stands in its place.",
         "structure/second-payload", "signature/wrapped", edit=defect_xml.nest_body),
    _wss("signature/wrapped-timestamp", "The signed time was moved into the header, and another stands in its place.",
         "signature/wrapped", edit=defect_xml.wrap_timestamp),
)  # fmt: skip

_HEADERS = (
    _jws("signature/alg-none", "The signature says that there is none.", "algorithm/none",
         edit=defect_jws.edit_jws(defect_jws.say_none)),
    _jws("signature/crit-unknown", "The signature has a critical member that nobody knows.",
         "signature/critical-unknown",
         prepare=_with(members={"crit": ["urn:example:c2c"], "urn:example:c2c": True})),
    _jws("signature/key-in-header", "The signature brings along the key that it wants to be verified with.",
         "signature/header-not-allowed", prepare=_with(members={"jku": "https://keys.example.org/set.json"})),
)  # fmt: skip

_CERTIFICATES = (
    _certificate("foreign-ca", "The certificate was issued by an authority that is not trusted.", "untrusted"),
    _certificate("expired", "The certificate has expired."),
    _certificate("not-yet-valid", "The certificate is not valid yet."),
    _certificate("self-signed", "The certificate is signed by its own key."),
    _certificate("revoked", "The certificate was revoked by its issuer."),
    _certificate("key-usage", "The key usage of the certificate does not allow signatures."),
    _certificate("is-ca", "The certificate is that of a certification authority."),
    _certificate("weak-key", "The key is RSA with 1024 bits."),
    _certificate("critical-extension", "The certificate has a critical extension that nobody knows."),
)

_TIMES = (
    SecurityDefect("timestamp/stale", "The time lies far in the past.", _both("timestamp/stale"), prepare=_shift(-1)),
    SecurityDefect("timestamp/future", "The time lies in the future.", _both("timestamp/future"), prepare=_shift(1)),
    SecurityDefect("timestamp/missing", "There is no time.", _both("timestamp/missing"),
                   prepare=_with(created=None, expires=None)),
    _wss("timestamp/inverted", "It expires before it was created.", "timestamp/inverted", prepare=_expire_before),
    _wss("timestamp/lifetime", "It claims to live longer than is allowed.", "timestamp/lifetime", prepare=_last_long),
    _wss("timestamp/without-zone", "The times do not say in which time zone they are.", "timestamp/not-utc",
         prepare=_with(write_time=_without_zone)),
)  # fmt: skip

DEFECTS: Mapping[str, SecurityDefect] = {
    defect.name: defect
    for table in (_WHOLE, _ALGORITHMS, _WRAPPING, _HEADERS, _CERTIFICATES, _TIMES)
    for defect in table
}
"""Every defect of protection, by name."""
