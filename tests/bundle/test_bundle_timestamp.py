"""Time stamps: asked from an authority over HTTP, kept beside the signature, checked offline."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.bundle.files import STATEMENT
from harness.bundle.statement import open_statement
from harness.bundle.timestamp import add_stamp
from harness.bundle.verify import Verification, verify_bundle
from harness.cli.main import main
from harness.errors import ConfigurationFault
from harness.security.keys import load_certificates
from harness.security.statement_key import SigningKey, generate_demo_key, key_id

pytest.importorskip("rfc3161_client")
Copy = Callable[[], Path]
CONFIG = """\
[tsa]
default_tsa = tsa1
[tsa1]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha384, sha512
"""


class Authority:
    """A time-stamping authority of our own: HTTP of ours, stamps by OpenSSL."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.answer = folder, b""
        self.root = folder / "root.pem"
        key = rsa.generate_private_key(65537, 2048)
        self._certificate("root", key, key, ca=True)
        self._certificate("tsa", rsa.generate_private_key(65537, 2048), key, ca=False)
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))

    def _certificate(self, name: str, key: rsa.RSAPrivateKey, signer: rsa.RSAPrivateKey, *, ca: bool) -> None:
        names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, each)]) for each in (name, "root")]
        begin = datetime.now(UTC) - timedelta(days=1)
        usage = x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False)
        builder = (
            x509.CertificateBuilder(names[1], names[0], key.public_key(), x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage([x509.OID_TIME_STAMPING]), critical=True)
        certificate = builder.sign(signer, hashes.SHA256())
        (self.folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        (self.folder / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def stamp(self, request: bytes) -> bytes:
        if self.answer:
            return self.answer
        query, reply = self.folder / "q.tsq", self.folder / "r.tsr"
        query.write_bytes(request)
        command = ["openssl", "ts", "-reply", "-config", self.folder / "tsa.cnf", "-queryfile", query, "-out", reply]
        subprocess.run(command, check=True, timeout=300, capture_output=True)
        return reply.read_bytes()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Authority, str]]:
    if shutil.which("openssl") is None:
        assert os.environ.get("C2C_REQUIRE_TOOLS") != "1", "openssl is not installed"
        pytest.skip("openssl is not installed")
    made = Authority(tmp_path_factory.mktemp("tsa"))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.headers["content-type"] == "application/timestamp-query"
            answer = made.stamp(body)
            self.send_response(200)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def stamped(copied: Copy, authority: tuple[Authority, str]) -> Path:
    folder = copied()
    statement = folder / STATEMENT
    statement.write_bytes(add_stamp(statement.read_bytes(), authority[1]))
    return folder


def signature_lines(verification: Verification) -> list[tuple[str, str]]:
    return [(part.outcome, part.text) for part in verification.parts if part.name == "signature"]


def verify(folder: Path, key: SigningKey, *roots: Path) -> Verification:
    authorities = [each for file in roots for each in load_certificates(file)]
    until = open_statement((folder / STATEMENT).read_bytes())[0]["predicate"]["validity"]["until"]
    return verify_bundle(folder, [key.public], datetime.fromisoformat(until), authorities)


def test_a_stamp_by_a_trusted_authority_proves_the_time(
    stamped: Path, key: SigningKey, authority: tuple[Authority, str]
) -> None:
    verification = verify(stamped, key, authority[0].root)
    assert verification.exit_code == 0
    outcome, text = signature_lines(verification)[-1]
    assert outcome == "proved"
    assert "a time-stamping authority that is trusted" in text
    with pytest.raises(ConfigurationFault, match="has a time stamp already"):
        add_stamp((stamped / STATEMENT).read_bytes(), authority[1])


def test_without_trusted_authorities_the_stamp_proves_nothing(stamped: Path, key: SigningKey) -> None:
    outcome, text = signature_lines(verify(stamped, key))[-1]
    assert outcome == "not proved"
    assert "NOT checked" in text


def test_a_stamp_by_another_authority_is_refused(stamped: Path, key: SigningKey, tmp_path: Path) -> None:
    verification = verify(stamped, key, Authority(tmp_path).root)
    assert verification.exit_code == 13
    assert "not by a trusted authority" in verification.lines[-1]


@pytest.mark.parametrize("trusted", [True, False])
def test_a_stamp_of_another_signature_is_refused(
    stamped: Path, bundle: Path, key: SigningKey, authority: tuple[Authority, str], trusted: bool, tmp_path: Path
) -> None:
    from harness.bundle.statement import countersign
    from harness.security.statement_key import load_signing_key

    other = json.loads((stamped / STATEMENT).read_bytes())["signatures"][0]["timestamp"]
    private, _ = generate_demo_key(tmp_path / "k")
    envelope = json.loads(countersign((bundle / STATEMENT).read_bytes(), load_signing_key(private)))
    envelope["signatures"][1]["timestamp"] = other
    (stamped / STATEMENT).write_bytes(json.dumps(envelope, indent=1).encode() + b"\n")
    verification = verify(stamped, key, *([authority[0].root] if trusted else []))
    assert verification.exit_code == 13
    assert "time stamp on the signature" in verification.lines[-1]


def test_a_stamp_that_cannot_be_read_is_refused(stamped: Path, key: SigningKey) -> None:
    envelope = json.loads((stamped / STATEMENT).read_bytes())
    envelope["signatures"][0]["timestamp"] = base64.b64encode(b"no stamp").decode()
    (stamped / STATEMENT).write_bytes(json.dumps(envelope, indent=1).encode() + b"\n")
    assert "is not valid" in verify(stamped, key).lines[-1]


def test_what_is_wrong_with_an_authority_is_told(bundle: Path, authority: tuple[Authority, str]) -> None:
    data = (bundle / STATEMENT).read_bytes()
    own, url = authority
    for address, answer, words in (
        ("http://127.0.0.1:9/", b"", "cannot be asked"),
        ("nonsense", b"", "cannot be asked"),
        (url, b"no stamp", "cannot be read"),
        (url, bytes(100_000), "100000 bytes|and [0-9]+ bytes"),
        (url, own.stamp(_query()), "did not stamp what it was asked to"),
    ):
        own.answer = answer
        with pytest.raises(ConfigurationFault, match=words):
            add_stamp(data, address)
    own.answer = b""


def _query() -> bytes:
    from rfc3161_client import TimestampRequestBuilder

    return TimestampRequestBuilder().data(b"another").build().as_bytes()


def test_the_command_stamps_and_verifies(
    copied: Copy, authority: tuple[Authority, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    from harness.host import write_private

    folder, file = copied(), tmp_path / "key.pem"
    private = ed25519.Ed25519PrivateKey.generate()
    write_private(file, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert main(["sign", str(folder), "--key", str(file), "--timestamp", authority[1]]) == 0
    assert main(["verify", str(folder), "--tsa", str(authority[0].root), "--at", "2026-04-01"]) == 0
    assert "a time-stamping authority that is trusted" in capsys.readouterr().out

    policy = tmp_path / "policy.yaml"
    tester = {"name": "Ministry", "part": "tester", "key": key_id(private.public_key())}
    rules = {"policy": "p", "pack": {"id": "p", "versions": ["1"]}, "timestamp": True, "signers": [tester]}
    policy.write_text(json.dumps(rules), "utf-8")
    look = ["admit", str(folder), "--policy", str(policy), "--register", str(tmp_path / "none.db")]
    assert main([*look, "--tsa", str(authority[0].root)]) == 1
    assert "met      timestamp     A trusted authority says that the tester had signed on" in capsys.readouterr().out
    assert main(look) == 1
    assert "NOT MET  timestamp     The time stamp on the signature" in capsys.readouterr().out
