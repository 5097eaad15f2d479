"""How a WS-Security signature names the certificate of its key: every way that is understood, read and written.

Some ways carry the certificate. The others only point at one, which is then looked for among the certificates at hand.

Sources: WS-Security X.509 Certificate Token Profile 1.1.1, section 3; SOAP Message Security 1.1.1, section 7; XML
Signature 1.1, section 4.5.4 (X509Data); ITU-T X.509, PkiPath.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import Certificate
from lxml import etree

from harness.errors import MalformedInput
from harness.security.algorithm import DS
from harness.security.markup import WSSE, decode, first_child, text_of
from harness.security.model import Problem
from harness.security.names import comparable, read_name
from harness.security.pkipath import MOST_CERTIFICATES, read_pki_path
from harness.security.x509 import extension_of, read_certificate

_OASIS = "http://docs.oasis-open.org/wss"
_PROFILE = f"{_OASIS}/2004/01/oasis-200401-wss-x509-token-profile-1.0"
BASE64 = f"{_OASIS}/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
X509V3 = f"{_PROFILE}#X509v3"
PKIPATH = f"{_PROFILE}#X509PKIPathv1"
SKI = f"{_PROFILE}#X509SubjectKeyIdentifier"
THUMBPRINT = f"{_OASIS}/oasis-wss-soap-message-security-1.1#ThumbprintSHA1"

REFERENCE = f"{{{WSSE}}}SecurityTokenReference"
BINARY = f"{{{WSSE}}}BinarySecurityToken"
_DIRECT, _IDENTIFIER = f"{{{WSSE}}}Reference", f"{{{WSSE}}}KeyIdentifier"

TOKENS = ("x509v3", "pkipath", "ski", "thumbprint", "x509v3-identifier", "issuer-serial", "x509-data")
"""Every way of naming a certificate, by name."""

_MOST_TEXT = 16 * 1024
"""Characters of a token that is remembered."""
_SERIAL = re.compile(r"\s*[0-9]{1,60}\s*")
_Matches: TypeAlias = Callable[[Certificate], bool]


class Token(NamedTuple):
    """A certificate that a signature names.

    Parameters:
        kind: name of the kind, as in ``security.yaml``.
        leaf: the certificate of the signing key.
        intermediates: more certificates that came with it.
        element: the binary security token in the message; ``None`` when the certificate is named otherwise.
    """

    kind: str
    leaf: Certificate
    intermediates: tuple[Certificate, ...] = ()
    element: etree._Element | None = None


class Place(NamedTuple):
    """Where a token is looked for.

    Parameters:
        security: the Security header that the signature stands in.
        ids: id to element, without those that occur twice.
        known: end entity certificates at hand, for references that carry none.
        at: time of receipt: of several certificates that fit, one that is valid then is taken.
    """

    security: etree._Element
    ids: Mapping[str, etree._Element]
    known: tuple[Certificate, ...]
    at: datetime


def find_token(key_info: etree._Element, place: Place, allowed: tuple[str, ...]) -> Token | Problem:
    """Look for the certificate of a signature, in every way that is known.

    Parameters:
        key_info: the ds:KeyInfo.
        place: what belongs to it.
        allowed: names of the kinds that the pack allows.
    """
    reference = first_child(key_info, REFERENCE)
    try:
        found = _in_x509_data(key_info, place) if reference is None else dereference(reference, place)
    except MalformedInput as error:
        return Problem(error.code, error.what)
    if found.kind not in allowed:
        text = f"KeyInfo names the certificate by {found.kind}; allowed: {', '.join(allowed)}."
        return Problem("signature/token-not-allowed", text)
    return found


def dereference(reference: etree._Element, place: Place) -> Token:
    """The token that a wsse:SecurityTokenReference leads to.

    Raises:
        MalformedInput: it leads nowhere; the code is one of ``signature/token-...``.
    """
    direct = first_child(reference, _DIRECT)
    if direct is not None:
        return _in_header(direct, place)
    identifier = first_child(reference, _IDENTIFIER)
    if identifier is not None:
        return _by_identifier(identifier, place)
    return _in_x509_data(reference, place)


# --- a token in the header --------------------------------------------------------------------------------------------


def _in_header(reference: etree._Element, place: Place) -> Token:
    uri = reference.get("URI", "")
    element = place.ids.get(uri[1:]) if uri.startswith("#") else None
    if element is None or element.getparent() is not place.security:
        raise MalformedInput("signature/token-missing", f"No token of this Security header has the id {uri[:200]!r}.")
    kind = element.get("ValueType", X509V3)
    if element.tag != BINARY or kind not in (X509V3, PKIPATH):
        raise _unknown(f"the token {etree.QName(element).localname} of the type {kind[:200]!r}")
    if reference.get("ValueType", kind) != kind:
        text = f"The reference announces {reference.get('ValueType', '')[:200]!r}, and the token is {kind!r}."
        raise MalformedInput("signature/token-mismatch", text)
    return _read_binary(element)


def _read_binary(element: etree._Element) -> Token:
    text = _encoded(element)
    if element.get("ValueType", X509V3) == X509V3:
        return Token("x509v3", _certificate_in(text), element=element)
    try:
        *above, leaf = read_pki_path(_decoded(text))
    except ValueError as error:
        raise _malformed(error) from error
    return Token("pkipath", leaf, tuple(reversed(above)), element)


def _decode(element: etree._Element) -> bytes:
    return _decoded(_encoded(element))


def _encoded(element: etree._Element) -> str:
    try:
        if element.get("EncodingType", BASE64) != BASE64:
            raise ValueError(f"its encoding is {element.get('EncodingType', '')[:200]}")
        return text_of(element)
    except ValueError as error:
        raise _malformed(error) from error


def _decoded(text: str) -> bytes:
    try:
        return decode(text)
    except ValueError as error:
        raise _malformed(error) from error


def _certificate_in(text: str) -> Certificate:
    """The certificate of a token; that of who sends many messages is decoded once."""
    return _remembered(text) if len(text) <= _MOST_TEXT else _certificate(_decoded(text))


@lru_cache(maxsize=512)
def _remembered(text: str) -> Certificate:
    return _certificate(_decoded(text))


def _certificate(data: bytes) -> Certificate:
    try:
        return read_certificate(data)
    except ValueError as error:
        raise _malformed(error) from error


# --- a name or a number of a certificate ------------------------------------------------------------------------------


def _by_identifier(identifier: etree._Element, place: Place) -> Token:
    kind, data = identifier.get("ValueType", ""), _decode(identifier)
    if kind == X509V3:
        return Token("x509v3-identifier", _certificate(data))
    if kind == SKI:
        return Token("ski", _at_hand(place, _has_key_identifier(data), f"the subject key identifier {data.hex()[:80]}"))
    if kind == THUMBPRINT:
        return Token("thumbprint", _at_hand(place, _has_thumbprint(data), f"the thumbprint {data.hex()[:80]}"))
    raise _unknown(f"a key identifier of the type {kind[:200]!r}")


def key_identifier(certificate: Certificate) -> bytes:
    """The subject key identifier, worked out when the extension is missing (RFC 5280, section 4.2.1.2, method 1)."""
    extension = extension_of(certificate, x509.SubjectKeyIdentifier)
    return (extension or x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())).digest


def thumbprint(certificate: Certificate) -> bytes:
    """SHA-1 of the certificate. It only finds a certificate: what is believed does not rest on it."""
    return certificate.fingerprint(hashes.SHA1())  # noqa: S303


def _has_key_identifier(value: bytes) -> _Matches:
    def matches(certificate: Certificate) -> bool:
        try:
            return key_identifier(certificate) == value
        except (ValueError, UnsupportedAlgorithm):  # a key of a kind that cannot be read
            return False

    return matches


def _has_thumbprint(value: bytes) -> _Matches:
    return lambda certificate: thumbprint(certificate) == value


def _has_issuer_and_serial(element: etree._Element) -> _Matches:
    name, number = element.find(f"{{{DS}}}X509IssuerName"), element.find(f"{{{DS}}}X509SerialNumber")
    try:
        if name is None or number is None or not _SERIAL.fullmatch(text_of(number)):
            raise ValueError("X509IssuerSerial wants an issuer name and a serial number")
        issuer, serial = read_name(text_of(name)), int(text_of(number))
    except ValueError as error:
        raise _malformed(error) from error
    return lambda certificate: certificate.serial_number == serial and comparable(certificate.issuer) == issuer


def _at_hand(place: Place, matches: _Matches, what: str) -> Certificate:
    """The certificate that is meant: of those the operator gave, else of those in the Security header."""
    for candidates in (place.known, _in_binaries(place.security)):
        fitting = [each for each in candidates if matches(each)]
        valid = [each for each in fitting if each.not_valid_before_utc <= place.at <= each.not_valid_after_utc]
        if fitting:
            return max(valid or fitting, key=lambda each: each.not_valid_before_utc)
    text = f"The signature names a certificate by {what}; it is neither in the message nor among those at hand."
    raise MalformedInput("signature/token-unresolved", text)


def _in_binaries(security: etree._Element) -> Iterator[Certificate]:
    for element in security.findall(BINARY)[:MOST_CERTIFICATES]:
        try:
            yield _read_binary(element).leaf
        except MalformedInput:
            continue


# --- X509Data ---------------------------------------------------------------------------------------------------------


def _in_x509_data(parent: etree._Element, place: Place) -> Token:
    """The token of the ds:X509Data in a KeyInfo or a reference; all of them speak of one certificate."""
    found = [part for data in parent.findall(f"{{{DS}}}X509Data") for part in data.iterchildren(etree.Element)]
    parts = {name: [part for part in found if part.tag == f"{{{DS}}}{name}"] for name in _CLUES}
    if len(parts["X509Certificate"]) > MOST_CERTIFICATES:
        raise _malformed(ValueError(f"there are more than {MOST_CERTIFICATES} certificates"))
    carried = [_certificate(_decode(each)) for each in parts["X509Certificate"]]
    clues = [(kind, clue(part)) for name, (kind, clue) in _CLUES.items() if clue for part in parts[name]]
    if not carried and not clues:
        if parent.find(f"{{{DS}}}KeyValue") is not None:
            text = "The signature gives a bare key, without a certificate that says whose it is."
            raise MalformedInput("signature/token-bare-key", text)
        raise _unknown("nothing that is known here")
    fits = _all_of(matches for _, matches in clues)
    if not carried:
        return Token(clues[0][0], _at_hand(place, fits, "issuer and serial number, or its key identifier"))
    leaf = _leaf_of([each for each in carried if fits(each)])
    return Token("x509-data", leaf, tuple(each for each in carried if each != leaf))


def _all_of(clues: Iterable[_Matches]) -> _Matches:
    listed = tuple(clues)
    return lambda certificate: all(matches(certificate) for matches in listed)


def _leaf_of(certificates: Sequence[Certificate]) -> Certificate:
    """The one that issued none of the others: certificates may stand in any order."""
    distinct = list(dict.fromkeys(certificates))
    leaves = [
        each for each in distinct
        if not any(other.issuer == each.subject for other in distinct if other is not each)
    ]  # fmt: skip
    if len(leaves) != 1:
        text = "Issuer and serial number, key identifier and certificates of X509Data do not lead to one certificate."
        raise MalformedInput("signature/token-mismatch", text)
    return leaves[0]


_CLUES: Mapping[str, tuple[str, Callable[[etree._Element], _Matches] | None]] = {
    "X509Certificate": ("x509-data", None),
    "X509IssuerSerial": ("issuer-serial", _has_issuer_and_serial),
    "X509SKI": ("ski", lambda element: _has_key_identifier(_decode(element))),
}
"""Parts of X509Data: the kind of token that each makes alone, and how it points at a certificate it does not carry."""


def _unknown(what: str) -> MalformedInput:
    return MalformedInput("signature/token-unknown", f"KeyInfo names the certificate by {what}.")


def _malformed(error: ValueError) -> MalformedInput:
    return MalformedInput("signature/token-malformed", f"The security token cannot be read: {error}.")
