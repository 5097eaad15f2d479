"""Everything that is verified can be produced: each form of signature, read by us and by software of others."""

from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64encode
from dataclasses import replace
from itertools import product

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from wss_kit import XML, codes

from harness.errors import ConfigurationFault
from harness.message.document import parse
from harness.security.algorithm import C14N, DS, DS_MORE, ENVELOPED, EXC_C14N, WRITABLE, XENC, sign
from harness.security.model import SecurityProfile
from harness.security.protect import inspect, inspect_document, protect
from harness.security.xmldsig_write import blank, complete

METHODS = ("exc-c14n", "exc-c14n-with-comments", "c14n", "c14n-with-comments")
PAYLOAD = (
    b'<m:Doc xmlns:m="urn:m" xmlns="urn:d" xmlns:t="urn:t" m:type="t:Kind" xml:lang="en"><!-- aside -->'
    b'<Name xmlns:u="urn:u">a <!-- inside --> b</Name><Plain xmlns=""/></m:Doc>'
)
DOCUMENTS = (PAYLOAD, XML, b"<a/>", b"<a b='c'/>", b"<a>text<b/>more</a>")


def known(world):
    return replace(world.trust, known=(world.ec.certificate, world.rsa.certificate))


def by_xmlsec(data, number, identity):
    """What python-xmlsec says of one signature of a document."""
    xmlsec = pytest.importorskip("xmlsec")
    root = etree.fromstring(data)
    xmlsec.tree.add_ids(root, ["Id", "id"])
    context = xmlsec.SignatureContext()
    pem = identity.certificate.public_bytes(Encoding.PEM)
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem)
    try:
        context.verify(list(root.iter(f"{{{DS}}}Signature"))[number])
    except xmlsec.Error:
        return False
    return True


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ids", ["wsu:Id", "Id", "xml:id"])
def test_wss_in_every_form(world, soap, method, ids):
    """With and without PrefixList, cosigner and token in the header; the payload has every trap of namespaces."""
    lists = ((), ("env", "#default", "t")) if method.startswith("exc") else ((),)
    for prefixes, token, cosigners in product(lists, ("x509v3", "thumbprint"), ((), (world.rsa,))):
        profile = SecurityProfile(
            "wss", soap=soap, canonicalisations=(method,), ids=ids, tokens=(token,), prefixes=prefixes,
            signed=("body", "timestamp", "token"), most_signatures=2,
        )  # fmt: skip
        data = protect(parse("xml", PAYLOAD), world.ec, profile, world.now, cosigners=cosigners).data
        report = inspect(data, {}, profile, known(world), world.now).report
        assert report.problems == ()
        assert report.trusted
        assert "/Envelope/Body" in report.signed
        assert len(report.also) == len(cosigners)
        if token == "x509v3":  # the others need the STR transform, which xmlsec does not have
            for number, identity in enumerate((world.ec, *cosigners)):
                assert by_xmlsec(data, number, identity)
                assert not by_xmlsec(data.replace(b">a <", b">A <"), number, identity)
        altered = inspect(data.replace(b">a <", b">A <"), {}, profile, known(world), world.now).report
        assert codes(altered) == ["signature/digest-mismatch"] * (1 + len(cosigners))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", ["enveloped", "enveloping"])
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_document_signed_without_envelope(world, method, form, kind):
    identity = getattr(world, kind)
    for payload, token in product(DOCUMENTS, ("x509-data", "issuer-serial")):
        profile = SecurityProfile("xmldsig", canonicalisations=(method,), tokens=(token,), form=form)
        made = protect(parse("xml", payload), identity, profile, world.now)
        found = inspect(made.data, {}, profile, known(world), world.now)
        assert codes(found.report) == []
        assert found.report.trusted
        assert found.report.covers_body()
        assert found.document.root == etree.fromstring(payload).tag
        assert by_xmlsec(made.data, 0, identity)
        altered = made.data.replace(b"text", b"texT").replace(b'"t:Kind"', b'"t:kind"').replace(b"'c'", b"'d'")
        if altered != made.data:
            assert codes(inspect(altered, {}, profile, known(world), world.now).report) == ["signature/digest-mismatch"]


XMLSEC1 = shutil.which("xmlsec1")


@pytest.mark.skipif(XMLSEC1 is None, reason="the command xmlsec1 is not installed")
@pytest.mark.parametrize("form", ["enveloped", "enveloping"])
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_documents_with_xmlsec1_in_both_directions(world, tmp_path, form, kind):
    identity = getattr(world, kind)
    leaf, message, signed = (tmp_path / name for name in ("leaf.pem", "message.xml", "signed.xml"))
    leaf.write_bytes(identity.certificate.public_bytes(Encoding.PEM))

    def run(*arguments):
        command = [XMLSEC1, arguments[0], "--id-attr:Id", f"{DS}:Object", *arguments[1:]]
        return subprocess.run(command, capture_output=True, check=False, timeout=300).returncode

    for method in METHODS:
        profile = SecurityProfile("xmldsig", canonicalisations=(method,), tokens=("x509-data",), form=form)
        for defect in (None, "signature/body-altered", "signature/foreign-key", "signature/hidden-by-xpath"):
            message.write_bytes(protect(parse("xml", PAYLOAD), identity, profile, world.now, defect).data)
            valid = run("--verify", "--pubkey-cert-pem", leaf, message) == 0
            assert valid == (defect in (None, "signature/hidden-by-xpath")), (method, defect)
        right = protect(parse("xml", PAYLOAD), identity, profile, world.now).data
        message.write_bytes(re.sub(rb"(<ds:(DigestValue|SignatureValue)>)[^<]*", rb"\1", right))
        assert run("--sign", "--privkey-pem", identity.key_file, "--output", signed, message) == 0
        report = inspect(signed.read_bytes(), {}, profile, world.trust, world.now).report
        assert codes(report) == []
        assert report.covers_body()


TEMPLATE = (
    f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXC_C14N}"/>'
    f'<ds:SignatureMethod Algorithm="{DS_MORE}ecdsa-sha256"/><ds:Reference{{uri}}>{{transforms}}'
    f'<ds:DigestMethod Algorithm="{XENC}sha256"/><ds:DigestValue>{blank("digest")}</ds:DigestValue></ds:Reference>'
    f"</ds:SignedInfo><ds:SignatureValue>{blank('value')}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>"
    "<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>{more}</ds:Signature>"
)
TAKE_OUT, CANONICAL = f'<ds:Transform Algorithm="{ENVELOPED}"/>', f'<ds:Transform Algorithm="{EXC_C14N}"/>'


def made(world, around, uri, transforms="", more="", outside=None):
    certificate = b64encode(world.ec.certificate.public_bytes(Encoding.DER)).decode()
    listed = f"<ds:Transforms>{transforms}</ds:Transforms>" if transforms else ""
    named = "" if uri is None else f' URI="{uri}"'
    signature = TEMPLATE.format(uri=named, transforms=listed, certificate=certificate, more=more)
    data = around.replace("{signature}", signature).encode()
    return complete(data, [lambda each: sign(WRITABLE["ecdsa-sha256"], world.ec.key, each)], outside=outside)


def judged(world, data, outside=None, **changes):
    given = {"canonicalisations": ("exc-c14n", "c14n"), "tokens": ("x509-data",), **changes}
    return inspect_document(data, outside or {}, SecurityProfile("xmldsig", **given), world.trust, world.now).report


@pytest.mark.parametrize(
    ("around", "uri", "transforms", "signed"),
    [
        ("<a>{signature}</a>", "", TAKE_OUT + CANONICAL, "/a"),
        ("<a>{signature}</a>", "", TAKE_OUT, "/a"),
        ("<?p i?><a><b/>{signature}t</a>", "", TAKE_OUT + CANONICAL, "/a"),
        ("<a Id='x'>{signature}</a>", "#x", TAKE_OUT + CANONICAL, "/a"),
        ("<a xml:id='x'>t{signature}t</a>", "#xpointer(id('x'))", TAKE_OUT + CANONICAL, "/a"),
        ("<a>{signature}<!-- c --></a>", "#xpointer(/)", TAKE_OUT + CANONICAL, "/a"),
        ("<a><b Id='x'/>{signature}</a>", "#x", CANONICAL, "/a/b"),
        ("<a><товар вес='1'/>{signature}</a>", "", TAKE_OUT + CANONICAL, "/a"),
    ],
)
def test_same_document_references(world, around, uri, transforms, signed):
    data = made(world, around, uri, transforms)
    report = judged(world, data)
    whole = signed == "/a"
    assert codes(report) == ([] if whole else ["signature/content-not-signed"])
    assert report.signed == (("body", signed) if whole else (signed,))
    assert by_xmlsec(data, 0, world.ec)


def test_part_of_a_document_in_a_signature_is_not_the_document(world):
    """An enveloping signature over its own KeyInfo or another Object says nothing of the first one."""
    data = made(world, "{signature}", "#o", CANONICAL, "<ds:Object><x/></ds:Object><ds:Object Id='o'><y/></ds:Object>")
    report = judged(world, data)
    assert codes(report) == ["signature/content-not-signed"]
    assert not report.covers_body()


@pytest.mark.parametrize(
    ("transforms", "content", "other", "same"),
    [
        ("", b"\x00raw bytes", b"\x00raw byteS", None),
        (CANONICAL, b"<a b='1' c=\"2\"/>", b"<a b='2'/>", b'<a  c="2" b="1"></a>'),
    ],
)
def test_detached_from_content_outside(world, transforms, content, other, same):
    uri = "goods.xml"
    data = made(world, "{signature}", uri, transforms, outside={uri: content})
    report = judged(world, data, {uri: content})
    assert codes(report) == []
    assert report.signed == ("body", uri)
    assert codes(judged(world, data, {uri: other})) == ["signature/digest-mismatch"]
    assert codes(judged(world, data, {uri: content, "second.xml": b""})) == ["signature/content-not-signed"]
    assert codes(judged(world, data))[0] == "signature/external-reference"
    if same is not None:
        assert codes(judged(world, data, {uri: same})) == []


def test_detached_without_a_uri(world):
    data = made(world, "{signature}", None, outside={"x": b"content"})
    assert codes(judged(world, data, {"x": b"content"})) == []
    assert codes(judged(world, data, {"x": b"content", "y": b""}))[0] == "signature/reference-not-allowed"


@pytest.mark.parametrize(
    ("around", "uri", "transforms", "code"),
    [
        ("<a>{signature}</a>", "", CANONICAL, "algorithm/transform-not-allowed"),
        ("<a>{signature}</a>", "", CANONICAL + TAKE_OUT, "algorithm/transform-not-allowed"),
        ("<a>{signature}</a>", "", TAKE_OUT + TAKE_OUT + CANONICAL, "algorithm/transform-not-allowed"),
        ("<a Id='x'>{signature}</a>", "#xpointer(//a)", TAKE_OUT + CANONICAL, "signature/reference-not-allowed"),
        ("<a Id='x'>{signature}</a>", "#y", TAKE_OUT + CANONICAL, "signature/reference-unresolved"),
        ("<a Id='x'><b Id='x'/>{signature}</a>", "#x", TAKE_OUT + CANONICAL, "structure/duplicate-id"),
    ],
)
def test_references_that_are_refused(world, around, uri, transforms, code):
    data = around.replace("{signature}", TEMPLATE.format(
        uri=f' URI="{uri}"', transforms=f"<ds:Transforms>{transforms}</ds:Transforms>", more="",
        certificate=b64encode(world.ec.certificate.public_bytes(Encoding.DER)).decode(),
    ))  # fmt: skip
    report = judged(world, data.encode())
    assert code in codes(report)
    assert not report.covers_body()


def test_enveloped_transform_takes_nothing_out_of_the_signature_itself(world):
    """By the letter nothing is left of an Object then; a reader that digests it all the same is deceived."""
    objects = "<ds:Object Id='o'><y/></ds:Object>"
    data = made(world, "{signature}", "#o", CANONICAL, objects)
    forged = data.replace(CANONICAL.encode(), (TAKE_OUT + CANONICAL).encode())
    assert "algorithm/transform-not-allowed" in codes(judged(world, forged))


def test_inclusive_form_is_meant_where_none_is_named_and_must_be_allowed(world):
    data = made(world, "<a>{signature}</a>", "", TAKE_OUT)
    assert codes(judged(world, data)) == []
    assert codes(judged(world, data, canonicalisations=("exc-c14n",))) == ["algorithm/transform-not-allowed"]
    assert C14N not in data.decode()


def test_document_without_signature_and_with_two(world):
    assert codes(judged(world, b"<a/>")) == ["signature/missing"]
    one = made(world, "<a>{signature}</a>", "", TAKE_OUT + CANONICAL)
    signature = one[one.index(b"<ds:Signature") : one.index(b"</a>")]
    assert "structure/second-signature" in codes(judged(world, one.replace(b"</a>", signature + b"</a>")))


def test_signed_document_moved_into_another(world):
    """The signature stays valid for its part, and the whole is not signed."""
    inner = made(world, "<a Id='x'>{signature}</a>", "#x", TAKE_OUT + CANONICAL)
    report = judged(world, b"<b>forged" + inner + b"</b>")
    assert codes(report) == ["signature/content-not-signed"]
    assert report.signed == ("/b/a",)
    assert not report.covers_body()


@pytest.mark.parametrize("style", ["xmldsig", "jws"])
def test_several_signers_only_where_there_can_be(world, style):
    profile = SecurityProfile(style, signatures=("ES256", "RS256", "ecdsa-sha256", "rsa-sha256"), tokens=("x509-data",))
    profile = replace(profile, signatures=("ES256", "RS256") if style == "jws" else ("ecdsa-sha256", "rsa-sha256"))
    with pytest.raises(ConfigurationFault, match="has one signature"):
        protect(parse("xml", XML), world.ec, profile, world.now, cosigners=[world.rsa])


def test_wrong_cosigner_spoils_the_message(world):
    profile = SecurityProfile("wss", most_signatures=2)
    stranger = world.spares["rsa"]["foreign-ca"]
    data = protect(parse("xml", XML), world.ec, profile, world.now, cosigners=[stranger]).data
    report = inspect(data, {}, profile, world.trust, world.now).report
    assert codes(report) == ["certificate/untrusted"]
    assert report.signer == world.ec.certificate.subject.rfc4514_string()
    assert codes(inspect(data, {}, replace(profile, most_signatures=1), world.trust, world.now).report) == [
        "structure/second-signature"
    ]


def test_parts_that_different_signers_cover_do_not_add_up(world):
    """One signer has the Body, another the Timestamp: neither has said when the Body was signed."""
    both = SecurityProfile("wss", most_signatures=2)
    body = protect(parse("xml", XML), world.ec, replace(both, signed=("body",)), world.now).data.decode()
    time = protect(parse("xml", XML), world.rsa, replace(both, signed=("timestamp",)), world.now).data.decode()
    token, rest = (time[time.index(start) : time.index(end) + len(end)] for start, end in (
        ("<wsse:BinarySecurityToken", "</wsse:BinarySecurityToken>"), ("<ds:Signature", "</ds:Signature>"),
    ))  # fmt: skip
    own = body[body.index('wsu:Id="token-') + 8 :].split('"')[0]
    data = body.replace("</ds:Signature>", "</ds:Signature>" + (token + rest).replace(own, "token-2"))
    report = inspect(data.encode(), {}, both, world.trust, world.now).report
    assert codes(report) == ["signature/timestamp-not-signed"]
    assert report.signed == ("/Envelope/Body",)


def test_actor_says_which_header_is_ours(world):
    gateway, other = "urn:example:gateway", "urn:example:other"
    for soap in ("1.1", "1.2"):
        ours = SecurityProfile("wss", soap=soap, actor=gateway)
        data = protect(parse("xml", XML), world.ec, ours, world.now).data
        assert inspect(data, {}, ours, world.trust, world.now).report.trusted
        for profile in (replace(ours, actor=""), replace(ours, actor=other)):
            report = inspect(data, {}, profile, world.trust, world.now).report
            assert codes(report) == ["signature/missing"]
            assert report.others == (gateway,)
            assert gateway in report.problems[0].text


def test_headers_for_others_are_left_alone_and_reported(world):
    """Whatever stands in them: the other receiver judges it."""
    profile = SecurityProfile("wss", soap="1.2")
    good = protect(parse("xml", XML), world.ec, profile, world.now).data
    foreign = protect(parse("xml", XML), world.rsa, replace(profile, actor="urn:example:gateway"), world.now).data
    start, end = b"<wsse:Security ", b"</wsse:Security>"
    header = foreign[foreign.index(start) : foreign.index(end) + len(end)]
    header = header.replace(b'wsu:Id="', b'wsu:Id="theirs-').replace(b"<ds:DigestValue>", b"<ds:DigestValue>AAAA")
    data = good.replace(b"</env:Header>", header + b"</env:Header>")
    report = inspect(data, {}, profile, world.trust, world.now).report
    assert report.trusted
    assert report.others == ("urn:example:gateway",)
