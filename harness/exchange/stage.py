"""What all cases of a run are played with, and what one case is played with."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from harness.errors import ConfigurationFault
from harness.evidence.clock import UNCERTAINTY, Clock, stamp
from harness.evidence.conversation import Conversation, Part, name_made_by
from harness.evidence.message import Opened, open_message
from harness.evidence.model import Event
from harness.exchange.data import Data, NoDataError
from harness.exchange.delivery import DEFECTS as DELIVERY_DEFECTS
from harness.exchange.http import Moment, Sent
from harness.exchange.model import Setup
from harness.exchange.parcel import Parcel, Seal
from harness.exchange.recorder import Recorder
from harness.exchange.switchboard import Switchboard
from harness.exchange.wait import Wait
from harness.pack.model import Pack
from harness.scenario.hearing import heard
from harness.scenario.model import Case, Exchange
from harness.scenario.project import exchanges, mode
from harness.scenario.unmapped import unmapped
from harness.security.defect import DEFECTS as SECURITY_DEFECTS
from harness.security.model import Trust

DEFAULT_SECONDS = 10.0
"""For a timer that neither pack nor target sets."""

MOST_MORE = 30.0
"""Seconds that we listen beyond a time limit at most; up to there, for as long again as the limit."""


_YOUNG = 5_000
"""So many more objects than before make Python look for circles among the young ones; messages leave few circles."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Let Python look for circles of objects less often: it takes a twentieth of a run otherwise, and finds little."""
    before = gc.get_threshold()
    gc.set_threshold(_YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class StopCase(Exception):
    """Later steps of the case would be pointless; its text says why, in one sentence."""


@dataclass(frozen=True)
class Stage:
    """What all cases of a run are played with.

    Parameters:
        pack: the profile.
        timers: by name.
        setup: addresses, identities, the control interface.
        trust: what signatures of the SUT are believed on.
        recorder: writes down what happens.
        switchboard: brings what is received.
        transports: for what is sent, by party id.
        clock: what time it is.
        base_url: where the SUT reaches us, without a slash at the end.
    """

    pack: Pack
    timers: Mapping[str, timedelta]
    setup: Setup
    trust: Trust
    recorder: Recorder
    switchboard: Switchboard
    transports: Mapping[str, httpx.AsyncBaseTransport]
    clock: Clock
    base_url: str

    def seconds(self, *names: str | None) -> float:
        """Length of the first of these timers that is set."""
        for name in names:
            if name is not None and name in self.timers:
                return self.timers[name].total_seconds()
        return DEFAULT_SECONDS

    def limit(self, seconds: float) -> float:
        """How long is waited where silence is an answer: what is late by less than our uncertainty is still seen."""
        return seconds + UNCERTAINTY

    def patience(self, seconds: float) -> float:
        """How long is waited for what must come: late is not never, and what comes late is judged like the rest."""
        return self.limit(seconds) + min(seconds, MOST_MORE)

    def seal(self, party: str) -> Seal:
        """What a simulated party signs with.

        Raises:
            ConfigurationFault: it has no identity.
        """
        if party not in self.setup.identities:
            raise ConfigurationFault(
                f"the simulated party {party} has no identity to sign with",
                remedy="Add its certificate and key to the folder of identities.",
            )
        return Seal(self.setup.identities[party], self.setup.spares.get(party, {}), self.setup.crls)

    def seal_of_another(self, step: Exchange, sut: str) -> Seal:
        """What a party signs with that may never send the message of a step.

        Raises:
            ConfigurationFault: there is none among the simulated ones.
        """
        other = another(self.pack, self.setup, step, sut)
        if other is None:
            raise ConfigurationFault(
                "no simulated party is left that could sign in the name of another one",
                remedy="Give the parties certificates of their own.",
            )
        return self.seal(other)

    def url(self, party: str) -> str:
        """Where a simulated party listens."""
        return f"{self.base_url}/{party}"


def another(pack: Pack, setup: Setup, step: Exchange, sut: str) -> str | None:
    """A simulated party that may never send the message of a step, and has a certificate of its own."""
    parties, certificate = pack.parties, setup.identities[step.sender].certificate
    own = {parties[step.sender].role, parties[sut].role, pack.messages[step.message].sender}
    others = (name for name in setup.identities if name in parties and parties[name].role not in own)
    return next((name for name in others if setup.identities[name].certificate != certificate), None)


def demand_playable(pack: Pack, setup: Setup, case: Case) -> None:
    """Make sure that nothing is open in the messages of a case, and that there are the certificates of its defects.

    Raises:
        NoDataError: something is open, or a certificate is not there.
    """
    if places := unmapped(case, pack):
        raise NoDataError(f"unmapped: {places}")
    for step in exchanges(case.steps):
        part = mode(step, case.sut)
        if part == "simulate":
            continue
        party, name = (step.sender, step.defect) if part == "deliver" else (step.receiver, step.answer_defect)
        broken, handed_over = SECURITY_DEFECTS.get(name or ""), DELIVERY_DEFECTS.get(name or "")
        if broken is not None and broken.spare is not None and broken.spare not in setup.spares.get(party, {}):
            raise NoDataError(f"{party} has no certificate that shows {name} in the folder of identities.")
        if handed_over is not None and handed_over.make(0).other_party and not another(pack, setup, step, case.sut):
            raise NoDataError(f"No party with another certificate than that of {party} can sign in its name.")


@dataclass
class Scene:
    """What one case is played with, and what is known in it so far.

    Parameters:
        stage: of the run.
        case, data: what is played, and with which values.
        conversation: what was said, as the judge will hear it.
        parcels: what was sent, by step, for steps that repeat it.
    """

    stage: Stage
    case: Case
    data: Data
    conversation: Conversation
    parcels: dict[str, Parcel] = field(default_factory=dict)

    def now(self) -> datetime:
        """Wall time."""
        return self.stage.clock.now()

    def time_of(self, step: Exchange, party: str) -> datetime:
        """What a simulated party takes for the time in a step."""
        return self.now() + step.clocks.get(party, timedelta())

    def later(self, seconds: float) -> str:
        """The time in so many seconds, as it stands in the evidence."""
        return stamp(self.now() + timedelta(seconds=seconds))

    def write(self, kind: str, step: str, when: Moment | None = None, **data: Any) -> Event:
        """Write down an event of this case."""
        return self.stage.recorder.write(kind, self.case.id, step, when, **data)

    def hear(self, step: Exchange, part: Part, opened: Opened) -> None:
        """Take a message into the conversation, by the rules of the judge."""
        self.conversation = heard(self.conversation, step, part, opened)

    def reference(self, step: Exchange) -> str | None:
        """The reference of the request of a step, as it was sent or as it will be."""
        name = name_made_by(self.stage.pack, step.message, "reference")
        said = self.conversation.message(step.id, "request") if name else None
        written = said.text(name) if said is not None and name else None
        return written or (self.data.reference(step.id, "request") if name else None)

    def endpoint(self, party: str) -> str:
        """Where the SUT listens as that party.

        Raises:
            ConfigurationFault: nobody said it.
        """
        if party not in self.stage.setup.sut_urls:
            raise ConfigurationFault(
                f"nobody said where the system under test listens as {party}",
                remedy="Add its endpoint to the target file.",
            )
        return self.stage.setup.sut_urls[party]

    def wait_for(self, step: Exchange, *, anywhere: bool = False) -> Wait:
        """A wait for the request of a step."""
        return Wait(self.case.id, step, lambda: self.conversation, anywhere)

    def telling(
        self, step: Exchange, part: Part, message: str, parcel: Parcel, defect: str | None
    ) -> Callable[[Sent], None]:
        """What is told what left: it writes that down, and takes it into the conversation as the judge will open it."""
        sender, receiver = (step.sender, step.receiver) if part == "request" else (step.receiver, step.sender)

        def tell(sent: Sent) -> None:
            head = sent.head.to_json()
            self.write(
                "sent",
                step.id,
                sent.at,
                role=part,
                message=message,
                sender=sender,
                receiver=receiver,
                digest=self.stage.recorder.store.put(parcel.data),
                head=head,
                tls=sent.tls.to_json() if sent.tls else None,
                defect=defect,
                connection=sent.connection,
                **({"variation": parcel.variation} if parcel.variation else {}),
            )
            opened = open_message(
                self.stage.pack,
                head,
                parcel.data,
                at=sent.at.at,
                trust=None,
                answer_to=step.message if part == "answer" else None,
                name=message,
                payload=parcel.payload,
            )
            self.hear(step, part, opened)

        return tell
