"""Machine formats are checked before they leave: against schemas of our own, stricter than the formats demand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from lxml import etree

from harness.errors import HarnessFault
from harness.pack.data import published_grammar, published_validator

_SHOWN = 200
_DECLARED = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def json_bytes(schema: str, document: Any) -> bytes:
    """A JSON document as a file.

    Parameters:
        schema: name of the published schema that it must fit.
        document: JSON values only.

    Raises:
        HarnessFault: it does not fit; says where.
    """
    problem = next(published_validator(schema).iter_errors(document), None)
    if problem is not None:
        raise _fault(schema, problem.json_path, problem.message)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def xml_bytes(grammar: str, root: etree._Element) -> bytes:
    """An XML document as a file.

    Parameters:
        grammar: name of the published RELAX NG grammar that it must fit.
        root: the document.

    Raises:
        HarnessFault: it does not fit; says where.
    """
    return _DECLARED + _text(grammar, _rules(grammar), root)


def xml_bytes_of_many(grammar: str, frame: etree._Element, place: str, many: Iterable[etree._Element]) -> bytes:
    """An XML document as a file, whose greater part is never held as a tree.

    Parameters:
        grammar: name of the published RELAX NG grammar; it takes the frame, and each of the many, as a document.
        frame: the document without them.
        place: name of the last element of the frame without content, which they belong in.
        many: made, checked and written one by one.

    Raises:
        HarnessFault: the frame or one of them does not fit; says where.
    """
    rules = _rules(grammar)
    before, empty, after = _text(grammar, rules, frame).rpartition(f"<{place}/>".encode())
    if not empty:
        raise ValueError(f"the frame has no empty {place}")
    inner = (_text(grammar, rules, each) for each in many)
    return b"".join((_DECLARED, before, f"<{place}>\n".encode(), *inner, f"</{place}>".encode(), after))


def _rules(grammar: str) -> etree.RelaxNG:
    return etree.RelaxNG(etree.fromstring(published_grammar(grammar)))


def _text(grammar: str, rules: etree.RelaxNG, root: etree._Element) -> bytes:
    if not rules.validate(root):
        last = rules.error_log[-1]
        raise _fault(grammar, f"line {last.line}", last.message)
    return etree.tostring(root, encoding="UTF-8", pretty_print=True)


def _fault(schema: str, where: str, what: str) -> HarnessFault:
    return HarnessFault(
        f"a report does not fit its schema '{schema}', at {where}: {what[:_SHOWN]}",
        remedy="Please report it, with record.json of the run.",
    )
