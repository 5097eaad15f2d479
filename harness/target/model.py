"""The system under test as its owner describes it: the target file, with ICS and IXIT, as values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeAlias

from harness.errors import ConfigurationFault, Where
from harness.host import demand_private
from harness.pack.source import Source


@dataclass(frozen=True)
class Sut:
    """Who the system under test is, for reports, and the language in which these are made."""

    authority: str
    product: str
    version: str
    contact: str = ""
    language: str = "en"


@dataclass(frozen=True)
class Secret:
    """A text that never stands in a target file: where to find it.

    Parameters:
        where: place of the reference, for messages.
        file: file that holds it and nothing else, or ``None``.
        environment: environment variable that holds it, or ``None``.
    """

    where: Where
    file: Path | None = None
    environment: str | None = None

    def read(self) -> str:
        """The secret itself: never log it, never keep it longer than needed.

        Raises:
            ConfigurationFault: the file cannot be read, or others can read it; the variable is not set; it is empty.
        """
        if self.file is not None:
            try:
                text, place = self.file.read_text("utf-8").strip(), f"the file {self.file}"
            except (OSError, UnicodeDecodeError) as problem:
                raise ConfigurationFault(
                    f"the secret file {self.file} cannot be read: {getattr(problem, 'strerror', None) or 'not UTF-8'}",
                    where=self.where,
                    remedy="Write the secret into this file, and let only your own user read it.",
                ) from None
            demand_private(self.file, "secret", "Or name an environment variable that holds it: {environment: NAME}.")
        else:
            text, place = os.environ.get(self.environment or "", ""), f"the environment variable {self.environment}"
        if not text:
            raise ConfigurationFault(
                f"{place} holds no secret", where=self.where, remedy="Set it before you start the run."
            )
        return text


@dataclass(frozen=True)
class Listen:
    """Where the harness listens, and which address the SUT uses for it (behind NAT the two differ)."""

    host: str = "127.0.0.1"
    port: int = 0
    advertise: str | None = None


@dataclass(frozen=True)
class Certificates:
    """Files on which the SUT's certificates are believed; in PEM, but for OCSP answers, which are in DER.

    Parameters:
        tls, signatures: trust anchors.
        crls: revocation lists.
        ocsp: cached OCSP answers.
        signers: the certificates that the SUT signs with; empty when that is not known.
    """

    tls: tuple[Path, ...]
    signatures: tuple[Path, ...]
    crls: tuple[Path, ...] = ()
    signers: tuple[Path, ...] = ()
    ocsp: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Ics:
    """What the SUT claims to support.

    Parameters:
        messages: names of the messages; ``None`` claims all of the role.
        denied: messages that are listed as not supported.
        procedures: those that are listed, with whether persons stand by who work them in this run.
    """

    messages: tuple[str, ...] | None = None
    denied: tuple[str, ...] = ()
    procedures: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Ixit:
    """Data and times for testing: what takes the place of the pack's defaults."""

    pools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    timers: Mapping[str, timedelta] = field(default_factory=dict)


@dataclass(frozen=True)
class HttpControl:
    """The control interface over HTTPS (``harness/schemas/control.openapi.json``)."""

    url: str
    token: Secret
    tls: tuple[Path, ...]


@dataclass(frozen=True)
class CommandControl:
    """The control interface as a program: JSON on its standard input, JSON on its standard output."""

    arguments: tuple[str, ...]
    timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True)
class NoControl:
    """The SUT cannot be asked to act."""


@dataclass(frozen=True)
class GuidedControl:
    """A person makes the SUT act, told step by step what to do."""


ControlChoice: TypeAlias = "HttpControl | CommandControl | NoControl | GuidedControl"


@dataclass(frozen=True)
class Statement:
    """The key that signs the bundle.

    Parameters:
        key: its file, or its PKCS#11 URI.
        password: of the file, or PIN of the token.
    """

    key: str
    password: Secret | None = None


@dataclass(frozen=True)
class Target:
    """A target file.

    Parameters:
        source: the file, for messages that name a line.
        pack: name or folder of the pack, or ``None``.
        sut: who it is.
        role: its role.
        positions: the positions that it claims; empty for all.
        facts: what messages say about it, by position; ``""`` for all positions.
        endpoints: where it listens, by position; ``""`` for all positions.
        certificates: what its certificates are believed on.
        identities: folder with our certificates and keys.
        test_keys: certificates marked TEST are allowed.
        listen: where we listen.
        ics, ixit: what is claimed, and the data for it.
        ics_source, ixit_source: their files.
        max_in_flight: how many cases may be played at once.
        setup: ``drive`` or ``reset``.
        control: how it is asked to act.
        statement: the key that signs the bundle, or ``None``.
        assurance: who stands behind the result.
        waivers: file with waivers, or ``None``.
        attestations: forms in which persons answer questions.
    """

    source: Source = field(repr=False)
    pack: str | None
    sut: Sut
    role: str
    positions: tuple[str, ...]
    facts: Mapping[str, Mapping[str, str]]
    endpoints: Mapping[str, str]
    certificates: Certificates
    identities: Path
    test_keys: bool
    listen: Listen
    ics: Ics
    ixit: Ixit
    ics_source: Source = field(repr=False)
    ixit_source: Source = field(repr=False)
    max_in_flight: int
    setup: Literal["drive", "reset"]
    control: ControlChoice
    statement: Statement | None
    assurance: Literal["self-declaration", "witnessed", "operator"]
    waivers: Path | None
    attestations: tuple[Path, ...] = ()

    def endpoint(self, position: str | None) -> str | None:
        """The address at which the SUT listens in a position, without a slash at the end."""
        url = self.endpoints.get(position or "", self.endpoints.get(""))
        return url.rstrip("/") if url else None
