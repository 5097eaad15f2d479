"""One door for both formats."""

from __future__ import annotations

from harness.message.json import JsonDocument, parse_json
from harness.message.model import DEFAULT_LIMITS, Limits
from harness.message.xml import XmlDocument, parse_xml


def parse(format: str, data: bytes, limits: Limits = DEFAULT_LIMITS) -> XmlDocument | JsonDocument:  # noqa: A002
    """Parse *data* as ``xml`` or ``json``.

    Raises:
        MalformedInput: it cannot be read.
    """
    return parse_json(data, limits) if format == "json" else parse_xml(data, limits)
