"""The records of a party: the life-cycle table read by an implementation."""

from __future__ import annotations

import pytest

from harness.message.model import Values
from harness.pack.fault import Fault
from harness.pack.model import Outcome, Pack
from harness.reference.hooks import Hooks
from harness.reference.mint import Mint, Occasion, Writer
from harness.reference.state import Book
from harness.reference.world import World

G: Values = {"guarantee": "XC95000001", "country": "UZ", "holder": "H1", "reference": "R1"}


def platform(etir: Pack, *faults: Fault) -> Book:
    return Book(etir, "platform", Hooks(faults))


def play(book: Book, *messages: str) -> None:
    for message in messages:
        book.apply(message, G)


def test_guards_come_in_the_order_of_the_table(etir: Pack) -> None:
    book = platform(etir)
    assert book.refusal("I9", "customs", G) == Outcome("error", "301", "/ObligationGuarantee/ReferenceID")
    play(book, "E1", "I1")
    assert book.refusal("I9", "customs", G) == Outcome("error", "220", "/")
    play(book, "I7")
    assert book.refusal("I9", "customs", G) is None
    play(book, "I9")
    assert book.refusal("I9", "customs", G) == Outcome("error", "210", "/")


def test_an_object_is_told_by_its_whole_key(etir: Pack) -> None:
    book = platform(etir)
    play(book, "E1", "I1", "I7", "I9")
    assert book.report("operation", G) == "started"
    assert book.report("operation", {**G, "country": "TM"}) == "none"
    assert book.report("guarantee", {**G, "guarantee": "XC95000002"}) == "unknown"


def test_a_value_must_be_that_of_the_first_message(etir: Pack) -> None:
    book = platform(etir)
    play(book, "E1")
    assert book.refusal("I1", "customs", {**G, "holder": "H2"}) == Outcome("error", "320", "/")
    assert book.refusal("I1", "customs", G) is None


def test_a_value_that_stands_in_a_pool_is_not_known(etir: Pack) -> None:
    book = platform(etir)
    unknown, offices = etir.pools["unknown_holders"][0], etir.pools["unknown_offices"]
    assert book.refusal("I3", "customs", {"holder": unknown}) == Outcome("error", "322", "/Principal/ID")
    assert book.refusal("I3", "customs", {"holder": "H1"}) is None
    assert book.refusal("I19", "customs", {"offices": ["UZTAS001", offices[0]]}) == Outcome("error", "304", "/")
    assert book.refusal("I19", "customs", {"offices": ["UZTAS001"]}) is None


def test_a_number_is_used_once_within_its_movement(etir: Pack) -> None:
    book = platform(etir)
    first = {**G, "operation": "OP-1", "sequence": "1"}
    for message in ("E1", "I1", "I7", "I9"):
        book.apply(message, first)
    second = {**first, "country": "TM", "operation": "OP-2", "sequence": "2"}
    assert book.refusal("I17", "customs", {**second, "operation": "OP-1"}) == Outcome("error", "214", "/")
    assert book.refusal("I17", "customs", {**second, "sequence": "1"}) == Outcome("error", "215", "/")
    assert book.refusal("I17", "customs", second) is None
    elsewhere = {**second, "guarantee": "XC95000002", "operation": "OP-1", "sequence": "1"}
    for message in ("E1", "I1", "I7"):
        book.apply(message, elsewhere)
    book.apply("I9", {**elsewhere, "country": "UZ", "operation": "OP-9", "sequence": "9"})
    assert book.refusal("I17", "customs", elsewhere) is None


def test_who_goes_on_sends_what_changes_something(etir: Pack) -> None:
    book = Book(etir, "customs", Hooks())
    before = book.legal(G)
    book.apply("I1", G)
    assert {"I5", "I7"} <= book.legal(G) - before
    assert book.next_message("I1", before, G) == "I7"


def test_a_reference_is_seen_once_for_each_sender(etir: Pack) -> None:
    book = platform(etir)
    book.note_reference("customs.departure", G)
    assert book.refusal("I9", "customs.departure", G) == Outcome("error", "299", "/")
    assert book.refusal("I9", "customs.transit", G) != Outcome("error", "299", "/")


def test_everything_can_be_forgotten(etir: Pack) -> None:
    book = platform(etir)
    play(book, "E1")
    book.note_reference("chain", G)
    book.clear()
    assert book.refusal("E1", "chain", G) is None


def test_a_party_judges_only_what_it_can_know(etir: Pack) -> None:
    customs = Book(etir, "customs", Hooks())
    assert customs.refusal("E9", "platform", G) is None, "customs is not told of every guarantee"
    assert not customs.sees("guarantee", G)


def test_neighbours_know_what_was_announced_to_them_or_by_them(neighbours: Pack) -> None:
    values = {"consignment": "XA26AA000001", "plate": "AB-1234"}
    book = Book(neighbours, "customs", Hooks())
    assert book.refusal("arrival", "x", values) == Outcome("error", "L02", "/consignment/number")
    book.apply("notice", values)
    assert book.refusal("arrival", "x", values) is None
    assert book.refusal("arrival", "x", {**values, "plate": "ZZ-9999"}) == Outcome("error", "L04", "/vehicle/plate")


@pytest.mark.parametrize(
    ("before", "refused", "following"),
    [(("I1", "I7"), "I9", "I11"), ((), "I1", "I7"), (("I1",), "I7", "I9"), (("I1", "I7", "I9"), "I11", "I13")],
)
def test_what_follows_an_acceptance_that_was_none(
    etir: Pack, before: tuple[str, ...], refused: str, following: str
) -> None:
    book = Book(etir, "customs", Hooks())
    play(book, *before)
    legal = book.legal(G)
    play(book, refused)
    assert book.next_message(refused, legal, G) == following


def test_a_second_country_goes_on_with_its_own_operation(etir: Pack) -> None:
    book = Book(etir, "customs", Hooks())
    legal = book.legal(G)
    play(book, "I9")
    assert book.next_message("I9", legal, G) == "I11"


def writer(pack: Pack, role: str, seed: str = "s") -> Writer:
    facts = {seat: party.facts for seat, party in pack.parties.items()}
    return Writer(pack, role, Mint(seed, pack.pools), World(pack, role, facts))


def test_values_are_given_heard_remembered_or_made(etir: Pack) -> None:
    customs = writer(etir, "customs")
    seat = "customs.departure"
    known = {"guarantee": "XC95000001"}
    given = {**known, "holder": "H1"}
    first = customs.values("I9", Occasion(seat, "platform", seat, given, known=given))
    again = customs.values("I11", Occasion(seat, "platform", seat, given, known=given))
    assert first["holder"] == "H1"
    assert (first["country"], first["office"], first["sender_id"]) == ("UZ", "UZTAS001", "UZ-CUSTOMS")
    assert first["recipient_id"] == "C2C-PLATFORM"
    assert first["operation"] == again["operation"], "one operation, one number"
    assert first["reference"] != again["reference"]
    other = customs.values("I9", Occasion("customs.transit", "platform", "customs.transit", given, known=given))
    assert other["operation"] != first["operation"]
    assert other["country"] == "TM"


def test_another_process_makes_other_values(etir: Pack) -> None:
    occasion = Occasion("chain", "platform", "chain")
    one, two = (writer(etir, "chain", seed).values("E1", occasion) for seed in ("1", "2"))
    assert one["guarantee"] != two["guarantee"]
    assert one["reference"] != two["reference"]


def test_patterns_never_repeat() -> None:
    mint = Mint("seed", {})
    made = [mint.pattern("XC95####") for _ in range(1000)]
    assert len(set(made)) == 1000
    assert all(len(text) == 8 and text[4:].isdigit() for text in made)
    assert all(text.isalpha() for text in (mint.pattern("@@") for _ in range(30)))


def test_an_itinerary_comes_in_the_order_of_positions(etir: Pack) -> None:
    holder = writer(etir, "holder")
    values = holder.values("E9", Occasion("holder", "platform", "holder"))
    assert values["itinerary"] == ["UZ", "TM", "AZ"]
