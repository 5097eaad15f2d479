"""The statement signed in XML: ours verify, foreign tools agree, and not one byte can change."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree
from small_run import small_run

from harness.bundle.files import STATEMENT
from harness.bundle.write import write_bundle
from harness.bundle.xades import check_xades, make_xades
from harness.cli.main import main
from harness.errors import BundleFault
from harness.security.model import Identity, Trust
from harness.security.pki import TestPki
from harness.security.statement_key import SigningKey

AT = datetime(2026, 3, 2, 12, 30, 15, 999, tzinfo=UTC)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    return TestPki.create(tmp_path_factory.mktemp("pki"), datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture(scope="module", params=["ec", "rsa"])
def identity(request: pytest.FixtureRequest, pki: TestPki) -> Identity:
    return pki.issue(f"office-{request.param}", key=request.param)


def envelope(bundle: Path) -> bytes:
    return (bundle / STATEMENT).read_bytes()


def trust(pki: TestPki) -> Trust:
    return pki.trust


def test_what_is_signed_is_valid_and_names_signer_and_time(bundle: Path, pki: TestPki, identity: Identity) -> None:
    found = check_xades(make_xades(envelope(bundle), identity, AT), envelope(bundle), trust(pki))
    assert found.at == AT.replace(microsecond=0)
    assert found.signer == identity.certificate.subject.rfc4514_string()


def test_a_foreign_validator_agrees(bundle: Path, identity: Identity, tmp_path: Path) -> None:
    if shutil.which("xmlsec1") is None:
        assert os.environ.get("C2C_REQUIRE_TOOLS") != "1", "xmlsec1 is not installed"
        pytest.skip("xmlsec1 is not installed")
    file = tmp_path / "statement.xades.xml"
    file.write_bytes(make_xades(envelope(bundle), identity, AT))
    certificate = identity.certificate_file
    ids = ["--id-attr:Id", "http://www.w3.org/2000/09/xmldsig#:Object"]
    ids += ["--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"]
    command = ["xmlsec1", "--verify", "--pubkey-cert-pem", certificate, *ids, file]
    done = subprocess.run(command, check=False, timeout=300, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    file.write_bytes(file.read_bytes().replace(b"SigningTime>2026", b"SigningTime>2027"))
    assert subprocess.run(command, check=False, timeout=300, capture_output=True).returncode != 0


def test_it_has_the_properties_of_level_b_b(bundle: Path, identity: Identity) -> None:
    root = etree.fromstring(make_xades(envelope(bundle), identity, AT))
    names = {etree.QName(each).localname for each in root.iter(etree.Element)}
    assert names >= {"SigningTime", "SigningCertificateV2", "CertDigest", "DataObjectFormat", "MimeType"}
    signed = root.findall(".//{*}Reference")
    assert [each.get("Type") for each in signed] == [None, "http://uri.etsi.org/01903#SignedProperties"]


def test_no_byte_can_change(bundle: Path, pki: TestPki, identity: Identity) -> None:
    data, chance = make_xades(envelope(bundle), identity, AT), random.Random(1)
    for _ in range(60):
        place = chance.randrange(len(data))
        changed = data[:place] + bytes([data[place] ^ chance.randrange(1, 256)]) + data[place + 1 :]
        with pytest.raises(BundleFault, match="XML signature"):
            check_xades(changed, envelope(bundle), trust(pki))


def test_a_signature_of_another_statement_is_refused(
    bundle: Path, pki: TestPki, identity: Identity, key: SigningKey, tmp_path: Path
) -> None:
    run = small_run(tmp_path, token="other")
    write_bundle(run.folder, run.plan, run.pack, run.record(), [key])
    with pytest.raises(BundleFault, match="of another statement"):
        check_xades(make_xades(envelope(run.folder), identity, AT), envelope(bundle), trust(pki))


def test_a_stranger_is_refused(bundle: Path, identity: Identity, tmp_path: Path) -> None:
    other = TestPki.create(tmp_path / "other", datetime(2026, 3, 1, tzinfo=UTC))
    with pytest.raises(BundleFault, match="nobody who is trusted"):
        check_xades(make_xades(envelope(bundle), identity, AT), envelope(bundle), trust(other))


def test_the_command_signs_and_checks(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pki = TestPki.create(tmp_path / "pki", datetime.now(UTC))
    identity = pki.issue("office")
    file = tmp_path / "statement.xades.xml"
    keys = ["--certificate", str(identity.certificate_file), "--key", str(identity.key_file)]
    assert main(["xades", str(bundle), *keys, "--out", str(file)]) == 0
    anchors = ["--anchors", str(pki.folder / "trust.pem")]
    assert main(["xades", str(bundle), "--check", str(file), *anchors]) == 0
    assert "is valid: by " in capsys.readouterr().out
    file.write_bytes(file.read_bytes().replace(b"SigningTime>2", b"SigningTime>1"))
    assert main(["xades", str(bundle), "--check", str(file), *anchors]) == 13
    assert main(["xades", str(bundle), "--out", str(file)]) == 11
