"""Golden samples, read once: building copies them, and never changes them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from harness.errors import ConfigurationFault, MalformedInput, Where
from harness.message.document import parse
from harness.message.model import Document
from harness.pack.model import Message


@cache
def golden(format: str, path: Path) -> Document:  # noqa: A002 - the word of pack.yaml
    """The golden sample in a file.

    Parameters:
        format: ``xml`` or ``json``.
        path: the file.

    Raises:
        ConfigurationFault: it cannot be read.
    """
    try:
        return parse(format, path.read_bytes())
    except MalformedInput as error:
        raise ConfigurationFault(error.what, where=Where(path, error.line), remedy="Correct the sample.") from None


def golden_answer(format: str, message: Message, *, refused: bool) -> Document:  # noqa: A002
    """The golden sample of an answer; a message that only refuses has one sample.

    Parameters:
        format: ``xml`` or ``json``.
        message: the answer.
        refused: whether it refuses.

    Raises:
        ConfigurationFault: it cannot be read.
    """
    shape = "refused" if refused and "refused" in message.golden else "accepted"
    return golden(format, message.golden[shape])
