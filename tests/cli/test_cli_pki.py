"""``c2c pki`` and ``c2c init``: what an integrator needs before a first run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pack_kit import pack_named

from harness.cli.main import main
from harness.security.keys import load_certificates, load_crls, load_identity
from harness.target.load import load_target


def test_issue_makes_authorities_key_and_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "identities"
    assert main(["pki", "issue", "my-system", "--country", "UZ", "--host", "localhost", "--folder", str(folder)]) == 0
    certificate_file, key_file = map(Path, capsys.readouterr().out.split())
    identity = load_identity("my-system", certificate_file, key_file)
    assert "TEST" in identity.certificate.issuer.rfc4514_string()
    names = identity.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert main(["pki", "issue", "my-system", "--folder", str(folder)]) == 11


def test_sign_answers_a_request_without_seeing_the_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mine")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    file = tmp_path / "mine.csr"
    file.write_bytes(request.public_bytes(serialization.Encoding.PEM))
    assert main(["pki", "sign", str(file), "--folder", str(tmp_path / "pki")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "mine.pem")
    assert load_certificates(tmp_path / "mine.pem")[0].public_key() == key.public_key()
    assert main(["pki", "sign", str(file), "--folder", str(tmp_path / "pki")]) == 11


def test_export_writes_what_the_other_side_must_trust(tmp_path: Path) -> None:
    assert main(["pki", "export", "--folder", str(tmp_path / "pki"), "--out", str(tmp_path / "out")]) == 0
    assert load_certificates(tmp_path / "out" / "trust.pem")
    assert load_crls(tmp_path / "out" / "crl.pem")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["crl.pem", "trust.pem"]


FACTS = [""] * len(pack_named("etir-4.3").parties["customs.departure"].facts)
ANSWERS = [
    "customs",
    "departure",
    "Ministry",
    "Product",
    "1.0",
    "",
    *FACTS,
    "https://localhost:9000",
    "none",
    "",
    "",
    "",
]


def test_init_asks_and_writes_files_that_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(ANSWERS) + "\n"))
    assert main(["init", str(tmp_path / "new"), "--pack", "etir-4.3"]) == 0
    target = load_target(tmp_path / "new" / "target.yaml")
    assert (target.role, target.positions, target.sut.product) == ("customs", ("departure",), "Product")


def test_init_asks_again_until_an_answer_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = ["smuggler", ANSWERS[0], "moon", ANSWERS[1], "", *ANSWERS[2:-2], "many", *ANSWERS[-2:]]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers) + "\n"))
    assert main(["init", str(tmp_path), "--pack", "etir-4.3"]) == 0
    said = capsys.readouterr().out
    for complaint in ("'smuggler' is none of them", "'moon' is none", "An answer is needed", "'many' is not a number"):
        assert complaint in said


@pytest.mark.parametrize(
    ("given", "question"), [(["customs", "departure"], "Authority that answers for it"), ([], "Role of your system")]
)
def test_init_does_not_ask_a_program_for_ever(
    given: list[str], question: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Endless(io.StringIO):
        def readline(self, _size: int | None = -1, /) -> str:
            return f"{given.pop(0)}\n" if given else " ,\n" if question.startswith("Role") else "\n"

    monkeypatch.setattr("sys.stdin", Endless())
    assert main(["init", str(tmp_path / "new"), "--pack", "etir-4.3"]) == 11
    told = capsys.readouterr()
    assert f"3 answers in a row cannot be used at '{question}" in " ".join(told.err.split())
    assert told.out.count("needed here") + told.out.count("is none of them") == 3
    assert not (tmp_path / "new").exists()


def test_init_asks_a_person_as_often_as_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("\n".join(["moon"] * 5 + ANSWERS) + "\n"))
    assert main(["init", str(tmp_path / "new"), "--pack", "etir-4.3"]) == 0


def test_init_asks_nothing_where_its_files_are_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ixit.yaml").write_text("mine", "utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["init", str(tmp_path)]) == 11
    told = capsys.readouterr()
    assert told.out == ""
    assert "is there already" in " ".join(told.err.split())


def test_init_without_answers_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["init", str(tmp_path), "--pack", "etir-4.3"]) == 11
    assert "the answers ended" in capsys.readouterr().err
