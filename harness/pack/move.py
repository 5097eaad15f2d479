"""Tables of a base pack with their paths moved to where an overlay has these places (see :mod:`harness.pack.paths`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.errors import Where
from harness.message.model import Binding
from harness.pack.condition import decimal
from harness.pack.model import Cell, ErrorShape, MessageRules, Outcome, Rule
from harness.pack.paths import Paths

PLACES = ("total", "parts", "number", "of", "path", "if", "then", "earlier", "later")
"""Parameters of rules that are paths."""

RELATED = ("same", "least", "most", "above")
"""Words of a test that take a path; the last three take a number as well."""


def move_binding(paths: Paths, message: str, binding: Binding, where: Where) -> Binding:
    """A binding with all its paths.

    Raises:
        ConfigurationFault: places that belong together were moved apart.
    """
    if not paths.moves.get(message):
        return binding

    before, star, _ = binding.path.partition("[*]")

    def below(path: str) -> str:
        return paths.below(message, before + star, path, where)

    return replace(
        binding,
        path=paths.path(message, binding.path, where),
        fields={name: below(path) for name, path in binding.fields.items()},
        drop=paths.path(message, binding.drop, where) if binding.drop else None,
        number=below(binding.number) if binding.number else None,
    )


def move_errors(paths: Paths, message: str, shape: ErrorShape, where: Where) -> ErrorShape:
    """The place of errors with all its paths.

    Raises:
        ConfigurationFault: places that belong together were moved apart.
    """
    if not paths.moves.get(message):
        return shape
    parts = (shape.code, shape.pointer, shape.text)
    code, pointer, text = (None if path is None else paths.below(message, shape.each, path, where) for path in parts)
    each = paths.path(message, shape.each, where)
    return replace(shape, each=each, code=code or shape.code, pointer=pointer, text=text)


def move_outcomes(paths: Paths, message: str, outcomes: tuple[Outcome, ...], where: Where) -> tuple[Outcome, ...]:
    """Outcomes with their pointers, which lead to places of the request that is answered."""
    return tuple(
        each if each.pointer is None else each._replace(pointer=paths.path(message, each.pointer, where))
        for each in outcomes
    )


def move_rules(paths: Paths, rules: MessageRules) -> MessageRules:
    """The life-cycle table of a message with the pointers of its refusals."""
    if not paths.moves.get(rules.message):
        return rules

    def cell(each: Cell) -> Cell:
        return replace(
            each,
            refuse=move_outcomes(paths, rules.message, (each.refuse,), each.where)[0] if each.refuse else None,
            permitted=move_outcomes(paths, rules.message, each.permitted, each.where),
            also=move_outcomes(paths, rules.message, each.also, each.where),
        )

    return replace(
        rules,
        guards=tuple(
            replace(guard, cells={state: cell(each) for state, each in guard.cells.items()}) for guard in rules.guards
        ),
        matches=tuple(replace(each, cell=cell(each.cell)) for each in rules.matches),
        listed=tuple(replace(each, cell=cell(each.cell)) for each in rules.listed),
        unique=tuple(replace(each, cell=cell(each.cell)) for each in rules.unique),
        duplicate=cell(rules.duplicate) if rules.duplicate else None,
    )


def move_parameters(paths: Paths, message: str, parameters: Mapping[str, Any], where: Where) -> dict[str, Any]:
    """The parameters of a rule as they are in one message.

    Raises:
        ConfigurationFault: places that belong together were moved apart.
    """
    each = parameters.get("each")

    def place(path: str) -> str:
        if each is None or path.startswith("/"):
            return paths.path(message, path, where)
        return paths.below(message, each, path, where)

    def test(given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        others = {word: place(path) for word, path in given.items() if word in RELATED and decimal(path) is None}
        return {**given, **others}

    def tests(given: Mapping[str, Any]) -> dict[str, Any]:
        return {
            path if path == "any" else place(path): [tests(one) for one in each] if path == "any" else test(each)
            for path, each in given.items()
        }

    moved = {name: place(path) if name in PLACES else path for name, path in parameters.items()}
    if each is not None:
        moved["each"] = paths.path(message, each, where)
    if "decide" in parameters:
        moved["decide"] = [{key: tests(given) for key, given in one.items()} for one in parameters["decide"]]
    return moved


def places_of(rule: Rule, message: str) -> Iterator[str]:
    """Every path of which a rule speaks in a message, from its root element."""
    parameters = rule.moved.get(message, rule.parameters)
    each = parameters.get("each")
    if each is not None:
        yield each
    yield from (_whole(each, given) for name, given in parameters.items() if name in PLACES)
    for path, test in tests_of(rule, message):
        yield path
        if isinstance(test, dict):
            yield from (_whole(each, to) for word, to in test.items() if word in RELATED and decimal(to) is None)


def tests_of(rule: Rule, message: str) -> Iterator[tuple[str, Any]]:
    """Every path of which a rule tests the text in a message, from its root element, and the test."""
    parameters = rule.moved.get(message, rule.parameters)
    each = parameters.get("each")
    if "equals" in parameters:
        yield _whole(each, parameters["if"]), str(parameters["equals"])
    for decision in parameters.get("decide", ()):
        for tests in decision.values():
            yield from ((_whole(each, path), test) for path, test in _tested(tests))


def _whole(each: str | None, path: str) -> str:
    return f"{each}/{path}" if each is not None and not path.startswith("/") else path.removeprefix("/")


def _tested(tests: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for path, test in tests.items():
        if path == "any":
            for alternative in test:
                yield from _tested(alternative)
        else:
            yield path, test
