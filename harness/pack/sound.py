"""Is a pack sound: everything that loading does not look at, because it takes longer.

Every schema is compiled, and every golden sample is read, checked, written and read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationFault, MalformedInput, Where
from harness.message.binding import errors_binding, read
from harness.message.build import build, write_errors
from harness.message.defect import DEFECTS as MESSAGE_DEFECTS
from harness.message.document import parse
from harness.message.model import Binding, Document, Value
from harness.message.path import parse_path
from harness.pack.codelist import coded_violations
from harness.pack.layers import read_table
from harness.pack.load import load_pack
from harness.pack.model import Message, Pack
from harness.pack.move import places_of
from harness.pack.names import did_you_mean
from harness.pack.paths import OPEN
from harness.pack.rule import rule_violations
from harness.pack.sample import golden
from harness.pack.schema import schema_folders, violations
from harness.pack.xsd import compile_schema
from harness.pack.xsd_tree import places
from harness.security.defect import DEFECTS as SECURITY_DEFECTS


def check_pack(pack: Pack) -> list[ConfigurationFault]:
    """Everything that is wrong with a pack that could be loaded; empty when it is sound.

    Of a message in which something is unmapped nothing can be said yet.
    """
    return [
        *_defects(pack),
        *_paths(pack),
        *_moves(pack),
        *chain.from_iterable(
            _message(played, each)
            for played in (pack, *pack.journeys.values())
            for each in played.messages.values()
            if not each.unmapped
        ),
    ]


def _defects(pack: Pack) -> Iterator[ConfigurationFault]:
    """Every defect must be one that the harness can make here; defects of delivery are made further up."""
    known = {
        **{name: pack.format in defect.applies for name, defect in MESSAGE_DEFECTS.items()},
        **{name: pack.security.style in defect.problems for name, defect in SECURITY_DEFECTS.items()},
    }
    for name in pack.defects:
        if name.startswith("delivery/") or known.get(name):
            continue
        where = _at(pack, "security", "defects", name)
        if name in known:
            what = f"the defect '{name}' cannot be put into {pack.format} with the protection '{pack.security.style}'"
            yield ConfigurationFault(what, where=where, remedy="Remove the entry.")
        else:
            remedy = did_you_mean(name, known) or "Remove the entry."
            yield ConfigurationFault(f"there is no defect '{name}'", where=where, remedy=remedy)


def _at(pack: Pack, table: str, *steps: str | int) -> Where:
    """File and line of an entry, in whichever of the packs below it stands."""
    return read_table(pack.roots, table).where(steps)


def _stated(where: Where) -> Where:
    return where


def _paths(pack: Pack) -> Iterator[ConfigurationFault]:
    """Every path and every pointer must be one, and lead to a place of its message."""
    for number, coded in enumerate(pack.coded):
        where = partial(_at, pack, "constraints", "codelists", number)
        yield from _tried(where, _leads, pack, coded.message, coded.path)
    for rule in pack.rules.values():
        where = partial(_at, pack, "constraints", "rules", rule.id, "parameters")
        for paths in dict.fromkeys(zip(*(places_of(rule, name) for name in rule.messages), strict=True)):
            told = [[*_tried(where, _leads, pack, *each)] for each in zip(rule.messages, paths, strict=True)]
            if all(told):  # one rule for several messages speaks of places that only some of them have
                yield from told[0]
    for rules in pack.rules_by_message.values():
        for cell in rules.cells:
            if cell.refuse and cell.refuse.pointer:
                yield from _tried(partial(_stated, cell.where), _leads, pack, rules.message, cell.refuse.pointer)


def _leads(pack: Pack, message: str, path: str) -> None:
    names = "/".join(str(replace(step, index=None)) for step in parse_path(path).steps)
    spoken = pack.messages[message]
    if pack.format != "xml" or spoken.unmapped or not names:
        return
    known = _schema_places(pack, message)
    if names not in known and not any(golden(pack.format, file).pointers(names) for file in spoken.golden.values()):
        raise _no_place(names, known, message, None)


def _moves(pack: Pack) -> Iterator[ConfigurationFault]:
    """Where an overlay says that places of its base are, both schemas have them."""
    tables = read_table(pack.roots, "messages")
    moved = {name: entry.get("paths", {}) for name, entry in tables.data["messages"].items()}
    if pack.format != "xml" or len(pack.roots) == 1 or not any(moved.values()):
        return
    base = load_pack(pack.roots[1])
    for name, paths in moved.items():
        if name not in base.messages:
            continue
        message = pack.messages[name]
        try:
            samples = [golden(pack.format, file) for file in message.golden.values()]
            here, there = (_schema_places(each, name) for each in (pack, base))
        except ConfigurationFault as fault:
            yield fault
            continue
        for old, new in paths.items():
            where = tables.where(("messages", name, "paths", old))
            if not Path(where.file or "").is_relative_to(pack.roots[0]):
                continue
            if there and old not in there:
                yield _no_place(old, there, f"{name} of {base.id}", where)
            elif new != OPEN and message.root and new not in here and not any(each.pointers(new) for each in samples):
                yield _no_place(new, here, name, where)


@lru_cache(maxsize=256)
def _schema_places(pack: Pack, name: str) -> frozenset[str]:
    message = pack.messages[name]
    grammar = compile_schema(message.schema, schema_folders(pack)).grammar
    return frozenset(node.path for node in places(grammar, message.root))


def _no_place(path: str, known: frozenset[str], message: str, where: Where | None) -> ConfigurationFault:
    return ConfigurationFault(
        f"'{path}' is no place of {message}",
        where=where,
        expected="a path of its schema, from the root element, without the root",
        remedy=did_you_mean(path, known) or "Correct the path.",
    )


def _tried(where: Callable[[], Where], action: Callable[..., Any], *arguments: object) -> Iterator[ConfigurationFault]:
    """Run an action; its fault is told with the place that a person must look at."""
    try:
        action(*arguments)
    except ConfigurationFault as fault:
        place = fault.where or where()
        yield ConfigurationFault(fault.what, where=place, expected=fault.expected, remedy=fault.remedy)


def _message(pack: Pack, message: Message) -> Iterator[ConfigurationFault]:
    for number, path in enumerate(message.redact):
        yield from _tried(partial(_at, pack, "messages", "messages", message.name, "redact", number), parse_path, path)
    for shape, file in message.golden.items():
        try:
            document = parse(pack.format, file.read_bytes())
        except MalformedInput as error:
            yield ConfigurationFault(error.what, where=Where(file, error.line), remedy="Correct the sample.")
            continue
        if document.root != message.root:
            yield ConfigurationFault(
                f"the sample of {message.name} is a '{document.root}'",
                where=Where(file, 1),
                expected=f"the root '{message.root}', as in messages.yaml",
            )
            continue
        try:
            yield from _content(pack, message, document, file)
        except ConfigurationFault as fault:
            if fault.where is not None:  # else it is a path that cannot be read, which is told already
                yield fault
            continue
        said = "refused" if message.refuses else shape
        yield from _bindings(pack, message, document, said)
        if message.replies:
            yield from _answer(message, document, said, Where(file))


def _content(pack: Pack, message: Message, document: Document, file: Path) -> Iterator[ConfigurationFault]:
    for wrong in violations(pack, message.name, document):
        yield ConfigurationFault(
            f"the sample of {message.name} breaks its schema: {wrong.text}",
            where=Where(file, wrong.line, wrong.pointer),
            remedy="Correct the sample, or the schema.",
        )
    breaches = chain(coded_violations(pack, message.name, document), rule_violations(pack, message.name, document))
    for breach in breaches:
        yield ConfigurationFault(
            f"the sample of {message.name} would be answered with {breach.code}: {breach.text}",
            where=Where(file, breach.line, breach.pointer),
            remedy="Correct the sample, the code list or the rule.",
        )


def _bindings(pack: Pack, message: Message, document: Document, shape: str) -> Iterator[ConfigurationFault]:
    """What is bound has a place in the sample of acceptance, and what is written there is read again.

    The reference to another message has one where it must be there, and none where it must not.
    """
    for name, binding in message.bindings.items():
        place = partial(_at, pack, "messages", "messages", message.name, "bind", name)
        needed = shape == "accepted"
        if pack.values[name].make.kind == "reply":
            needed = message.correlation == "required"
            if message.correlation == "forbidden" and document.texts(binding.path):
                what = f"the sample of {message.name} refers to a message, which it must not"
                yield ConfigurationFault(what, where=place(), remedy="Remove the reference from the sample.")
        yield from _tried(place, _write_and_read, document, binding, needed)


def _write_and_read(document: Document, binding: Binding, present: bool) -> None:
    bindings = {binding.name: binding}
    value = read(document, bindings)[binding.name]
    if not value and value != "":
        if present:
            raise ConfigurationFault(
                f"the binding '{binding.name}' ({binding.path}) has no place in the sample",
                remedy="Correct the path, or add the place to the sample: only what is there can be written.",
            )
        return
    longer: Value = value if isinstance(value, str) else [*value, value[0]]
    for given in (value, longer):
        if read(build(document, bindings, {binding.name: given}), bindings)[binding.name] != given:
            raise ConfigurationFault(
                f"the binding '{binding.name}' ({binding.path}) does not read what it has written",
                remedy="Correct the path: it must lead to one place, or to one list.",
            )


def _answer(message: Message, document: Document, shape: str, where: Where) -> Iterator[ConfigurationFault]:
    """A sample that accepts says so, and one that refuses names an error that can be written."""
    if message.accepted:
        path, values = message.accepted
        if bool(set(document.texts(path)) & set(values)) != (shape == "accepted"):
            yield ConfigurationFault(
                f"the {shape} sample of {message.name} does not say so",
                where=Where(where.file, None, path),
                expected=f"{'one' if shape == 'accepted' else 'none'} of {', '.join(values)}",
            )
    if message.errors is None:
        return
    shown = message.errors
    listed = errors_binding(shown.each, shown.code, shown.pointer, shown.text)
    found = read(document, {"errors": listed})["errors"]
    if bool(found) != (shape == "refused"):
        yield ConfigurationFault(
            f"the {shape} sample of {message.name} has {'errors' if found else 'no error'}",
            where=Where(where.file, None, shown.each),
            expected="errors in a refused sample, none in an accepted one",
        )
    elif found:
        wanted = [{"code": "1", "pointer": "/", "text": "text"}, {"code": "2", "pointer": "/", "text": "text"}]
        yield from _tried(
            partial(_stated, where), write_errors, document, shown.each, shown.code, shown.pointer, shown.text, wanted
        )
