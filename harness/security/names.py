"""Names of issuers as XML signatures write them, and whether a certificate has such an issuer.

Sources: RFC 4514 (the text form); RFC 2253, section 4 (older spellings that readers take); RFC 5280, section 7.1 (when
two names are the same); XML Signature 1.1, section 4.5.4.1.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from cryptography import x509
from cryptography.x509.oid import NameOID

Comparable: TypeAlias = tuple[frozenset[tuple[str, str]], ...]
"""A name in the form in which names are compared, RDN by RDN in the order of RFC 4514."""

_MOST_LETTERS = 2000
_PART = re.compile(r'\s*([A-Za-z0-9.-]+)\s*=\s*("(?:[^"\\]|\\.)*"\s*|(?:[^",;+\\]|\\.)*)([,;+]|$)', re.DOTALL)
_SPECIAL = re.compile(r"(?<!\\)([,;+<>#=])")
_TYPES = {
    "E": NameOID.EMAIL_ADDRESS, "EMAIL": NameOID.EMAIL_ADDRESS, "EMAILADDRESS": NameOID.EMAIL_ADDRESS,
    "S": NameOID.STATE_OR_PROVINCE_NAME, "SERIALNUMBER": NameOID.SERIAL_NUMBER, "SN": NameOID.SURNAME,
    "SURNAME": NameOID.SURNAME, "GIVENNAME": NameOID.GIVEN_NAME, "GN": NameOID.GIVEN_NAME, "T": NameOID.TITLE,
    "ORGANIZATIONIDENTIFIER": NameOID.ORGANIZATION_IDENTIFIER,
}  # fmt: skip
"""Keywords that writers use beyond those of RFC 4514."""


def read_name(text: str) -> Comparable:
    """Read a distinguished name.

    Spaces around separators, quotes, semicolons and small letters in keywords are taken as well: they are common.

    Raises:
        ValueError: it is not readable, or very long.
    """
    if len(text) > _MOST_LETTERS:
        raise ValueError("a name is too long")
    plain, at, separator = "", 0, ","
    while separator:
        part = _PART.match(text, at)
        if part is None:
            raise ValueError(f"{text[:200]!r} is not a distinguished name")
        keyword, value, separator = part.groups()
        value = value.rstrip()
        if value.startswith(('"', "#")):
            value = _SPECIAL.sub(r"\\\1", value[1:-1] if value.startswith('"') else _from_der(value[1:]))
        plain += f"{keyword.upper()}={value}{separator.replace(';', ',')}"
        at = part.end()
    try:
        return comparable(x509.Name.from_rfc4514_string(plain, _TYPES))
    except ValueError as error:
        raise ValueError(f"{text[:200]!r} is not a distinguished name") from error


def _from_der(digits: str) -> str:
    """The text of a value that stands as the digits of its DER encoding (RFC 4514, section 2.4)."""
    data = bytes.fromhex(digits)
    start = 2 + (data[1] & 0x7F if data[1:] and data[1] & 0x80 else 0)
    return data[start:].decode().replace("\\", "\\\\")


def comparable(name: x509.Name) -> Comparable:
    """Case and repeated white space do not count."""
    return tuple(
        frozenset((each.oid.dotted_string, " ".join(str(each.value).split()).casefold()) for each in rdn)
        for rdn in reversed(name.rdns)
    )
