"""Nothing that a run leaves behind, prints, or shows in the list of processes holds a secret.

Also not when pytest plays it, when it crashes and somebody looks at every variable, and with a sandbox.
"""

from __future__ import annotations

import base64
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from campaign_kit import running
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from harness.demo import free_ports
from harness.host import write_private
from harness.pack.load import load_pack

NEIGHBOURS = str(Path(__file__).parent / "packs" / "neighbours")
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


def shown_processes() -> set[bytes]:
    """The command line and the environment of everything that runs, as other programs of this user see them."""
    found = set()
    for path in (*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")):
        try:
            found.add(path.read_bytes())
        except OSError:
            continue
    return found


def play(command: list[str], folder: Path) -> tuple[int, bytes, set[bytes]]:
    """Run a command in a folder: its exit code, what it printed, and what the list of processes showed meanwhile."""
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, cwd=folder)
        seen = shown_processes()
        while process.poll() is None:
            time.sleep(0.2)
            seen |= shown_processes()
        printed.seek(0)
        return process.returncode, printed.read(), seen


def left_behind(folder: Path, setup: Path) -> dict[Path, bytes]:
    """Every file below a folder but those of the set-up."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and setup not in path.parents}


def assert_unseen(secrets: Iterable[bytes], printed: bytes, seen: set[bytes], left: dict[Path, bytes]) -> None:
    for secret in secrets:
        assert secret not in printed
        assert not [line for line in seen if secret in line]
        assert not [path for path, content in left.items() if secret in content]


def lock_key(setup: Path, target_file: Path, kind: str, password: bytes) -> None:
    """Let the target sign its statement with a key in a file that a password locks."""
    key, lock = ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(PASSWORD)
    (setup / "office.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    data = pkcs12.serialize_key_and_certificates(b"office", key, None, None, lock)
    write_private(setup / "office.p12", data)
    write_private(setup / "office.pem", (setup / "office.key").read_bytes())
    write_private(setup / "office.password", password)
    target = json.loads(target_file.read_text("utf-8"))
    target["statement"] = {"key": f"office.{kind}", "password": {"file": "office.password"}}
    target_file.write_text(json.dumps(target), "utf-8")


@pytest.mark.parametrize("kind", ["pem", "p12"])
@pytest.mark.parametrize("password", [PASSWORD, b"another-password-7Qx4"], ids=["right", "wrong"])
def test_a_run_leaves_no_secret_behind(tmp_path: Path, password: bytes, kind: str) -> None:
    setup, out = tmp_path / "setup", tmp_path / "out"
    with running(setup, NEIGHBOURS, "customs") as props:
        lock_key(setup, props.target_file, kind, password)
        command = [sys.executable, "-m", "harness", "--debug", "run", "--target", str(props.target_file)]
        code, printed, seen = play([*command, "--out", str(out), "--zip"], tmp_path)
    secrets = secrets_in(setup)
    assert len(secrets) > 10
    assert (code == 11) == (password != PASSWORD), printed.decode()
    left = left_behind(tmp_path, setup)
    assert bool(left) == (password == PASSWORD)
    assert_unseen(secrets, printed, seen, left)


def test_what_pytest_writes_of_a_failed_run_holds_no_secret(tmp_path: Path) -> None:
    setup, out = tmp_path / "setup", tmp_path / "out"
    fault = next(name for name, each in load_pack(NEIGHBOURS).faults.items() if each.hook == "error-code")
    with running(setup, NEIGHBOURS, "customs", fault) as props:
        lock_key(setup, props.target_file, "pem", PASSWORD)
        command = [sys.executable, "-m", "pytest", NEIGHBOURS, "--target", str(props.target_file)]
        plugin = [] if "c2c-harness" in entry_points(group="pytest11").names else ["-p", "harness.plugin"]
        written = ["--out", str(out), "--junitxml", "junit.xml", "--alluredir", "allure", "--log-file", "log"]
        loud = ["-rA", "-vv", "--showlocals", "--full-trace", "--log-level", "DEBUG", "-p", "no:cacheprovider"]
        code, printed, seen = play([*command, *plugin, *written, *loud, "-c", "/dev/null"], tmp_path)
    assert code in (1, 10), printed.decode()
    assert b" failed, " in printed
    left = left_behind(tmp_path, setup)
    assert {"junit.xml", "log"} <= {path.name for path in left}
    assert any(path.parent.name == "allure" for path in left)
    assert_unseen(secrets_in(setup), printed, seen, left)


CRASH = """
import sys, traceback
from pathlib import Path
from harness.campaign import Campaign, Wish
from harness.exchange.engine import Engine

async def broken(self):
    everything = vars(self)
    raise RuntimeError("broken on purpose")

def report(kind, error, trace):
    print("".join(traceback.TracebackException(kind, error, trace, capture_locals=True).format()))

Engine.run, sys.excepthook = broken, report
campaign = Campaign.open(Path(sys.argv[1]), None, Wish())
campaign.start(Path(sys.argv[2]))
campaign.wait(60)
campaign.result()
"""


def test_a_crash_shows_no_secret_to_who_looks_at_every_variable(tmp_path: Path) -> None:
    setup = tmp_path / "setup"
    with running(setup, NEIGHBOURS, "customs") as props:
        lock_key(setup, props.target_file, "pem", PASSWORD)
        command = [sys.executable, "-X", "faulthandler", "-c", CRASH, str(props.target_file), str(tmp_path / "out")]
        _, printed, seen = play(command, tmp_path)
    assert b"broken on purpose" in printed
    assert b"everything = " in printed
    assert b"_setup" in printed
    assert_unseen(secrets_in(setup), printed, seen, left_behind(tmp_path, setup))


def test_a_sandbox_keeps_no_secret(tmp_path: Path) -> None:
    ports = free_ports(3)
    options = [f"--{name}={port}" for name, port in zip(("port", "control", "page"), ports, strict=True)]
    command = [sys.executable, "-m", "harness", "serve", "--role", "customs", "--pack", NEIGHBOURS, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path)
    assert process.stdout is not None
    printed = b""
    while b"state:" not in printed:
        line = process.stdout.readline()
        assert line, printed.decode()
        printed += line
    setup = tmp_path / "identities"
    token = next(setup.glob("*.token")).read_bytes()
    for body in (b"noise", b"Bearer x"):
        with socket.create_connection(("127.0.0.1", ports[2])) as caller:
            caller.sendall(b"GET /api/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: %b\r\n\r\n" % body)
            printed += caller.recv(65536)
    seen = shown_processes()
    process.send_signal(signal.SIGTERM)
    printed += process.stdout.read()
    process.stdout.close()
    assert process.wait() == 0
    left = left_behind(tmp_path, setup)
    assert "customs.sqlite" in {path.name for path in left}
    secrets = secrets_in(setup)
    assert token.strip() in secrets
    assert_unseen(secrets, printed, seen, left)
