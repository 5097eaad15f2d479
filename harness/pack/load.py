"""Loading a pack: every table read, every overlay applied, every reference between tables checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.errors import ConfigurationFault, gathering, refuse
from harness.pack.data import find_pack
from harness.pack.entry import Entry
from harness.pack.identify import check_identities
from harness.pack.layers import digest, find_bases, find_files, find_layers, read_table
from harness.pack.model import Pack
from harness.pack.move import move_rules
from harness.pack.paths import read_paths
from harness.pack.read_constraints import read_coded, read_codelists, read_constraints, read_refusals, read_rules
from harness.pack.read_faults import Names, read_faults, read_teeth, read_variations
from harness.pack.read_journeys import read_journeys
from harness.pack.read_lifecycle import read_objects, read_reactions, read_rules_by_message
from harness.pack.read_messages import read_messages, read_values
from harness.pack.read_pack import (
    read_defects,
    read_outcome_sets,
    read_parties,
    read_requirements,
    read_roles,
    read_security,
    read_timers,
)

_TABLES = {
    "pack": True,
    "lifecycle": True,
    "constraints": False,
    "security": True,
    "messages": True,
    "requirements": True,
    "faults": False,
    "variations": False,
}
"""The tables of a pack, and whether each must be there."""


def load_pack(path: str | Path) -> Pack:
    """Read a pack.

    Schemas are not compiled and samples are not read here; :func:`harness.pack.sound.check_pack` does that.

    Parameters:
        path: the pack's folder or ``pack.yaml``, or the name of a pack that comes with the harness.

    Raises:
        ConfigurationFault: a file, an entry or a reference is wrong; with file, line and remedy. It tells of
            everything that can be told at once.
    """
    layers = find_layers(find_pack(path))

    def table(name: str, *, required: bool) -> Entry:
        source = read_table(layers.roots, name, required=required)
        return Entry(source, source.data)

    faults: list[ConfigurationFault] = []
    tables: dict[str, Entry] = {}
    for name, required in _TABLES.items():
        with gathering(faults):
            tables[name] = table(name, required=required)
    refuse(faults)
    head, cells, limits, protection, spoken, demands, mistakes, choices = (tables[name] for name in _TABLES)
    bites = read_table(layers.roots[:1], "teeth", required=False)

    if spoken.get("messages") and not layers.fixtures:
        raise head.fault(
            "the pack has messages, but names no folder of golden samples", expected="fixtures: FOLDER in pack.yaml"
        )
    roles, sets, timers = read_roles(head), read_outcome_sets(head), read_timers(head)
    parties = read_parties(head, roles)
    pools = {name: tuple(entry.data) for name, entry in head.table("pools")}
    codelists = read_codelists(find_files(layers.roots, "codelists/*.yaml"))
    values = read_values(spoken, roles, parties, pools, codelists)
    answers = head.get("answers", "reply")
    paths = read_paths(spoken, layers.roots)
    messages = read_messages(spoken, layers, head.get("format"), answers, roles, parties, values, timers, paths)
    check_identities(messages, head.get("identify"), answers, spoken)
    requirements = read_requirements(demands, roles, messages)
    objects = read_objects(cells, values)
    reactions = read_reactions(cells, messages, parties, timers, requirements, values, sets)
    names = Names(messages, objects, reactions)
    with gathering(faults):
        rules_by_message = {
            name: move_rules(paths, rules)
            for name, rules in read_rules_by_message(cells, messages, objects, requirements, sets, pools).items()
        }
    with gathering(faults):
        constraints = read_constraints(limits, sets, requirements)
    with gathering(faults):
        coded = read_coded(limits, messages, codelists, requirements, paths, sets)
    with gathering(faults):
        refusals = read_refusals(limits, messages, codelists, requirements)
    with gathering(faults):
        rules = read_rules(limits, messages, codelists, requirements, paths, sets)
    with gathering(faults):
        defects = read_defects(protection, sets, requirements)
    with gathering(faults):
        security = read_security(protection, head.get("envelope"))
    with gathering(faults):
        faulty = read_faults(mistakes, roles, requirements, names)
    with gathering(faults):
        variations = read_variations(choices, roles, requirements, names)
    refuse(faults)

    pack = Pack(
        id=head.get("id"),
        version=head.get("version"),
        title=head.get("title"),
        notice=head.get("notice"),
        provenance=head.get("provenance"),
        disputes=head.get("disputes", ""),
        root=layers.roots[0],
        fixtures=layers.fixtures[0] if layers.fixtures else layers.roots[0],
        digest=digest(layers),
        extends=layers.ids[1:],
        bases=find_bases(layers),
        format=head.get("format"),
        envelope=head.get("envelope"),
        media_type=head.get("media_type"),
        case_header=head.get("case_header"),
        identify=head.get("identify"),
        roles=roles,
        parties=parties,
        pools=pools,
        values=values,
        messages=messages,
        requirements=requirements,
        objects=objects,
        reactions=reactions,
        codelists=codelists,
        teeth=read_teeth(Entry(bites, bites.data)),
        timers=timers,
        outcomes=sets,
        scenarios=tuple(find_files(layers.roots, "scenarios/**/*.yaml").values()),
        roots=layers.roots,
        answers=answers,
        procedures=dict(head.get("procedures", {})),
        paths=paths,
        rules_by_message=rules_by_message,
        constraints=constraints,
        coded=coded,
        refusals=refusals,
        rules=rules,
        defects=defects,
        security=security,
        faults=faulty,
        variations=variations,
    )
    return replace(pack, journeys=read_journeys(head, pack, layers))
