"""What a sealed part says about itself to those who cannot open it: its form, and to whom it is sealed.

Read is the one form that :mod:`harness.bundle.seal` writes: CMS EnvelopedData (RFC 5652, section 6.1) in DER, the
content encrypted with AES-256 in CBC mode, its key transported with RSA to each recipient, who is named by issuer and
serial number of a certificate. Whether the content is the right one, only a recipient can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from cryptography import x509

from harness.errors import BundleFault

_INTEGER, _OCTETS, _OID, _SEQUENCE, _SET, _EXPLICIT, _IMPLICIT = 0x02, 0x04, 0x06, 0x30, 0x31, 0xA0, 0x80
_ENVELOPED, _DATA = "1.2.840.113549.1.7.3", "1.2.840.113549.1.7.1"
_RSA, _AES_256_CBC = "1.2.840.113549.1.1.1", "2.16.840.1.101.3.4.1.42"
_BLOCK = 16
_LEAST_KEY = 256
"""Bytes of a key that is encrypted to 2048 bits of RSA."""
_MOST_RECIPIENTS = 1000


@dataclass(frozen=True)
class Recipient:
    """Who can open a sealed part.

    Parameters:
        issuer: of the certificate, as RFC 4514 writes it.
        serial: its number.
    """

    issuer: str
    serial: int

    def __str__(self) -> str:
        return f"certificate {self.serial:x} of {self.issuer}"


def read_recipients(data: bytes) -> tuple[Recipient, ...]:
    """The recipients of a sealed part.

    Raises:
        BundleFault: it is no such envelope; says at which of its parts.
    """
    try:
        return _envelope(memoryview(data))
    except (ValueError, IndexError) as problem:
        raise BundleFault(f"the sealed part is no CMS envelope: {problem}") from None


def _envelope(data: memoryview) -> tuple[Recipient, ...]:
    kind, wrapped = _fields(_only(data, _SEQUENCE, "the content"), _OID, _EXPLICIT)
    _must(_name(kind) == _ENVELOPED, "its content is not EnvelopedData")
    version, infos, content = _fields(_only(wrapped, _SEQUENCE, "EnvelopedData"), _INTEGER, _SET, _SEQUENCE)
    _must(bytes(version) == b"\0", "EnvelopedData has a version other than 0")
    kind, cipher, encrypted = _fields(content, _OID, _SEQUENCE, _IMPLICIT)
    _must(_name(kind) == _DATA, "what is encrypted is not plain data")
    algorithm, vector = _fields(cipher, _OID, _OCTETS)
    _must(_name(algorithm) == _AES_256_CBC and len(vector) == _BLOCK, "the cipher is not AES-256 in CBC mode")
    _must(len(encrypted) > 0 and len(encrypted) % _BLOCK == 0, "the encrypted content is not a number of whole blocks")
    recipients = tuple(_recipient(tag, value) for tag, value in islice(_values(infos), _MOST_RECIPIENTS + 1))
    _must(0 < len(recipients) <= _MOST_RECIPIENTS, "it has no recipient, or too many")
    return recipients


def _recipient(tag: int, info: memoryview) -> Recipient:
    _must(tag == _SEQUENCE, "a recipient is not one by key transport")
    version, who, algorithm, key = _fields(info, _INTEGER, _SEQUENCE, _SEQUENCE, _OCTETS)
    _must(bytes(version) == b"\0", "a recipient is not named by issuer and serial number")
    issuer, serial = _fields(who, _SEQUENCE, _INTEGER)
    (_, kind), *_ = _values(algorithm)
    _must(_name(kind) == _RSA and len(key) >= _LEAST_KEY, "a key is not encrypted with RSA of at least 2048 bits")
    return Recipient(_distinguished(issuer), int.from_bytes(serial, "big", signed=True))


def _distinguished(name: memoryview) -> str:
    parts = []
    for tag, part in _values(name):
        _must(tag == _SET, "the name of an issuer is not a sequence of sets")
        pairs = [_fields(value, _OID, None) for _, value in _values(part)]
        parts.append(x509.RelativeDistinguishedName(_attribute(kind, text) for kind, text in pairs))
    return x509.Name(parts).rfc4514_string()


def _attribute(kind: memoryview, text: memoryview) -> x509.NameAttribute[str]:
    return x509.NameAttribute(x509.ObjectIdentifier(_name(kind)), bytes(text).decode(errors="replace"), _validate=False)


def _only(data: memoryview, tag: int, what: str) -> memoryview:
    """The one value in these bytes, which must be of that tag."""
    values = tuple(islice(_values(data), 2))
    _must([each for each, _ in values] == [tag], f"{what} is not one sequence")
    return values[0][1]


def _fields(data: memoryview, *tags: int | None) -> tuple[memoryview, ...]:
    """The values in these bytes, which must have these tags; ``None`` is any."""
    values = tuple(islice(_values(data), len(tags) + 1))
    fit = len(values) == len(tags) and all(tag in (None, each) for (each, _), tag in zip(values, tags, strict=True))
    _must(fit, f"a sequence does not hold what it should: {' '.join(f'{each:02x}' for each, _ in values)}")
    return tuple(value for _, value in values)


def _values(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Tag and content of each value in these bytes: DER, definite lengths in their shortest form."""
    at = 0
    while at < len(data):
        tag, length, start = data[at], data[at + 1], at + 2
        if length >= 0x80:
            size = length & 0x7F
            digits = bytes(data[start : start + size])
            length = int.from_bytes(digits, "big")
            shortest = 1 <= size <= 4 and len(digits) == size and digits[0] != 0 and length >= 0x80
            _must(shortest, "a length is not written as DER demands")
            start += size
        _must(start + length <= len(data), "it is cut off")
        yield tag, data[start : start + length]
        at = start + length


def _name(oid: memoryview) -> str:
    """An object identifier in dotted form."""
    _must(len(oid) > 0 and oid[-1] < 0x80, "an object identifier is cut off")
    numbers, number = [], 0
    for byte in oid:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _must(right: bool, problem: str) -> None:
    if not right:
        raise ValueError(problem)
