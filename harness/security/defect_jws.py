"""Defects that are put into a finished JWS, wherever it travels: in an HTTP header, or as the body in any form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from harness.security.defect_xml import XML_TEXT, alter_content
from harness.security.jws import encode_header
from harness.security.jws_read import decode_url, encode_url
from harness.security.signing import Edit, Protected

_JSON_TEXT = re.compile(rb':\s*"([^"\\]*[0-9A-Za-z][^"\\]*)"')


class Texts(NamedTuple):
    """The parts of a JWS as they travel; the payload is empty when it is detached."""

    header: str
    payload: str
    value: str


def edit_jws(change: Callable[[Texts], Texts]) -> Edit:
    """Change the parts of the first signature."""

    def edit(protected: Protected) -> Protected:
        if protected.headers:
            changed = {name: ".".join(change(_parts(jws))) for name, jws in protected.headers.items()}
            return replace(protected, headers=changed)
        text = protected.data.decode()
        if not text.startswith("{"):
            return replace(protected, data=".".join(change(_parts(text))).encode())
        members = json.loads(text)
        first = members["signatures"][0] if "signatures" in members else members
        new = change(Texts(first["protected"], members["payload"], first["signature"]))
        members["payload"] = new.payload
        first["protected"], first["signature"] = new.header, new.value
        return replace(protected, data=json.dumps(members).encode())

    return edit


def _parts(jws: str) -> Texts:
    header, payload, value = jws.split(".")
    return Texts(header, payload, value)


def alter_payload(protected: Protected) -> Protected:
    """Alter what is signed: the body beside a detached JWS, or the payload in it."""
    if protected.headers:
        return replace(protected, data=_altered(protected.data))
    return edit_jws(_alter_inside)(protected)


def _alter_inside(parts: Texts) -> Texts:
    if json.loads(decode_url(parts.header)).get("b64", True):
        return parts._replace(payload=encode_url(_altered(decode_url(parts.payload))))
    return parts._replace(payload=_altered(parts.payload.encode()).decode())


def _altered(data: bytes) -> bytes:
    return alter_content(data, XML_TEXT if data.lstrip().startswith(b"<") else _JSON_TEXT)


def say_none(parts: Texts) -> Texts:
    """Say that it is not signed."""
    header = json.loads(decode_url(parts.header))
    return parts._replace(header=encode_header({**header, "alg": "none"}), value="")


def flip_bit(parts: Texts) -> Texts:
    """Change one character in the middle of the value."""
    value, middle = parts.value, len(parts.value) // 2
    return parts._replace(value=value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :])
