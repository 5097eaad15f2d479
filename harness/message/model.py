"""What other rooms must know of a message: its documents, and the names bound to places in them.

The *path dialect* is one for XML and JSON. A path starts below the root element (or at the top of the JSON
object), its steps are local names, ``[n]`` counts siblings of one name from 1, ``[*]`` marks the step that
repeats in a list, ``@name`` is an attribute and comes last::

    Consignment/TransportEquipment[2]/Seal[*]/ID        IssueDateTime/DateTimeString/@formatCode

A *pointer* is the same with a leading slash and exact indices (an index is written where a sibling of that
name exists); ``/`` is the root.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeAlias

from harness.errors import ConfigurationFault
from harness.message.path import Path, parse_path

Value: TypeAlias = "str | Sequence[str] | Sequence[Mapping[str, str | None]] | None"
"""A bound value exactly as on the wire: text, ``None`` (absent), a list of texts, or a list of records."""

Values: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True)
class Binding:
    """A name bound to a place in a message; the same binding reads and writes.

    Parameters:
        name: the bound name, such as ``guarantee``.
        path: where it stands, in the path dialect; with ``[*]`` the value is a list.
        fields: for a list of records: field name to path below the repeated step; empty for texts.
        number: for a list: path below the repeated step that counts the entries from 1 when they are written.
        drop: path of the element to remove when the value is ``None``, where it is not the element itself.
    """

    name: str
    path: str
    fields: Mapping[str, str] = field(default_factory=dict)
    drop: str | None = None
    number: str | None = None

    @cached_property
    def parts(self) -> tuple[Path, Path | None]:
        """The path up to and with ``[*]``, and what follows it; the whole path and ``None`` for a scalar.

        Raises:
            ConfigurationFault: a list of records whose path does not end in ``[*]``, or a second ``[*]``.
        """
        before, star, after = self.path.partition("[*]")
        if "[*]" in after:
            raise self._fault("has more than one [*]")
        if self.fields and (not star or after):
            raise self._fault("has fields, so its path must end in [*]")
        if any("[*]" in each for each in self.fields.values()):
            raise self._fault("has a field with [*], but a field is one text")
        return (parse_path(before + star), parse_path(after or "/")) if star else (parse_path(self.path), None)

    def _fault(self, reason: str) -> ConfigurationFault:
        return ConfigurationFault(
            f"the binding {self.name!r} ({self.path}) {reason}",
            expected="one text (A/B), a list of texts (A/B[*]/C), or a list of records (A/B[*] with fields)",
            remedy="Correct the binding.",
        )


class Place(Protocol):
    """What a path reaches: an element, an attribute, a JSON member or an item of a JSON array.

    The writing half is for :mod:`harness.message.build`, which works on a copy of a sample.
    """

    @property
    def text(self) -> str | None:
        """Its text; ``None`` for a JSON ``null``, which reads as absent."""
        ...

    def reach(self, path: Path, *, new_attribute: bool = False) -> Sequence[Place]:
        """Every place that *path* reaches from here, in document order.

        Parameters:
            path: relative to this place.
            new_attribute: also reach an attribute that an existing element does not have yet.
        """
        ...

    def write(self, text: str) -> None:
        """Set its text; :class:`ValueError` says why *text* cannot stand here."""
        ...

    def remove(self) -> None:
        """Take it out of the document."""
        ...

    def repeat(self, count: int) -> Sequence[Place]:
        """Put *count* copies of it where it stands, and return them."""
        ...

    def swap(self) -> None:
        """Let it change places with what follows it; :class:`ValueError` where nothing follows, or no order counts."""
        ...

    def append_foreign(self) -> None:
        """Put something that no schema knows last into it; :class:`ValueError` where it can hold nothing."""
        ...


class Document(Protocol):
    """One parsed body, XML or JSON. Reading never changes it; only :mod:`harness.message.build` writes."""

    @property
    def top(self) -> Place:
        """The place from which every path starts."""
        ...

    def reach(self, path: Path, *, new_attribute: bool = False) -> Sequence[Place]:
        """Every place that *path* reaches from the top. From the first call on nothing in the document may move.

        Parameters:
            path, new_attribute: see :meth:`Place.reach`.
        """
        ...

    @property
    def root(self) -> str:
        """The root element in Clark notation ``{namespace}local``; ``""`` for JSON."""
        ...

    def text(self, path: Path) -> str | None:
        """Text of the first place that *path* reaches; ``None`` where there is none, or no text in it."""
        ...

    def texts(self, path: str) -> list[str]:
        """Text of every place that *path* reaches, in document order (comments do not cut it)."""
        ...

    def texts_below(self, place: Path, rest: Path) -> list[str | None]:
        """For every place that *place* reaches, the text of the first place that *rest* reaches from there."""
        ...

    def pointers(self, path: str) -> list[str]:
        """Exact pointer of every place that *path* reaches."""
        ...

    def walk(self) -> Iterator[str]:
        """Exact pointer of every place below the top, attributes before children, in document order."""
        ...

    def line(self, pointer: str) -> int | None:
        """Line of a pointer, from 1, or ``None`` where the format does not keep it."""
        ...

    def to_bytes(self) -> bytes:
        """The document as it would travel: UTF-8, stable for equal content."""
        ...

    def copy(self) -> Document:
        """A document that can be changed without changing this one."""
        ...


@dataclass(frozen=True)
class Limits:
    """Bounds on everything that is parsed; beyond them :class:`~harness.errors.MalformedInput` is raised.

    Parameters:
        size: bytes of one message.
        depth: nested elements or containers.
        nodes: elements or members of one document.
    """

    size: int = 10 * 1024 * 1024
    depth: int = 100
    nodes: int = 200_000


DEFAULT_LIMITS = Limits()
"""The bounds where a caller names none."""
