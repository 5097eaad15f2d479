"""A small seeded mutator in pure Python: it needs no coverage, and runs wherever the tests run."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

WORDS = (
    b"<", b">", b"</", b"/>", b"&amp;", b"&#0;", b"&#x10FFFF;", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?", b"?>",
    b"<!DOCTYPE a>", b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\r\n",
    b' xmlns=""', b' xmlns:x="relative"', b' xml:id="a"', b' Id="a"', b"#", b"#xpointer(/)", b"Algorithm=", b"URI=",
    b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"1e999", b"-0", b"NaN", b'"', b"\\u0000", b"\\ud800",
    b"- ", b"? ", b"!!python/object:os.system ", b"&a ", b"*a", b"<<: ", b"--- ", b"|\n", b"~", b"/", b"@", b"[*]",
    b"[1]", b"=", b".", b"..", b"eyJ", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x06\x03\x55\x1d\x0f",
)  # fmt: skip


def mutations(seeds: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Endless variations of *seeds*; the same for the same *seed*."""
    chance = random.Random(seed)
    while True:
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
            _mutate(data, seeds, chance)
        yield bytes(data)


def _mutate(data: bytearray, seeds: Sequence[bytes], chance: random.Random) -> None:
    at = chance.randint(0, len(data))
    end = min(len(data), at + chance.choice((1, 1, 2, 8, 64, 512)))
    match chance.randrange(8):
        case 0:
            data[at:end] = bytes(chance.randrange(256) for _ in range(end - at))
        case 1:
            del data[at:end]
        case 2:
            data[at:at] = chance.choice(WORDS)
        case 3:
            data[at:end] = chance.choice(WORDS)
        case 4:
            data[at:at] = data[at:end] * chance.choice((1, 1, 2, 50))
        case 5:
            other = chance.choice(seeds)
            start = chance.randint(0, len(other))
            data[at:at] = other[start : start + chance.choice((4, 32, 256))]
        case 6 if at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        case _:
            piece = data[at:end]
            del data[at:end]
            to = chance.randint(0, len(data))
            data[to:to] = piece
