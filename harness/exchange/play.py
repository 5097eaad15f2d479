"""One case, played from its first step to its last.

Rules:

1. Steps are played in order. What happens inside an exchange is played while it is open. What floats, and what must
   not come, is watched for in the background from before the step that can cause it; what floats is joined at the end.
2. The play observes and never judges. It stops a case only where later steps have nothing left to stand on.
3. However a case ends, its last event says how.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, takewhile

from harness.errors import ConfigurationFault, HarnessFault
from harness.evidence.clock import stamp
from harness.evidence.conversation import Conversation
from harness.exchange.attest import write_attested
from harness.exchange.data import Data
from harness.exchange.deliver import cancelled, deliver, simulate, together
from harness.exchange.movement import Movement, take_over
from harness.exchange.receive import receive, receive_any_time
from harness.exchange.stage import Scene, Stage, StopCase
from harness.exchange.switchboard import refusal
from harness.scenario.model import AnyOrder, Attest, Case, Exchange, FromSaved, Probe, Quiet, Step
from harness.scenario.project import mode
from harness.scenario.rivals import either_way


class Player:
    """Plays one attempt at a case.

    Parameters:
        stage: what the run is played with.
        data: the values of this attempt.
        attempt: from 1.
        drawn: the next entry of each pool whose entries are used up, for the evidence.
        movement: what the case goes on from, or ``None``.
    """

    def __init__(
        self,
        stage: Stage,
        data: Data,
        attempt: int = 1,
        drawn: Mapping[str, int] | None = None,
        movement: Movement | None = None,
    ) -> None:
        self._scene = Scene(stage, data.case, data, Conversation(stage.pack))
        self._case: Case = data.case
        self._attempt, self._drawn, self._movement = attempt, dict(drawn or {}), movement
        self._background: dict[str, tuple[asyncio.Event, asyncio.Future[None]]] = {}
        self._shared = 0

    @property
    def scene(self) -> Scene:
        """What the case is played with, and what is known in it so far."""
        return self._scene

    async def play(self) -> None:
        """Play it. Only a fault of the configuration, or cancelling, gets out."""
        recorder, case = self._scene.stage.recorder, self._case
        values = self._scene.data.to_json()
        recorder.write("case-started", case.id, attempt=self._attempt, values=values, drawn=self._drawn)
        if self._movement is not None:
            self._shared = take_over(self._scene, self._movement)
        before = self._movement.case if self._movement is not None else None
        self._scene.stage.switchboard.enter(case.id, lambda: self._scene.conversation, before, self._attempt)
        ended, reason = "cancelled", ""
        try:
            await self._steps()
            ended = "complete"
        except StopCase as stop:
            ended, reason = "stopped", str(stop)
        except ConfigurationFault:
            raise
        except Exception as error:  # whatever it is, it is ours, and other cases go on
            ended = "stopped"
            reason = str(error) if isinstance(error, HarnessFault) else f"{type(error).__name__}: {error}"
            recorder.write("fault", case.id, text=reason)
        finally:
            await cancelled(task for _, task in self._background.values())
            recorder.write("case-finished", case.id, ended=ended, reason=reason)

    async def _steps(self) -> None:
        script = self._case.steps[self._shared :]
        try:
            self._arm(script)
            for number, steps in _turns(script):
                if not _in_background(steps[0]):
                    self._arm(script[number + len(steps) :])
                await self._turn(steps)
        except StopCase:
            await self._join()
            raise
        await self._join()

    def _arm(self, following: Sequence[Step]) -> None:
        """Begin to watch for what stands directly behind a step, before the step can cause it."""
        for step in takewhile(_in_background, following):
            reached = asyncio.Event()
            self._background[step.id] = (reached, asyncio.ensure_future(self._watch(step, reached)))

    async def _join(self) -> None:
        """Wait for everything in the background that can have been caused."""
        due = [task for reached, task in self._background.values() if reached.is_set()]
        await cancelled(task for reached, task in self._background.values() if not reached.is_set())
        await asyncio.gather(*due)

    async def _turn(self, steps: Sequence[Step]) -> None:
        if not _in_background(steps[0]):
            await self._observe(steps[0])
            return
        watched = [self._background[step.id] for step in steps]
        for reached, _ in watched:
            reached.set()
        if isinstance(steps[0], Quiet):
            await asyncio.gather(*(task for _, task in watched))

    async def _watch(self, step: Step, reached: asyncio.Event) -> None:
        if isinstance(step, Quiet):
            await self._quiet(step, reached)
        elif isinstance(step, Exchange) and mode(step, self._case.sut) == "await":
            await receive_any_time(self._scene, step, self._exchange, reached)
        else:
            await reached.wait()
            await self._observe(step)

    async def _observe(self, step: Step) -> None:
        match step:
            case Exchange():
                await self._exchange(step)
            case AnyOrder():
                await together(self._exchange(each) for each in either_way(step.steps))
            case Probe():
                await self._probe(step)
            case Attest():
                told = self._scene.stage.setup.attestations.get((self._case.id, step.id))
                write_attested(self._scene.stage.recorder, self._case.id, step, told)

    async def _exchange(self, step: Exchange) -> None:
        for given in step.values.values():
            if isinstance(given, FromSaved) and given.name not in self._scene.conversation.saved:
                raise StopCase(f"{step.id} needs {given.name}, which no earlier message had.")
        match mode(step, self._case.sut):
            case "await":
                await receive(self._scene, step, self._exchange)
            case "deliver":
                await deliver(self._scene, step, self._exchange)
            case "simulate":
                await simulate(self._scene, step, self._exchange)

    async def _quiet(self, step: Quiet, reached: asyncio.Event) -> None:
        """Watch that a message does not come; the time runs from where the script reaches the step."""
        scene = self._scene
        position = scene.stage.pack.parties[step.party].position
        unwanted = Exchange(step.id, step.message, step.party, "", position, step.movement)
        wait = scene.wait_for(unwanted, anywhere=True)
        with scene.stage.switchboard.waiting(wait):
            await reached.wait()
            since = stamp(scene.now())
            await asyncio.wait((wait.arrival,), timeout=scene.stage.seconds(step.timer))
            until = stamp(scene.now())
            if wait.arrival.done():
                wait.arrival.result().reply.set_result(refusal(scene.stage.pack))
        scene.write("quiet", step.id, message=step.message, party=step.party, since=since, until=until)

    async def _probe(self, step: Probe) -> None:
        scene, control = self._scene, self._scene.stage.setup.control
        names = scene.stage.pack.objects[step.object].key
        known = {name: scene.conversation.known(name, step.position, step.movement) for name in names}
        key = {name: value for name, value in known.items() if isinstance(value, str)}
        state = await control.state(step.object, key, step.position) if control.available else None
        scene.write("state", step.id, object=step.object, key=key, state=state)


def _in_background(step: Step) -> bool:
    return isinstance(step, Quiet) or (isinstance(step, Exchange) and step.floating)


def _turns(steps: Sequence[Step]) -> Iterator[tuple[int, Sequence[Step]]]:
    """Steps that are played one after the other; what must be quiet in a row is watched at once."""
    number = 0
    for quiet, group in groupby(steps, key=lambda step: isinstance(step, Quiet)):
        members = list(group)
        for turn in [members] if quiet else [[step] for step in members]:
            yield number, turn
            number += len(turn)
