"""The kill matrix and the table of variations, for people: Markdown and the file that the pack carries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from harness.pack.fault import Variation
from harness.pack.model import Pack
from harness.teeth.model import Bite, Observed, Row, complaints

SHOWN = 4
"""Cases that are named for one fault; the rest is counted."""


def kill_matrix(pack: Pack, rows: Sequence[Row], tool: str) -> str:
    """``docs/teeth/<pack>/kill-matrix.md``: every fault, and the cases that fail on the demand that it breaks.

    Parameters:
        pack: whose faults.
        rows: all of them.
        tool: version of the harness.
    """
    counts = Counter(row.bite for row in rows)
    lines = [
        "# Kill matrix",
        "",
        f"Written by `c2c teeth`. Pack `{pack.id}` {pack.version}, harness {tool}: {len(rows)} faults, "
        + ", ".join(f"{counts[bite]} {bite.value}" for bite in Bite)
        + ".",
        "",
        "Each line is one run of the suite against a reference implementation that makes one mistake on purpose.",
        "A fault is *killed* when a case fails on the demand that the fault breaks; a time-out, an inconclusive or a",
        "warning kills nothing. *played* counts the cases that the fault can affect; `--full` plays all.",
        "",
        "| fault | role | what is wrong | breaks | result | killed by | played |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {' | '.join((row.fault, row.role, row.title, row.requirement, row.bite, _named(row), str(row.played)))} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _named(row: Row) -> str:
    names = row.killers or tuple(row.others)
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f"`{name}`" for name in names[:SHOWN]) + more


def variation_table(pack: Pack, found: Iterable[Observed], tool: str) -> str:
    """``docs/teeth/<pack>/variations.md``: every legal variation, and how it ended in each role."""
    found = tuple(found)
    by_switch = _by_switch(found)
    right = sum(is_right(pack.variations[name], roles) for name, roles in by_switch.items())
    lines = [
        "# Legal variations",
        "",
        f"Written by `c2c teeth`. Pack `{pack.id}` {pack.version}, harness {tool}: {len(by_switch)} variations,",
        f"{right} of them tried in every role that can have them, without a complaint.",
        "An empty cell: not tried, or not for this role.",
        "",
        "Each is something that a correct implementation may choose, and that the plain reference implementation",
        "does not do. The harness must not complain about any of them.",
        "",
        "| variation | what it does | why it may | " + " | ".join(pack.roles) + " |",
        "| --- | --- | --- |" + " --- |" * len(pack.roles),
    ]
    for name, roles in by_switch.items():
        variation = pack.variations[name]
        cells = [("complaint" if complaints(roles[role]) else "ok") if role in roles else "" for role in pack.roles]
        lines.append(f"| {name} | {variation.title} | {variation.legal} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def is_right(variation: Variation, roles: Mapping[str, Observed]) -> bool:
    """Whether a variation ended without a complaint in every role that can have it."""
    return all(role in roles and not complaints(roles[role]) for role in variation.roles)


def summary(pack: Pack, tool: str, rows: Sequence[Row], found: Sequence[Observed]) -> str:
    """``teeth.yaml`` of a pack: the numbers that every report of a run with it shows."""
    by_switch = _by_switch(found)
    tried = {name: roles for name, roles in by_switch.items() if set(pack.variations[name].roles) <= set(roles)}
    killed = sum(row.bite is Bite.KILLED for row in rows)
    right = sum(is_right(pack.variations[name], roles) for name, roles in tried.items())
    return (
        "# Written by `c2c teeth`: what was last shown with the faults and the legal variations of this pack.\n"
        f'tool: "{tool}"\n'
        f'pack: {{id: {pack.id}, version: "{pack.version}", digest: "{pack.digest}"}}\n'
        f"faults: {{tried: {len(rows)}, killed: {killed}}}\n"
        f"variations: {{tried: {len(tried)}, conformant: {right}}}\n"
    )


def _by_switch(found: Iterable[Observed]) -> dict[str, dict[str, Observed]]:
    by_switch: dict[str, dict[str, Observed]] = {}
    for each in found:
        by_switch.setdefault(each.trial.switch, {})[each.trial.role] = each
    return by_switch
