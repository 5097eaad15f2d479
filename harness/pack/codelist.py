"""Are coded values in their code lists."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from harness.message.model import Document
from harness.pack.model import CodedField, Pack
from harness.pack.violation import Breach


def coded_violations(pack: Pack, message: str, document: Document) -> Iterator[Breach]:
    """Every value that is not in the code list of its place; a place that is not there is none.

    Parameters:
        pack: the pack.
        message: name of the message in it.
        document: the payload.
    """
    for coded in _coded_of(pack, message):
        codelist = pack.codelists[coded.codelist]
        texts = document.texts(coded.path)
        if all(map(codelist.codes.__contains__, texts)):
            continue
        for text, pointer in zip(texts, document.pointers(coded.path), strict=True):
            if text not in codelist.codes:
                what = f"the code is not in the code list '{codelist.title}', version {codelist.version}"
                yield Breach(coded.code, pointer, document.line(pointer), what, coded.requirement)


@lru_cache(maxsize=1024)
def _coded_of(pack: Pack, message: str) -> tuple[CodedField, ...]:
    return tuple(coded for coded in pack.coded if coded.message == message)
