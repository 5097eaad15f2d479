"""What can go wrong, and who is to blame for it.

The *type* of an exception decides who is blamed; a verdict never depends on its text::

    HarnessError
    ├── ConfigurationFault   the person who set this up          exit 11, never a verdict
    ├── HarnessFault         this program                        exit 12, no statement is issued
    ├── SutFault             the system under test               a fail of the case
    ├── BundleFault          a certification bundle is not valid exit 13
    └── MalformedInput       bytes that cannot be read; whoever sent them is to blame,
                             which only the caller knows: it is always caught and re-raised or judged
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CONFORMANT, NOT_CONFORMANT, NOT_FULLY_VERIFIED, CONFIGURATION, HARNESS, BUNDLE_INVALID = 0, 1, 10, 11, 12, 13
"""Exit codes of every command. Precedence where several apply: 11 > 12 > 1 > 10 > 0."""

_OTHERS = 5
"""Of how many further mistakes a fault names the line."""


@dataclass(frozen=True)
class Where:
    """A place in a file that a person can open.

    Parameters:
        file: the file, as the person named it.
        line: line number, from 1; ``None`` when the file as a whole is meant.
        path: path inside the document, such as ``steps/2/answer``.
    """

    file: Path | str
    line: int | None = None
    path: str | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        path = f" ({self.path})" if self.path else ""
        return f"{self.file}{line}{path}"


class HarnessError(Exception):
    """Base of all faults; never raised itself.

    Parameters:
        what: one sentence: what is wrong.
        where: the place that a person must look at.
        expected: what would have been right.
        remedy: one sentence: what to do now.
    """

    exit_code: ClassVar[int] = HARNESS

    def __init__(
        self, what: str, *, where: Where | None = None, expected: str | None = None, remedy: str | None = None
    ) -> None:
        if type(self) is HarnessError:
            raise TypeError("raise one of the named faults: the type says who is to blame")
        super().__init__(what)
        self.what, self.where, self.expected, self.remedy = what, where, expected, remedy

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.expected:
            parts.append(f"Expected: {self.expected}")
        if self.remedy:
            parts.append(self.remedy)
        return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts)


class ConfigurationFault(HarnessError):
    """The target file, the pack, a key, a port, an option: something a person set up is wrong."""

    exit_code = CONFIGURATION
    _several: tuple[ConfigurationFault, ...] = ()

    @property
    def each(self) -> tuple[ConfigurationFault, ...]:
        """Every mistake by itself, where :func:`refuse` told several as one; else this one."""
        return self._several or (self,)


class HarnessFault(HarnessError):
    """This program did something wrong, such as building a message that its own pack refuses."""

    exit_code = HARNESS


class SutFault(HarnessError):
    """The system under test did something that no later step can build on."""

    exit_code = NOT_CONFORMANT


class BundleFault(HarnessError):
    """A certification bundle is altered, incomplete, or not signed by a trusted key."""

    exit_code = BUNDLE_INVALID


class MalformedInput(HarnessError):
    """Bytes that are not a readable message.

    Parameters:
        code: stable word for the reason, such as ``not-well-formed``, ``doctype``, ``too-large``,
            ``too-deep``, ``encoding``, ``duplicate-key``, ``not-soap``.
        what: one sentence.
        line: line in the message, from 1, where it is known.
    """

    exit_code = NOT_CONFORMANT

    def __init__(self, code: str, what: str, *, line: int | None = None) -> None:
        super().__init__(what)
        self.code, self.line = code, line


@contextmanager
def gathering(faults: list[ConfigurationFault]) -> Iterator[None]:
    """Read one part of what a person set up: what is wrong with it is added to the list, and others can be read."""
    try:
        yield
    except ConfigurationFault as fault:
        faults += fault.each


def refuse(faults: Sequence[ConfigurationFault]) -> None:
    """Raise what was gathered as one fault: the first mistake in full, and the lines of some others.

    Raises:
        ConfigurationFault: there is at least one.
    """
    if not faults:
        return
    files = list(dict.fromkeys(_file(each) for each in faults))
    first, *others = ordered = sorted(faults, key=lambda each: (files.index(_file(each)), _line(each)))
    if not others:
        raise first
    places: dict[str, list[str]] = {}
    for each in others[:_OTHERS]:
        place = "this file" if _file(each) == _file(first) else _file(each)
        places.setdefault(place, []).extend([f"{each.where.line}"] if each.where and each.where.line else [])
    more = "; ".join(
        f"in {place}: line {', '.join(lines)}" if lines else f"in {place}" for place, lines in places.items()
    )
    fault = ConfigurationFault(
        f"{first.what} (more mistakes {more})", where=first.where, expected=first.expected, remedy=first.remedy
    )
    fault._several = tuple(ordered)
    raise fault


def _file(fault: ConfigurationFault) -> str:
    return str(fault.where.file) if fault.where else ""


def _line(fault: ConfigurationFault) -> float:
    return inf if fault.where is None or fault.where.line is None else fault.where.line
