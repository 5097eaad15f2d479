"""Nothing that a run leaves behind, prints, or shows in the list of processes holds a secret."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from campaign_kit import running
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from harness.host import write_private

PASSWORD = b"correct-horse-battery-staple"
PRIVATE = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)


def secrets_in(folder: Path) -> list[bytes]:
    """The number of every private key in a folder, plain and as it shows in Base64; tokens and passwords."""
    found = [PASSWORD]
    for path in folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        if path.name.endswith((".token", ".password")):
            found.append(data.strip())
        for block in PRIVATE.findall(data):
            number = number_of(load_pem_private_key(block, PASSWORD if b"ENCRYPTED" in block else None))
            found += [number, *(base64.b64encode(bytes(shift) + number)[4:-4] for shift in range(3))]
    return found


def number_of(key: object) -> bytes:
    """The secret number itself."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.private_numbers().private_value.to_bytes((key.key_size + 7) // 8)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.private_numbers().d.to_bytes(key.key_size // 8)
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    return key.private_bytes_raw()


def command_lines() -> set[bytes]:
    lines = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.add(path.read_bytes())
        except OSError:
            continue
    return lines


@pytest.mark.parametrize("password", [PASSWORD, b"another-password-7Qx4"])
def test_a_run_leaves_no_secret_behind(tmp_path: Path, password: bytes) -> None:
    setup, out = tmp_path / "setup", tmp_path / "out"
    with running(setup, "etir-4.3", "holder") as props:
        key = ec.generate_private_key(ec.SECP256R1())
        data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD))
        write_private(setup / "office.pem", data)
        write_private(setup / "office.password", password)
        target = json.loads(props.target_file.read_text("utf-8"))
        target["statement"] = {"key": "office.pem", "password": {"file": "office.password"}}
        props.target_file.write_text(json.dumps(target), "utf-8")
        command = [sys.executable, "-m", "harness", "--debug", "run", "--target", str(props.target_file)]
        play = subprocess.Popen(
            [*command, "--out", str(out), "--zip"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path
        )
        seen = command_lines()
        while play.poll() is None:
            time.sleep(0.2)
            seen |= command_lines()
        assert play.stdout is not None
        printed = play.stdout.read()
        play.stdout.close()
    secrets = secrets_in(setup)
    assert len(secrets) > 10
    assert (play.returncode == 11) == (password != PASSWORD), printed.decode()
    left = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and setup not in path.parents}
    assert bool(left) == (password == PASSWORD)
    for secret in secrets:
        assert secret not in printed
        assert not [line for line in seen if secret in line]
        assert not [path for path, content in left.items() if secret in content]
