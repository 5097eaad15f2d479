"""Reading a target file, with its ICS and IXIT; what is wrong is told with file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationFault, Where
from harness.pack.load import load_pack
from harness.pack.model import Pack
from harness.pack.names import pick
from harness.pack.notation import read_duration
from harness.pack.source import Source, check_source, read_source
from harness.scenario.claim import claims_of
from harness.security.token import SCHEME
from harness.target.model import (
    Certificates,
    CommandControl,
    ControlChoice,
    GuidedControl,
    HttpControl,
    Ics,
    Ixit,
    Listen,
    NoControl,
    Secret,
    Statement,
    Sut,
    Target,
)


def load_target(path: Path) -> Target:
    """Read a target file. Paths in it are relative to the file.

    Raises:
        ConfigurationFault: a file cannot be read or is not a target, ICS or IXIT file.
    """
    source = read_source(path, "target")
    data: Mapping[str, Any] = source.data
    folder = path.parent
    ics, ixit = _part(source, "ics"), _part(source, "ixit")
    certificates = _certificates(folder, data["certificates"])
    return Target(
        source=source,
        pack=_pack(folder, data.get("pack")),
        sut=Sut(**data["sut"]),
        role=data["role"],
        positions=tuple(data.get("positions", ())),
        facts=_by_position(data.get("facts", {})),
        endpoints=_endpoints(data.get("endpoints", {})),
        certificates=certificates,
        identities=folder / data["identities"],
        test_keys=data.get("keys") == "test",
        listen=Listen(**data.get("listen", {})),
        ics=_ics(ics.data),
        ixit=_ixit(ixit.data),
        ics_source=ics,
        ixit_source=ixit,
        max_in_flight=data.get("max_in_flight", 1),
        setup=data.get("setup", "drive"),
        control=_control(source, folder, data["control"], certificates),
        statement=_statement(source, folder, data.get("statement")),
        assurance=data.get("assurance", "self-declaration"),
        waivers=folder / data["waivers"] if "waivers" in data else None,
        attestations=_files(folder, data.get("attestations", [])),
    )


def check_target(target: Target, pack: Pack) -> None:
    """Check that a target speaks of roles, positions, messages, pools and timers of the pack.

    Raises:
        ConfigurationFault: a name that the pack does not have, with file, line and the nearest right name.
    """
    where, ics, ixit = target.source.where, target.ics_source.where, target.ixit_source.where
    pick(target.role, pack.roles, "role", where(("role",)))
    positions = pack.roles[target.role].positions
    what = f"position of {target.role}"
    for index, position in enumerate(target.positions):
        pick(position, positions, what, where(("positions", index)))
    for table in ("facts", "endpoints"):
        for position in target.source.data.get(table, {}).get("positions", {}):
            pick(position, positions, what, where((table, "positions", position)))
    for message in (*(target.ics.messages or ()), *target.ics.denied):
        pick(message, pack.messages, "message", ics(("messages", message)))
    for message in target.ics.denied:
        if answers := pack.messages[message].answers:
            raise ConfigurationFault(
                f"the answer {message} cannot be left out alone; it goes with its request",
                where=ics(("messages", message)),
                expected=f"{answers}: false, or {message} left out of the table",
            )
    for name in target.ics.procedures:
        pick(name, pack.procedures, "procedure", ics(("procedures", name)))
    for pool in target.ixit.pools:
        pick(pool, pack.pools, "pool", ixit(("pools", pool)))
    for timer in target.ixit.timers:
        pick(timer, pack.timers, "timer", ixit(("timers", timer)))


def _pack(folder: Path, name: str | None) -> str | None:
    """A pack that is a folder beside the target file is named by its path."""
    return str(folder / name) if name and (folder / name / "pack.yaml").is_file() else name


def _part(source: Source, name: str) -> Source:
    """ICS or IXIT: a file of its own, or a table in the target file (then its lines are those of the target)."""
    content = source.data.get(name, {})
    if isinstance(content, str):
        return read_source(source.path.parent / content, name)
    places = {
        steps[1:]: replace(where, path="/".join(map(str, steps)))
        for steps, where in source.places.items()
        if steps[:1] == (name,) and len(steps) > 1
    }
    part = Source(source.path, content, places)
    check_source(part, name)
    return part


def _by_position(facts: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    common = {name: text for name, text in facts.items() if name != "positions"}
    return {"": common, **facts.get("positions", {})}


def _endpoints(endpoints: Mapping[str, Any]) -> dict[str, str]:
    common = {"": endpoints["url"]} if "url" in endpoints else {}
    return {**common, **endpoints.get("positions", {})}


def _files(folder: Path, names: list[str]) -> tuple[Path, ...]:
    return tuple(folder / name for name in names)


def _certificates(folder: Path, data: Mapping[str, list[str]]) -> Certificates:
    tls = _files(folder, data["tls"])
    return Certificates(
        tls,
        _files(folder, data["signatures"]) if "signatures" in data else tls,
        _files(folder, data.get("crls", [])),
        _files(folder, data.get("signers", [])),
        _files(folder, data.get("ocsp", [])),
    )


def _ics(data: Mapping[str, Any]) -> Ics:
    denied = tuple(name for name, claimed in data.get("messages", {}).items() if not claimed)
    return Ics(claims_of(data), denied, dict(data.get("procedures", {})))


def _ixit(data: Mapping[str, Any]) -> Ixit:
    return Ixit(
        {name: tuple(entries) for name, entries in data.get("pools", {}).items()},
        {name: read_duration(text) for name, text in data.get("timers", {}).items()},
    )


def _control(source: Source, folder: Path, data: Mapping[str, Any], certificates: Certificates) -> ControlChoice:
    match data["type"]:
        case "http":
            token = _secret(folder, data["token"], source.where(("control", "token")))
            tls = _files(folder, data["tls"]) if "tls" in data else certificates.tls
            return HttpControl(data["url"].rstrip("/"), token, tls)
        case "command":
            timeout = {"timeout": read_duration(data["timeout"])} if "timeout" in data else {}
            return CommandControl(tuple(data["arguments"]), **timeout)
        case "guided":
            return GuidedControl()
        case _:
            return NoControl()


def _statement(source: Source, folder: Path, data: Mapping[str, Any] | None) -> Statement | None:
    if data is None:
        return None
    password = (
        _secret(folder, data["password"], source.where(("statement", "password"))) if "password" in data else None
    )
    key = str(data["key"])
    return Statement(key if key.startswith(SCHEME) else str(folder / key), password)


def _secret(folder: Path, data: Mapping[str, str], where: Where) -> Secret:
    return Secret(where, folder / data["file"] if "file" in data else None, data.get("environment"))


def find_pack_of(target: Target, name: str | None) -> Pack:
    """The pack that the caller names, else the target file.

    Raises:
        ConfigurationFault: nobody names one, or it cannot be loaded.
    """
    chosen = name or target.pack
    if chosen is None:
        raise ConfigurationFault(
            "no pack is named",
            where=target.source.where(()),
            expected="`pack:` in the target file, or the option --pack",
            remedy="`c2c list` shows the packs.",
        )
    try:
        return load_pack(chosen)
    except ConfigurationFault as fault:
        if fault.where is None and not name:
            fault.where = target.source.where(("pack",))
        raise
