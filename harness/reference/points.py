"""The hook points: which facts a switch can name, and what it says instead. ``docs/faults.md`` explains each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from harness.errors import ConfigurationFault
from harness.message.handling import HANDLINGS
from harness.message.structure import STRUCTURES
from harness.pack.fault import Fault, Variation
from harness.pack.layers import read_table
from harness.pack.model import Pack
from harness.reference.spelling import SPELLINGS

Switch: TypeAlias = Fault | Variation
"""What can be switched on: both say which hook point does what."""

POINTS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    point: (frozenset(facts.split()), frozenset(options.split()))
    for point, facts, options in (
        ("accept-signature", "message problem", ""),
        ("accept-schema", "message kind", ""),
        ("accept-rule", "message code", ""),
        ("tolerance", "problem", "seconds"),
        ("read", "", "as"),
        ("scan", "", "text as"),
        ("turn-away", "", "as"),
        ("duplicate", "message", "as"),
        ("guard", "message object state", "as"),
        ("match", "message value", "as"),
        ("refuse", "message", "as"),
        ("effect", "message object", "as"),
        ("pause", "message", "seconds"),
        ("error-code", "message code", "as"),
        ("error-pointer", "message code", "as"),
        ("errors", "message code", "before"),
        ("correlation", "message", "as"),
        ("build", "message", "set"),
        ("text", "message path", "as"),
        ("structure", "message path", "as"),
        ("sign", "message", "defect"),
        ("clock", "message", "seconds"),
        ("wire", "message", "as"),
        ("headers", "message", "set"),
        ("notify", "message reaction", "as"),
        ("repeat", "message after", "as"),
        ("after-refusal", "message code", "as"),
        ("delay", "message", "seconds"),
        ("answer", "message", "as"),
        ("state", "object", "as"),
        ("object-key", "object", "without"),
        ("memory", "message", "as"),
        ("restart", "message", "lost"),
        ("key", "", "as"),
    )
}
"""Hook point to the parameters that must agree with the facts, and those that replace the default."""

ANSWERS = ("html", "fault-200", "empty", "error-status", "close", "half", "silence")
"""What can stand in the place of a right answer (hook point ``answer``)."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "read": ("lenient",),
    "scan": ("needed", "forbidden"),
    "turn-away": ("http", "fault", "close"),
    "notify": ("none", "twice", "wrong-party", "everybody"),
    "repeat": ("same", "new-reference", "for-ever"),
    "answer": ANSWERS,
    "after-refusal": ("proceed",),
    "memory": ("last",),
    "restart": ("references", "objects", "all"),
    "text": tuple(SPELLINGS),
    "structure": tuple(STRUCTURES),
    "wire": tuple(HANDLINGS),
    "key": ("rsa",),
}
"""Hook point to the words that its option can be."""

OUTCOMES = ("guard", "match", "duplicate", "refuse")
"""Hook points whose word is ``proceed``, a code, or an error with code and pointer."""


def wrong_switches(pack: Pack) -> Iterator[ConfigurationFault]:
    """The faults and legal variations of a pack that do not fit their hook points, with file and line."""
    for table, switches in (("faults", pack.faults), ("variations", pack.variations)):
        for name, switch in switches.items():
            try:
                check(switch)
            except ConfigurationFault as fault:
                where = read_table(pack.roots, table).where((table, name))
                yield ConfigurationFault(fault.what, where=where, expected=fault.expected, remedy=fault.remedy)


def check(switch: Switch) -> None:
    """Make sure that a switch fits its hook point.

    Raises:
        ConfigurationFault: the hook point, a parameter or its word is not there.
    """
    if switch.hook not in POINTS:
        raise ConfigurationFault(
            f"the fault {switch.id} names the hook point {switch.hook!r}, which is not there",
            expected="one of " + ", ".join(POINTS),
        )
    facts, options = POINTS[switch.hook]
    given = set(switch.parameters)
    if given - facts - options or options - given:
        raise ConfigurationFault(
            f"the parameters of the fault {switch.id} do not fit the hook point {switch.hook}: "
            + (", ".join(sorted(given)) or "none"),
            expected=", ".join(sorted(options)) + " and any of " + ", ".join(sorted(facts)),
            remedy="docs/faults.md has the table of the hook points.",
        )
    _check_choice(switch)


def _check_choice(switch: Switch) -> None:
    wanted = switch.parameters.get("lost" if switch.hook == "restart" else "as", "")
    if switch.hook in CHOICES and wanted not in CHOICES[switch.hook]:
        raise ConfigurationFault(
            f"the fault {switch.id} says as: {wanted}", expected="one of " + ", ".join(CHOICES[switch.hook])
        )
    if (
        switch.hook in ("guard", "match", "duplicate", "refuse")
        and isinstance(wanted, Mapping)
        and "error" not in wanted
    ):
        raise ConfigurationFault(
            f"the fault {switch.id} says as: {wanted}", expected='proceed, or an error such as {error: "210"}'
        )
