"""Machine formats are checked before they leave: against schemas of our own, stricter than the formats demand."""

from __future__ import annotations

import json
from typing import Any

from lxml import etree

from harness.errors import HarnessFault
from harness.pack.data import published_grammar, published_validator

_SHOWN = 200


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
    rules = etree.RelaxNG(etree.fromstring(published_grammar(grammar)))
    if not rules.validate(root):
        last = rules.error_log[-1]
        raise _fault(grammar, f"line {last.line}", last.message)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _fault(schema: str, where: str, what: str) -> HarnessFault:
    return HarnessFault(
        f"a report does not fit its schema '{schema}', at {where}: {what[:_SHOWN]}",
        remedy="Please report it, with record.json of the run.",
    )
