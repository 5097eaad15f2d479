"""The path dialect: one notation for places in XML and in JSON (see :mod:`harness.message.model`).

Grammar::

    path  = ["/"] step *("/" step)  |  "/"        "/" is the place where the path starts
    step  = name ["[" (number from 1 | "*") "]"]  |  "@" name, as the last step
    name  = one or more characters, without white space and without / [ ] { } @ *
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import starmap
from typing import Literal

from harness.errors import ConfigurationFault

_LONGEST = 1000
_STEP = re.compile(
    r"(?P<attribute>@)?(?P<name>[^\x00-\x20\x7f/\[\]{}@*\s\ud800-\udfff\ufffe\uffff]+)"
    r"(?:\[(?P<index>\*|[1-9][0-9]{0,8})\])?"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path.

    Parameters:
        name: local name of the element, or name of the member or attribute.
        index: which of the siblings of this name, from 1; ``"*"`` where it repeats in a list; ``None`` for all.
        attribute: whether it is an attribute.
    """

    name: str
    index: int | Literal["*"] | None = None
    attribute: bool = False

    def __str__(self) -> str:
        index = "" if self.index is None else f"[{self.index}]"
        return f"{'@' if self.attribute else ''}{self.name}{index}"


@dataclass(frozen=True)
class Path:
    """A parsed path or pointer; without steps it is the place where it starts."""

    steps: tuple[Step, ...]

    @cached_property
    def attribute(self) -> str | None:
        """Name of the attribute that it leads to, ``None`` where it leads to an element."""
        return self.steps[-1].name if self.steps and self.steps[-1].attribute else None

    @cached_property
    def elements(self) -> str | None:
        """The names of its elements, a slash before each; ``None`` where it counts one of them."""
        steps = self.steps[:-1] if self.attribute is not None else self.steps
        counted = any(isinstance(step.index, int) for step in steps)
        return None if counted else "".join(f"/{step.name}" for step in steps)

    def __str__(self) -> str:
        return "/".join(map(str, self.steps)) or "/"


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """Read a path or a pointer; a leading slash makes no difference.

    Raises:
        ConfigurationFault: *text* is not in the path dialect.
    """
    if len(text) > _LONGEST:
        raise _fault(text, f"is longer than {_LONGEST} characters")
    if text == "/":
        return Path(())
    parts = text.removeprefix("/").split("/")
    steps = tuple(_step(text, part) for part in parts)
    if any(step.attribute for step in steps[:-1]):
        raise _fault(text, "goes on after an attribute")
    return Path(steps)


def _step(text: str, part: str) -> Step:
    match = _STEP.fullmatch(part)
    if not match:
        raise _fault(text, f"has a step that cannot be read: {part[:60]!r}" if part else "has an empty step")
    if match["attribute"] and match["index"]:
        raise _fault(text, f"counts an attribute: {part[:60]!r}")
    return Step(match["name"], _index(match["index"]), bool(match["attribute"]))


def _index(text: str | None) -> int | Literal["*"] | None:
    if text is None:
        return None
    return "*" if text == "*" else int(text)


def _fault(text: str, reason: str) -> ConfigurationFault:
    return ConfigurationFault(
        f"the path {text[:120]!r} {reason}",
        expected="local names with slashes between them, such as Consignment/Seal[*]/ID or Date/@formatCode",
        remedy="Correct the path.",
    )


def same_place(one: str, other: str) -> bool:
    """Whether two pointers mean the same place, compared at the finest level that both of them name.

    A leading slash and ``[1]`` make no difference, and an index counts only where both sides have one. Pointers
    come from peers: what is not in the path dialect is compared as it stands.
    """
    try:
        left, right = parse_path(one.strip()).steps, parse_path(other.strip()).steps
    except ConfigurationFault:
        return one.strip() == other.strip()
    return len(left) == len(right) and all(starmap(_same_step, zip(left, right, strict=True)))


def _same_step(one: Step, other: Step) -> bool:
    same_name = (one.name, one.attribute) == (other.name, other.attribute)
    indices = {step.index for step in (one, other) if isinstance(step.index, int)}
    return same_name and len(indices) < 2
