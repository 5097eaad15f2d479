"""The finding: what one check has to say about one message; and the subject: what a check may look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from harness.evidence.conversation import Conversation, Part
from harness.evidence.message import Opened
from harness.message.plain import plain
from harness.pack.model import Cell, Pack, Party

Severity: TypeAlias = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Finding:
    """Something a check found.

    Parameters:
        check: name of the check: ``schema``, ``codelist``, ``rule``, ``envelope``, ``encoding``, ``transport``,
            ``signature``, ``algorithm``, ``certificate``, ``timestamp``, ``structure``, ``correlation``,
            ``consistency``, ``legality``, ``relay``, ``answer``, ``timing``, ``reaction``.
        code: the pack's error code for it (``101``), or the stable word of the check (``digest-mismatch``).
        message: one plain sentence; what it quotes of a message is made fit to be read.
        severity: ``error``, ``warning`` or ``info``.
        requirement: the demand that is broken, when the pack maps the check to one.
        pointer: the place, in the path dialect; ``/`` for the whole.
        line: line in the message, where known.
    """

    check: str
    code: str
    message: str
    severity: Severity = "error"
    requirement: str | None = None
    pointer: str = "/"
    line: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", plain(self.message))


class Dialogue(NamedTuple):
    """What surrounds a message of a case; absent when a message is judged by itself.

    Parameters:
        step: id of the exchange.
        part: request or answer.
        subject: the position that the exchange is about.
        conversation: what was said before this message.
        parties: everybody, with their facts.
        sender, receiver: party ids.
        request: for an answer, the request that it answers.
        forwards: for a forwarded request, the request whose content it carries.
        own: names whose values the step sets itself; they need not agree with known ones.
        changes: those of them that must be new.
        later: ids of the steps that follow in the script: what they changed need not show here yet.
        refusals: cells of the life-cycle table that refuse this request now.
        movement: the movement that the exchange belongs to.
        signers: SHA-256 of the certificates that the system under test signs with; empty means not known.
    """

    step: str
    part: Part
    subject: str | None
    conversation: Conversation
    parties: Mapping[str, Party]
    sender: str
    receiver: str
    request: Opened | None = None
    forwards: Opened | None = None
    own: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    refusals: tuple[Cell, ...] = ()
    signers: tuple[str, ...] = ()
    movement: str = ""


class Subject(NamedTuple):
    """One message under the eyes of the checks.

    Parameters:
        pack: the profile.
        opened: the message.
        expected: names of messages of which it should be one; empty when any will do.
        headers: HTTP headers, names in lower case.
        line: request line or status line; empty when it did not come over HTTP.
        complete: whether the whole body came.
        dialogue: what surrounds it, or ``None``.
    """

    pack: Pack
    opened: Opened
    expected: tuple[str, ...] = ()
    headers: Mapping[str, str] = MappingProxyType({})
    line: str = ""
    complete: bool = True
    dialogue: Dialogue | None = None


Check: TypeAlias = Callable[[Subject], Iterable[Finding]]
