"""A message of the harness in another legal way: what a correct party may send, every receiver must understand."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache

from harness.message.handling import HANDLINGS
from harness.message.model import Document
from harness.message.structure import STRUCTURES, Rearrange, rearranged
from harness.message.xml import XmlDocument
from harness.pack.fault import Variation
from harness.pack.model import Pack
from harness.pack.sample import golden

Headers = tuple[tuple[str, str], ...]


@lru_cache(maxsize=4096)
def alters(pack: Pack, message: str, variation: Variation) -> bool:
    """Whether a variation makes the content of a message look otherwise; it may have nothing there to be about."""
    file = pack.messages[message].golden.get("accepted")
    if file is None:
        return False
    sample = golden(pack.format, file)
    written = sample.to_bytes()
    return vary_data(vary_document(sample, variation).to_bytes(), variation) != written


def vary_document(document: Document, variation: Variation | None) -> Document:
    """A payload before it is signed, with its elements arranged in another way (hook point ``structure``)."""
    if variation is None or variation.hook != "structure" or not isinstance(document, XmlDocument):
        return document
    pattern, rearrange = str(variation.parameters.get("path", "*")), STRUCTURES[str(variation.parameters["as"])]

    def choose(path: str) -> Rearrange | None:
        return rearrange if fnmatchcase(path, pattern) else None

    return rearranged(document, choose)


def vary_data(data: bytes, variation: Variation | None) -> bytes:
    """A finished message as a gateway may pass it on (hook point ``wire``)."""
    if variation is None or variation.hook != "wire":
        return data
    return HANDLINGS[str(variation.parameters["as"])](data)


def vary_headers(headers: Headers, variation: Variation | None) -> Headers:
    """HTTP headers with others in the place of some, or beside them (hook point ``headers``); ``null`` removes one."""
    changed = variation.parameters["set"] if variation is not None and variation.hook == "headers" else {}
    assert isinstance(changed, dict)  # noqa: S101 - the schema of the file says so
    names = {name.lower() for name in changed}
    kept = tuple((name, value) for name, value in headers if name.lower() not in names)
    return (*kept, *((name, str(value)) for name, value in changed.items() if value is not None))
