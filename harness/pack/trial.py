"""Which single changes of a right message break exactly one constraint of the pack: found by trying.

A change is worth a test when schema, code lists and rules together say one thing about it. So this file knows no schema
language: the validator is asked, and a change about which it says nothing, or too much, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from harness.errors import ConfigurationFault
from harness.message.edit import Edit
from harness.message.model import Document
from harness.message.path import parse_path
from harness.pack.codelist import coded_violations
from harness.pack.condition import DEMANDS
from harness.pack.model import Pack
from harness.pack.move import places_of, tests_of
from harness.pack.rule import rule_violations
from harness.pack.sample import golden
from harness.pack.schema import violations
from harness.pack.violation import Breach, Violation

_WRONG = ("X" * 10, "X" * 18, "X" * 36, "X" * 71, "X" * 513, "9" * 6, "9" * 9, "9" * 18, "?", "x", "-1", "1.5", "0", "")
"""Texts that are wrong in many places; the first that breaks one constraint of a place is taken."""
_ODD = ("7", "70", "700", "2", "XX", "ZZZ", "9")
"""Texts that many schemas let pass, to break code lists and rules."""


@dataclass(frozen=True)
class Trial:
    """A change that breaks one constraint.

    Parameters:
        edit: the change.
        found: what is said about it: by the schema, or by a code list or rule.
    """

    edit: Edit
    found: Violation | Breach


@lru_cache(maxsize=512)
def schema_trials(pack: Pack, message: str, shape: str = "accepted") -> tuple[Trial, ...]:
    """One change for every constraint of the schema that the golden sample meets, in document order.

    Of the entries of a list only the first is changed. What carries a reference is left alone, and nothing in which one
    stands is left out: without it an answer could not say what it answers. Nor is what only some get.

    Parameters:
        pack: the profile.
        message: name of the message.
        shape: which of its golden samples.
    """
    sample = golden(pack.format, pack.messages[message].golden[shape])
    references = _references(pack, message, sample)
    for_some = _for_some(pack, message, sample)
    trials: dict[tuple[str, str], Trial] = {}
    places = tuple(sample.walk())
    holders = {place.rpartition("/")[0] for place in places if "@" not in place}
    for place in places:
        if any(step.index not in (None, 1) for step in parse_path(place).steps) or place in (references | for_some):
            continue
        needed = any(each.startswith(f"{place}/") for each in references)
        for edit in _edits(place, holds=place in holders):
            if needed and edit.action == "without":
                continue
            changed = _apply(edit, sample)
            found = violations(pack, message, changed) if changed is not None else ()
            if len(found) == 1 and found[0].pointer not in for_some:
                trials.setdefault((place, found[0].kind), Trial(edit, found[0]))
    return tuple(trials.values())


@lru_cache(maxsize=512)
def content_trials(pack: Pack, message: str) -> tuple[Trial, ...]:
    """One change for every coded place and every rule that the schema lets pass and nothing else forbids.

    A text is changed into some that many schemas let pass, and into those with which the rules compare it. A rule that
    no single change of the golden sample breaks has none.
    """
    sample = golden(pack.format, pack.messages[message].golden["accepted"])
    trials: dict[tuple[str, str], Trial] = {}
    compared, kept = _compared(pack, message), _for_some(pack, message, sample)
    for place in dict.fromkeys(each for path in _spoken_of(pack, message) for each in sample.pointers(path)):
        if place in kept:
            continue
        around = place.rpartition("/")[0]
        structure = (Edit("without", place), Edit("twice", place), *([Edit("twice", around)] if around else []))
        texts = (*_ODD, *compared.get(anywhere(place), ()))
        for edit in (*(Edit("text", place, text) for text in texts), *structure):
            changed = _apply(edit, sample)
            if changed is None or violations(pack, message, changed):
                continue
            found = [*coded_violations(pack, message, changed), *rule_violations(pack, message, changed)]
            if len(found) == 1:
                said = found[0].text.partition(" (")[0]
                trials.setdefault((said, anywhere(found[0].pointer)), Trial(edit, found[0]))
    return tuple(trials.values())


def anywhere(pointer: str) -> str:
    """A pointer without the numbers of list entries, ``""`` for the whole message."""
    return "/".join(f"{'@' if step.attribute else ''}{step.name}" for step in parse_path(pointer).steps)


def _edits(place: str, *, holds: bool) -> Iterator[Edit]:
    """Every change to try at a place, which may hold other places."""
    yield Edit("without", place)
    if parse_path(place).steps[-1].attribute:
        yield Edit("text", f"{place.rpartition('/')[0]}/@unexpected", "x")
    else:
        yield Edit("twice", place)
        yield Edit("swapped", place)
    if holds:
        yield Edit("foreign", place)
    else:
        yield from (Edit("text", place, text) for text in _WRONG)


def _apply(edit: Edit, sample: Document) -> Document | None:
    try:
        return edit.apply(sample)
    except ConfigurationFault:
        return None


def _references(pack: Pack, message: str, sample: Document) -> frozenset[str]:
    """Where the references of a message stand."""
    paths = (
        binding.path
        for name, binding in pack.messages[message].bindings.items()
        if pack.values[name].make.kind in ("reference", "reply")
    )
    return frozenset(pointer for path in paths for pointer in sample.pointers(path))


def _for_some(pack: Pack, message: str, sample: Document) -> frozenset[str]:
    """What does not stand in a message for every receiver."""
    paths = (
        binding.drop or binding.path
        for name, binding in pack.messages[message].bindings.items()
        if pack.values[name].make.where
    )
    around = tuple(pointer for path in paths for pointer in sample.pointers(path))
    return frozenset(place for place in sample.walk() if any(f"{place}/".startswith(f"{one}/") for one in around))


def _spoken_of(pack: Pack, message: str) -> Iterable[str]:
    """The paths that code lists and rules speak of."""
    yield from (coded.path for coded in pack.coded if coded.message == message)
    for rule in pack.rules.values():
        if message in rule.messages:
            yield from places_of(rule, message)


def _compared(pack: Pack, message: str) -> dict[str, tuple[str, ...]]:
    """The texts with which rules compare what stands at a place, by place; of a code list the first code."""
    found: dict[str, tuple[str, ...]] = {}
    for rule in pack.rules.values():
        for path, test in tests_of(rule, message) if message in rule.messages else ():
            place = anywhere(path)
            found[place] = tuple(dict.fromkeys((*found.get(place, ()), *_texts(pack, test))))
    return found


def _texts(pack: Pack, test: Any) -> Iterator[str]:
    if isinstance(test, list):
        yield from test
    elif isinstance(test, dict) and not {"first", "last"} & test.keys():
        for word in ("is", "not"):
            yield from _texts(pack, test.get(word, ()))
        if "in" in test:
            yield from list(pack.codelists[test["in"]].codes)[:1]
    elif isinstance(test, str) and test not in DEMANDS:
        yield test
