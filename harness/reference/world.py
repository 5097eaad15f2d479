"""What a party knows of all others: their facts, on whatever transport they meet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from harness.message.model import Values
from harness.pack.model import Pack, Party

Facts = Mapping[str, Mapping[str, str]]
"""Facts of every seat, by party id."""

_SIGNS = {"#": "[0-9]", "@": "[A-Z]", "*": "[0-9]"}


@dataclass(frozen=True)
class World:
    """The facts of every seat.

    Parameters:
        pack: the profile.
        role: of the party that knows them; whatever the transport, it stays who it is.
        facts: on the transport of the pack itself.
    """

    pack: Pack
    role: str
    facts: Facts

    def around(self, *values: Values) -> Facts:
        """The facts on the transport that these values speak of: its numbers tell which one it is."""
        for name, patterns in self._patterns.items():
            if any(pattern.fullmatch(str(each[key])) for key, pattern in patterns for each in values if key in each):
                return self._elsewhere[name]
        return self.facts

    @cached_property
    def _patterns(self) -> Mapping[str, list[tuple[str, re.Pattern[str]]]]:
        return {
            name: [
                (key, re.compile("".join(_SIGNS.get(sign, re.escape(sign)) for sign in rule.make.text)))
                for key, rule in journey.values.items()
                if rule != self.pack.values[key]
            ]
            for name, journey in self.pack.journeys.items()
        }

    @cached_property
    def _elsewhere(self) -> Mapping[str, Facts]:
        return {
            name: {seat: self._facts_of(seat, party) for seat, party in journey.parties.items()}
            for name, journey in self.pack.journeys.items()
        }

    def _facts_of(self, seat: str, there: Party) -> Mapping[str, str]:
        role = self.pack.roles[there.role]
        if role.id != self.role:
            return there.facts
        own = {name: text for name, text in self.facts[seat].items() if not role.own or name in role.own}
        return {**there.facts, **own}
