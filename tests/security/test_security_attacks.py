"""Attacks by name: what each does to a message that is right, and what must be said about it.

An attacker has messages that others signed, and sends what he likes. He wins when a message counts as trusted whose
payload, or whose time, nobody signed; or when it costs us more than a moment. Attacks on the network itself, on reports
and on the host have their tests elsewhere (see SECURITY.md).
"""

from __future__ import annotations

import json
import re
import sys
import time
from base64 import b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jws_kit import BODY as JSON
from jws_kit import JWS, header_of, signed_jws
from path_kit import LEAF, NOW, Spec, issue
from wss_kit import PROFILE, codes, digest_again, good, sign_again

from harness.errors import ConfigurationFault, MalformedInput
from harness.pack.source import read_source
from harness.security.algorithm import DS, EXC_C14N
from harness.security.certificate import find_path
from harness.security.markup import WSSE, WSU
from harness.security.model import Trust
from harness.security.protect import inspect

try:
    import resource
except ImportError:  # not on Windows
    resource = None

LONGEST = 30.0
"""Seconds of processor time that one message may cost on a slow and busy computer: what is not linear costs minutes."""

BODY = re.compile(rb"<env:Body .*</env:Body>", re.DOTALL)
TIMESTAMP = re.compile(rb"<wsu:Timestamp .*?</wsu:Timestamp>", re.DOTALL)
TOKEN = re.compile(rb"<wsse:BinarySecurityToken .*?</wsse:BinarySecurityToken>", re.DOTALL)
SECURITY = re.compile(rb"<wsse:Security .*?</wsse:Security>", re.DOTALL)


def part(pattern, data):
    return pattern.search(data)[0]


def forged(data, identifier=b"forged"):
    """The Body with another payload and another id."""
    body = part(BODY, data).replace(b"Transit office", b"Smugglers")
    return re.sub(rb'wsu:Id="[^"]*"', b'wsu:Id="' + identifier + b'"', body) if identifier else body


def wrapped(element):
    return b'<w:W xmlns:w="urn:w" xmlns:wsu="%b">%b</w:W>' % (WSU.encode(), element)


def move_body(before, identifier=b"forged", wrap=wrapped):
    """Put the signed Body before some markup, and a forged one in its place."""

    def attack(data, _world):
        body = part(BODY, data)
        assert before in data
        return data.replace(body, forged(data, identifier)).replace(before, wrap(body) + before, 1)

    return attack


def other_attribute(attribute):
    """The forged Body bears the id of the signed one, in another attribute."""

    def attack(data, _world):
        body = part(BODY, data)
        identifier = re.search(rb'wsu:Id="([^"]*)"', body)[1]
        false = forged(data).replace(b'wsu:Id="forged"', attribute + b'="' + identifier + b'"')
        return data.replace(body, false).replace(b"</env:Header>", wrapped(body) + b"</env:Header>", 1)

    return attack


def second_body(first):
    def attack(data, _world):
        body = part(BODY, data)
        return data.replace(body, forged(data) + body if first == "forged" else body + forged(data))

    return attack


def nested(levels):
    def attack(data, _world):
        body, false = part(BODY, data), forged(data)
        end = false.rindex(b"</m:Doc>")
        inside = b"<x>" * levels + body + b"</x>" * levels
        return data.replace(body, false[:end] + inside + false[end:])

    return attack


def swap_header_and_body(data, _world):
    swapped = data.replace(b"env:Header>", b"env:Other>").replace(b"<env:Body ", b"<env:Header ")
    swapped = swapped.replace(b"</env:Body>", b"</env:Header>")
    return swapped.replace(b"<env:Other>", b"<env:Body>").replace(b"</env:Other>", b"</env:Body>")


def envelope_in(place):
    """A whole signed envelope inside of a forged one, whose header is a copy of the signed one."""

    def attack(data, _world):
        inner = data.partition(b"?>\n")[2]
        security = part(SECURITY, data)
        stripped = inner.replace(security, b"")
        outer = data.partition(b"?>\n")[0] + b"?>\n" + inner
        if place == "body":
            return outer.replace(part(BODY, data), forged(data).replace(b"</m:Doc>", stripped + b"</m:Doc>"))
        return outer.replace(part(BODY, data), forged(data)).replace(b"</env:Header>", stripped + b"</env:Header>", 1)

    return attack


def wrap_time(data, _world):
    old = part(TIMESTAMP, data)
    return data.replace(old, re.sub(rb'wsu:Id="[^"]*"', b'wsu:Id="t"', old)).replace(
        b"</env:Header>", wrapped(old) + b"</env:Header>", 1
    )


def swap_token(data, world):
    """The signature stays, and the certificate is that of somebody else."""
    other = part(TOKEN, good(world, "rsa"))
    value = re.search(rb">([^<]*)<", other)[1]
    return re.sub(rb"(<wsse:BinarySecurityToken [^>]*>)[^<]*", rb"\1" + value, data)


def second_token(data, world):
    """Two tokens of the same id."""
    own = part(TOKEN, data)
    other = re.search(rb">([^<]*)<", part(TOKEN, good(world, "rsa")))[1]
    return data.replace(own, re.sub(rb">[^<]*<", b">" + other + b"<", own, count=1) + own)


def replace_in(old, new):
    def attack(data, _world):
        found = re.sub(old, new, data, count=1, flags=re.DOTALL)
        assert found != data
        return found

    return attack


def resigned(old, new):
    """Somebody who has a right key signs what he should not sign."""
    return lambda data, world: sign_again(replace_in(old, new)(data, world), world.ec.key)


def transform(algorithm, content=b""):
    added = b'<ds:Transforms><ds:Transform Algorithm="' + algorithm + b'">' + content + b"</ds:Transform>"
    return resigned(rb"<ds:Transforms>", added)


def uri(text):
    return resigned(rb'URI="#body-[^"]*"', b'URI="' + text + b'"')


def prefix(text):
    """Before the envelope, where a document type would stand."""
    return replace_in(rb"<env:Envelope ", text + b"<env:Envelope ")


def encoded(name):
    return lambda data, _world: data.decode().replace("UTF-8", name).encode(name)


LAUGHS = b"<!DOCTYPE a [" + b"".join(
    b'<!ENTITY l%d "%b">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha" * 10) for n in range(10)
) + b"]>"  # fmt: skip
QUADRATIC = b'<!DOCTYPE a [<!ENTITY q "' + b"q" * 50_000 + b'">]>'
NO_TRANSFORM, EXTERNAL, WRAPPED = "algorithm/transform-not-allowed", "signature/external-reference", "signature/wrapped"
NOT_SIGNED, DUPLICATE, MISMATCH = "signature/body-not-signed", "structure/duplicate-id", "signature/digest-mismatch"
NOT_ALLOWED = "signature/reference-not-allowed"

MANY_PREFIXES = b'><ec:InclusiveNamespaces xmlns:ec="%b" PrefixList="%b"/></ds:Transform>' % (
    EXC_C14N.encode(), b" ".join(b"p%d" % n for n in range(20_000))
)  # fmt: skip

XML_ATTACKS = {
    # wrapping: the signed Body moved
    "moved into the Header": (move_body(b"</env:Header>"), {WRAPPED}),
    "moved into the Header, same id": (move_body(b"</env:Header>", None), {DUPLICATE}),
    "moved into the Security header": (move_body(b"</wsse:Security>"), {WRAPPED}),
    "moved into the Signature": (move_body(b"</ds:Signature>", wrap=lambda b: b"<ds:Object>" + b + b"</ds:Object>"),
                                 {WRAPPED}),
    "moved into KeyInfo": (move_body(b"</ds:KeyInfo>"), {WRAPPED}),
    "moved into the Timestamp": (move_body(b"</wsu:Timestamp>"), {WRAPPED, MISMATCH}),
    "moved before the Header": (move_body(b"<env:Header>"), {WRAPPED, "structure/foreign-element"}),
    "moved behind the Body": (move_body(b"</env:Envelope>"),
                              {WRAPPED, "structure/foreign-element", "structure/body-not-last"}),
    "moved bare into the Header": (move_body(b"</env:Header>", wrap=bytes), {WRAPPED}),
    # duplicated and nested
    "second Body behind": (second_body("signed"), {"structure/second-body"}),
    "second Body before": (second_body("forged"), {"structure/second-body", WRAPPED}),
    "nested in the payload": (nested(0), {WRAPPED}),
    "nested deeply in the payload": (nested(40), {WRAPPED}),
    "envelope in the Body": (envelope_in("body"), {WRAPPED}),
    "envelope in the Header": (envelope_in("header"), {WRAPPED}),
    "Header and Body swapped": (swap_header_and_body, {"signature/missing", "structure/body-not-last"}),
    "second payload": (replace_in(rb"</env:Body>", b"<x/></env:Body>"), {"structure/second-payload", MISMATCH}),
    "time moved": (wrap_time, {WRAPPED}),
    # ids
    "id in Id": (other_attribute(b"Id"), {DUPLICATE}),
    "id in xml:id": (other_attribute(b"xml:id"), {DUPLICATE}),
    "id in ID": (other_attribute(b"ID"), {WRAPPED}),
    "id in id": (other_attribute(b"id"), {WRAPPED}),
    "id in a foreign Id": (other_attribute(b'xmlns:f="urn:f" f:Id'), {WRAPPED}),
    "token twice": (second_token, {DUPLICATE, "signature/token-missing"}),
    "token of somebody else": (swap_token, {"signature/key-mismatch"}),
    # transforms
    "XPath": (transform(b"http://www.w3.org/TR/1999/REC-xpath-19991116", b"<ds:XPath>false()</ds:XPath>"),
              {NO_TRANSFORM}),
    "XPath filter": (transform(b"http://www.w3.org/2002/06/xmldsig-filter2"), {NO_TRANSFORM}),
    "XSLT": (transform(b"http://www.w3.org/TR/1999/REC-xslt-19991116"), {NO_TRANSFORM}),
    "base64": (transform(DS.encode() + b"base64"), {NO_TRANSFORM}),
    "decryption": (transform(b"http://www.w3.org/2002/07/decrypt#XML"), {NO_TRANSFORM}),
    "attachment": (transform(b"http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-"
                             b"Signature-Transform"), {NO_TRANSFORM}),
    "unknown transform": (transform(b"urn:example:transform"), {NO_TRANSFORM}),
    "canonicalised twice": (transform(EXC_C14N.encode()), {NO_TRANSFORM}),
    # references
    **{f"reference {text.decode()}": (uri(text), {EXTERNAL, NOT_SIGNED}) for text in (
        b"http://evil.example.org/x", b"https://127.0.0.1/", b"file:///etc/passwd", b"ftp://x/", b"//x/y", b"body.xml",
        b"cid:1@x", b"data:text/xml,x", b"jar:file:///x!/y", b"?#body", b" #body",
    )},
    "reference to everything": (uri(b""), {NOT_ALLOWED, NOT_SIGNED}),
    "reference by xpointer": (uri(b"#xpointer(/)"), {NOT_ALLOWED, NOT_SIGNED}),
    "reference by xpointer of an id": (uri(b"#xpointer(id('x'))"), {NOT_ALLOWED, NOT_SIGNED}),
    "reference by a scheme": (uri(b"#xmlns(x=urn:x)xpointer(//x:y)"), {"signature/reference-unresolved", NOT_SIGNED}),
    "reference to no name": (uri(b"#"), {"signature/reference-unresolved", NOT_SIGNED}),
    "reference with quotes": (uri(b"#x' or '1'='1"), {"signature/reference-unresolved", NOT_SIGNED}),
    "reference to the Header": (resigned(rb'URI="#body-[^"]*"', b'URI="#h"'),
                                {"signature/reference-unresolved", NOT_SIGNED}),
    # namespaces, comments, pieces of text
    "default namespace injected": (lambda data, world: replace_in(
        rb"<env:Body ", b'<env:Body xmlns="urn:evil" ')(sign_again(digest_again(
            data.replace(b"<m:Mass>", b"<Plain/><m:Mass>")), world.ec.key), world), {MISMATCH}),
    "prefix bound to something else": (replace_in(rb'xmlns:m="urn:m"', b'xmlns:m="urn:evil"'), {MISMATCH}),
    "relative namespace": (replace_in(rb"<m:Mass>", b'<m:Mass xmlns:x="a/b">'), {"signature/not-canonicalisable"}),
    "comment in a digest": (replace_in(rb"<ds:DigestValue>", b"<ds:DigestValue><!--x-->"), {"signature/malformed"}),
    "comment in the value": (replace_in(rb"<ds:SignatureValue>", b"<ds:SignatureValue><!--x-->"),
                             {"signature/malformed"}),
    "comment in the token": (replace_in(rb"(<wsse:BinarySecurityToken [^>]*>)", rb"\1<!--x-->"),
                             {"signature/token-malformed"}),
    "comment in the time": (replace_in(rb"<wsu:Created>2026", b"<wsu:Created>2026<!--x-->"), {"timestamp/malformed"}),
    "instruction in a text": (replace_in(rb"Transit ", b"Transit <?x y?>"), {MISMATCH}),
    "attribute added": (replace_in(rb"<m:Mass>", b'<m:Mass m:x="1">'), {MISMATCH}),
    "text beside elements": (replace_in(rb"</m:Name>", b"</m:Name>x"), {MISMATCH}),
    # costs
    "many references": (lambda data, world: sign_again(data.replace(
        part(re.compile(rb"<ds:Reference .*?</ds:Reference>", re.DOTALL), data), part(re.compile(
            rb"<ds:Reference .*?</ds:Reference>", re.DOTALL), data) * 5000), world.ec.key),
        {"structure/too-many-references", NOT_SIGNED, "signature/timestamp-not-signed"}),
    "many signatures": (replace_in(rb"</ds:Signature>", b"</ds:Signature>" + b"<ds:Signature xmlns:ds='%b'/>"
                                   % DS.encode() * 10_000), {"structure/second-signature"}),
    "many security headers": (replace_in(rb"</wsse:Security>", b"</wsse:Security>" + b"<wsse:Security xmlns:wsse='%b'/>"
                                         % WSSE.encode() * 10_000), {"structure/second-security-header"}),
    "many ids": (replace_in(rb"</wsse:Security>", b"".join(b"<i Id='i%d'/>" % n for n in range(90_000))
                            + b"</wsse:Security>"), set()),
    "many prefixes in a list": (resigned(rb"></ds:Transform>", MANY_PREFIXES), set()),
    "huge attribute": (replace_in(rb"<m:Mass>", b'<m:Mass x="' + b"a" * 9_000_000 + b'">'), {MISMATCH}),
    "huge issuer name": (replace_in(rb"<wsse:SecurityTokenReference>.*</wsse:SecurityTokenReference>",
                                    b"<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>" + b"CN=a," * 500_000
                                    + b"CN=b</ds:X509IssuerName><ds:X509SerialNumber>1</ds:X509SerialNumber>"
                                    b"</ds:X509IssuerSerial></ds:X509Data>"), {"signature/token-malformed"}),
    "huge serial number": (replace_in(rb"<wsse:SecurityTokenReference>.*</wsse:SecurityTokenReference>",
                                      b"<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=b</ds:X509IssuerName>"
                                      b"<ds:X509SerialNumber>" + b"9" * 5_000_000 + b"</ds:X509SerialNumber>"
                                      b"</ds:X509IssuerSerial></ds:X509Data>"), {"signature/token-malformed"}),
    "huge signature value": (replace_in(rb"<ds:SignatureValue>[^<]*",
                                        b"<ds:SignatureValue>" + b"A" * 8_000_000), {"signature/value-invalid"}),
}  # fmt: skip
"""Name to attack, and the codes that must be reported; none for what does no harm."""


@pytest.mark.parametrize("name", XML_ATTACKS)
def test_attacks_on_signed_envelopes(world, name):
    attack, expected = XML_ATTACKS[name]
    data = attack(good(world), world)
    began = time.process_time()
    found = inspect(data, {}, PROFILE, world.trust, world.now)
    assert time.process_time() - began < LONGEST
    assert set(codes(found.report)) == expected
    assert found.report.trusted == (not expected)
    if found.document is not None and "Smugglers" in "".join(found.document.texts("Name")):
        assert not found.report.covers_body()


@pytest.mark.parametrize(
    ("attack", "name"),
    [
        (replace_in(rb"Transit office", b"Transit<!-- x --> office"), "comment"),
        (replace_in(rb"Transit office", b"<![CDATA[Transit]]> office"), "CDATA"),
        (replace_in(rb"Transit office", b"&#x54;ransit office"), "character reference"),
        (replace_in(rb"<env:Envelope ", b'<env:Envelope xmlns:evil="urn:evil" '), "prefix"),
        (lambda data, _world: b"\xef\xbb\xbf" + data, "byte order mark"),
        (encoded("UTF-16"), "UTF-16"),
        (encoded("UTF-7"), "UTF-7"),
    ],
)
def test_what_changes_nothing_stays_right_and_is_read_whole(world, attack, name):
    found = inspect(attack(good(world), world), {}, PROFILE, world.trust, world.now)
    assert codes(found.report) == []
    assert found.document.texts("Name") == ["Transit office"]


MALFORMED = {
    "document type": (prefix(b"<!DOCTYPE a>"), "doctype"),
    "internal entity": (prefix(b'<!DOCTYPE a [<!ENTITY x "y">]>'), "doctype"),
    "external entity": (prefix(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "doctype"),
    "external subset": (prefix(b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd">'), "doctype"),
    "parameter entity": (prefix(b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]>'), "doctype"),
    "id declared by a document type": (prefix(b"<!DOCTYPE a [<!ATTLIST a b ID #IMPLIED>]>"), "doctype"),
    "document type behind a comment": (prefix(b"<!-- x --><?p i?><!DOCTYPE a>"), "doctype"),
    "billion laughs": (prefix(LAUGHS), "doctype"),
    "quadratic blow-up": (prefix(QUADRATIC), "doctype"),
    "document type in UTF-16": (lambda data, world: prefix(b"<!DOCTYPE a>")(data, world).decode().replace(
        "UTF-8", "UTF-16").encode("utf-16"), "doctype"),
    "deep nesting": (replace_in(rb"<m:Mass>", b"<a>" * 150 + b"</a>" * 150 + b"<m:Mass>"), "too-deep"),
    "very deep nesting": (replace_in(rb"<m:Mass>", b"<a>" * 50_000 + b"</a>" * 50_000 + b"<m:Mass>"), "too-deep"),
    "many elements": (replace_in(rb"<m:Mass>", b"<a/>" * 300_000 + b"<m:Mass>"), "too-large"),
    "many attributes": (replace_in(rb"<m:Mass>", b"<m:Mass " + b"".join(b'a%d="" ' % n for n in range(210_000))
                                   + b">"), "too-large"),
    "huge text": (replace_in(rb"<m:Mass>", b"<m:Mass>" + b"1" * 11_000_000), "too-large"),
    "NUL": (replace_in(rb"Transit", b"Tran\0sit"), "not-well-formed"),
    "NUL as a reference": (replace_in(rb"Transit", b"Tran&#0;sit"), "not-well-formed"),
    "overlong UTF-8": (replace_in(rb"Transit", b"Tran\xc0\xafsit"), "encoding"),
    "surrogate in UTF-8": (replace_in(rb"Transit", b"Tran\xed\xa0\x80sit"), "encoding"),
    "beyond Unicode": (replace_in(rb"Transit", b"Tran\xf4\x90\x80\x80sit"), "encoding"),
    "cut in a character": (replace_in(rb"Transit", b"Tran\xe2\x82sit"), "encoding"),
    "declared as UTF-16": (replace_in(rb'encoding="UTF-8"', b'encoding="UTF-16"'), "encoding"),
    "unknown encoding": (replace_in(rb'encoding="UTF-8"', b'encoding="x-evil"'), "encoding"),
    "undeclared entity": (replace_in(rb"Transit", b"&evil;"), "not-well-formed"),
    "attribute twice": (replace_in(rb"<m:Mass>", b'<m:Mass a="1" a="2">'), "not-well-formed"),
    "second root": (lambda data, _world: data + b"<a/>", "not-well-formed"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_attacks_on_the_parser(world, name):
    attack, code = MALFORMED[name]
    data = attack(good(world), world)
    began = time.process_time()
    with pytest.raises(MalformedInput) as refused:
        inspect(data, {}, PROFILE, world.trust, world.now)
    assert time.process_time() - began < LONGEST
    assert refused.value.code == code
    assert len(str(refused.value)) < 1000


def test_message_in_another_encoding_than_it_declares(world):
    """Latin-1 declared over UTF-8 bytes reads other characters than were signed."""
    data = good(world, payload="<Doc><Name>Zürich</Name></Doc>".encode())
    found = inspect(data.replace(b'encoding="UTF-8"', b'encoding="ISO-8859-1"'), {}, PROFILE, world.trust, world.now)
    assert codes(found.report) == [MISMATCH]


# --- JSON -------------------------------------------------------------------------------------------------------------

BOMBS = {
    "arrays": (b"[" * 100_000 + b"]" * 100_000, "too-deep"),
    "objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too-deep"),
    "items": (b"[" + b"1," * 500_000 + b"1]", "too-large"),
    "size": (b'"' + b"a" * 11_000_000 + b'"', "too-large"),
    "duplicate key": (b'{"a":1,"a":2}', "duplicate-key"),
    "duplicate key, escaped": (b'{"a":1,"\\u0061":2}', "duplicate-key"),
    "not a number": (b'{"a":NaN}', "not-well-formed"),
    "overlong": (b'{"a":"\xc0\xaf"}', "encoding"),
    "surrogate": (b'{"a":"\\ud800"}', "encoding"),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "encoding"),
    "NUL": (b'{"a":"\0"}', "not-well-formed"),
    "comment": (b'{"a":1/*x*/}', "not-well-formed"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_attacks_with_json(world, name):
    data, code = BOMBS[name]
    began = time.process_time()
    with pytest.raises(MalformedInput) as refused:
        inspect(data, {JWS.header: "x"}, JWS, world.trust, world.now)
    assert time.process_time() - began < LONGEST
    assert refused.value.code == code


def test_numbers_cost_nothing(world):
    """A number of a million digits is text here; Python would take minutes to make an integer of it."""
    data = b'{"a":' + b"9" * 1_000_000 + b',"b":1e999999999}'
    began = time.process_time()
    assert inspect(data, {}, JWS, world.trust, world.now).document.texts("b") == ["1e999999999"]
    assert time.process_time() - began < LONGEST


HEADERS = {
    **{f"alg {name}": ({"alg": name}, "algorithm/none") for name in ("none", "None", "NONE", "nOnE")},
    **{f"alg {name}": ({"alg": name}, "algorithm/hmac") for name in ("HS256", "HS384", "HS512")},
    **{f"alg {name}": ({"alg": name}, "algorithm/unknown") for name in ("", "ES256 ", "es256", "A128KW", "dir")},
    "alg missing": ({"alg": None}, "algorithm/unknown"),
    "alg of RSA": ({"alg": "RS256"}, "signature/key-mismatch"),
    "jwk": ({"jwk": {"kty": "oct", "k": "AA"}}, "signature/header-not-allowed"),
    "jku": ({"jku": "https://evil.example.org/"}, "signature/header-not-allowed"),
    "x5u": ({"x5u": "https://evil.example.org/"}, "signature/header-not-allowed"),
    "crit unknown": ({"crit": ["x"], "x": 1}, "signature/critical-unknown"),
    "crit of what is not there": ({"crit": ["b64"]}, "signature/critical-malformed"),
    "b64 alone": ({"b64": False}, "signature/critical-malformed"),
    "iat far away": ({"iat": 10**18}, "timestamp/malformed"),
    "iat in the past": ({"iat": 1}, "timestamp/stale"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_attacks_in_the_header_of_a_jws(world, name):
    members, code = HEADERS[name]
    header = {**header_of(world), **members}
    text = signed_jws(world, {key: value for key, value in header.items() if value is not None})
    report = inspect(JSON, {JWS.header: text}, JWS, world.trust, world.now).report
    assert codes(report) == [code]
    assert not report.trusted


def test_hmac_with_the_public_key_in_every_writing(world):
    """The classic confusion: the algorithm of the header is never run against the key of the certificate."""
    for encoding in (Encoding.PEM, Encoding.DER):
        secret = world.ec.certificate.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        text = signed_jws(world, {**header_of(world), "alg": "HS256"}, secret=secret)
        assert codes(inspect(JSON, {JWS.header: text}, JWS, world.trust, world.now).report) == ["algorithm/hmac"]


def test_signature_put_into_another_form(world):
    """Unprotected members never decide: neither the algorithm nor the time."""
    flattened = replace(JWS, form="flattened")
    for header in ({"alg": "none"}, {"alg": "ES256", "x5c": []}, {"alg": "ES256", "iat": 1795428000}):
        members = {"payload": "e30", "header": header, "signature": "AAAA"}
        report = inspect(json.dumps(members).encode(), {}, flattened, world.trust, world.now).report
        assert "signature/header-unprotected" in codes(report)
        assert report.signed == ()


# --- YAML, which people write and strangers send ----------------------------------------------------------------------

YAML = {
    "aliases": "a: &a [x, x]\nb: [*a, *a]\n",
    "billion laughs": "a: &a [l]\n" + "".join(f"x{n}: &x{n} [{', '.join(['*a'] * 9)}]\n" for n in range(9)),
    "merge key": "a: {<<: {b: c}}\n",
    "python object": "a: !!python/object/apply:os.system ['true']\n",
    "tag": "a: !include /etc/passwd\n",
    "deep": "a: " + "[" * 5000 + "]" * 5000 + "\n",
    "deep mapping": "".join(f"{' ' * n}a:\n" for n in range(500)),
    "many": "a: [" + "x," * 300_000 + "x]\n",
    "huge": "a: " + "x" * 5_000_000,
    "duplicate key": "a: 1\na: 2\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "control character": "a: \x01\n",
}


@pytest.mark.parametrize("name", YAML)
def test_attacks_with_yaml(tmp_path, name):
    file = tmp_path / "file.yaml"
    file.write_text(YAML[name], encoding="utf-8")
    began = time.process_time()
    with pytest.raises(ConfigurationFault) as refused:
        read_source(file)
    assert time.process_time() - began < LONGEST
    assert str(file) in str(refused.value)
    assert len(str(refused.value)) < 1000


@pytest.mark.skipif(resource is None, reason="only on systems that tell how much memory was taken")
def test_memory_stays_within_bounds(world):
    """All of the attacks above, once more, take less than 400 MB together, whatever a single one sends."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for attack, _ in (*XML_ATTACKS.values(), *MALFORMED.values()):
        data = attack(good(world), world)
        try:
            inspect(data, {}, PROFILE, world.trust, world.now)
        except MalformedInput:
            continue
    per = 1024 if sys.platform != "darwin" else 1
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * per < 400 * 1024 * 1024


def test_costly_certificates(world):
    """Authorities that certify each other in all ways are a maze of paths; the search is bounded."""
    names = [Spec(f"maze {number}") for number in range(8)]
    maze = [issue(one, other) for one in names for other in names if one is not other]
    leaf = issue(LEAF, names[0])
    began = time.process_time()
    found = find_path(leaf, maze, Trust((issue(Spec("root"), Spec("root")),)), NOW, PROFILE)
    assert time.process_time() - began < LONGEST
    assert [problem.code for problem in found.problems] == ["certificate/untrusted"]


def test_values_that_are_no_base64_cost_nothing(world):
    data = re.sub(rb"(<wsse:BinarySecurityToken [^>]*>)[^<]*", rb"\1" + b64encode(b"\x30" * 5_000_000), good(world))
    began = time.process_time()
    report = inspect(data, {}, PROFILE, world.trust, world.now).report
    assert time.process_time() - began < LONGEST
    assert codes(report) == ["signature/token-malformed"]
