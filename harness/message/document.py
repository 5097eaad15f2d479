"""One door for both formats."""

from __future__ import annotations

from harness.message.json import JsonDocument, parse_json
from harness.message.model import DEFAULT_LIMITS, Document, Limits
from harness.message.xml import XmlDocument, parse_xml


def parse(format: str, data: bytes, limits: Limits = DEFAULT_LIMITS) -> XmlDocument | JsonDocument:  # noqa: A002
    """Parse *data* as ``xml`` or ``json``.

    Raises:
        MalformedInput: it cannot be read.
    """
    return parse_json(data, limits) if format == "json" else parse_xml(data, limits)


def is_format(document: Document, format: str) -> bool:  # noqa: A002
    """Whether a document is ``xml`` or ``json``, as that word says."""
    return isinstance(document, JsonDocument if format == "json" else XmlDocument)
