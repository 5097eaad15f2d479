"""Whether a message that is wrong on purpose is wrong in exactly the way that was asked for.

A defect that breaks more than it says makes a case that proves nothing: the receiver may have refused the message for
something else. So each one is read with our own eyes before it leaves, as a receiver would read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from cryptography.x509 import CertificateRevocationList

from harness.errors import HarnessFault, MalformedInput
from harness.message.defect import DEFECTS as MESSAGE_DEFECTS
from harness.message.edit import Edit, read_edit
from harness.message.model import Document
from harness.message.path import same_place
from harness.pack.codelist import coded_violations
from harness.pack.identify import identify
from harness.pack.model import Message, Pack
from harness.pack.rule import rule_violations
from harness.pack.schema import violations
from harness.pack.trial import content_trials, schema_trials
from harness.pack.violation import Breach, Violation
from harness.security.defect import DEFECTS as SECURITY_DEFECTS
from harness.security.model import Identity, Trust
from harness.security.protect import inspect


class Shown(NamedTuple):
    """One thing that a message shows: its code, and of its content also where."""

    code: str
    pointer: str | None = None


def declared(pack: Pack, defect: str) -> frozenset[str]:
    """Everything that a message with this defect should show to a reader; nothing for a wrong delivery."""
    if defect in MESSAGE_DEFECTS:
        return frozenset(MESSAGE_DEFECTS[defect].problems)
    if defect in SECURITY_DEFECTS:
        return frozenset(SECURITY_DEFECTS[defect].problems[pack.security.style])
    return frozenset()


def demand_as_declared(
    pack: Pack,
    message: Message,
    right: Document,
    data: bytes,
    headers: Mapping[str, str],
    signer: Identity,
    now: datetime,
    defect: str | None,
    crls: tuple[CertificateRevocationList, ...] = (),
) -> None:
    """Make sure that a broken message shows what its defect declares, and nothing else; a legal variation nothing.

    Parameters:
        pack, message: what it is.
        right: its content before it was broken; what a step made wrong there on purpose is not the defect's.
        data, headers: as it travels.
        signer: who signs when nothing is wrong; whom it was issued by is believed here.
        now: the time of the protection.
        defect: its name; ``None`` where the message is only written in another legal way.
        crls: what shows that a certificate is revoked; looked at where that is the defect.

    Raises:
        HarnessFault: it shows something else.
    """
    wanted = set(declared(pack, defect)) if defect else set()
    trust = Trust((signer.chain or (signer.certificate,))[-1:], crls if "certificate/revoked" in wanted else ())
    shown = tuple(_shown(pack, message, data, headers, trust, now))
    before = frozenset(_content(pack, message.name, right))
    found = {each.code for each in shown}
    edit = read_edit(defect) if defect else None
    if edit is not None:
        news = [each for each in shown if each.pointer is not None and each not in before]
        wanted = _by_edit(pack, message.name, edit, news)
    if not any(each.startswith("malformed/") for each in wanted) and "envelope/unknown-message" not in wanted:
        wanted |= {each.code for each in before} & found
    if not signer.chain:  # nobody is known who could be believed to have issued it
        wanted, found = ({each for each in codes if "certificate" not in each} for codes in (wanted, found))
    if wanted != found:
        raise HarnessFault(
            f"{message.name} with {f'the defect {defect}' if defect else 'a legal variation'} shows {_listed(found)}",
            expected=_listed(wanted),
            remedy="It breaks more or less than it says; please report it.",
        )


def _by_edit(pack: Pack, message: str, edit: Edit, news: Sequence[Shown]) -> set[str]:
    """What a message should show after an edit: one thing, and where it was tried, what was said then.

    A rule may be broken beside a schema: it is looked at after it, if at all.
    """
    trials = (*schema_trials(pack, message), *content_trials(pack, message))
    tried = next((_said(each.found) for each in trials if each.edit == edit), None)
    of_schema = [each for each in news if each.code.startswith("schema/")]
    first = of_schema or list(news)
    if tried is None:
        tried = first[0] if first else Shown("a violation of the content", "/")
    if len(first) != 1 or not same_place(first[0].pointer or "/", tried.pointer or "/"):
        return {f"{tried.code} at {tried.pointer} and nothing else"}
    return {tried.code} | ({each.code for each in news} - {each.code for each in of_schema} if of_schema else set())


def _shown(
    pack: Pack, message: Message, data: bytes, headers: Mapping[str, str], trust: Trust, now: datetime
) -> Iterator[Shown]:
    try:
        opened = inspect(data, headers, replace(pack.security, revocation_required=False), trust, now)
    except MalformedInput as problem:
        yield Shown(f"malformed/{problem.code}")
        return
    yield from (Shown(problem.code) for problem in opened.report.problems)
    if opened.document is not None:
        yield from _content(pack, message.name, opened.document)


def _content(pack: Pack, name: str, document: Document) -> Iterator[Shown]:
    if pack.identify == "root" and identify(pack, root=document.root) != name:
        yield Shown("envelope/unknown-message", "/")
        return
    broken = (violations, coded_violations, rule_violations)
    yield from (_said(each) for look in broken for each in look(pack, name, document))


def _said(found: Violation | Breach) -> Shown:
    code = f"rule/{found.code}" if isinstance(found, Breach) else f"schema/{found.kind}"
    return Shown(code, found.pointer)


def _listed(codes: set[str]) -> str:
    return ", ".join(sorted(codes)) or "nothing wrong"
