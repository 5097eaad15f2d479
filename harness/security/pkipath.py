"""PkiPath: certificates in one DER sequence, the issuer before what it issued, the end entity last.

Source: ITU-T X.509 (2001), section 7; X.509 Certificate Token Profile 1.1.1, section 3.1.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from harness.security.x509 import read_certificate

MOST_CERTIFICATES = 10
_SEQUENCE = 0x30


def read_pki_path(data: bytes) -> tuple[Certificate, ...]:
    """The certificates of a path, end entity last.

    Raises:
        ValueError: it is no path: not readable, empty, too long, or not in order.
    """
    content, rest = _take(data)
    if rest:
        raise ValueError("something follows the path")
    path: list[Certificate] = []
    for encoded in _elements(content):
        if len(path) == MOST_CERTIFICATES:
            raise ValueError(f"the path has more than {MOST_CERTIFICATES} certificates")
        path.append(read_certificate(encoded))
    if not path:
        raise ValueError("the path is empty")
    if any(issuer.subject != issued.issuer for issuer, issued in pairwise(path)):
        raise ValueError("the path is not in order: each certificate must be issued by the one before it")
    return tuple(path)


def write_pki_path(path: Sequence[Certificate]) -> bytes:
    """Encode a path, end entity last."""
    content = b"".join(each.public_bytes(Encoding.DER) for each in path)
    length = len(content)
    if length < 0x80:
        return bytes((_SEQUENCE, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((_SEQUENCE, 0x80 | size)) + length.to_bytes(size, "big") + content


def _elements(content: bytes) -> Iterator[bytes]:
    while content:
        _, rest = _take(content)
        yield content[: len(content) - len(rest)]
        content = rest


def _take(data: bytes) -> tuple[bytes, bytes]:
    """The content of the first sequence, and what follows it."""
    if len(data) < 2 or data[0] != _SEQUENCE:
        raise ValueError("a sequence is due")
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        if not 2 < start <= 6:
            raise ValueError("a length is not written as DER wants it")
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise ValueError("it is cut off")
    return data[start : start + length], data[start + length :]
