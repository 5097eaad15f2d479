"""Keys in a token, against SoftHSM: the private key never leaves it, and what it signs verifies."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ConfigurationFault
from harness.security.signer import open_signer
from harness.security.statement_key import key_id, signature_is_valid
from harness.security.token import read_uri

MODULES = [
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
    Path("/usr/local/lib/softhsm/libsofthsm2.so"),
    Path("/opt/homebrew/lib/softhsm/libsofthsm2.so"),
]
MODULE = next((path for path in MODULES if path.exists()), None)
PIN = b"7391"
KINDS = {"p256": "secp256r1", "p384": "secp384r1", "rsa": 2048, "ed25519": "ed25519"}


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh token with a key of each kind; yields its URI up to the object."""
    if MODULE is None or shutil.which("softhsm2-util") is None:
        assert os.environ.get("C2C_REQUIRE_TOOLS") != "1", "SoftHSM is not installed"
        pytest.skip("SoftHSM (Debian package softhsm2) is not installed")
    pkcs11 = pytest.importorskip("pkcs11")
    folder = tmp_path_factory.mktemp("hsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    command = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        "office",
        "--so-pin",
        "1234",
        "--pin",
        PIN.decode(),
    ]
    subprocess.run(command, check=True, capture_output=True)
    with pkcs11.lib(str(MODULE)).get_token(token_label="office").open(rw=True, user_pin=PIN.decode()) as session:
        for name, kind in KINDS.items():
            _generate(pkcs11, session, name, kind)
    yield "pkcs11:token=office;object={}?module-path=" + str(MODULE)
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def _generate(pkcs11: Any, session: Any, name: str, kind: str | int) -> None:
    if isinstance(kind, int):
        session.generate_keypair(pkcs11.KeyType.RSA, kind, label=name, store=True)
        return
    from pkcs11.util.ec import encode_named_curve_parameters

    edwards = kind == "ed25519"
    curve = b"\x13\x0cedwards25519" if edwards else encode_named_curve_parameters(kind)
    parameters = session.create_domain_parameters(
        pkcs11.KeyType.EC_EDWARDS if edwards else pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: curve}, local=True
    )
    parameters.generate_keypair(label=name, store=True)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_token_signs_verifies(token: str, kind: str) -> None:
    key = open_signer(token.format(kind), PIN)
    signature = key.sign(b"hello")
    assert signature_is_valid(key.public, signature, b"hello")
    assert not signature_is_valid(key.public, signature, b"hallo")
    assert PIN.decode() not in repr(key)
    assert len(key_id(key.public)) == 64


@pytest.mark.parametrize(
    ("change", "pin", "words"),
    [
        (("object={}", "object=none"), PIN, "has no private key of this name"),
        (("token=office", "token=elsewhere"), PIN, "there is no such token"),
        (("{}", "p256"), b"0000", "the PIN is wrong"),
        (("{}", "p256"), None, "wants its PIN|has no private key"),
        ((".so", ".none"), PIN, "module cannot be loaded"),
    ],
)
def test_what_is_wrong_with_a_token_is_told(token: str, change: tuple[str, str], pin: bytes | None, words: str) -> None:
    with pytest.raises(ConfigurationFault, match=words):
        open_signer(token.replace(*change).replace("{}", "p256"), pin)


@pytest.mark.parametrize("secret", ["pin-value=1234", "pin-source=file:pin"])
def test_a_pin_does_not_belong_into_the_name(secret: str) -> None:
    with pytest.raises(ConfigurationFault, match="a PIN does not belong") as caught:
        read_uri(f"pkcs11:token=a;object=b?module-path=/m.so&{secret}")
    assert "1234" not in str(caught.value)


def test_a_name_that_names_no_key_is_told() -> None:
    with pytest.raises(ConfigurationFault, match="lacks object, module-path"):
        read_uri("pkcs11:token=a")
    assert read_uri("pkcs11:token=my%20card;object=b?module-path=/m.so")["token"] == "my card"
