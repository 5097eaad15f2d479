"""A page about one message, for people: what it is for, who sends it, and every place that it may have.

Made from the pack alone, so that it cannot say anything else than what is tested.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.message.path import parse_path
from harness.pack.model import Message, Pack
from harness.pack.schema import schema_folders
from harness.pack.xsd import compile_schema
from harness.pack.xsd_text import Text
from harness.pack.xsd_tree import Node, places


def message_page(pack: Pack, name: str) -> str:
    """The page of a message in Markdown.

    Parameters:
        pack: the profile.
        name: name of the message.
    """
    message = pack.messages[name]
    sender = _seat(message.sender, message.sender_position)
    receiver = _seat(message.receiver, message.receiver_position)
    lines = [
        f"# {name}: {message.title}",
        "",
        message.purpose,
        "",
        f"From {sender} to {receiver}.",
        *_partners(message),
        "",
        f"*{pack.title}, version {pack.version}. {pack.notice}*",
    ]
    return "\n".join([*lines, *_structure(pack, message), *_demands(pack, message), *_samples(pack, name)]) + "\n"


def index_page(pack: Pack) -> str:
    """The page that lists all messages of a pack."""
    rows = [
        f"| [{each.name}]({each.name}.md) | {each.title} | {each.sender} | {each.receiver} | {_answers(each)} |"
        for each in pack.messages.values()
    ]
    head = ["| message | title | from | to | answered by |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([f"# Messages of {pack.title}", "", pack.notice, "", *head, *rows]) + "\n"


def _seat(role: str, position: str | None) -> str:
    return f"{role} ({position})" if position else role


def _partners(message: Message) -> Iterator[str]:
    if message.answers is not None:
        yield f"It answers [{message.answers}]({message.answers}.md)."
    elif message.answer is not None:
        yield f"It is answered by [{message.answer}]({message.answer}.md)."


def _answers(message: Message) -> str:
    return f"[{message.answer}]({message.answer}.md)" if message.answer is not None else ""


def _samples(pack: Pack, name: str) -> Iterator[str]:
    """The golden sample of every journey that has one of its own."""
    yield from ("", "## Samples")
    for each in (pack, *pack.journeys.values()):
        file = each.messages[name].golden["accepted"]
        if each is pack or file != pack.messages[name].golden["accepted"]:
            title = f"{each.fixtures.name}: {each.journey}" if each.journey else each.fixtures.name
            yield from ("", f"<details><summary>{title}</summary>", "", f"```{pack.format}")
            yield from (file.read_text("utf-8").rstrip("\n"), "```", "", "</details>")


def _structure(pack: Pack, message: Message) -> Iterator[str]:
    """The tree of an XML message; a JSON Schema is read as it is."""
    if pack.format != "xml":
        return
    bound = {_bare(binding.path): name for name, binding in message.bindings.items()}
    coded = {_bare(each.path): each.codelist for each in pack.coded if each.message == message.name}
    compiled = compile_schema(message.schema, schema_folders(pack))
    yield from ("", "## Structure", "", "| place | occurs | format | code list | name in scripts |")
    yield "| --- | --- | --- | --- | --- |"
    for node in places(compiled.grammar, message.root)[1:]:
        depth = node.path.count("/")
        place = f"{'&nbsp;&nbsp;&nbsp;' * depth}`{node.name}`"
        told = (place, _occurs(node), _format(node.text), coded.get(node.path, ""), bound.get(node.path, ""))
        yield f"| {' | '.join(told)} |"


def _bare(path: str) -> str:
    """A path without counts, as the places of a schema are named."""
    return "/".join(f"{'@' if step.attribute else ''}{step.name}" for step in parse_path(path).steps)


def _occurs(node: Node) -> str:
    return f"{'1' if node.required else '0'}{'..n' if node.repeats else '' if node.required else '..1'}"


def _format(text: Text | None) -> str:
    """The format in the way of the WCO Data Model: ``an..35``, ``n..5``; then a pattern, or the values."""
    if text is None:
        return ""
    letters = "n" if text.family == "number" else "an" if text.family == "text" else text.family
    size = f"..{text.most}" if text.most is not None else ""
    values = ", ".join(f"`{value}`" for value in text.values[:8])
    pattern = next((f"`{each}`" for each in text.patterns), "").replace("|", "\\|")
    return " ".join(part for part in (f"{letters}{size}", values, pattern) if part)


def _demands(pack: Pack, message: Message) -> Iterator[str]:
    """The requirements that speak of this message."""
    table = pack.rules_by_message.get(message.name)
    named = [cell.requirement for cell in table.cells] + [cell.told for cell in table.cells] if table else []
    named += [each.requirement for each in pack.coded if each.message == message.name]
    named += [rule.requirement for rule in pack.rules.values() if message.name in rule.messages]
    named += [each.id for each in pack.requirements.values() if message.name in each.messages]
    owed = [each for each in pack.reactions if message.name in (each.on, each.send)]
    named += [each.requirement for each in owed] + [each.received for each in owed]
    found = [pack.requirements[name] for name in dict.fromkeys(named) if name is not None]
    if not found:
        return
    yield from ("", "## Requirements", "", "| requirement | level | on | demand | source |")
    yield "| --- | --- | --- | --- | --- |"
    for each in sorted(found, key=lambda requirement: requirement.id):
        yield f"| {each.id} | {each.level} | {each.bearer} | {each.text} | {each.source.mark} |"
