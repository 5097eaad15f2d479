"""``c2c check``: single messages, judged offline."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from pack_kit import pack_named

from harness.cli.main import main
from harness.message.envelope import wrap
from harness.message.xml import parse_xml
from harness.security.algorithm import WRITABLE, sign
from harness.security.keys import to_pem
from harness.security.model import SecurityProfile
from harness.security.pki import TestPki
from harness.security.protect import protect
from harness.security.tokens import TOKENS
from harness.security.xmldsig_write import blank, complete

PACK = pack_named("etir-4.3")
GOLDEN = PACK.messages["I9"].golden["accepted"]
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    return TestPki.create(tmp_path_factory.mktemp("pki"), NOW)


@pytest.fixture(scope="module")
def signed(pki: TestPki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    identity = pki.issue("customs.departure")
    file = tmp_path_factory.mktemp("signed") / "I9.xml"
    file.write_bytes(protect(parse_xml(GOLDEN.read_bytes()), identity, PACK.security, NOW).data)
    return file


def check(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[dict[str, Any]]]:
    at = [] if "--at" in arguments else ["--at", NOW.isoformat()]
    code = main(["check", "--pack", "etir-4.3", "--json", *at, *map(str, arguments)])
    return code, json.loads(capsys.readouterr().out)


def trust(pki: TestPki) -> list[str]:
    return ["--trust", str(pki.folder / "trust.pem"), "--crl", str(pki.folder / "crl.pem")]


def test_a_signed_message_passes_and_tells_who_signed_what(
    signed: Path, pki: TestPki, capsys: pytest.CaptureFixture[str]
) -> None:
    code, [result] = check(capsys, signed, *trust(pki))
    assert (code, result["verdict"], result["findings"]) == (0, "pass", [])
    assert set(result) == {"file", "verdict", "findings", "signature"}
    signature = result["signature"]
    assert signature["trusted"] is True
    assert "customs.departure" in signature["signer"]
    assert any(path.endswith("/Body") for path in signature["signed"])
    assert abs(datetime.fromisoformat(signature["created"]) - NOW) < timedelta(seconds=1)
    assert set(signature["algorithms"]) >= {"signature", "digest"}


def test_a_bare_message_is_judged_by_its_content(capsys: pytest.CaptureFixture[str]) -> None:
    code, [result] = check(capsys, GOLDEN)
    assert (code, result["verdict"]) == (0, "pass")
    assert result["signature"] == {"signed": [], "signer": None, "algorithms": {}, "created": None, "trusted": False}


def test_a_finding_names_code_requirement_pointer_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = GOLDEN.read_text("utf-8").splitlines()
    number = next(n for n, line in enumerate(lines) if "FunctionalReferenceID" in line)
    file = tmp_path / "I9.xml"
    file.write_text("\n".join([*lines[:number], *lines[number + 1 :]]), "utf-8")
    code, [result] = check(capsys, file)
    assert (code, result["verdict"]) == (1, "fail")
    [finding] = result["findings"]
    assert finding["check"] == "schema"
    assert finding["code"] == "101"
    assert finding["pointer"] == "/FunctionalReferenceID"
    assert finding["requirement"] in PACK.requirements
    assert isinstance(finding["line"], int)
    assert finding["message"]


def test_an_envelope_without_a_signature_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "unsigned.xml"
    file.write_bytes(wrap(parse_xml(GOLDEN.read_bytes()), "1.2"))
    code, [result] = check(capsys, file)
    assert code == 1
    assert ("signature", "missing") in {(each["check"], each["code"]) for each in result["findings"]}
    assert check(capsys, file, "--only", "schema,rules,codelists")[0] == 0


def test_only_signature_works_for_any_payload(pki: TestPki, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "other.xml"
    payload = parse_xml(b"<anything xmlns='urn:of-somebody-else'>text</anything>")
    file.write_bytes(protect(payload, pki.issue("anybody"), PACK.security, NOW).data)
    code, [result] = check(capsys, file, "--only", "signature", *trust(pki))
    assert (code, result["findings"], result["signature"]["trusted"]) == (0, [], True)
    assert check(capsys, file, *trust(pki))[0] == 1


def odd(pki: TestPki, tmp_path: Path, name: str, payload: bytes = GOLDEN.read_bytes(), **changes: Any) -> list[str]:
    """A signed message that the pack would write otherwise, and what to trust: file names and options."""
    identity = pki.issue(name)
    certificate = tmp_path / "signer.pem"
    certificate.write_bytes(to_pem((identity.certificate,)))
    file = tmp_path / "odd.xml"
    file.write_bytes(protect(parse_xml(payload), identity, replace(PACK.security, **changes), NOW).data)
    return [str(file), *trust(pki), "--trust", str(certificate)]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("soap", ["1.1", "1.2"])
def test_only_signature_takes_every_token_and_both_versions(
    pki: TestPki, tmp_path: Path, capsys: pytest.CaptureFixture[str], token: str, soap: str
) -> None:
    files = odd(pki, tmp_path, f"{token}-{soap}", soap=soap, tokens=(token,))
    code, [result] = check(capsys, *files, "--only", "signature")
    assert (code, result["verdict"], result["signature"]["trusted"]) == (0, "pass", True)
    assert result["signature"]["algorithms"]["token"] == token
    expected = {"soap-version"} if soap == "1.1" else set()
    expected |= {"token-not-allowed"} if token not in PACK.security.tokens else set()
    assert {each["code"] for each in result["findings"]} == expected
    assert {each["severity"] for each in result["findings"]} <= {"warning"}
    if expected:
        assert check(capsys, *files)[0] == 1


def test_only_signature_still_wants_what_the_pack_wants(
    pki: TestPki, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, (changes, expected) in enumerate(
        [
            ({"lifetime": timedelta(minutes=10)}, ("pass", "lifetime")),
            ({"signed": ("body",)}, ("fail", "timestamp-not-signed")),
            ({"signed": ("timestamp",)}, ("fail", "body-not-signed")),
            ({"signatures": ("ecdsa-sha512",)}, ("fail", "not-allowed")),
        ]
    ):
        code, [result] = check(capsys, *odd(pki, tmp_path, f"odd-{number}", **changes), "--only", "signature")
        assert (result["verdict"], [each["code"] for each in result["findings"]]) == (expected[0], [expected[1]])
        assert code == (expected[0] == "fail")
        assert result["signature"]["trusted"] is (expected[0] == "pass")


def test_only_signature_judges_faults_and_empty_bodies(
    pki: TestPki, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = b'<f:Fault xmlns:f="http://www.w3.org/2003/05/soap-envelope"><f:Code>x</f:Code></f:Fault>'
    file, *options = odd(pki, tmp_path, "faulty", fault)
    assert check(capsys, file, *options, "--only", "signature")[0] == 0
    Path(file).write_bytes(Path(file).read_bytes().replace(b">x<", b">y<"))
    code, [result] = check(capsys, file, *options, "--only", "signature")
    assert (code, [each["code"] for each in result["findings"]]) == (1, ["digest-mismatch"])


def test_only_signature_of_what_is_no_envelope(capsys: pytest.CaptureFixture[str]) -> None:
    code, [result] = check(capsys, GOLDEN, "--only", "signature")
    assert (code, [each["code"] for each in result["findings"]]) == (1, ["not-soap"])


XMLDSIG = replace(PACK.security, style="xmldsig", soap=None, tokens=("x509-data",))
JWS = replace(PACK.security, style="jws", soap=None, signatures=("ES256",))


@pytest.mark.parametrize(
    ("profile", "payload"),
    [
        (XMLDSIG, GOLDEN.read_bytes()),
        (replace(XMLDSIG, form="enveloping"), b"<anything>text</anything>"),
        (replace(JWS, form="compact"), b"<anything>text</anything>"),
        (replace(JWS, form="flattened"), b"<anything>text</anything>"),
        (replace(JWS, form="general", critical=("b64",)), b"<anything>text</anything>"),
    ],
)
def test_only_signature_takes_signatures_without_an_envelope(
    pki: TestPki, tmp_path: Path, capsys: pytest.CaptureFixture[str], profile: SecurityProfile, payload: bytes
) -> None:
    identity = pki.issue(f"{profile.style}-{profile.form or 'first'}")
    file = tmp_path / "signed"
    made = protect(parse_xml(payload), identity, profile, NOW).data
    file.write_bytes(made)
    code, [result] = check(capsys, file, "--only", "signature", *trust(pki))
    assert (code, result["findings"], result["signature"]["trusted"]) == (0, [], True)
    assert "body" in result["signature"]["signed"]
    foreign = pki.foreign().folder / "trust.pem"
    assert check(capsys, file, "--only", "signature", "--trust", foreign)[0] == 1
    altered = protect(parse_xml(payload), identity, profile, NOW, "signature/body-altered").data
    assert altered != made
    file.write_bytes(altered)
    assert check(capsys, file, "--only", "signature", *trust(pki))[0] == 1


@pytest.mark.parametrize("uri", ["", "https://example.org/goods="])
def test_detached_signatures_and_what_they_are_about(
    pki: TestPki, tmp_path: Path, capsys: pytest.CaptureFixture[str], uri: str
) -> None:
    identity = pki.issue(f"detached{len(uri)}")
    goods = tmp_path / "goods.xml"
    goods.write_bytes(b"<goods>text</goods>")
    name = uri.removesuffix("=") or "goods.xml"
    enveloping = protect(parse_xml(goods.read_bytes()), identity, replace(XMLDSIG, form="enveloping"), NOW).data
    object_id = enveloping.partition(b'URI="')[2].partition(b'"')[0]
    template = enveloping[: enveloping.index(b"<ds:Object")] + b"</ds:Signature>"
    for element in (b"DigestValue", b"SignatureValue"):
        old = template.partition(b"<ds:%b>" % element)[2].partition(b"<")[0]
        template = template.replace(old, blank(element.decode()).encode())
    template = template.replace(b'URI="%b"' % object_id, f'URI="{name}"'.encode())
    sign_it = partial(sign, WRITABLE["ecdsa-sha256"], identity.key)
    (tmp_path / "goods.sig").write_bytes(complete(template, [sign_it], outside={name: goods.read_bytes()}))
    beside = protect(parse_xml(goods.read_bytes()), identity, JWS, NOW).headers[JWS.header]
    (tmp_path / "goods.jws").write_text(beside, encoding="ascii")
    for file in ("goods.sig", "goods.jws"):
        options = [tmp_path / file, "--only", "signature", *trust(pki), "--content", f"{uri}{goods}"]
        goods.write_bytes(b"<goods>text</goods>")
        code, [result] = check(capsys, *options)
        assert (code, result["findings"], result["signature"]["trusted"]) == (0, [], True)
        goods.write_bytes(b"<goods>texT</goods>")
        assert check(capsys, *options)[0] == 1
        assert check(capsys, *options[:-2])[0] == 1
    assert main(["check", "--pack", "etir-4.3", "--content", "nothing", str(goods)]) == 11


@pytest.mark.parametrize(("status", "codes"), [("GOOD", []), ("REVOKED", ["revoked"]), ("UNKNOWN", ["ocsp-unknown"])])
def test_a_cached_answer_of_the_issuer_counts(
    pki: TestPki, tmp_path: Path, capsys: pytest.CaptureFixture[str], status: str, codes: list[str]
) -> None:
    identity = pki.issue(f"answered-{status}")
    file, answer = tmp_path / "message.xml", tmp_path / "answer.der"
    file.write_bytes(protect(parse_xml(GOLDEN.read_bytes()), identity, PACK.security, NOW).data)
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=identity.certificate,
        issuer=pki.issuing.certificate,
        algorithm=SHA256(),
        cert_status=ocsp.OCSPCertStatus[status],
        this_update=NOW - timedelta(hours=1),
        next_update=NOW + timedelta(hours=1),
        revocation_time=NOW - timedelta(days=1) if status == "REVOKED" else None,
        revocation_reason=None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, pki.issuing.certificate)
    answer.write_bytes(builder.sign(pki.issuing.key, SHA256()).public_bytes(Encoding.DER))
    anchors = pki.folder / "trust.pem"
    code, [result] = check(capsys, file, "--only", "signature", "--trust", anchors, "--ocsp", answer)
    assert [each["code"] for each in result["findings"]] == codes
    assert code == (1 if codes else 0)


def test_a_changed_byte_is_found(
    signed: Path, pki: TestPki, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "altered.xml"
    file.write_bytes(signed.read_bytes().replace(b"UZTAS001", b"UZTAS002"))
    code, [result] = check(capsys, file, "--only", "signature", *trust(pki))
    assert code == 1
    assert "digest-mismatch" in {each["code"] for each in result["findings"]}
    assert result["signature"]["trusted"] is False


def test_without_an_anchor_the_signer_is_not_checked_and_that_is_said(
    signed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, [result] = check(capsys, signed)
    assert code == 0
    assert [each["severity"] for each in result["findings"]] == ["warning"]
    assert result["signature"]["trusted"] is False


def test_a_foreign_anchor_does_not_help(signed: Path, pki: TestPki, capsys: pytest.CaptureFixture[str]) -> None:
    code, [result] = check(capsys, signed, "--trust", pki.foreign().folder / "trust.pem")
    assert (code, result["signature"]["trusted"]) == (1, False)


def test_time_can_be_given(signed: Path, pki: TestPki, capsys: pytest.CaptureFixture[str]) -> None:
    code, [result] = check(capsys, signed, *trust(pki), "--at", (NOW + timedelta(hours=1)).isoformat())
    assert code == 1
    assert {each["check"] for each in result["findings"]} == {"timestamp"}


def test_what_cannot_be_read_fails_and_the_others_are_still_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bomb.xml"
    file.write_bytes(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    code, [bad, good] = check(capsys, file, GOLDEN)
    assert (code, bad["verdict"], good["verdict"]) == (1, "fail", "pass")
    assert bad["findings"][0]["code"] == "doctype"


def test_people_get_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(GOLDEN), "--pack", "etir-4.3"]) == 0
    assert capsys.readouterr().out == f"{GOLDEN}: pass\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent.xml", "--pack", "etir-4.3"], "absent.xml: No such file"),
        ([str(GOLDEN), "--pack", "etir-4.4"], "Did you mean 'etir-4.3'?"),
        ([str(GOLDEN), "--pack", "etir-4.3", "--only", "spelling"], "some of schema, signature"),
        ([str(GOLDEN), "--pack", "etir-4.3", "--at", "yesterday"], "such as 2026-"),
        ([str(GOLDEN), "--pack", "etir-4.3", "--trust", str(GOLDEN)], "no readable certificate"),
        ([str(GOLDEN), "--pack", "etir-4.3", "--message", "I99"], "no message 'I99'"),
        ([str(GOLDEN), "--pack", "etir-4.3", "--header", "nothing"], "'NAME: VALUE'"),
        ([str(GOLDEN)], "required: --pack"),
    ],
)
def test_a_wrong_call_ends_with_11(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *arguments]) == 11
    told = capsys.readouterr()
    assert told.out == ""
    assert words in " ".join(told.err.split())
