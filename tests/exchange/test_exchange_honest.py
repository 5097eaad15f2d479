"""A message that is wrong on purpose is wrong in exactly the declared way, or it does not leave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509 import CertificateRevocationList
from pack_kit import pack_named

from harness.errors import HarnessFault
from harness.evidence.message import open_message
from harness.exchange import honest
from harness.exchange.compose import Composed
from harness.exchange.delivery import DEFECTS as DELIVERY_DEFECTS
from harness.exchange.parcel import Seal, pack_up
from harness.message.build import build
from harness.message.defect import DEFECTS as MESSAGE_DEFECTS
from harness.message.form import print_message
from harness.pack.model import Pack
from harness.pack.sample import golden
from harness.pack.trial import schema_trials
from harness.pack.variation import alters
from harness.security.defect import DEFECTS as SECURITY_DEFECTS
from harness.security.issue import make_crl
from harness.security.pki import TestPki
from harness.security.spares import make_spares

NOW = datetime(2026, 11, 25, 12, 0, 0, 900000, UTC)
NEIGHBOURS = pack_named("neighbours")
ETIR = pack_named("etir-4.3")


@pytest.fixture(scope="module")
def seal(tmp_path_factory: pytest.TempPathFactory) -> Seal:
    pki = TestPki.create(tmp_path_factory.mktemp("pki"), NOW)
    identity = pki.issue("sender")
    return Seal(identity, make_spares(pki, identity), pki.crl())


def possible(pack: Pack) -> Iterator[str]:
    yield from (name for name, each in MESSAGE_DEFECTS.items() if pack.format in each.applies)
    yield from (name for name, each in SECURITY_DEFECTS.items() if pack.security.style in each.problems)
    yield from DELIVERY_DEFECTS


def right(pack: Pack, name: str) -> Composed:
    message = pack.messages[name]
    return Composed(message, golden(pack.format, message.golden["accepted"]))


@pytest.mark.parametrize("message", ["E9", "I7", "I9", "I10", "E7"])
@pytest.mark.parametrize("defect", list(possible(ETIR)))
def test_every_defect_breaks_what_it_says_in_soap(seal: Seal, message: str, defect: str) -> None:
    pack_up(ETIR, right(ETIR, message), seal, NOW, defect, 1.0)


@pytest.mark.parametrize("defect", list(possible(NEIGHBOURS)))
def test_every_defect_breaks_what_it_says_in_json(seal: Seal, defect: str) -> None:
    for message in NEIGHBOURS.messages:
        pack_up(NEIGHBOURS, right(NEIGHBOURS, message), seal, NOW, defect, 1.0)


def test_what_a_step_made_wrong_before_is_not_the_defects(seal: Seal) -> None:
    composed = right(ETIR, "I9")
    without = composed._replace(document=build(composed.document, composed.message.bindings, {"holder": None}))
    pack_up(ETIR, without, seal, NOW, "signature/sha1", 1.0)


SENT = [each.id for each in ETIR.variations.values() if each.requirement or each.told]


@pytest.mark.parametrize("message", ["E9", "I9", "I10"])
@pytest.mark.parametrize("variation", SENT)
def test_a_legal_variation_looks_otherwise_and_breaks_nothing(seal: Seal, message: str, variation: str) -> None:
    plain = pack_up(ETIR, right(ETIR, message), seal, NOW, None, 1.0)
    varied = pack_up(ETIR, right(ETIR, message), seal, NOW, None, 1.0, variation=variation)
    assert varied.variation == variation
    if alters(ETIR, message, ETIR.variations[variation]) or ETIR.variations[variation].hook != "structure":
        assert (varied.data, varied.headers) != (plain.data, plain.headers)


@pytest.mark.parametrize(
    ("hook", "parameters", "shows"),
    [
        ("wire", {"as": "cut"}, "malformed/not-well-formed"),
        ("structure", {"path": "Control", "as": "removed"}, "schema/missing"),
    ],
)
def test_a_variation_that_is_not_legal_is_a_fault_of_ours(
    seal: Seal, hook: str, parameters: dict[str, object], shows: str
) -> None:
    wrong = replace(ETIR.variations["prefixed"], hook=hook, parameters=parameters)
    pack = replace(ETIR, variations={"prefixed": wrong})
    with pytest.raises(HarnessFault, match=f"a legal variation shows {shows}"):
        pack_up(pack, right(pack, "I9"), seal, NOW, None, 1.0, variation="prefixed")


@pytest.mark.parametrize(
    ("defect", "really", "shows"),
    [
        ("certificate/expired", "certificate/not-yet-valid", "certificate/not-yet-valid"),
        ("signature/sha1", "signature/missing", "signature/missing"),
        ("signature/missing", "signature/foreign-key", "signature/value-invalid"),
    ],
)
def test_a_defect_that_breaks_something_else_is_a_fault_of_ours(
    seal: Seal, monkeypatch: pytest.MonkeyPatch, defect: str, really: str, shows: str
) -> None:
    declared = SECURITY_DEFECTS[defect].problems
    monkeypatch.setitem(SECURITY_DEFECTS, defect, replace(SECURITY_DEFECTS[really], problems=declared))  # type: ignore[arg-type]
    with pytest.raises(HarnessFault, match=f"{defect} shows {shows}"):
        pack_up(ETIR, right(ETIR, "I9"), seal, NOW, defect, 1.0)


@pytest.mark.parametrize(
    ("why", "shows"),
    [
        ("no list", "nothing wrong"),
        ("not on the list", "nothing wrong"),
        ("an old list", "certificate/crl-stale"),
        ("of another authority", "certificate/crl-untrusted"),
    ],
)
def test_who_is_revoked_is_on_a_list_at_hand(seal: Seal, tmp_path: Path, why: str, shows: str) -> None:
    pki = TestPki.create(tmp_path, NOW)
    right_seal = Seal(pki.issue("sender"), make_spares(pki, pki.issue("twin"), "revoked"), pki.crl())
    pack_up(ETIR, right(ETIR, "I9"), right_seal, NOW, "certificate/revoked", 1.0)
    wrong = {
        "no list": right_seal._replace(crls=()),
        "not on the list": right_seal._replace(spares={"revoked": pki.issue("good")}),
        "an old list": right_seal._replace(crls=(_old(pki),)),
        "of another authority": right_seal._replace(crls=seal.crls),
    }[why]
    with pytest.raises(HarnessFault, match=f"certificate/revoked shows {shows}"):
        pack_up(ETIR, right(ETIR, "I9"), wrong, NOW, "certificate/revoked", 1.0)


def _old(pki: TestPki) -> CertificateRevocationList:
    authority = pki.issuing
    return make_crl(authority.certificate.subject, authority.key, NOW - timedelta(days=400), {})


def test_a_pack_that_demands_revocation_can_show_defects(seal: Seal) -> None:
    strict = replace(ETIR, security=replace(ETIR.security, revocation_required=True))
    for defect in ("signature/missing", "certificate/expired", "certificate/revoked"):
        pack_up(strict, right(ETIR, "I9"), seal, NOW, defect, 1.0)


def test_a_defect_that_breaks_nothing_is_a_fault_of_ours(seal: Seal, monkeypatch: pytest.MonkeyPatch) -> None:
    lame = replace(MESSAGE_DEFECTS["message/doctype"], apply=lambda data: data)
    monkeypatch.setitem(MESSAGE_DEFECTS, "message/doctype", lame)  # type: ignore[arg-type]
    with pytest.raises(HarnessFault, match="shows nothing wrong"):
        pack_up(ETIR, right(ETIR, "I9"), seal, NOW, "message/doctype", 1.0)


def test_a_wrong_delivery_declares_nothing() -> None:
    assert honest.declared(ETIR, "delivery/closed") == frozenset()


def test_an_edit_breaks_the_content_and_nothing_else(seal: Seal) -> None:
    pack_up(ETIR, right(ETIR, "I9"), seal, NOW, "message/without at ObligationGuarantee/Principal", 1.0)
    with pytest.raises(HarnessFault, match="shows nothing wrong"):
        pack_up(ETIR, right(ETIR, "I9"), seal, NOW, "message/text at TransitOperation/ID as OP-77777777", 1.0)
    both = f"message/text at ObligationGuarantee/ReferenceID as {'?' * 90}"
    with pytest.raises(HarnessFault, match="schema/length, schema/pattern"):
        pack_up(ETIR, right(ETIR, "I9"), seal, NOW, both, 1.0)


def test_an_edit_that_was_tried_shows_what_was_said_then(seal: Seal, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = schema_trials(ETIR, "I9")[0]
    pack_up(ETIR, right(ETIR, "I9"), seal, NOW, tried.edit.name, 1.0)
    other = replace(tried, found=replace(tried.found, kind="pattern"))  # type: ignore[call-arg]
    monkeypatch.setattr(honest, "schema_trials", lambda *_: (other,))
    with pytest.raises(HarnessFault, match="shows schema/missing"):
        pack_up(ETIR, right(ETIR, "I9"), seal, NOW, tried.edit.name, 1.0)
    elsewhere = replace(tried, found=replace(tried.found, pointer="/Elsewhere"))
    monkeypatch.setattr(honest, "schema_trials", lambda *_: (elsewhere,))
    with pytest.raises(HarnessFault, match="at /Elsewhere and nothing else"):
        pack_up(ETIR, right(ETIR, "I9"), seal, NOW, tried.edit.name, 1.0)


@pytest.mark.parametrize("defect", [None, *possible(ETIR)])
def test_what_is_told_of_a_message_before_it_leaves_is_what_stands_in_its_bytes(seal: Seal, defect: str | None) -> None:
    message = ETIR.messages["I9"]
    document = print_message(golden("xml", message.golden["accepted"]), message.bindings, {"holder": "XA/1/<&>"})
    parcel = pack_up(ETIR, Composed(message, document), seal, NOW, defect, 1.0)
    told, found = (
        open_message(ETIR, {}, parcel.data, at=at, trust=None, name="I9", payload=payload)
        for at, payload in ((NOW, parcel.payload), (NOW + timedelta(seconds=1), None))
    )
    assert (told.name, told.shape, told.values, told.errors) == (found.name, found.shape, found.values, found.errors)
    if told.document is not None and found.document is not None:
        assert told.document.root == found.document.root
        for pointer in told.document.walk():
            assert told.document.texts(pointer) == found.document.texts(pointer)
            assert told.document.line(pointer) == found.document.line(pointer)
