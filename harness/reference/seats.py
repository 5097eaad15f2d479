"""Who sits where: from a message to the seats of its sender and its receiver."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.message.model import Values
from harness.pack.model import Pack, Reaction
from harness.pack.read_lifecycle import SUBJECT
from harness.reference.reading import Received
from harness.reference.world import World


@dataclass(frozen=True)
class Seats:
    """The seats of one party, and what it knows of all others.

    Parameters:
        pack: the profile.
        role, positions: where the party sits; no positions for a role with one seat.
        world: facts of every seat.
    """

    pack: Pack
    role: str
    positions: tuple[str, ...]
    world: World

    def own(self, position: str | None = None) -> str:
        """The party id of a seat of this party; without a position, the first."""
        position = position or (self.positions[0] if self.positions else None)
        return f"{self.role}.{position}" if position else self.role

    def addressed(self, received: Received, target: str) -> str:
        """The seat that a request speaks to: named by its address, else by its content, else the first."""
        seats = {position: self.own(position) for position in self.positions}
        steps = target.partition("?")[0].split("/")
        for position, seat in seats.items():
            if position in steps or seat in steps or position == received.message.receiver_position:
                return seat
        return self._spoken_of(received.values, seats.values(), "receiver") or self.own()

    def sender(self, received: Received) -> str:
        """The seat that a request comes from: named by its certificate, else by its content."""
        if received.signer in self.pack.parties:
            return received.signer
        message = received.message
        seats = [
            seat
            for seat, party in self.pack.parties.items()
            if party.role == message.sender and message.sender_position in (None, party.position)
        ]
        return self._spoken_of(received.values, seats, "sender") or seats[0]

    def receivers(self, reaction: Reaction, sender: str, values: Values) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Who is owed the message of a reaction, by what is known of the movement, and who else of that role is not."""
        role = reaction.to.partition(".")[0]
        seats = [seat for seat in self.world.around(values) if self.pack.parties[seat].role == role]
        wanted = self._spoken_of(values, seats, "subject") if reaction.to == f"{role}.{SUBJECT}" else reaction.to
        left_out = sender if reaction.after == "accepted" else None
        owed = tuple(
            seat
            for seat in seats
            if fnmatchcase(seat, wanted or "") and seat != left_out and self._is_among(reaction, seat, values)
        )
        return owed, tuple(seat for seat in seats if seat not in owed)

    def _is_among(self, reaction: Reaction, seat: str, values: Values) -> bool:
        if reaction.among is None or values.get(reaction.among.value) is None:
            return True
        return self.world.around(values)[seat].get(reaction.among.fact) in (values[reaction.among.value] or ())

    def _spoken_of(self, values: Values, seats: Iterable[str], end: str) -> str | None:
        """The seat whose facts agree best with what a message says of its sender or receiver."""
        said = {}
        for name, value in values.items():
            make = self.pack.values[name].make
            who, _, fact = make.text.partition(".")
            if make.kind == "fact" and (who == end or (end == "sender" and who == "subject")):
                said[fact] = value
        facts = self.world.around(values)
        return max(
            seats,
            key=lambda seat: sum(facts.get(seat, {}).get(fact) == value for fact, value in said.items()),
            default=None,
        )
