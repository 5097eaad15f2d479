"""JSON Web Signatures as they stand: every serialisation taken apart strictly, nothing judged yet.

Sources: RFC 7515, sections 4.1.11 (crit), 5.2 and 7 (serialisations), appendix F (detached); RFC 7797 (b64).
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_SIGNATURES = 10
MOST_CHARACTERS = 100_000
"""Of a protected header."""

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


@dataclass(frozen=True)
class Part:
    """One signature.

    Parameters:
        text: the protected header as it came, in base64url.
        header: the protected header.
        value: the signature value.
        unprotected: members that nobody signed.
    """

    text: str
    header: Mapping[str, Any]
    value: bytes
    unprotected: Mapping[str, Any] = field(default_factory=dict)

    @property
    def encoded(self) -> bool:
        """Whether the payload is signed in base64url (RFC 7797, section 3)."""
        return self.header.get("b64", True) is not False

    def signing_input(self, payload: bytes) -> bytes:
        """What the value is over."""
        return self.text.encode() + b"." + (encode_url(payload).encode() if self.encoded else payload)


@dataclass(frozen=True)
class Jws:
    """A JWS.

    Parameters:
        form: ``compact``, ``flattened`` or ``general``.
        payload: the payload as it stands in it; ``None`` when it is detached.
        parts: its signatures.
    """

    form: str
    payload: str | None
    parts: Sequence[Part]

    def content(self, detached: bytes | None) -> bytes:
        """The payload as bytes.

        Raises:
            ValueError: it is missing, given twice, or not base64url where it has to be.
        """
        if self.payload is None or detached is not None:
            if self.payload is not None and self.payload != "":
                raise ValueError("it has a payload of its own, and one is given beside it")
            if detached is None:
                raise ValueError("its payload is left out, and none is given")
            return detached
        if len({part.encoded for part in self.parts}) > 1:
            raise ValueError("its signatures do not agree on how the payload is encoded")
        return decode_url(self.payload) if self.parts[0].encoded else self.payload.encode()


def read_compact(text: str) -> Jws:
    """Take a compact JWS apart; an empty payload counts as left out.

    Raises:
        ValueError: it has not three parts, a part is not strictly base64url, or the header is not a JSON object with
            each member once.
    """
    header, first, rest = text.partition(".")
    payload, last, value = rest.rpartition(".")
    if not first or not last:
        raise ValueError("it is not of the form header.payload.signature")
    part = Part(header, _read_header(header), decode_url(value))
    if "." in payload:
        raise ValueError("it has more than three parts")
    return Jws("compact", payload or None, (part,))


def read_json(data: bytes) -> Jws:
    """Take a JWS in JSON apart, flattened or general.

    Raises:
        ValueError: a member is missing, of another kind, or given twice.
    """
    members = _parse(data.decode())
    payload = members.get("payload")
    if payload is not None and not isinstance(payload, str):
        raise ValueError("its payload is no text")
    if "signatures" not in members:
        return Jws("flattened", payload, (_read_part(members),))
    listed = members["signatures"]
    if "signature" in members or not isinstance(listed, list) or not 0 < len(listed) <= MOST_SIGNATURES:
        raise ValueError(f"it has not 1 to {MOST_SIGNATURES} signatures, or one more beside them")
    return Jws("general", payload, tuple(_read_part(each) for each in listed))


def encode_url(data: bytes) -> str:
    """Base64url as RFC 7515 writes it."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def decode_url(text: str) -> bytes:
    """Base64url as RFC 7515 writes it: its alphabet, no padding, no line breaks, no loose bits at the end.

    Raises:
        ValueError: it is written in another way.
    """
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise ValueError("a part is not base64url")
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_url(data) != text:
        raise ValueError("a part is not base64url: it has loose bits at its end")
    return data


def _read_part(members: object) -> Part:
    if not isinstance(members, dict):
        raise ValueError("a signature is no object")
    text, value, other = members.get("protected", ""), members.get("signature"), members.get("header", {})
    if not isinstance(text, str) or not isinstance(value, str) or not isinstance(other, dict):
        raise ValueError("protected, header or signature is missing or of another kind")
    header = _read_header(text) if text else {}
    if header.keys() & other.keys():
        raise ValueError("a member stands in the protected header and beside it")
    return Part(text, header, decode_url(value), other)


def _read_header(text: str) -> dict[str, Any]:
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"the header has more than {MOST_CHARACTERS} characters")
    return _parse(decode_url(text).decode())


def _parse(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(parsed, dict):
        raise ValueError("it is not a JSON object")
    return parsed


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands there twice")
    return members
