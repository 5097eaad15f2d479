"""Content models: what is wrong with the children of an element.

A schema validator says only that a child is not expected. To tell what is missing from what is misplaced, the
content model itself is needed. It is a regular expression over names; :func:`derive` takes one name off its
front (Brzozowski 1964). XML Schema demands that a name fits to one place only, so one derivative is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

_FAR = 8
"""At most so many children are proposed as missing before one child."""


@dataclass(frozen=True)
class Name:
    """Exactly one child of this name (Clark notation)."""

    tag: str


@dataclass(frozen=True)
class Any:
    """Exactly one child of any name (``xs:any``)."""


@dataclass(frozen=True)
class Series:
    """One part after the other; without parts it is empty content."""

    parts: tuple[Particle, ...] = ()


@dataclass(frozen=True)
class Choice:
    """One of the parts."""

    parts: tuple[Particle, ...]


@dataclass(frozen=True)
class Repeat:
    """The part again and again; *most* is ``None`` for unbounded."""

    part: Particle
    least: int
    most: int | None


@dataclass(frozen=True)
class All:
    """Each name at most once, in any order (``xs:all``)."""

    required: frozenset[str]
    optional: frozenset[str]


Particle: TypeAlias = "Name | Any | Series | Choice | Repeat | All"

EMPTY = Series()


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a list of children.

    Parameters:
        kind: kind of constraint.
        index: the child that is wrong; the number of children where something is missing at the end.
        tag: name of the missing or wrong child.
    """

    kind: Literal["missing", "unexpected", "order", "repeated"]
    index: int
    tag: str


def classify(model: Particle, children: Sequence[str]) -> Wrong | None:
    """Say what is wrong first with the children of an element, or ``None`` when nothing is.

    Parameters:
        model: the content model of the element.
        children: names of its child elements, in Clark notation.
    """
    state = model
    for index, tag in enumerate(children):
        following = derive(state, tag)
        if following is None:
            return _misfit(model, state, children, index)
        state = following
    needed = demanded(state)
    return Wrong("missing", len(children), needed) if needed else None


def _misfit(model: Particle, state: Particle, children: Sequence[str], index: int) -> Wrong:
    tag, before = children[index], children[:index]
    if tag not in names(model):
        return Wrong("unexpected", index, tag)
    if skipped := _bridge(state, tag):
        if set(skipped) & set(children[index + 1 :]):
            return Wrong("order", index, tag)
        return Wrong("missing", index, skipped[0])
    if any(_fits(model, (*before[:place], tag, *before[place:])) for place in range(index)):
        return Wrong("order", index, tag)
    return Wrong("repeated" if tag in before else "unexpected", index, tag)


def _bridge(state: Particle, tag: str) -> tuple[str, ...]:
    """The names that would have to come before a child so that it fits; none where nothing helps."""
    skipped: tuple[str, ...] = ()
    while len(skipped) < _FAR:
        needed = demanded(state)
        for name in (needed,) if needed else sorted(first(state)):
            following = derive(state, name)
            if following is not None and derive(following, tag) is not None:
                return (*skipped, name)
        if needed is None:
            return ()
        state = derive(state, needed) or EMPTY
        skipped = (*skipped, needed)
    return ()


def _fits(model: Particle, children: Sequence[str]) -> bool:
    """Whether the children could be the beginning of right content."""
    state: Particle | None = model
    for tag in children:
        state = derive(state, tag) if state is not None else None
    return state is not None


def derive(model: Particle, tag: str) -> Particle | None:
    """What may follow after a child of this name, or ``None`` when it cannot stand here."""
    match model:
        case Name(own):
            return EMPTY if own == tag else None
        case Any():
            return EMPTY
        case Series(parts):
            for index, part in enumerate(parts):
                following = derive(part, tag)
                if following is not None:
                    rest = parts[index + 1 :]
                    return following if not rest else Series((following, *rest) if following != EMPTY else rest)
                if not optional(part):
                    return None
            return None
        case Choice(parts):
            return next((found for part in parts if (found := derive(part, tag)) is not None), None)
        case Repeat(part, least, most):
            following = None if most == 0 else derive(part, tag)
            if following is None:
                return None
            again = Repeat(part, max(least - 1, 0), None if most is None else most - 1)
            return again if following == EMPTY else Series((following, again))
        case All(required, others):
            known = tag in required or tag in others
            return All(required - {tag}, others - {tag}) if known else None


def optional(model: Particle) -> bool:
    """Whether the content may be empty."""
    match model:
        case Name() | Any():
            return False
        case Series(parts):
            return all(map(optional, parts))
        case Choice(parts):
            return any(map(optional, parts))
        case Repeat(part, least, _):
            return least == 0 or optional(part)
        case All(required, _):
            return not required


def demanded(model: Particle) -> str | None:
    """The first name without which the content is not complete, or ``None`` when it may end here."""
    if optional(model):
        return None
    match model:
        case Name(tag):
            return tag
        case Any():
            return "*"
        case Series(parts) | Choice(parts):
            return next(name for part in parts if (name := demanded(part)))
        case Repeat(part, _, _):
            return demanded(part)
        case All(required, _):
            return min(required)


def first(model: Particle) -> frozenset[str]:
    """The names with which the content may begin."""
    match model:
        case Series(parts):
            found: frozenset[str] = frozenset()
            for part in parts:
                found |= first(part)
                if not optional(part):
                    break
            return found
        case Choice(parts):
            return frozenset().union(*map(first, parts))
        case Repeat(part, _, most):
            return frozenset() if most == 0 else first(part)
        case _:
            return names(model)


def names(model: Particle) -> frozenset[str]:
    """Every name that occurs in the content."""
    match model:
        case Name(tag):
            return frozenset({tag})
        case Any():
            return frozenset()
        case Series(parts) | Choice(parts):
            return frozenset().union(*map(names, parts))
        case Repeat(part, _, _):
            return names(part)
        case All(required, others):
            return required | others
