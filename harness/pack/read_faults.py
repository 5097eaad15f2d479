"""``faults.yaml``, ``variations.yaml`` and ``teeth.yaml``: what reference implementations can do otherwise."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.pack.entry import Entry
from harness.pack.fault import SENT, Fault, Teeth, TriedPack, Variation
from harness.pack.model import Reaction, Requirement, StateObject
from harness.pack.read_pack import demand
from harness.security.defect import DEFECTS


@dataclass(frozen=True)
class Names:
    """What the parameters of a hook point can name.

    Parameters:
        messages, objects, reactions: of the pack.
    """

    messages: Collection[str]
    objects: Mapping[str, StateObject]
    reactions: tuple[Reaction, ...]


def read_faults(
    head: Entry, roles: Collection[str], requirements: Mapping[str, Requirement], names: Names
) -> dict[str, Fault]:
    """The faults of the reference implementations; what their parameters name must exist.

    Raises:
        ConfigurationFault: an unknown role, requirement, message, object, state, reaction or defect.
    """

    def fault(name: str, entry: Entry) -> Fault:
        role = entry.name("role", roles, "role")
        requirement = demand(entry, "requirement", requirements, role)
        _check_parameters(entry, names)
        return Fault(
            id=name,
            role=role,
            title=entry.get("title"),
            requirement=str(requirement),
            hook=entry.get("hook"),
            parameters=entry.get("parameters", {}),
            seen=entry.get("seen", ""),
        )

    return head.made("faults", fault)


def read_variations(
    head: Entry, roles: Collection[str], requirements: Mapping[str, Requirement], names: Names
) -> dict[str, Variation]:
    """The legal variations of the reference implementations.

    Raises:
        ConfigurationFault: an unknown role, requirement, message, object, state, reaction or defect, or a requirement
            where the harness cannot send such a message.
    """

    def variation(name: str, entry: Entry) -> Variation:
        _check_parameters(entry, names)
        demands = {key: demand(entry, key, requirements) for key in ("requirement", "told")}
        if any(demands.values()) and entry.get("hook") not in SENT:
            raise entry.at("hook").fault(
                f"the harness sends no messages with the variation {name}", expected="one of " + ", ".join(SENT)
            )
        return Variation(
            id=name,
            title=entry.get("title"),
            legal=entry.get("legal"),
            hook=entry.get("hook"),
            parameters=entry.get("parameters", {}),
            roles=entry.names("roles", roles, "role") or tuple(roles),
            **demands,
        )

    return head.made("variations", variation)


def read_teeth(head: Entry) -> Teeth | None:
    """What was last shown with them, if it was written down."""
    if not head.data:
        return None
    pack, faults, variations = head.at("pack"), head.at("faults"), head.at("variations")
    return Teeth(
        tool=head.get("tool"),
        pack=TriedPack(pack.get("id"), pack.get("version"), pack.get("digest")),
        faults=faults.get("tried"),
        killed=faults.get("killed"),
        variations=variations.get("tried"),
        conformant=variations.get("conformant"),
    )


def _check_parameters(entry: Entry, names: Names) -> None:
    """What a switch names must exist; a pattern such as ``signature/*`` must fit to something."""
    if "parameters" not in entry:
        return
    entry = entry.at("parameters")
    tables: dict[str, Collection[str]] = {
        "message": names.messages,
        "reaction": [each.id for each in names.reactions],
        "defect": DEFECTS,
        "object": names.objects,
        "after": ("accepted", "refused", "broken"),
    }
    if entry.get("object") in names.objects:
        tables["state"] = names.objects[entry.get("object")].states
    for kind, known in tables.items():
        if kind in entry and not any(fnmatchcase(name, str(entry.data[kind])) for name in known):
            entry.name(kind, known, kind)
