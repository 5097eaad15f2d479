"""The demonstration: certify a reference implementation that is started for it, with a throw-away test PKI.

Everything that a real integrator would set up is written into a temporary folder, and then the campaign goes the same
way as any other: through the target file.
"""

from __future__ import annotations

import json
import random
import secrets
import socket
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import harness
from harness.campaign import Campaign, Wish
from harness.errors import ConfigurationFault, Where
from harness.host import write_private
from harness.pack.load import load_pack
from harness.pack.model import Pack
from harness.pack.names import pick
from harness.reference.config import PartyConfig
from harness.reference.launch import launch
from harness.reference.serve import serve
from harness.security.pki import TestPki
from harness.security.statement_key import generate_demo_key
from harness.target.identities import write_spares
from harness.target.load import load_target

HOST = "127.0.0.1"
AT_ONCE = 16
"""Cases in flight against the reference implementation, which stands on the same computer."""
_PORTS = range(20_000, 32_768)


@dataclass(frozen=True)
class Show:
    """What is to be shown.

    Parameters:
        pack: name or folder.
        role: the role that is certified; ``None`` takes that of the faults, else the first one with several positions.
        faults: mistakes that are switched on in the reference implementation.
        full: all positions of the role, instead of the first one; a fault is always looked for in all.
        variations: legal variations that are switched on in it.
        apart: it runs as a process of its own, as every other system would; else in this one.
    """

    pack: str
    role: str | None = None
    faults: tuple[str, ...] = ()
    full: bool = False
    variations: tuple[str, ...] = ()
    apart: bool = True


@dataclass(frozen=True)
class Props:
    """Everything that an integrator would set up.

    Parameters:
        target_file: describes the reference implementation as the system under test.
        config: starts it.
        public_key: of the statement.
    """

    target_file: Path
    config: PartyConfig
    public_key: Path


@contextmanager
def demonstration(show: Show, wish: Wish, pack: Pack | None = None) -> Iterator[tuple[Campaign, Path]]:
    """Set everything up, for as long as the block lasts.

    Parameters:
        show, wish: what is to be shown, and how.
        pack: the pack of the show, where it was read already: what follows from it need not be made again.

    Yields:
        the campaign, ready to be started, and the file with the public key of its statement.

    Raises:
        ConfigurationFault: the pack has no such role or fault.
    """
    pack = pack or load_pack(show.pack)
    with TemporaryDirectory(prefix="c2c-demo-", ignore_cleanup_errors=True) as temporary:
        props = set_up(pack, show, Path(temporary))
        system: AbstractAsyncContextManager[object] = (
            launch(props.config, Path(temporary)) if show.apart else serve(props.config, pack)
        )
        yield Campaign(load_target(props.target_file), pack, wish, system), props.public_key


def set_up(pack: Pack, show: Show, folder: Path) -> Props:
    """Write keys, certificates and the target file into a folder.

    Raises:
        ConfigurationFault: the pack has no such role or fault.
    """
    role = role_of(pack, show)
    positions = pack.roles[role].positions
    own, theirs, control = free_ports(3)
    pki = TestPki.create(folder / "identities", datetime.now(UTC))
    identity = pki.issue("reference", hosts=(HOST, "localhost"), key=_key(pack, show))
    spares = folder / "spares"
    if show.faults:
        write_spares(pki, identity, spares)
    token, trust, crl = folder / "control.token", pki.folder / "trust.pem", pki.folder / "crl.pem"
    write_private(token, secrets.token_urlsafe(32).encode())
    signing_key, public_key = generate_demo_key(folder / "statement")
    config = PartyConfig(
        pack=str(pack.root.resolve()),
        role=role,
        certificate=str(identity.certificate_file),
        key=str(identity.key_file),
        anchors=(str(trust),),
        crls=(str(crl),),
        spares=str(spares) if show.faults else None,
        peers={name: f"https://{HOST}:{own}/{name}" for name in pack.parties},
        token_file=str(token),
        host=HOST,
        port=theirs,
        control_port=control,
        faults=show.faults,
        variations=show.variations,
    )
    target = {
        "pack": str(pack.root.resolve()),
        "sut": {
            "authority": "none: a demonstration",
            "product": f"reference implementation ({role})",
            "version": harness.__version__,
        },
        "role": role,
        **({"positions": list(positions if show.full or show.faults else positions[:1])} if positions else {}),
        "endpoints": {"url": f"https://{HOST}:{theirs}"},
        "certificates": {"tls": [str(trust)], "crls": [str(crl)], "signers": [str(identity.certificate_file)]},
        "keys": "test",
        "identities": str(pki.folder),
        "listen": {"host": HOST, "port": own},
        "max_in_flight": AT_ONCE,
        "control": {"type": "http", "url": f"https://{HOST}:{control}", "token": {"file": str(token)}},
        "statement": {"key": str(signing_key)},
    }
    target_file = folder / "target.yaml"
    target_file.write_text(json.dumps(target, indent=1), encoding="utf-8", newline="\n")
    return Props(target_file, config, public_key)


def _key(pack: Pack, show: Show) -> Literal["ec", "rsa"]:
    """The kind of key that a variation wants."""
    wanted = [pack.variations[name] for name in show.variations if name in pack.variations]
    return "rsa" if any(each.hook == "key" for each in wanted) else "ec"


def role_of(pack: Pack, show: Show) -> str:
    """The role that is certified.

    Raises:
        ConfigurationFault: the pack has no such role or fault, or they do not go together.
    """
    for name in show.faults:
        pick(name, pack.faults, "fault", Where(pack.root / "faults.yaml"))
    if show.role is not None:
        pick(show.role, pack.roles, "role", Where(pack.root / "pack.yaml"))
    roles = {pack.faults[name].role for name in show.faults} | ({show.role} if show.role else set())
    if len(roles) > 1:
        raise ConfigurationFault(
            f"these faults and roles do not go together: {', '.join(sorted(roles))}",
            expected="faults of one role, which is the role that is certified",
        )
    if roles:
        return roles.pop()
    return next((name for name, role in pack.roles.items() if role.positions), next(iter(pack.roles)))


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, of those that no system gives to outgoing connections by itself.

    Raises:
        ConfigurationFault: there are not that many.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        with suppress(OSError), socket.create_server((HOST, port)):
            found.append(port)
        if len(found) == count:
            return found
    raise ConfigurationFault(
        f"fewer than {count} ports of {HOST} from {_PORTS.start} to {_PORTS.stop - 1} are free",
        remedy="Stop programs that listen there, or programs that are not allowed to.",
    )
