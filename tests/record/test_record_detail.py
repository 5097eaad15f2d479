from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from harness.record.detail import certificate_facts
from harness.record.redact import show_body
from harness.security.pki import TestPki

XML = b"<A><B><C>one</C><C>two</C></B><D token='t'>x</D></A>"
JSON = json.dumps({"b": {"c": ["one", "two"], "d": "x"}, "password": "hush"}).encode()


def lines(data: bytes, form: str, *marks: str, places: tuple[str, ...] = ()) -> list[str]:
    shown = show_body(data, form, places, 10_000, marks)
    return [line.strip() for number, line in enumerate(shown.text.split("\n")) if number in shown.marked]


@pytest.mark.parametrize(
    ("mark", "marked"),
    [
        ("/B/C[2]", ["<C>two</C>"]),
        ("/B/C[*]", ["<C>one</C>", "<C>two</C>"]),
        ("/D/@token", ['<D token="t">x</D>']),
        ("/B/missing", ["<B>"]),
        ("/A/B/C[1]", ["<C>one</C>"]),
        ("/nothing/here", []),
        ("/", []),
        ("no path [", []),
    ],
)
def test_the_line_that_a_finding_points_to_is_marked(mark: str, marked: list[str]) -> None:
    assert lines(XML, "xml", mark) == marked


def test_a_member_of_json_is_marked_too() -> None:
    assert lines(JSON, "json", "/b/d") == ['"d": "x"']
    assert lines(JSON, "json", "/b/c[*]") == ['"c": [']
    assert lines(JSON, "json", "/password") == ['"password": "[redacted]"']


def test_marks_change_nothing_that_is_shown() -> None:
    for data, form in ((XML, "xml"), (JSON, "json")):
        plain = show_body(data, form, ["B/C"], 10_000).text
        assert show_body(data, form, ["B/C"], 10_000, ["/B/C[1]", "/B", "/b/c", "/password", "/D/@token"]).text == plain


def test_whose_key_signed_is_told(tmp_path: Path) -> None:
    identity = TestPki.create(tmp_path, datetime(2026, 1, 1, tzinfo=UTC)).issue("alice", country="XA")
    facts = certificate_facts(identity.certificate.public_bytes(Encoding.DER))
    assert facts["key"].startswith(("EC ", "RSA "))
    assert len(facts["fingerprint"]) == 64
    assert certificate_facts(b"\x30\x03nonsense") == certificate_facts(None) == {}
