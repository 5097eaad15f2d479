"""From a composed message to what travels: protected, addressed, and wrong in exactly the way that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from cryptography.x509 import CertificateRevocationList

from harness.evidence.conversation import name_made_by
from harness.exchange.compose import Composed
from harness.exchange.delivery import DEFECTS as DELIVERY_DEFECTS
from harness.exchange.delivery import Delivery
from harness.exchange.honest import demand_as_declared
from harness.message.build import build
from harness.message.defect import message_defect
from harness.message.envelope import make_fault, wrap
from harness.message.model import Document
from harness.pack.model import Message, Pack
from harness.pack.variation import Headers, vary_data, vary_document, vary_headers
from harness.security.model import Identity
from harness.security.protect import protect

ANOTHER = "ANOTHER-REQUEST"
"""The reference of a request that nobody made."""


class Parcel(NamedTuple):
    """A message as it is handed to the wire.

    Parameters:
        data: the body.
        headers: those that belong to it.
        delivery: what goes wrong on the way, on purpose.
        payload: what stands in these very bytes, where they were read already.
        variation: name of the legal variation in which it is written, or ``None``.
    """

    data: bytes
    headers: Headers = ()
    delivery: Delivery | None = None
    payload: Document | None = None
    variation: str | None = None


class Seal(NamedTuple):
    """What a party protects its messages with.

    Parameters:
        identity: its own.
        spares: identities that are wrong in one way, by what is wrong.
        crls: what shows which of them is revoked.
    """

    identity: Identity
    spares: Mapping[str, Identity]
    crls: tuple[CertificateRevocationList, ...] = ()


def pack_up(
    pack: Pack,
    composed: Composed,
    seal: Seal,
    now: datetime,
    defect: str | None,
    patience: float,
    *,
    variation: str | None = None,
) -> Parcel:
    """Protect a message, and break it or write it in another legal way if asked to.

    Parameters:
        pack: the profile.
        composed: the message.
        seal: of the sender.
        now: the time to write into the protection.
        defect: name of the defect, or ``None``.
        patience: seconds that the receiver of an answer waits.
        variation: name of the legal variation, or ``None``.

    Raises:
        ConfigurationFault: the defect is not possible here, or the party has no identity that is wrong in this way.
        HarnessFault: the defect breaks something else than it says, or the variation breaks anything.
    """
    another = pack.variations[variation] if variation else None
    document: Document = vary_document(composed.document, another)
    kind = (defect or "").partition("/")[0]
    delivery = DELIVERY_DEFECTS[defect].make(patience) if defect and kind == "delivery" else None
    reply = name_made_by(pack, composed.message.name, "reply")
    if delivery is not None and delivery.other_request and reply is not None:
        document = build(document, composed.message.bindings, {reply: ANOTHER})
    in_message = message_defect(defect) if defect else None
    if in_message is not None and in_message.stage == "document":
        document = in_message.apply(document)
    in_protection = None if kind in ("message", "envelope", "delivery") else defect
    protected = protect(document, seal.identity, pack.security, now, in_protection, spares=seal.spares)
    data, payload = protected.data, protected.payload
    if in_message is not None and in_message.stage == "bytes":
        data, payload = in_message.apply(data), None
    if another is not None:
        data, payload = vary_data(data, another), None
    if defect is not None or another is not None:
        headers, right = protected.headers, composed.document
        demand_as_declared(pack, composed.message, right, data, headers, seal.identity, now, defect, seal.crls)
    sent = vary_headers((*content_headers(pack, composed.message), *protected.headers.items()), another)
    return Parcel(data, sent, delivery, payload, variation)


def content_headers(pack: Pack, message: Message) -> Headers:
    """Content type and action: a header in SOAP 1.1 (6.1.1), a parameter of the type in SOAP 1.2 (part 2, 6.5.3)."""
    if message.action and pack.envelope == "soap-1.2":
        return (("Content-Type", f'{pack.media_type}; charset=utf-8; action="{message.action}"'),)
    kind = ("Content-Type", f"{pack.media_type}; charset=utf-8")
    if message.action and pack.envelope == "soap-1.1":
        return (kind, ("SOAPAction", f'"{message.action}"'))
    return (kind,)


def unsigned(pack: Pack, document: Document) -> bytes:
    """A message between two simulated parties: as it would travel, without protection."""
    return document.to_bytes() if pack.security.soap is None else wrap(document, pack.security.soap)


def turned_away(pack: Pack, code: str = "Sender") -> tuple[int, Parcel]:
    """Status and content of the answer to what is no message that can be answered in the protocol."""
    if pack.security.soap is None:
        text = b"The request is not a message that is due here.\n"
        return 400, Parcel(text, (("Content-Type", "text/plain; charset=utf-8"),))
    status = 400 if code == "Sender" and pack.security.soap == "1.2" else 500
    fault = make_fault(pack.security.soap, code, "The request is not a message that is due here.")
    return status, Parcel(fault, (("Content-Type", f"{pack.media_type}; charset=utf-8"),))


def address(base: str, message: Message) -> str:
    """Where a message goes: the endpoint of its receiver, and its own path below it."""
    return "/".join(part for part in (base.rstrip("/"), message.target.strip("/")) if part)
