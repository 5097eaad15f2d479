"""The doors: style and format are hidden, and what comes out is the very tree that was verified."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from wss_kit import PROFILE, XML, good

import harness.security
from harness.errors import ConfigurationFault, MalformedInput
from harness.message.document import parse
from harness.message.envelope import make_fault
from harness.message.model import Limits
from harness.message.xml import parse_written
from harness.security.model import SecurityProfile
from harness.security.problems import PROBLEMS
from harness.security.profile import PARTS
from harness.security.protect import inspect, protect


@pytest.mark.parametrize("soap", [None, "1.1", "1.2"])
def test_without_protection_there_is_nothing_to_report(world, soap):
    profile = SecurityProfile("none", soap=soap)
    protected = protect(parse("xml", XML), world.ec, profile, world.now)
    assert protected.headers == {}
    found = inspect(protected.data, {}, profile, world.trust, world.now)
    assert found.document.texts("Mass") == ["12.50"]
    assert found.report.problems == ()
    assert found.report.signed == ()
    assert not found.report.trusted
    assert not found.report.covers_body()


@pytest.mark.parametrize(("style", "soap"), [("wss", "1.2"), ("wss", "1.1"), ("jws", "1.2"), ("jws", None)])
def test_document_is_part_of_the_tree_that_was_verified(world, style, soap):
    profile = SecurityProfile(style, soap=soap, signatures=("ecdsa-sha256",) if style == "wss" else ("ES256",))
    protected = protect(parse("xml", XML), world.ec, profile, world.now)
    found = inspect(protected.data, protected.headers, profile, world.trust, world.now)
    assert found.report.trusted
    root = found.document.element.getroottree().getroot()
    assert root.tag.endswith("}Envelope") == (soap is not None)
    assert found.document.texts("Name") == ["Transit office"]


@pytest.mark.parametrize("defect", ["signature/missing", "signature/body-not-signed", "signature/wrapped-body"])
def test_document_is_handed_out_signed_or_not(world, defect):
    found = inspect(good(world, defect=defect), {}, PROFILE, world.trust, world.now)
    assert found.document.root == "{urn:m}Doc"
    assert not found.report.covers_body()


def test_fault_is_told_from_a_payload(world):
    for style in ("wss", "none"):
        profile = SecurityProfile(style, soap="1.2")
        found = inspect(make_fault("1.2", "Sender", "no"), {}, profile, world.trust, world.now)
        assert found.document is None
        assert found.fault.code == "Sender"


def test_problems_of_the_envelope_under_a_jws(world):
    profile = SecurityProfile("jws", soap="1.2", signatures=("ES256",))
    protected = protect(parse("xml", XML), world.ec, profile, world.now)
    other = SecurityProfile("jws", soap="1.1", signatures=("ES256",))
    report = inspect(protected.data, protected.headers, other, world.trust, world.now).report
    assert [problem.code for problem in report.problems] == ["structure/soap-version"]


def test_limits_hold(world):
    with pytest.raises(MalformedInput):
        inspect(good(world), {}, PROFILE, world.trust, world.now, Limits(size=100))


@pytest.mark.parametrize(
    ("style", "wrong"),
    [
        ("wsss", {}),
        ("wss", {"soap": "1.3"}),
        ("wss", {"signed": ("bodies",)}),
        ("wss", {"signatures": ("rsa-sha1",)}),
        ("wss", {"digests": ("sha1",)}),
        ("wss", {"canonicalisations": ("c14n11",)}),
        ("wss", {"tokens": ("x509",)}),
        ("wss", {"key_usages": ("digital-signature",)}),
        ("jws", {"signatures": ("HS256",)}),
    ],
)
def test_name_that_is_not_known_is_found_before_anything_is_done(world, style, wrong):
    profile = SecurityProfile(style, **{"soap": "1.2", **wrong})
    for door in (
        lambda: protect(parse("xml", XML), world.ec, profile, world.now),
        lambda: inspect(XML, {}, profile, world.trust, world.now),
    ):
        with pytest.raises(ConfigurationFault, match="not known"):
            door()


def test_nothing_secret_in_what_is_printed(world):
    protected = protect(parse("xml", XML), world.ec, PROFILE, world.now)
    found = inspect(protected.data, {}, PROFILE, world.trust, world.now)
    assert "PrivateKey" not in repr((world.ec, protected, found))


def test_every_problem_code_of_the_source_is_in_the_table_and_the_other_way_round():
    """Codes are literals in the source of the rooms that make them."""
    rooms = Path(harness.security.__file__).parent, Path(harness.security.__file__).parent.parent / "message"
    parts = {code.partition("/")[0] for code in PROBLEMS}
    written = set()
    for file in (file for room in rooms for file in room.glob("*.py") if file.name not in ("problems.py", "defect.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                part, slash, word = node.value.partition("/")
                if part in parts and slash and word.replace("-", "").isalnum():
                    written.add(node.value)
    made_from_parts = {f"signature/{part}-not-signed" for part in PARTS}
    assert written | made_from_parts == set(PROBLEMS)


def test_documentation_lists_every_problem():
    page = (Path(harness.security.__file__).parents[2] / "docs" / "signatures.md").read_text(encoding="utf-8")
    for code, meaning in PROBLEMS.items():
        assert f"| `{code}` | {meaning} |" in page


@pytest.mark.parametrize("ids", ["wsu:Id", "Id"])
@pytest.mark.parametrize(
    "payload",
    [
        b'<Doc xmlns="urn:m">\n <A b="1">x</A>\n</Doc>',
        b'<m:Doc xmlns:m="urn:m"><m:A/></m:Doc>',
        b"<Doc><A>none</A></Doc>",
        b'<Doc><env:A xmlns:env="urn:other"/></Doc>',
        b'<Doc xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:A/></Doc>',
    ],
)
def test_a_payload_that_was_read_before_is_signed_and_told_as_it_stands_in_the_message(world, payload, ids):
    profile = replace(PROFILE, ids=ids)
    protected = protect(parse_written(payload), world.ec, profile, world.now)
    found = inspect(protected.data, {}, profile, world.trust, world.now)
    assert found.report.trusted
    told, read = protected.payload, found.document
    assert told.root == read.root
    assert list(told.walk()) == list(read.walk())
    assert [told.line(each) for each in told.walk()] == [read.line(each) for each in read.walk()]


def test_what_a_defect_has_changed_is_not_told_from_before(world):
    for defect in ("signature/body-altered", "signature/wrapped-body"):
        assert protect(parse_written(XML), world.ec, PROFILE, world.now, defect).payload is None
