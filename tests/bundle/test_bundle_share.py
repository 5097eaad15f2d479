"""The copy that may leave the house: nothing secret in it, it still verifies, and a recipient sees everything."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from small_run import CONSIGNOR, START, TOKEN

from harness.bundle import rejudge
from harness.bundle.cms import read_recipients
from harness.bundle.seal import load_recipients, seal, unseal
from harness.bundle.share import share_bundle
from harness.bundle.verify import Verification, verify_bundle
from harness.cli.main import main
from harness.errors import BundleFault, ConfigurationFault
from harness.host import write_private
from harness.record.strict import loads
from harness.security.statement_key import SigningKey

Copy = Callable[[], Path]
AT = START + timedelta(days=30)


def recipient(folder: Path, name: str = "operator", *, key: object = None, days: int = 36500, bits: int = 2048) -> Path:
    """A certificate for encryption, and its key beside it; valid now, so that commands can use it."""
    private = key or rsa.generate_private_key(65537, bits)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(subject, subject, private.public_key(), x509.random_serial_number())  # type: ignore[attr-defined]
    builder = builder.not_valid_before(begin).not_valid_after(begin + timedelta(days=days))
    certificate = builder.sign(private, hashes.SHA256())  # type: ignore[arg-type]
    file = folder / f"{name}.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    data = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]
    write_private(folder / f"{name}.key", data)
    return file


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recipient(tmp_path_factory.mktemp("operator"))


@pytest.fixture(scope="module")
def shared(bundle: Path, operator: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shared copy; not to be changed."""
    target = tmp_path_factory.mktemp("shared") / "copy"
    share_bundle(bundle, target, load_recipients([operator], AT), AT)
    return target


def outcomes(verification: Verification) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for part in verification.parts:
        found.setdefault(part.name, set()).add(part.outcome)
    return found


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_the_view_shows_every_event_and_message_without_what_is_private(bundle: Path) -> None:
    view, evidence = bundle / "view", bundle / "evidence"
    shown = everything(view)
    assert TOKEN.encode() in everything(evidence)
    assert CONSIGNOR.encode() in everything(evidence)
    assert TOKEN.encode() not in shown
    assert CONSIGNOR.encode() not in shown
    assert b"[redacted]" in shown
    lines = (evidence / "events.jsonl").read_bytes().count(b"\n")
    assert (view / "events.jsonl").read_bytes().count(b"\n") == lines


def test_a_shared_copy_holds_no_private_byte_and_still_verifies(shared: Path, key: SigningKey) -> None:
    assert not (shared / "evidence").exists()
    content = everything(shared).replace(everything(shared / "pack"), b"")  # the samples are not of this run
    assert TOKEN.encode() not in content
    assert CONSIGNOR.encode() not in content
    verification = verify_bundle(shared, [key.public], AT)
    assert verification.exit_code == 0
    found = outcomes(verification)
    assert found["signature"] == found["agreement"] == found["date"] == {"proved"}
    assert found["files"] == {"proved", "sealed"}
    assert found["judgement"] == found["view"] == found["freshness"] == {"sealed"}
    assert found["reports"] == {"proved", "sealed"}


def test_another_version_of_the_tool_makes_no_report_of_what_is_sealed(
    shared: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejudge, "this_tool", lambda: {"name": "c2c-harness", "version": "9"})
    verification = verify_bundle(shared, [key.public], AT)
    assert verification.exit_code == 0
    assert outcomes(verification)["reports"] == {"sealed"}


def test_a_recipient_opens_it_and_verifies_everything(
    shared: Path, bundle: Path, operator: Path, key: SigningKey, tmp_path: Path
) -> None:
    unseal(shared, tmp_path / "full", operator, operator.with_suffix(".key"), None)
    verification = verify_bundle(tmp_path / "full", [key.public], AT)
    assert verification.exit_code == 0
    assert not any(part.outcome == "sealed" for part in verification.parts)
    assert everything(tmp_path / "full") == everything(bundle)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="only on machines with openssl")
def test_a_recipient_can_open_it_with_another_tool(shared: Path, operator: Path, tmp_path: Path) -> None:
    command = ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", shared / "sealed" / "evidence.p7m"]
    command += ["-recip", operator, "-inkey", operator.with_suffix(".key"), "-out", tmp_path / "evidence.zip"]
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    assert (tmp_path / "evidence.zip").read_bytes().startswith(b"PK")


def test_nobody_else_opens_it(shared: Path, tmp_path: Path) -> None:
    stranger = recipient(tmp_path, "stranger")
    with pytest.raises(ConfigurationFault, match="cannot be opened with this key"):
        unseal(shared, tmp_path / "full", stranger, stranger.with_suffix(".key"), None)
    assert not (tmp_path / "full").exists()


def test_the_recipients_are_read_without_a_key(bundle: Path, shared: Path, key: SigningKey, tmp_path: Path) -> None:
    files = [recipient(tmp_path, name) for name in ("Zoll, A", "Таможня")]
    certificates = load_recipients(files, AT)
    found = read_recipients(seal(bundle, certificates))
    assert {(each.issuer, each.serial) for each in found} == {
        (each.issuer.rfc4514_string(), each.serial_number) for each in certificates
    }
    said = next(part.text for part in verify_bundle(shared, [key.public], AT).parts if part.outcome == "sealed")
    assert re.search(r"sealed to certificate [0-9a-f]+ of CN=operator\.$", said)


CHANGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda data: b"", "the content is not one sequence"),
    "any bytes": (lambda data: b"PK not an envelope", "no CMS envelope"),
    "cut off": (lambda data: data[:-1], "cut off"),
    "something behind it": (lambda data: data + b"\x30\x00", "not one sequence"),
    "signed instead": (lambda data: data.replace(OID + b"\x03", OID + b"\x02", 1), "not EnvelopedData"),
    "another cipher": (lambda data: data.replace(AES + b"\x2a", AES + b"\x02", 1), "not AES-256"),
    "no recipient": (lambda data: NOBODY, "no recipient"),
    "long form of a length": (lambda data: b"\x30\x81\x02\x05\x00", "as DER demands"),
}
OID, AES = bytes.fromhex("06092a864886f70d0107"), bytes.fromhex("06096086480165030401")


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    assert len(content) < 128
    return bytes((tag, len(content))) + content


NOBODY = der(
    0x30,
    OID + b"\x03",
    der(
        0xA0,
        der(
            0x30,
            der(0x02, b"\0"),
            der(0x31),
            der(0x30, OID + b"\x01", der(0x30, AES + b"\x2a", der(0x04, bytes(16))), der(0x80, bytes(16))),
        ),
    ),
)
"""An envelope without a recipient."""


@pytest.mark.parametrize("name", CHANGES)
def test_a_sealed_part_that_is_no_envelope_is_refused(name: str, shared: Path) -> None:
    change, words = CHANGES[name]
    with pytest.raises(BundleFault, match=words):
        read_recipients(change((shared / "sealed" / "evidence.p7m").read_bytes()))


def test_no_change_of_the_sealed_part_is_more_than_refused(shared: Path) -> None:
    data, draw = (shared / "sealed" / "evidence.p7m").read_bytes()[:1000], Random(5)
    for number in range(3000):
        changed = bytearray(data)
        changed[draw.randrange(500)] = draw.randrange(256)
        with suppress(BundleFault):
            read_recipients(bytes(changed[: draw.randrange(len(data))] if number % 2 else changed))


def test_a_bundle_with_any_bytes_for_its_sealed_part_does_not_verify(
    shared: Path, key: SigningKey, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(shared, copy)
    (copy / "sealed" / "evidence.p7m").write_bytes(b"anything")
    verification = verify_bundle(copy, [key.public], AT)
    assert verification.exit_code == 13
    assert "the sealed part is no CMS envelope" in verification.lines[-1]


def test_what_is_not_sealed_is_still_protected(shared: Path, key: SigningKey, tmp_path: Path) -> None:
    for number, name in enumerate(("view/messages.jsonl", "derived/report.html", "record.json", "plan.json")):
        copy = tmp_path / str(number)
        shutil.copytree(shared, copy)
        (copy / name).write_bytes((copy / name).read_bytes().replace(b"a", b"b", 1))
        verification = verify_bundle(copy, [key.public], AT)
        assert verification.exit_code == 13
        assert verification.lines[-1] == f"INVALID: {name} was changed."


def test_other_evidence_in_the_seal_is_found_by_the_recipient(
    copied: Copy, shared: Path, operator: Path, key: SigningKey, tmp_path: Path
) -> None:
    other = copied()
    log = other / "evidence" / "events.jsonl"
    log.write_bytes(log.read_bytes().replace(b"run-finished", b"run-finishes"))
    copy = tmp_path / "forged"
    shutil.copytree(shared, copy)
    (copy / "sealed" / "evidence.p7m").write_bytes(seal(other, load_recipients([operator], AT)))
    assert "sealed" in outcomes(verify_bundle(copy, [key.public], AT))["judgement"]
    unseal(copy, tmp_path / "full", operator, operator.with_suffix(".key"), None)
    verification = verify_bundle(tmp_path / "full", [key.public], AT)
    assert verification.lines[-1] == "INVALID: evidence/events.jsonl was changed."


def test_evidence_without_a_seal_is_missing(copied: Copy, key: SigningKey) -> None:
    folder = copied()
    shutil.rmtree(folder / "evidence")
    assert "INVALID: evidence/events.jsonl is missing" in "\n".join(verify_bundle(folder, [key.public], AT).lines)


def test_a_part_of_the_evidence_cannot_be_detached(copied: Copy, shared: Path, key: SigningKey) -> None:
    folder = copied()
    (folder / "evidence" / "events.jsonl").unlink()
    shutil.copytree(shared / "sealed", folder / "sealed")
    assert "INVALID: evidence/events.jsonl is missing" in "\n".join(verify_bundle(folder, [key.public], AT).lines)


def test_what_does_not_verify_is_not_shared(copied: Copy, operator: Path, tmp_path: Path) -> None:
    folder = copied()
    (folder / "derived" / "junit.xml").write_bytes(b"<testsuites/>")
    with pytest.raises(BundleFault, match=r"does not verify: INVALID: derived/junit\.xml was changed"):
        share_bundle(folder, tmp_path / "shared", load_recipients([operator], AT), AT)
    assert not (tmp_path / "shared").exists()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"key": ec.generate_private_key(ec.SECP256R1())}, "nothing can be sealed to this kind of key"),
        ({"bits": 1024}, "nothing can be sealed to this kind of key"),
        ({"days": 10}, "out of date"),
    ],
)
def test_a_certificate_that_cannot_be_sealed_to_is_refused(how: dict[str, object], words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault, match=words):
        load_recipients([recipient(tmp_path, **how)], AT)  # type: ignore[arg-type]


def test_the_commands_share_and_open(
    bundle: Path, operator: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, full = tmp_path / "copy.zip", tmp_path / "full"
    assert main(["share", str(bundle), "--to", str(operator), "--out", str(copy)]) == 0
    assert "CN=operator" in capsys.readouterr().out
    at = ["--at", AT.isoformat()]
    assert main(["verify", str(copy), *at]) == 0
    printed = capsys.readouterr().out
    assert "judgement  sealed" in printed
    assert main(["verify", str(copy), *at, "--json"]) == 0
    answer = loads(capsys.readouterr().out.encode(), "the answer")
    assert (answer["valid"], answer["in_date"]) == (True, True)
    keys = ["--certificate", str(operator), "--key", str(operator.with_suffix(".key"))]
    assert main(["unseal", str(copy), *keys, "--out", str(full)]) == 0
    assert main(["verify", str(full), *at]) == 0
    assert main(["share", str(copy), "--to", str(operator), "--out", str(tmp_path / "again")]) == 11
    assert main(["unseal", str(full), *keys, "--out", str(tmp_path / "x")]) == 11
