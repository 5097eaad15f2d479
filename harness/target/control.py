"""Ways to ask the SUT to act: over HTTPS, by a command, or not at all.

The calls and their JSON are those of ``harness/schemas/control.openapi.json``. A command gets on its standard input
``{"call": "actions", "body": {...}}`` and answers with the body on its standard output; it ends with 0 when it did
what it was asked to, and says on its standard error why not.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from cryptography.x509 import Certificate

from harness.errors import ConfigurationFault
from harness.exchange.model import ControlAnswer, Order
from harness.exchange.wire import WireFailure, WireTransport, client_context, post
from harness.target.model import CommandControl, HttpControl

SECONDS = 30.0
"""How long a call over HTTP may take."""

_MOST = 1024 * 1024
_METHODS = {"about": ("GET", "/")}

Call: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[ControlAnswer]]
"""Makes one call: ``about``, ``actions``, ``state``, ``reset`` or ``callback``, with its body."""


async def _nothing() -> None:
    """Nothing is held, so nothing is let go of."""


class Adapter:
    """The control interface, whatever carries its calls.

    Parameters:
        call: carries one call.
        close: lets go of connections.
        available: whether the SUT can be asked at all.
    """

    def __init__(self, call: Call, close: Callable[[], Awaitable[None]] = _nothing, *, available: bool = True) -> None:
        self._call, self._close, self._available = call, close, available

    @property
    def available(self) -> bool:
        """Whether the SUT can be asked at all."""
        return self._available

    async def about(self) -> ControlAnswer:
        """What the SUT is, its clock, and what it can be asked to do."""
        return await self._call("about", {})

    async def send(self, order: Order) -> ControlAnswer:
        """Ask the SUT to send a message."""
        return await self._call(
            "actions",
            {
                "case": order.case,
                "step": order.step,
                "message": order.message,
                "position": order.position,
                "parameters": dict(order.parameters),
                "receiver": {"party": order.receiver, "url": order.url},
            },
        )

    async def state(self, object: str, key: Mapping[str, str], position: str | None) -> str | None:  # noqa: A002
        """The state of an object as the SUT believes it; ``None`` when that cannot be observed."""
        answer = await self._call("state", {"object": object, "key": dict(key), "position": position})
        state = answer.body.get("state") if answer.taken else None
        return state if isinstance(state, str) else None

    async def reset(self) -> ControlAnswer:
        """Ask the SUT to forget all movements."""
        return await self._call("reset", {})

    async def callback(self, url: str) -> ControlAnswer:
        """Ask the SUT whether it can reach an address."""
        return await self._call("callback", {"url": url})

    async def close(self) -> None:
        """Let go of connections."""
        await self._close()


def no_control() -> Adapter:
    """For a SUT that cannot be asked."""

    async def call(name: str, _: Mapping[str, Any]) -> ControlAnswer:
        return ControlAnswer(None, error=f"the target has no control interface for {name!r}")

    return Adapter(call, available=False)


def http_control(choice: HttpControl, anchors: tuple[Certificate, ...]) -> Adapter:
    """The control interface over HTTPS.

    Parameters:
        choice: from the target file.
        anchors: whom its TLS certificate is believed on.

    Raises:
        ConfigurationFault: the token or the anchors cannot be used.
    """
    token = choice.token.read()
    transport = WireTransport(client_context(None, anchors))
    headers = (
        ("Authorization", f"Bearer {token}"),
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
    )

    async def call(name: str, body: Mapping[str, Any]) -> ControlAnswer:
        method, path = _METHODS.get(name, ("POST", f"/{name}"))
        data = b"" if method == "GET" else json.dumps(body).encode()
        try:
            wire = await post(transport, choice.url + path, data, headers, method=method, seconds=SECONDS)
        except WireFailure as problem:
            return ControlAnswer(None, error=f"the control interface does not answer: {problem.text}")
        status, document = wire.response.status, _object(wire.response.body)
        if status >= 300:
            return ControlAnswer(status, document, f"HTTP {status}: {document.get('error', 'no reason is given')}")
        if status != 204 and not document:
            return ControlAnswer(status, error="the control interface answers without a JSON object")
        return ControlAnswer(status, document)

    return Adapter(call, transport.aclose)


def command_control(choice: CommandControl, folder: Path) -> Adapter:
    """The control interface as a program, started once for every call, without a shell.

    Parameters:
        choice: from the target file.
        folder: where it runs.

    Raises:
        ConfigurationFault: there is no such program.
    """
    program, arguments = _program(choice, folder), choice.arguments[1:]
    seconds = choice.timeout.total_seconds()

    async def call(name: str, body: Mapping[str, Any]) -> ControlAnswer:
        question = json.dumps({"call": name, "body": body}).encode()
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                program, *arguments, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe
            )
        except OSError as problem:
            return ControlAnswer(None, error=f"the control command cannot be started: {problem.strerror}")
        try:
            async with asyncio.timeout(seconds):
                said, complained = await process.communicate(question)
        except TimeoutError:
            return ControlAnswer(None, error=f"the control command did not end within {seconds:g} s")
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if process.returncode != 0:
            words = complained[-500:].decode("utf-8", "replace").strip().splitlines()
            reason = words[-1] if words else "no reason is given"
            return ControlAnswer(None, _object(said), f"the control command ended with {process.returncode}: {reason}")
        document = _object(said)
        if said.strip() and not document:
            return ControlAnswer(None, error="the control command does not answer with a JSON object")
        return ControlAnswer(202, document)

    return Adapter(call)


def command_digest(choice: CommandControl, folder: Path) -> str:
    """What a person confirms: the arguments, the program, and every argument that is a file, as one digest.

    Raises:
        ConfigurationFault: there is no such program.
    """
    digest = hashlib.sha256(json.dumps(choice.arguments).encode())
    for file in (Path(_program(choice, folder)), *(folder / each for each in choice.arguments[1:])):
        if file.is_file():
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return f"sha256:{digest.hexdigest()}"


def confirm_command(choice: CommandControl, target_file: Path, ask: Callable[[str], bool]) -> None:
    """Let a person confirm a command once; it is asked again when a file behind it has changed.

    Parameters:
        choice: from the target file.
        target_file: confirmed digests are kept beside it, in ``FILE.confirmed``.
        ask: shows a question, and tells whether the answer was yes.

    Raises:
        ConfigurationFault: the person said no.
    """
    digest = command_digest(choice, target_file.parent)
    kept = target_file.with_name(target_file.name + ".confirmed")
    confirmed = kept.read_text("utf-8").split() if kept.is_file() else []
    if digest in confirmed:
        return
    command = " ".join(choice.arguments)
    if not ask(f"The target file wants to run this command on your computer: {command}\n{digest}\nRun it?"):
        raise ConfigurationFault(
            f"the control command was not confirmed: {command}",
            remedy="Read what it does, and confirm it; --yes confirms it without a question.",
        )
    kept.write_text("\n".join([*confirmed, digest]) + "\n", "utf-8", newline="\n")


def _program(choice: CommandControl, folder: Path) -> str:
    """The program itself: in the search path, or relative to the target file."""
    found = shutil.which(choice.arguments[0]) or shutil.which(str((folder / choice.arguments[0]).absolute()))
    if found is None:
        raise ConfigurationFault(
            f"the control command {choice.arguments[0]!r} is not there",
            expected="a program in the search path, or a path relative to the target file",
            remedy="Correct control/arguments in the target file.",
        )
    return found


def _object(data: bytes) -> dict[str, Any]:
    """A JSON object, or an empty one when it is none."""
    try:
        document = json.loads(data[:_MOST]) if data.strip() else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
