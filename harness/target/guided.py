"""A person in place of a control interface: told what to do, asked what cannot be seen on the wire."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol, TextIO

from harness.exchange.model import ControlAnswer
from harness.target.control import Adapter


class Person(Protocol):
    """Whoever operates the system under test."""

    def tell(self, text: str) -> None:
        """Say what to do next."""
        ...

    async def ask(self, question: str) -> str:
        """Ask something, and wait for the answer, however long it takes."""
        ...


class Terminal:
    """A person at a terminal.

    Parameters:
        answers, prompts: what the person types, and where to write; standard input and standard error when left out.
    """

    def __init__(self, answers: TextIO | None = None, prompts: TextIO | None = None) -> None:
        self._answers, self._prompts = answers or sys.stdin, prompts or sys.stderr
        self._waiting: deque[Callable[[str], None]] = deque()
        self._reader: threading.Thread | None = None
        self._ended = False

    def tell(self, text: str) -> None:
        """Write it on lines of its own."""
        self._prompts.write(f"\n{text}\n")
        self._prompts.flush()

    async def ask(self, question: str) -> str:
        """Write the question, and wait for a line; an end of the input is an empty answer."""
        loop, answer = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

        def settle(line: str) -> None:
            if not answer.done():
                answer.set_result(line)

        def give(line: str) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, line)

        self.tell(question)
        self._waiting.append(give)
        if self._reader is None:
            self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
            self._reader.start()
        if self._ended:
            self._give_up()
        return str(await answer)

    def _read(self) -> None:
        """Hand each line to the question that waits longest; what is typed unasked is dropped."""
        for line in self._answers:
            if self._waiting:
                self._waiting.popleft()(line.strip())
        self._ended = True
        self._give_up()

    def _give_up(self) -> None:
        with suppress(IndexError):  # the reader and whoever asks may both come here
            while True:
                self._waiting.popleft()("")


def guided_control(person: Person) -> Adapter:
    """A control interface that is a person.

    What the person is told to send is waited for like what any other system was asked for. A state that the person does
    not know is not observable.
    """
    done = 0

    async def call(name: str, body: Mapping[str, Any]) -> ControlAnswer:
        nonlocal done
        if name == "actions":
            done += 1
            person.tell(_instruction(done, body))
            return ControlAnswer(202)
        if name == "state":
            state = await person.ask(_question(body))
            return ControlAnswer(200, {"state": state}) if state else ControlAnswer(404, error="the person cannot tell")
        return ControlAnswer(None, error=f"a person makes the system act; there is no {name!r}")

    return Adapter(call)


def _instruction(number: int, body: Mapping[str, Any]) -> str:
    place = f" as {body['position']}" if body["position"] else ""
    receiver = body["receiver"]
    lines = [f"Action {number}: send {body['message']}{place} to {receiver['party']} at {receiver['url']}"]
    lines += [f"    {name} = {_shown(value)}" for name, value in body["parameters"].items()]
    lines.append(f"    ({body['case']}; it is seen when it comes. Ctrl-C pauses; `c2c run --resume` goes on.)")
    return "\n".join(lines)


def _question(body: Mapping[str, Any]) -> str:
    place = f" for {body['position']}" if body["position"] else ""
    key = ", ".join(f"{name} {value}" for name, value in body["key"].items())
    return f"Look up: in which state is the {body['object']} with {key or 'no number yet'}{place}? (Enter: cannot tell)"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
