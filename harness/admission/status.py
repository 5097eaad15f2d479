"""The signed status list: what a register says about every certificate, for those who cannot ask it.

An answer from a list is as old as the list: whoever asks offline is told how old it is, and when the next one was due.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from harness.admission.store import Head, Register
from harness.bundle.dsse import open_payload, sign_payload
from harness.errors import BundleFault, ConfigurationFault
from harness.evidence.clock import stamp
from harness.security.statement_key import PublicKey, Signer, key_id

STATUS_LIST = "application/vnd.c2c-harness.status-list+json"
SCHEMA = "c2c-harness/status-list/1"


def make_status_list(register: Register, operator: str, at: datetime, lasts: timedelta) -> dict[str, Any]:
    """What a register says about every certificate.

    Parameters:
        register: to be read.
        operator: who stands behind it.
        at: now.
        lasts: time after which the next list is due.
    """
    certificates = []
    for each in register.certificates():
        status, last = register.status(each, at)
        certificates.append(
            {
                "id": each.id,
                "statement": each.statement,
                "evidence": list(each.evidence),
                "word": each.word,
                "status": status,
                "since": each.until if status == "expired" else last.at,
                "until": each.until,
                "reason": last.reason,
            }
        )
    return {
        "schema": SCHEMA,
        "operator": operator,
        "issued": stamp(at),
        "next": stamp(at + lasts),
        "history": asdict(register.head()),
        "certificates": certificates,
    }


def must_continue(register: Register, data: bytes, trust: Sequence[PublicKey]) -> str:
    """Whether a register still holds everything that it held when a list was made of it.

    Whoever owns a register can take out its last lines unseen; not those that a list has told, which others hold.

    Parameters:
        register: to be read.
        data: a signed list of it.
        trust: keys of the operator.

    Returns:
        what was found, in one sentence.

    Raises:
        BundleFault: the list is damaged, or signed by nobody who is trusted.
        ConfigurationFault: something is missing or was changed; or the list is of an older version of this tool.
    """
    document, signers = open_payload(STATUS_LIST, data, "status-list")
    _signer(signers, trust)
    if "history" not in document:
        raise ConfigurationFault(
            "this status list does not say how much was in the register",
            remedy="It is of an older version of this tool; compare it by hand, and export a new one.",
        )
    head = Head(**document["history"])
    register.must_continue(head, document["issued"])
    more = register.head().lines - head.lines
    return f"Nothing was taken out or changed since {document['issued']}: lines then {head.lines}, added since {more}."


def sign_status_list(document: dict[str, Any], key: Signer) -> bytes:
    """The list in a signed envelope."""
    return sign_payload(STATUS_LIST, document, [key])


@dataclass(frozen=True)
class Answer:
    """What a list says about one certificate.

    Parameters:
        good: the certificate is valid, the list is not overdue, and a trusted key has signed it.
        lines: for people.
    """

    good: bool
    lines: tuple[str, ...]


def ask(
    data: bytes, certificate: str, trust: Sequence[PublicKey] | None, at: datetime, evidence: Collection[str] = ()
) -> Answer:
    """Ask a list about a certificate.

    Parameters:
        data: the signed list.
        certificate: its id, or the digest of its statement.
        trust: keys of the operator; ``None`` leaves the signer unchecked, which the first line says: anybody can write
            such a list, so that nothing is good.
        at: now, aware.
        evidence: by what the evidence of a bundle is known again: a list that does not know its statement may know
            that it was admitted as it was judged before.

    Raises:
        BundleFault: the list is damaged, or signed by nobody who is trusted.
        ConfigurationFault: it knows no such certificate.
    """
    document, signers = open_payload(STATUS_LIST, data, "status-list")
    lines = [_signer(signers, trust)]
    listed = document["certificates"]
    found = next((each for each in listed if certificate in (each["id"], each["statement"])), None)
    same = found or next((each for each in listed if set(evidence) & set(each.get("evidence", ()))), None)
    if found is None and same is not None:
        lines.append(
            f"This statement is not in the list, so that it is not admitted. The same evidence is, as it was judged "
            f"before, as certificate {same['id']}:"
        )
    if same is None:
        raise ConfigurationFault(
            f"the status list of {document['operator']} knows no certificate {certificate!r}",
            remedy="Ask the operator for a newer list, or check the id.",
        )
    issued, due = (datetime.fromisoformat(document[name]) for name in ("issued", "next"))
    status = same["status"]
    if status == "valid" and at > datetime.fromisoformat(same["until"]):
        status = "expired"
    reason = f" ({same['reason']})" if same["reason"] and status in ("suspended", "revoked") else ""
    lines.append(f"{same['id']}: {same['word']}, {status}{reason}, since {same['since']}, until {same['until']}.")
    lines.append(f"This answer is {_age(at - issued)} old: the list was issued on {document['issued']}.")
    overdue = at > due
    if overdue:
        lines.append(f"A newer list was due on {document['next']}: what happened since then is not known.")
    good = found is not None and trust is not None and status == "valid" and not overdue and at >= issued
    return Answer(good, tuple(lines))


def _signer(signers: Sequence[PublicKey], trust: Sequence[PublicKey] | None) -> str:
    ids = [key_id(each) for each in signers]
    if trust is None:
        return f"The signer was NOT checked (--trust). The list is signed by key {', '.join(ids)}."
    known = [each for each in ids if each in set(map(key_id, trust))]
    if not known:
        raise BundleFault("the status list is not signed by a trusted key, but by " + ", ".join(ids))
    return f"Signed by trusted key {', '.join(known)}."


def _age(age: timedelta) -> str:
    hours = int(age.total_seconds()) // 3600
    if hours < 0:
        return "less than no time (the clock of this computer is behind)"
    if hours < 1:
        return "less than an hour"
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"
