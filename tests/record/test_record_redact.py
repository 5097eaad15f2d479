from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_run import CONSIGNOR, Run

from harness.record import redact
from harness.record.redact import MASK, places_of, redact_finding, redact_head, redact_text, show_body

SOAP = b"""<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Header><Security>
<BinarySecurityToken>%s</BinarySecurityToken><Password>hunter2</Password></Security></env:Header>
<env:Body><Order xmlns="urn:x">
<Buyer><Name>Ann</Name></Buyer><Line n="1"><Secret>one</Secret></Line><Line n="2"><Secret>two</Secret></Line></Order>
</env:Body></env:Envelope>""" % (b"QUJD" * 200)


@pytest.mark.parametrize(
    "secret",
    [
        "Bearer eyJhbGciOi.abc.def",
        "authorization: Basic dXNlcjpwYXNzd29yZA==",
        "password=hunter2",
        'the answer was {"password": "hunter2!"}',
        "api_key: 0123456789abcdef",
        "access_token=0123456789abcdef",
        "https://ann:hunter2@host/path",
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\nAAAA\n-----END EC PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\ncut off",
    ],
)
def test_credentials_in_a_text_are_masked(secret: str) -> None:
    shown = redact_text(f"before {secret} after")
    assert MASK in shown
    for word in ("hunter2", "eyJhbGciOi", "dXNlcjp", "0123456789", "MHcCAQEE", "cut off"):
        assert word not in shown


@pytest.mark.parametrize(
    "text",
    [
        "I9 was answered with error 220 at /; expected was accepted.",
        "The Basic Profile 1.1 forbids it; the token is missing; see https://example.org/a@b",
        "-----BEGIN CERTIFICATE-----",
        "POST /etir HTTP/1.1",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact_text(text) == text


@given(st.text())
def test_masking_ends_for_every_text(text: str) -> None:
    assert isinstance(redact_text(text), str)


_PIECES = (
    *("Bearer ", "BAS\u0130C ", "bas\u0131c ", "pa\u017fsword", "passwd", "Passphrase", "secret"),
    *("AP\u0130", "api", "_", "-", "\u212aey", "to\u212aen", "access", "://", "ann", ":", "=", "'", '"', " ", "@"),
    *("abcdefghijklmnop", "-----BEGIN PRIVATE KEY-----"),
)
"""What credentials are made of, in letters that are the same when their case is not looked at."""


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_the_quick_look_overlooks_no_credential(text: str) -> None:
    found = redact._IN_TEXT.search(text)
    assert (redact_text(text) == text) == (found is None)


def test_credentials_in_headers_are_masked_and_names_stay() -> None:
    head = {
        "line": "POST /x?token=0123456789abcdef HTTP/1.1",
        "headers": [["Authorization", "Bearer abc"], ["X-Api-Key", "k"], ["Set-Cookie", "s=1"], ["Content-Type", "x"]],
    }
    shown = redact_head(head)
    assert shown["headers"] == [
        ["Authorization", MASK],
        ["X-Api-Key", MASK],
        ["Set-Cookie", MASK],
        ["Content-Type", "x"],
    ]
    assert "0123456789abcdef" not in shown["line"]


def test_named_places_in_a_soap_body_are_masked() -> None:
    text = show_body(SOAP, "xml", ["Line[*]/Secret", "Buyer"], 10_000).text
    assert "Ann" not in text
    assert "one" not in text
    assert "two" not in text
    assert text.count(MASK) == 3  # both secrets, and the password in the header
    assert 'n="2"' in text


def test_long_texts_are_shortened_and_long_bodies_cut() -> None:
    shown = show_body(SOAP, "xml", [], 10_000)
    assert "(800 characters)" in shown.text
    assert "hunter2" not in shown.text
    cut = show_body(SOAP, "xml", [], 100)
    assert len(cut.text) == 100
    assert "all bytes are in the evidence" in cut.note


def test_json_is_masked_and_keeps_its_numbers() -> None:
    body = json.dumps({"a": {"name": "Ann", "mass": 1.50}, "items": [{"key": "x"}], "password": "hunter2"}).encode()
    text = show_body(body.replace(b"1.5", b"1.50"), "json", ["a/name", "items[*]/key"], 1000).text
    assert "Ann" not in text
    assert '"x"' not in text
    assert "hunter2" not in text
    assert "1.50" in text


def test_a_body_that_cannot_be_read_is_held_back_when_it_has_masked_places() -> None:
    held = show_body(b"<Order><Name>Ann</Na", "xml", ["Name"], 1000)
    assert held.text == ""
    assert "cannot be read" in held.note
    assert "Ann" in show_body(b"<Order><Name>Ann</Na", "xml", [], 1000).text


def test_an_empty_body_is_said() -> None:
    assert show_body(b" \n", "xml", ["Name"], 10).note == "The body is empty."


def test_a_finding_about_a_masked_place_quotes_nothing() -> None:
    text = "'Ann' is longer than 2 characters"
    assert redact_finding(text, "/Line[2]/Secret", ["Line[*]/Secret"]) == f"'{MASK}' is longer than 2 characters"
    assert redact_finding(text, "/Line[2]/Secret/@code", ["Line[*]/Secret"]).startswith(f"'{MASK}'")
    assert redact_finding(text, "/Line[2]", ["Line[*]/Secret"]) == text
    assert redact_finding(text, "/Buyer/Code", []) == text
    assert redact_finding(text, "/Buyer/Name", []) == f"'{MASK}' is longer than 2 characters"


def test_the_places_of_a_pack_are_found(run: Run) -> None:
    assert places_of(run.pack) == {"notice": ["consignor/name"]}


def test_the_sample_really_holds_what_must_be_masked(run: Run) -> None:
    """Otherwise the tests that look for it in record and report would prove nothing."""
    assert any(CONSIGNOR.encode() in run.fetch(each.data["digest"]) for each in run.events if "digest" in each.data)
