"""What a system claims to support (ICS), held against what the pack demands of its role.

A request concerns both of its ends. Who may do without it stands in the pack (``optional:``); for everybody else it is
mandatory, and not to claim it is a failure by itself. An answer is never claimed: it goes with its request.
A procedure, which persons work beside the system, is tested where it is claimed, and nobody must.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from harness.pack.model import Pack
from harness.scenario.model import Case
from harness.scenario.project import exchanges, mode


def claims_of(ics: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The messages that an ICS claims; ``None`` where it has no table of them, which claims all of the role."""
    messages: Mapping[str, bool] | None = ics.get("messages")
    return None if messages is None else tuple(name for name, claimed in messages.items() if claimed)


def procedures_of(ics: Mapping[str, Any]) -> tuple[str, ...]:
    """The procedures that an ICS claims: persons stand by who work them."""
    return tuple(name for name, claimed in ics.get("procedures", {}).items() if claimed)


def unclaimed(pack: Pack, role: str, claims: Collection[str] | None) -> tuple[str, ...]:
    """The requests of a role that a system does not claim, in the order of the pack."""
    return () if claims is None else tuple(name for name in requests_of(pack, role) if name not in claims)


def requests_of(pack: Pack, role: str) -> tuple[str, ...]:
    """The requests that a role sends or receives, also those that are forwarded to it, in the order of the pack."""
    forwarded = {
        (each.send, end) for each in pack.reactions if each.forward for end in (each.by, each.to.partition(".")[0])
    }
    return tuple(
        name
        for name, message in pack.messages.items()
        if message.answers is None and (role in (message.sender, message.receiver) or (name, role) in forwarded)
    )


def must_support(pack: Pack, role: str, message: str) -> bool:
    """Whether a system in that role must support a request; of a procedure, nobody must."""
    return message not in pack.procedures and role not in pack.messages[message].optional


def not_claimed(case: Case, claims: Collection[str] | None, procedures: Collection[str]) -> tuple[str, ...]:
    """The requests and procedures that a case needs and the system does not claim.

    Parameters:
        case: which.
        claims: the requests that are claimed; ``None`` claims all of them.
        procedures: those that are claimed.
    """
    needed = (step.message for step in exchanges(case.steps) if mode(step, case.sut) != "simulate")
    missing = () if claims is None else (name for name in needed if name not in claims)
    return tuple(dict.fromkeys((*missing, *(name for name in case.needs if name not in procedures))))


def rule(pack: Pack, role: str, messages: Iterable[str]) -> str:
    """The rule that leaves a case out because of what is not claimed."""
    named = (f"{name} (mandatory)" if must_support(pack, role, name) else name for name in messages)
    return f"not claimed: {', '.join(named)}"
