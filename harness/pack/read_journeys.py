"""``journeys:`` of ``pack.yaml``: the same exchange on other transports, with parties and samples of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness.pack.entry import Entry
from harness.pack.layers import Layers
from harness.pack.model import Maker, Message, Pack, Party
from harness.pack.names import pick


def read_journeys(head: Entry, pack: Pack, layers: Layers) -> dict[str, Pack]:
    """The pack on each of its journeys: all tables are the same but parties, golden samples and patterns of numbers.

    Raises:
        ConfigurationFault: a seat or a bound name that the pack does not have.
    """
    found = {}
    for name, entry in head.table("journeys"):
        if name in layers.journeys:
            folder = layers.journeys[name]
            messages = {key: _played_on(message, folder) for key, message in pack.messages.items()}
            values = dict(pack.values)
            for value, pattern in entry.table("patterns"):
                pick(value, values, "bound name", pattern.where)
                values[value] = replace(values[value], make=Maker("pattern", pattern.data))
            found[name] = replace(
                pack,
                parties=_parties(entry, pack),
                messages=messages,
                values=values,
                fixtures=folder,
                journey=entry.get("title"),
            )
    return found


def _played_on(message: Message, folder: Path) -> Message:
    own = {shape: folder / file.name for shape, file in message.golden.items()}
    return replace(message, golden={**message.golden, **{shape: file for shape, file in own.items() if file.is_file()}})


def _parties(entry: Entry, pack: Pack) -> Mapping[str, Party]:
    given = {pick(name, pack.parties, "party", each.where): each.data for name, each in entry.table("parties")}
    return {
        name: replace(party, facts={**party.facts, **given.get(name, {})})
        for name, party in pack.parties.items()
        if name in given or party.position is None
    }
