"""Which place of a foreign schema is the one that a pack knows: evidence, weighed and told.

The evidence for a pair of places: the same name or some of its words, the same names around it, the same type, length,
pattern or values, the same words or numbers of the WCO Data Model in the documentation, and whether a value of
the pack would be valid there. Then both messages are laid beside each other in document order (Needleman and Wunsch
1970), so that a place whose name says nothing is told by its neighbours. Nothing is taken that another place fits as
well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from harness.pack.xsd_text import Text, fits
from harness.pack.xsd_tree import Node, words

SURE = 0.5
"""The least confidence with which a place is proposed."""

AHEAD = 0.04
"""By how much it must be better than the next."""

_GAP = -0.05
_NEIGHBOURS = 0.2
_IDENTIFIER = re.compile(r"\b(?:WCO|UNTDED|DE)?[ :]*([A-Z]?[0-9]{3}|[0-9]{1,2}/[0-9]{1,2})\b")
_EMPTY = frozenset({"the", "of", "a", "an", "and", "is", "or", "in", "to", "type", "code", "text", "id"})


@dataclass(frozen=True)
class Proposal:
    """What was found for one place.

    Parameters:
        place: in the words of the pack.
        found: path in the foreign schema; empty when nothing is sure enough.
        confidence: from 0 to 1.
        reasons: why.
        others: the next best paths.
        misfit: why the place of the same name cannot be it, where nothing else is near.
    """

    place: str
    found: str
    confidence: float
    reasons: tuple[str, ...]
    others: tuple[str, ...] = ()
    misfit: str = ""


@dataclass(frozen=True)
class Known:
    """What a pack knows of one place: the node of its schema, a value from its samples, and a phrase about it."""

    node: Node
    value: str | None = None
    about: str = ""


def propose(known: Sequence[Known], foreign: Sequence[Node]) -> dict[str, Proposal]:
    """Propose for each known place the one in a foreign message.

    Parameters:
        known: places of the pack's message, in document order.
        foreign: places of the foreign message, in document order.
    """
    pairs = _pairs(known, foreign)
    beside = _aligned([[score for score, _ in row] for row in pairs])
    scored = []
    for row, line in enumerate(pairs):
        for column, (score, reasons) in enumerate(line):
            if score <= 0:
                continue
            if beside.get(row) == column:
                scored.append((score + _NEIGHBOURS, row, column, (*reasons, "same neighbours")))
            else:
                scored.append((score, row, column, reasons))
    found = _assigned(known, foreign, sorted(scored, key=lambda each: (-each[0], each[1], each[2])))
    found |= dict(_around(known, foreign, found))
    return {each.node.path: found[each.node.path] for each in known}


def _pairs(known: Sequence[Known], foreign: Sequence[Node]) -> list[list[tuple[float, tuple[str, ...]]]]:
    """The evidence for every pair; a place that is where it was, and may still hold what it held, has no other one."""
    columns = {node.path: column for column, node in enumerate(foreign)}
    kept: dict[int, tuple[int, tuple[float, tuple[str, ...]]]] = {}
    for row, mine in enumerate(known):
        column = columns.get(mine.node.path)
        if column is not None and (found := _evidence(mine, foreign[column]))[0] >= SURE:
            kept[row] = column, found
    taken = {column for column, _ in kept.values()}
    nothing: tuple[float, tuple[str, ...]] = (0.0, ())
    pairs = []
    for row, mine in enumerate(known):
        if row in kept:
            line = [nothing] * len(foreign)
            line[kept[row][0]] = kept[row][1]
        else:
            line = [nothing if column in taken else _evidence(mine, each) for column, each in enumerate(foreign)]
        pairs.append(line)
    return pairs


def _around(
    known: Sequence[Known], foreign: Sequence[Node], found: Mapping[str, Proposal]
) -> Iterator[tuple[str, Proposal]]:
    """An element with elements in it is where these are: nearest around all of them, and a list if it is one."""
    nodes = {node.path: node for node in foreign}
    for each in known:
        node = each.node
        if node.text is not None or not node.path:
            continue
        inner = [found[other.node.path] for other in known if other.node.path.startswith(f"{node.path}/")]
        inner = [one for one in inner if one.found and _leaf(one, nodes)]
        common = _common([one.found for one in inner])
        while node.repeats and common and not nodes[common].repeats:
            common = common.rpartition("/")[0]
        if common:
            sure = min(one.confidence for one in inner)
            yield node.path, Proposal(node.path, common, sure, (f"around {len(inner)} places that were found",))


def _leaf(one: Proposal, nodes: Mapping[str, Node]) -> bool:
    return nodes[one.found].text is not None


def _common(paths: Sequence[str]) -> str:
    """The nearest element around all paths."""
    shared: list[str] = []
    for steps in zip(*(path.split("/")[:-1] for path in paths), strict=False):
        if len(set(steps)) > 1:
            break
        shared.append(steps[0])
    return "/".join(shared)


_Scored = tuple[float, int, int, tuple[str, ...]]


def _assigned(known: Sequence[Known], foreign: Sequence[Node], scored: Sequence[_Scored]) -> dict[str, Proposal]:
    """Best pairs first; each place is given away once, and a list stays around what is in it."""
    best: dict[int, list[_Scored]] = {}
    for each in scored:
        best.setdefault(each[1], []).append(each)
    taken: dict[int, int] = {}
    found: dict[str, Proposal] = {}
    for score, row, column, reasons in scored:
        place = known[row].node.path
        if place in found or column in taken:
            continue
        rest = [each for each in best[row] if each[2] != column and taken.get(each[2], row) == row]
        ahead = score - (rest[0][0] if rest else 0.0)
        others = tuple(foreign[each[2]].path for each in rest[:3])
        if score >= SURE and ahead >= AHEAD:
            taken[column] = row
            found[place] = Proposal(place, foreign[column].path, min(score, 1.0), reasons, others)
        elif score < SURE:
            break
    for row, mine in enumerate(known):
        if mine.node.path not in found:
            near = [each for each in best.get(row, []) if each[2] not in taken][:3]
            score = min(near[0][0], 1.0) if near else 0.0
            found[mine.node.path] = Proposal(
                mine.node.path,
                "",
                score,
                near[0][3] if near else (),
                tuple(foreign[each[2]].path for each in near),
                "" if near else _misfit(mine, foreign),
            )
    return found


def _misfit(mine: Known, foreign: Sequence[Node]) -> str:
    """What keeps the place that has the same path from being it."""
    same = next((node for node in foreign if node.path == mine.node.path and node.text is not None), None)
    if same is None or same.text is None or mine.node.text is None:
        return ""
    if mine.value is not None and not fits(same.text, mine.value):
        return f"{same.path} cannot hold '{mine.value}' of the sample of the base"
    return f"{same.path} holds another kind of value"


def _evidence(mine: Known, theirs: Node) -> tuple[float, tuple[str, ...]]:
    """How much speaks for a pair, and what."""
    node = mine.node
    if (node.text is None) != (theirs.text is None) or node.name.startswith("@") != theirs.name.startswith("@"):
        return 0.0, ()
    reasons: list[str] = []
    same = _likeness(node.name, theirs.name)
    score = 0.4 * same
    if same == 1:
        reasons.append("same name")
    elif same >= 0.5:
        reasons.append(f"name like {node.name}")
    around = _overlap(_path_words(node.path), _path_words(theirs.path))
    score += 0.2 * around
    if around >= 0.6:
        reasons.append("same names around it")
    if node.text is not None and theirs.text is not None:
        typed, why = _types(node.text, theirs.text)
        if typed < 0 or (mine.value is not None and not fits(theirs.text, mine.value)):
            return 0.0, ()
        score += typed
        reasons += why
    else:
        score += 0.1
    if node.repeats == theirs.repeats:
        score += 0.05
    told = _told(mine, theirs)
    score += 0.25 * told
    if told >= 0.3:
        reasons.append("documented alike")
    return score, tuple(reasons)


def _types(mine: Text, theirs: Text) -> tuple[float, list[str]]:
    if mine.family != theirs.family and "text" not in (mine.family, theirs.family):
        return -1.0, []
    if mine.patterns and mine.patterns == theirs.patterns:
        return 0.3, ["same pattern"]
    if mine.values and theirs.values:
        both = len(mine.listed & theirs.listed)
        shared = both / (len(mine.listed) + len(theirs.listed) - both)
        return (0.3 * shared, ["same values"]) if shared else (-1.0, [])
    if mine.family != theirs.family:
        return 0.0, []
    if (mine.least, mine.most) == (theirs.least, theirs.most) and bool(mine.patterns) == bool(theirs.patterns):
        return 0.2, ["same type and length"] if mine.most is not None else ["same type"]
    return 0.1, ["same type"]


def _told(mine: Known, theirs: Node) -> float:
    """How much the documentation of both has in common: numbers of data elements, else words."""
    about = f"{mine.node.about} {mine.about}"
    numbers = set(_IDENTIFIER.findall(mine.node.about)) & set(_IDENTIFIER.findall(theirs.about))
    if numbers:
        return 1.0
    known = _words_of(about)
    return _overlap(known, _words_of(theirs.about) | _path_words(theirs.path)) if known else 0.0


@lru_cache(maxsize=65536)
def _likeness(one: str, other: str) -> float:
    if one.lower() == other.lower():
        return 1.0
    shared = _overlap(frozenset(words(one)), frozenset(words(other)))
    return max(0.9 * shared, 0.7 * SequenceMatcher(None, one.lower(), other.lower()).ratio())


@lru_cache(maxsize=65536)
def _path_words(path: str) -> frozenset[str]:
    return frozenset(word for step in path.split("/") for word in words(step))


@lru_cache(maxsize=65536)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]{3,}", text.lower())) - _EMPTY


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(min(len(one), len(other)), 1) if one and other else 0.0


def _aligned(scores: Sequence[Sequence[float]]) -> Mapping[int, int]:
    """The pairs of the best alignment in document order (Needleman and Wunsch 1970)."""
    if not scores or not scores[0]:
        return {}
    height, width = len(scores), len(scores[0])
    table = [[_GAP * column for column in range(width + 1)]]
    for row in range(1, height + 1):
        line, above = [_GAP * row], table[-1]
        for column in range(1, width + 1):
            pair = above[column - 1] + scores[row - 1][column - 1]
            line.append(max(pair, above[column] + _GAP, line[-1] + _GAP))
        table.append(line)
    pairs: dict[int, int] = {}
    row, column = height, width
    while row and column:
        score = scores[row - 1][column - 1]
        if table[row][column] == table[row - 1][column - 1] + score and score > 0:
            pairs[row - 1] = column - 1
            row, column = row - 1, column - 1
        elif table[row][column] == table[row - 1][column] + _GAP:
            row -= 1
        else:
            column -= 1
    return pairs
