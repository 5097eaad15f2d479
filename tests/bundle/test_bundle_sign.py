"""Several signatures on one statement: who tested first, then the operator; nobody signs what does not verify."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from small_run import START, small_run

from harness.bundle.files import STATEMENT
from harness.bundle.sign import sign_bundle
from harness.bundle.statement import open_statement
from harness.bundle.verify import verify_bundle
from harness.bundle.write import write_bundle
from harness.cli.main import main
from harness.errors import BundleFault, ConfigurationFault, HarnessFault
from harness.host import WINDOWS, write_private
from harness.record.strict import dumps, loads
from harness.security.statement_key import SigningKey, generate_demo_key, key_id, load_signing_key

AT = START + timedelta(days=1)
Copy = Callable[[], Path]
OPERATOR = SigningKey(ec.generate_private_key(ec.SECP256R1()))


def signers(folder: Path) -> list[str]:
    return [key_id(each) for each in open_statement((folder / STATEMENT).read_bytes())[1]]


def test_an_unsigned_bundle_is_signed_by_one_and_then_by_another(tmp_path: Path, key: SigningKey) -> None:
    run = small_run(tmp_path)
    write_bundle(run.folder, run.plan, run.pack, run.record(), [])
    assert sign_bundle(run.folder, key, AT) == 1
    assert sign_bundle(run.folder, OPERATOR, AT) == 2
    assert signers(run.folder) == [key_id(key.public), key_id(OPERATOR.public)]
    for trusted in (key, OPERATOR):
        assert verify_bundle(run.folder, [trusted.public], AT).ok


def test_nobody_signs_twice(copied: Copy, key: SigningKey) -> None:
    folder = copied()
    with pytest.raises(BundleFault, match="has signed the statement already"):
        sign_bundle(folder, key, AT)
    assert signers(folder) == [key_id(key.public)]


def test_nobody_signs_what_does_not_verify(copied: Copy) -> None:
    folder = copied()
    (folder / "derived" / "report.html").write_bytes(b"another report")
    with pytest.raises(BundleFault, match=r"cannot be signed.*derived/report\.html was changed"):
        sign_bundle(folder, OPERATOR, AT)
    (folder / STATEMENT).unlink()
    with pytest.raises(BundleFault, match=r"derived/report\.html is not what the record gives"):
        sign_bundle(folder, OPERATOR, AT)
    assert not (folder / STATEMENT).exists()


def test_no_statement_where_the_harness_went_wrong(copied: Copy, key: SigningKey) -> None:
    folder = copied()
    (folder / STATEMENT).unlink()
    record = loads((folder / "record.json").read_bytes(), "record.json")
    record["cases"][0]["verdict"] = "harness_error"
    (folder / "record.json").write_bytes(dumps(record))
    with pytest.raises(HarnessFault, match="no statement"):
        sign_bundle(folder, key, AT)


def test_a_test_key_signs_no_real_certification(copied: Copy, tmp_path: Path) -> None:
    private, _ = generate_demo_key(tmp_path / "demo")
    with pytest.raises(ConfigurationFault, match="TEST key"):
        sign_bundle(copied(), load_signing_key(private), AT)


def test_a_folder_without_a_record_cannot_be_signed(tmp_path: Path, key: SigningKey) -> None:
    with pytest.raises(ConfigurationFault, match="no record to sign"):
        sign_bundle(tmp_path, key, AT)


def test_the_command_signs_with_a_pkcs12_file(copied: Copy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied()
    store, password = tmp_path / "office.p12", tmp_path / "office.password"
    private = ed25519.Ed25519PrivateKey.generate()
    write_private(
        store, pkcs12.serialize_key_and_certificates(b"office", private, None, None, BestAvailableEncryption(b"sesame"))
    )
    write_private(password, b"sesame\n")
    assert main(["sign", str(folder), "--key", str(store), "--password", str(password)]) == 0
    assert "the statement has 2 signatures" in capsys.readouterr().out
    assert signers(folder)[1] == key_id(private.public_key())
    assert main(["sign", str(folder), "--key", str(store)]) == 11
    if not WINDOWS:
        password.chmod(0o644)
        assert main(["sign", str(folder), "--key", str(store), "--password", str(password)]) == 11
        assert "can read the password" in " ".join(capsys.readouterr().err.split())
