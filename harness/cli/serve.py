"""Run a reference implementation as a partner to develop against: it plays one role until you stop it.

  c2c serve --role platform --port 8443 --page 8480 --peer customs=https://127.0.0.1:9443
  c2c serve --role customs --fault writes-local-time     with a mistake on purpose (see docs/faults.md)
  c2c serve --role platform --chaos 0.02 --seed 7        one of its mistakes now and then; the same seed, the same ones

Keys and certificates are those of `c2c pki`, in the same folder; what is missing is made. What it knows stands in an
SQLite file: stop it, or kill it, and start it again, and it goes on. For tests only.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CONFORMANT, ConfigurationFault, Where
from harness.host import write_private
from harness.pack.data import known_packs
from harness.pack.load import load_pack
from harness.pack.names import pick
from harness.reference.config import PartyConfig
from harness.reference.serve import serve
from harness.security.pki import TestPki
from harness.target.identities import write_spares

if TYPE_CHECKING:
    import argparse

    from harness.pack.model import Pack


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    default = next(iter(known_packs()), None)
    parser.add_argument("--role", required=True, metavar="R", help="the role that it plays")
    parser.add_argument("--pack", metavar="P", default=default, help=f"name or folder of the pack (default: {default})")
    parser.add_argument("--host", default="127.0.0.1", metavar="H", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8443, metavar="N", help="where it listens (default: 8443)")
    parser.add_argument("--control", type=int, default=8444, metavar="N", help="its control interface (default: 8444)")
    parser.add_argument("--page", type=int, default=8480, metavar="N", help="its page, on 127.0.0.1 (default: 8480)")
    parser.add_argument(
        "--peer", action="append", default=[], metavar="WHO=URL", help="where a party, a role or * listens; repeatable"
    )
    parser.add_argument("--fault", action="append", default=[], metavar="NAME", help="switch a mistake on; repeatable")
    parser.add_argument("--chaos", type=float, default=0.0, metavar="RATE", help="how likely each mistake is, 0 to 1")
    parser.add_argument("--seed", default="0", metavar="N", help="what chaos does follows from it (default: 0)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="what it knows (default: ROLE.sqlite)")
    parser.add_argument(
        "--identities",
        type=Path,
        default=Path("identities"),
        metavar="DIR",
        help="folder of `c2c pki` (identities)",
    )


def run(options: argparse.Namespace) -> int:
    """Play until Ctrl-C or SIGTERM."""
    pack = load_pack(options.pack)
    config = _config(pack, options)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_play(config, pack))
    return CONFORMANT


async def _play(config: PartyConfig, pack: Pack) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(stop.set))
    async with serve(config, pack) as serving:
        print(f"{pack.roles[config.role].title} listens at {serving.url}; keys and certificates are for tests only")
        print(f"told to act at {serving.control}, with the token in {config.token_file}")
        print(f"page: {serving.page}")
        print(f"state: {config.state}; trust: {config.anchors[0]}", flush=True)
        await stop.wait()


def _config(pack: Pack, options: argparse.Namespace) -> PartyConfig:
    pick(options.role, pack.roles, "role", Where(pack.root / "pack.yaml"))
    for name in options.fault:
        pick(name, pack.faults, "fault", Where(pack.root / "faults.yaml"))
        if pack.faults[name].role != options.role:
            raise ConfigurationFault(
                f"{name} is a mistake of the {pack.faults[name].role}", expected=f"mistakes of the {options.role}"
            )
    if not 0 <= options.chaos <= 1:
        raise ConfigurationFault(f"--chaos {options.chaos} is no probability", expected="a number from 0 to 1")
    folder: Path = options.identities
    pki = TestPki.at(folder, datetime.now(UTC))
    name = f"sandbox-{options.role}"
    if not (folder / f"{name}.pem").exists():
        identity = pki.issue(name, hosts=tuple(dict.fromkeys((options.host, "127.0.0.1", "localhost"))))
        write_spares(pki, identity, folder / "spares")
    token = folder / f"{name}.token"
    if not token.exists():
        write_private(token, secrets.token_urlsafe(32).encode())
    return PartyConfig(
        pack=str(pack.root.resolve()),
        role=options.role,
        certificate=str(folder / f"{name}.pem"),
        key=str(folder / f"{name}.key"),
        anchors=(str(folder / "trust.pem"),),
        crls=(str(folder / "crl.pem"),),
        spares=str(folder / "spares"),
        peers=_peers(pack, options.peer),
        token_file=str(token),
        host=options.host,
        port=options.port,
        control_port=options.control,
        faults=tuple(options.fault),
        seed=options.seed,
        state=str(options.state or f"{options.role}.sqlite"),
        page_port=options.page,
        chaos=options.chaos,
    )


def _peers(pack: Pack, given: list[str]) -> dict[str, str]:
    peers = {}
    for text in given:
        who, equals, url = text.partition("=")
        if not equals or not url.startswith("https://"):
            raise ConfigurationFault(
                f"--peer {text} says nothing", expected="WHO=https://HOST:PORT, such as *=https://.."
            )
        peers[pick(who, {"*", *pack.roles, *pack.parties}, "party or role", Where(pack.root / "pack.yaml"))] = url
    return peers
