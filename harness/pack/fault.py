"""What can be switched on in a reference implementation: mistakes, and what a correct one may do otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SENT = ("structure", "wire", "headers")
"""Hook points of the variations in which the harness itself can send a message."""


@dataclass(frozen=True)
class Fault:
    """A mistake that real systems make, put into a reference implementation on purpose.

    Parameters:
        id: stable.
        role: the role whose reference implementation carries it.
        title: what the implementer got wrong.
        requirement: the demand it breaks.
        hook: hook point of :mod:`harness.reference`.
        parameters: for the hook.
        seen: where such a mistake was met, for people; empty when nobody wrote it down.
    """

    id: str
    role: str
    title: str
    requirement: str
    hook: str
    parameters: Mapping[str, object]
    seen: str = ""


@dataclass(frozen=True, eq=False)
class Variation:
    """Something that a correct implementation may do otherwise than the plain reference implementation.

    Whoever may do it must be understood: with a requirement, the harness itself sends such messages, and wants them
    to be accepted.

    Parameters:
        id: stable.
        title: what it does.
        legal: why it may.
        hook, parameters: as of a :class:`Fault`.
        roles: the roles that can do it.
        requirement: demand on who receives such a request, or ``None``.
        told: demand on who receives such an answer, or ``None``.
    """

    id: str
    title: str
    legal: str
    hook: str
    parameters: Mapping[str, object]
    roles: tuple[str, ...]
    requirement: str | None = None
    told: str | None = None

    @property
    def is_sent(self) -> bool:
        """Whether the harness itself can send a message with it."""
        return self.hook in SENT


@dataclass(frozen=True)
class TriedPack:
    """Which pack was tried: the one that carries the result, or an earlier state of it.

    Parameters:
        id, version, digest: as of a :class:`~harness.pack.model.Pack`.
    """

    id: str
    version: str
    digest: str


@dataclass(frozen=True)
class Teeth:
    """What was shown with the faults and variations of a pack: the file ``teeth.yaml`` that ``c2c teeth`` writes.

    Parameters:
        tool: version of the harness that was tried.
        pack: the pack that it was tried with.
        faults, killed: how many faults there were, and how many fell to the demand that they break.
        variations, conformant: how many legal variations there were, and how many ended without a complaint.
    """

    tool: str
    pack: TriedPack
    faults: int
    killed: int
    variations: int
    conformant: int
