"""Which message of a pack was received."""

from __future__ import annotations

from collections.abc import Mapping

from harness.pack.entry import Entry
from harness.pack.model import Message, Pack


def identify(
    pack: Pack,
    *,
    root: str | None = None,
    action: str | None = None,
    method: str | None = None,
    target: str | None = None,
) -> str | None:
    """Name of the message, or ``None`` when the pack has none like it.

    The pack says which of the facts counts. By ``target`` an answer in the HTTP response cannot be told: it is known
    from its request.

    Parameters:
        pack: the pack.
        root: root element of the body in Clark notation.
        action: SOAP action.
        method: HTTP method.
        target: HTTP request target; the path of the receiver's endpoint may stand before the message's own.
    """
    if pack.identify == "root":
        return next((name for name, message in pack.messages.items() if message.root == root), None)
    if pack.identify == "action":
        return next((name for name, message in pack.messages.items() if action and message.action == action), None)
    asked = "/" + (target or "").partition("?")[0].strip("/")
    reached = [
        message
        for message in pack.messages.values()
        if _addressed(message, pack.answers) and message.method == method and asked.endswith(_ending(message))
    ]
    return max(reached, key=lambda message: len(_ending(message))).name if reached else None


def _addressed(message: Message, answers: str) -> bool:
    """Whether a message travels to an address: all do, but answers in the HTTP response."""
    return message.answers is None or answers == "message"


def _ending(message: Message) -> str:
    own = message.target.strip("/")
    return f"/{own}" if own else ""


def check_identities(messages: Mapping[str, Message], by: str, answers: str, table: Entry) -> None:
    """Check that no two messages could be taken for each other.

    Parameters:
        messages: the messages.
        by: what they are told by: ``root``, ``action`` or ``target``.
        answers: how answers travel: ``reply`` or ``message``.
        table: ``messages.yaml``, for the place.

    Raises:
        ConfigurationFault: two messages have the same root, action, or method and target.
    """
    seen: dict[object, str] = {}
    for name, message in messages.items():
        if message.unmapped[:1] == ("root",) or (by != "root" and not _addressed(message, answers)):
            continue
        fact: object = {"root": message.root, "action": message.action}.get(by, (message.method, _ending(message)))
        if not fact:
            raise (
                table.at("messages")
                .at(name)
                .fault(f"'{name}' has no '{by}', and this pack tells messages by it", remedy=f"Add '{by}'.")
            )
        if fact in seen:
            raise (
                table.at("messages")
                .at(name)
                .fault(
                    f"'{name}' cannot be told from '{seen[fact]}': both have the same {by}",
                    expected=f"a {by} of its own",
                )
            )
        seen[fact] = name
