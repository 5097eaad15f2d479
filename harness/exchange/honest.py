"""Whether a message that is wrong on purpose is wrong in exactly the way that was asked for.

A defect that breaks more than it says makes a case that proves nothing: the receiver may have refused the message for
something else. So each one is read with our own eyes before it leaves, as a receiver would read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from harness.errors import HarnessFault, MalformedInput
from harness.message.defect import DEFECTS as MESSAGE_DEFECTS
from harness.message.edit import Edit, read_edit
from harness.message.model import Document
from harness.pack.codelist import coded_violations
from harness.pack.identify import identify
from harness.pack.model import Message, Pack
from harness.pack.rule import rule_violations
from harness.pack.schema import violations
from harness.pack.trial import content_trials, schema_trials
from harness.pack.violation import Breach
from harness.security.defect import DEFECTS as SECURITY_DEFECTS
from harness.security.model import Identity, Trust
from harness.security.protect import inspect

CONTENT = ("schema/", "rule/", "envelope/")
"""What an edit of the content may show: which of it, the schema of the message says."""


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
    defect: str,
) -> None:
    """Make sure that a broken message shows what its defect declares, and nothing else.

    Parameters:
        pack, message: what it is.
        right: its content before it was broken; what a step made wrong there on purpose is not the defect's.
        data, headers: as it travels.
        signer: who signs when nothing is wrong; whom it was issued by is believed here. Revocation is not looked at.
        now: the time of the protection.
        defect: its name.

    Raises:
        HarnessFault: it shows something else.
    """
    wanted, found = set(declared(pack, defect)), set(_found(pack, message, data, headers, signer, now))
    edit = read_edit(defect)
    if edit is not None:
        wanted = _by_edit(pack, message.name, edit, {each for each in found if each.startswith(CONTENT)})
    if not any(each.startswith("malformed/") for each in wanted) and "envelope/unknown-message" not in wanted:
        wanted |= set(_content(pack, message.name, right)) & found
    for each in (
        ("certificate/revoked",) if signer.chain else [each for each in wanted | found if "certificate" in each]
    ):
        wanted.discard(each)
        found.discard(each)
    if wanted != found:
        raise HarnessFault(
            f"{message.name} with the defect {defect} shows {_listed(found)}",
            expected=_listed(wanted),
            remedy="The defect breaks more or less than it says; please report it.",
        )


def _by_edit(pack: Pack, message: str, edit: Edit, content: set[str]) -> set[str]:
    """What a message should show after an edit: what was said when it was tried; for one that was not, anything.

    A rule may be broken beside a schema: it is looked at after it, if at all.
    """
    trials = (*schema_trials(pack, message), *content_trials(pack, message))
    trial = next((each for each in trials if each.edit == edit), None)
    if trial is None:
        return content or {"a violation of the content"}
    if isinstance(trial.found, Breach):
        return {f"rule/{trial.found.code}"}
    return {f"schema/{trial.found.kind}"} | {each for each in content if not each.startswith("schema/")}


def _found(
    pack: Pack, message: Message, data: bytes, headers: Mapping[str, str], signer: Identity, now: datetime
) -> Iterator[str]:
    trust = Trust((signer.chain or (signer.certificate,))[-1:])
    try:
        opened = inspect(data, headers, pack.security, trust, now)
    except MalformedInput as problem:
        yield f"malformed/{problem.code}"
        return
    yield from (problem.code for problem in opened.report.problems)
    if opened.document is not None:
        yield from _content(pack, message.name, opened.document)


def _content(pack: Pack, name: str, document: Document) -> Iterator[str]:
    if pack.identify == "root" and identify(pack, root=document.root) != name:
        yield "envelope/unknown-message"
        return
    yield from (f"schema/{each.kind}" for each in violations(pack, name, document))
    for breach in (*coded_violations(pack, name, document), *rule_violations(pack, name, document)):
        yield f"rule/{breach.code}"


def _listed(codes: set[str]) -> str:
    return ", ".join(sorted(codes)) or "nothing wrong"
