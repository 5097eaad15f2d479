"""Envelopes: in and out again, faults, and what is wrong with a structure that can still be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from harness.errors import ConfigurationFault, MalformedInput
from harness.message.envelope import NAMESPACES, SoapFault, make_fault, open_envelope, wrap
from harness.message.model import Limits
from harness.message.xml import parse_xml

VERSIONS = pytest.mark.parametrize("soap", ["1.2", "1.1"])
PAYLOAD = b'<m:Start xmlns:m="urn:m" xmlns:env="urn:other" xmlns:q="urn:q"><env:A kind="q:b">\xc3\xa9</env:A></m:Start>'


def envelope(soap: str, content: str) -> bytes:
    return f'<e:Envelope xmlns:e="{NAMESPACES[soap]}">{content}</e:Envelope>'.encode()


def canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


@VERSIONS
def test_a_payload_comes_out_as_it_went_in(soap: str) -> None:
    payload = parse_xml(PAYLOAD)
    opened = open_envelope(wrap(payload, soap), soap)
    assert (opened.soap, opened.fault, opened.problems) == (soap, None, ())
    assert opened.header is not None
    assert opened.body is not None
    assert opened.body.root == "{urn:m}Start"
    assert opened.body.texts("A") == ["\u00e9"]
    assert opened.body.pointers("A") == ["/A"]
    assert canonical(opened.body.element) == canonical(payload.element)
    assert opened.body.element.getroottree().getroot() is opened.tree


@VERSIONS
def test_the_payload_keeps_its_declarations_byte_for_byte(soap: str) -> None:
    data = wrap(parse_xml(PAYLOAD), soap)
    assert PAYLOAD in data
    assert etree.tostring(etree.fromstring(data), encoding="UTF-8", xml_declaration=False) in data


def test_an_unknown_version_is_a_fault_of_whoever_asks() -> None:
    with pytest.raises(ConfigurationFault):
        wrap(parse_xml(PAYLOAD), "1.0")
    with pytest.raises(ConfigurationFault):
        make_fault("", "Sender", "x")


@VERSIONS
@pytest.mark.parametrize("code", ["Sender", "Receiver", "VersionMismatch", "MustUnderstand"])
@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20))
def test_a_fault_is_read_as_it_was_made(soap: str, code: str, text: str) -> None:
    text = text.replace("\ufffe", "").replace("\uffff", "")
    opened = open_envelope(make_fault(soap, code, text), soap)
    assert opened.fault == SoapFault(code, text.strip())
    assert (opened.body, opened.problems) == (None, ())


def test_a_fault_speaks_the_words_of_its_version() -> None:
    assert b"<faultcode>env:Client</faultcode>" in make_fault("1.1", "Sender", "no")
    assert b"<env:Value>env:Sender</env:Value>" in make_fault("1.2", "Sender", "no")
    opened = open_envelope(make_fault("1.2", "Sender", "a\x00b\ud800"))
    assert opened.fault == SoapFault("Sender", "a?b?")


@pytest.mark.parametrize(
    ("soap", "content", "fault"),
    [
        (
            "1.1",
            "<faultcode>x:Server.Busy</faultcode><faultstring> later </faultstring>",
            SoapFault("Receiver", "later"),
        ),
        ("1.1", "<faultcode>Client</faultcode>", SoapFault("Sender", "")),
        ("1.2", "", SoapFault("", "")),
    ],
)
def test_faults_of_others(soap: str, content: str, fault: SoapFault) -> None:
    data = envelope(soap, f"<e:Body><e:Fault>{content}</e:Fault></e:Body>")
    assert open_envelope(data).fault == fault


@VERSIONS
@pytest.mark.parametrize(
    ("content", "codes"),
    [
        ("<e:Body><x/></e:Body>", []),
        ("<!-- c --><e:Header/> <e:Body> <!-- c --> <x/></e:Body><!-- c -->", []),
        ("<e:Header/><e:Header/><e:Body><x/></e:Body>", ["second-header"]),
        ("<e:Body><x/></e:Body><e:Header/>", ["body-not-last"]),
        ("<e:Header/>", ["no-body"]),
        ("", ["no-body"]),
        ("<e:Body><x/></e:Body><e:Body><y/></e:Body>", ["second-body"]),
        ("<x/><e:Body><x/></e:Body>", ["foreign-element"]),
        ("<e:Body><x/></e:Body><x/>", ["foreign-element", "body-not-last"]),
        ("<Body><x/></Body>", ["foreign-element", "no-body"]),
        ("<e:Body/>", ["no-payload"]),
        ("<e:Body>text</e:Body>", ["no-payload"]),
        ("<e:Body><x/><y/></e:Body>", ["second-payload"]),
        ("<e:Body><e:Fault/><y/></e:Body>", ["second-payload"]),
    ],
)
def test_what_is_wrong_with_the_structure_is_listed(soap: str, content: str, codes: list[str]) -> None:
    opened = open_envelope(envelope(soap, content), soap)
    assert [code for code, _ in opened.problems] == [f"structure/{code}" for code in codes]
    assert all(text.endswith(".") for _, text in opened.problems)


def test_the_body_is_the_first_payload_of_the_first_body() -> None:
    opened = open_envelope(envelope("1.2", "<e:Body><x/><y/></e:Body><e:Body><z/></e:Body>"))
    assert opened.body is not None
    assert opened.body.root == "x"


def test_another_version_than_the_one_due_is_a_problem() -> None:
    data = wrap(parse_xml(PAYLOAD), "1.1")
    assert open_envelope(data).problems == ()
    assert [code for code, _ in open_envelope(data, "1.2").problems] == ["structure/soap-version"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<a/>", "not-soap"),
        (b"<Envelope><Body/></Envelope>", "not-soap"),
        (b'<Envelope xmlns="urn:other"/>', "not-soap"),
        (b'<Body xmlns="http://www.w3.org/2003/05/soap-envelope"/>', "not-soap"),
        (b"", "not-well-formed"),
        (b"<!DOCTYPE a><a/>", "doctype"),
        (b"<a>" + b"x" * 100 + b"</a>", "too-large"),
    ],
)
def test_what_is_no_envelope_is_malformed(data: bytes, code: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        open_envelope(data, "1.2", Limits(size=80))
    assert caught.value.code == code
