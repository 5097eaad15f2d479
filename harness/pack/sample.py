"""Golden samples, read once: building copies them, and never changes them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from harness.message.document import parse
from harness.message.model import Document


@cache
def golden(format: str, path: Path) -> Document:  # noqa: A002 - the word of pack.yaml
    """The golden sample in a file.

    Parameters:
        format: ``xml`` or ``json``.
        path: the file.

    Raises:
        MalformedInput: it cannot be read.
    """
    return parse(format, path.read_bytes())
