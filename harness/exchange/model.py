"""What the play needs to know of the world: addresses, identities, and how the SUT is asked to act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from cryptography.x509 import Certificate, CertificateRevocationList

from harness.message.model import Values
from harness.security.model import Identity


@dataclass(frozen=True)
class Order:
    """One message that the SUT is asked to send.

    Parameters:
        case, step: ids, for the SUT's own logs.
        message: name of the message.
        position: the position in which to act, or ``None``.
        parameters: values that the message must carry, by bound name.
        receiver: party id of the receiver.
        url: where the receiver listens.
    """

    case: str
    step: str
    message: str
    position: str | None
    parameters: Values
    receiver: str
    url: str


@dataclass(frozen=True)
class ControlAnswer:
    """What the control interface said.

    Parameters:
        status: HTTP status; a command that ends well has 202; ``None`` when nothing came.
        body: the JSON object that came, or ``{}``.
        error: one sentence when the order was not taken, else ``None``.
    """

    status: int | None
    body: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None

    @property
    def taken(self) -> bool:
        """Whether the SUT will send the message."""
        return self.error is None


class Control(Protocol):
    """How the SUT is asked to act: the upper tester of ISO/IEC 9646.

    Nothing here raises because of the SUT: what goes wrong is told in the answer.
    """

    @property
    def available(self) -> bool:
        """Whether the SUT can be asked at all."""
        ...

    async def send(self, order: Order) -> ControlAnswer:
        """Ask it to send a message."""
        ...

    async def state(self, object: str, key: Mapping[str, str], position: str | None) -> str | None:  # noqa: A002
        """The state of an object as it believes it; ``None`` when that cannot be observed."""
        ...

    async def reset(self) -> ControlAnswer:
        """Ask it to forget all movements."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True)
class Told:
    """What one person answers to one question.

    Parameters:
        person: who answers: name and office.
        text: the answer.
        files: what shows it.
    """

    person: str
    text: str
    files: tuple[Path, ...] = ()


Attestations: TypeAlias = "Mapping[tuple[str, str], Told]"
"""Answers of persons, by case and step."""


@dataclass(frozen=True)
class Setup:
    """The world around the play.

    Parameters:
        sut_urls: where the SUT listens, by seat (party id); a seat that is missing only sends.
        listen_host, listen_port: where we listen; port 0 takes a free one.
        advertised: the address that the SUT uses for us, without a slash at the end; ``None`` when it is the one
            that we listen on.
        listener: what our listener shows in TLS.
        identities: what each simulated party signs with, and shows in TLS as a client, by party id.
        spares: identities that are wrong in one way, by party id, then by what is wrong with them.
        tls_anchors: whom TLS certificates of the SUT are believed on.
        control: how the SUT is asked to act.
        crls: what shows which of the spares is revoked.
        max_in_flight: how many cases may be played at once.
        attestations: what persons answer to questions.
    """

    sut_urls: Mapping[str, str]
    listen_host: str
    listen_port: int
    advertised: str | None
    listener: Identity
    identities: Mapping[str, Identity]
    spares: Mapping[str, Mapping[str, Identity]]
    tls_anchors: tuple[Certificate, ...]
    control: Control
    crls: tuple[CertificateRevocationList, ...] = ()
    max_in_flight: int = 1
    attestations: Attestations = field(default_factory=dict)
