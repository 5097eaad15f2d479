"""What one reference party is told at its start: a JSON file, read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationFault, Where


@dataclass(frozen=True)
class PartyConfig:
    """The start file of ``python -m harness.reference``; every field is a JSON member of the same name.

    Parameters:
        pack: name or folder of the pack.
        role: the role it plays.
        certificate, key: PEM files of its identity: it signs and answers TLS with them.
        anchors: PEM files with the trust anchors of the other parties, and authorities below them.
        positions: positions in which it sits; empty for all.
        crls: PEM files with revocation lists.
        spares: folder with identities that are wrong on purpose, ``NAME.DEFECT.pem`` and ``.key``, where NAME is that
            of the certificate file; only faults use them.
        tls_certificate, tls_key: where TLS has an identity of its own.
        facts: facts of seats that differ from the pack's, by party id.
        peers: where the others listen, by party id, by role, or ``*`` for everybody.
        token_file: file with the token of the control interface; without one there is no control interface.
        host, port: where it listens; port 0 takes a free one.
        control_port: the same for the control interface.
        faults, variations: ids of faults and of legal variations of the pack.
        seed: unlike in every earlier process that talked to the same parties.
        state: SQLite file in which it keeps what it knows, so that it goes on after any end; without one it forgets.
        page_port: where its page listens, on 127.0.0.1; only with *state*. Port 0 takes a free one.
        chaos: how likely each fault of its role is, whenever one could happen, from 0 to 1; they follow from *seed*.
    """

    pack: str
    role: str
    certificate: str
    key: str
    anchors: tuple[str, ...]
    positions: tuple[str, ...] = ()
    crls: tuple[str, ...] = ()
    spares: str | None = None
    tls_certificate: str | None = None
    tls_key: str | None = None
    facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    peers: Mapping[str, str] = field(default_factory=dict)
    token_file: str | None = None
    host: str = "127.0.0.1"
    port: int = 0
    control_port: int = 0
    faults: tuple[str, ...] = ()
    variations: tuple[str, ...] = ()
    seed: str = "0"
    state: str | None = None
    page_port: int | None = None
    chaos: float = 0.0


_REQUIRED = ("pack", "role", "certificate", "key", "anchors")


def read_config(path: Path) -> PartyConfig:
    """Read a start file.

    Raises:
        ConfigurationFault: it cannot be read, or a member is missing or not known.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as problem:
        raise ConfigurationFault(f"the start file cannot be read: {problem}", where=Where(path)) from None
    known = {each.name for each in fields(PartyConfig)}
    wrong = sorted(set(data) - known) or sorted(set(_REQUIRED) - set(data))
    if wrong:
        raise ConfigurationFault(
            f"wrong or missing members in the start file: {', '.join(wrong)}",
            where=Where(path),
            expected=", ".join(sorted(known)),
        )
    for name in ("anchors", "positions", "crls", "faults", "variations"):
        data[name] = tuple(data.get(name, ()))
    return PartyConfig(**data)


def write_config(config: PartyConfig) -> str:
    """The start file as text."""
    return json.dumps(asdict(config), indent=1)
