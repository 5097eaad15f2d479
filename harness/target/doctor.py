"""Pre-flight: is everything set up so that a run can say something about the SUT?

What is found here is configuration, never a verdict. Every line says what to do. The SUT gets no message of the
protocol: one GET without a body, and calls of its control interface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from harness.errors import ConfigurationFault
from harness.pack.model import Pack
from harness.scenario.load import load_scenarios
from harness.security.model import Identity
from harness.target.diagnosis import Line, validity, wrong
from harness.target.identities import (
    LISTENER,
    check_statement_key,
    load_identities,
    load_signers,
    load_trust,
    revocation_data,
)
from harness.target.load import check_target
from harness.target.model import Target
from harness.target.reach import control, endpoints, listen


async def diagnose(target: Target, pack: Pack, confirm: Callable[[str], bool] = lambda _: False) -> list[Line]:
    """Examine everything, and go on after what is wrong.

    Parameters:
        target, pack: what shall be run.
        confirm: asks a person about a control command that was not confirmed before.
    """
    lines = [*_pack(pack), *_target(target, pack), *_pools(target, pack)]
    identities: dict[str, Identity] = {}
    try:
        identities = load_identities(target, pack)
        lines += [
            validity("our certificates", f"Our certificate of {name}", identity.certificate)
            for name, identity in identities.items()
        ]
    except ConfigurationFault as fault:
        lines.append(wrong("our certificates", fault))
    lines += _trust(target)
    lines += _signers(target)
    lines += _statement(target, identities.values())
    async with AsyncExitStack() as stack:
        lines += [line async for line in endpoints(target, pack, identities)]
        url, line = await listen(target, identities.get(LISTENER), stack)
        lines.append(line)
        lines += [line async for line in control(target, pack, confirm, url)]
    return [line for number, line in enumerate(lines) if line.ok is not False or not _told(line, lines[:number])]


def _told(line: Line, before: Iterable[Line]) -> bool:
    """Whether one mistake, such as a file that several parts need, stands in an earlier line."""
    return any((each.what, each.remedy) == (line.what, line.remedy) for each in before)


def _pack(pack: Pack) -> Iterator[Line]:
    try:
        scenarios = load_scenarios(pack)
    except ConfigurationFault as fault:
        yield wrong("pack", fault)
        return
    yield Line("pack", True, f"{pack.id} {pack.version}: {len(pack.messages)} messages, {len(scenarios)} scenarios.")


def _target(target: Target, pack: Pack) -> Iterator[Line]:
    try:
        check_target(target, pack)
    except ConfigurationFault as fault:
        yield wrong("target", fault)
        return
    seats = ", ".join(target.positions or pack.roles[target.role].positions) or "its one seat"
    yield Line("target", True, f"{target.sut.product} {target.sut.version} as {target.role}: {seats}.")


def _pools(target: Target, pack: Pack) -> Iterator[Line]:
    for name in pack.pools:
        entries = target.ixit.pools.get(name)
        if entries is None:
            yield Line(
                "data",
                None,
                f"The pool {name} has the {len(pack.pools[name])} values of the pack.",
                f"Are they so in your system, as the name says? Otherwise set ixit/pools/{name}.",
            )
        elif not entries:
            yield Line(
                "data", False, f"The pool {name} is empty: cases that need it are not run.", "Add values to the IXIT."
            )
        else:
            yield Line("data", True, f"The pool {name} has {len(entries)} values.")


def _trust(target: Target) -> Iterator[Line]:
    try:
        trust = load_trust(target)
    except ConfigurationFault as fault:
        yield wrong("trust anchors", fault)
        return
    for anchor in trust.anchors:
        yield validity("trust anchors", f"The trust anchor {anchor.subject.rfc4514_string()}", anchor)
    if not trust.crls and not trust.ocsp:
        remedy = "Name revocation lists in certificates/crls, or cached answers in certificates/ocsp."
        yield Line("trust anchors", None, "Revocation is not checked.", remedy)
    for file, what, end in revocation_data(target):
        if end <= datetime.now(UTC):
            yield Line("trust anchors", False, f"The {what} in {file} is out of date.", "Get the current one.")


def _signers(target: Target) -> Iterator[Line]:
    if not target.certificates.signers:
        remedy = "Name its certificates in certificates/signers."
        yield Line("signers", None, "Who signs is not bound to the system.", remedy)
        return
    try:
        signers = load_signers(target)
    except ConfigurationFault as fault:
        yield wrong("signers", fault)
        return
    for signer in signers:
        yield validity("signers", f"The signer {signer.subject.rfc4514_string()}", signer)


def _statement(target: Target, identities: Iterable[Identity]) -> Iterator[Line]:
    if target.statement is None:
        yield Line("statement key", None, "The target names no key for the statement.", "Name one in statement/key.")
        return
    try:
        check_statement_key(target.statement, identities, target.source.where(("statement", "key")))
    except ConfigurationFault as fault:
        yield wrong("statement key", fault)
        return
    yield Line("statement key", True, "The statement key can be read, and is no key of the exchange.")
