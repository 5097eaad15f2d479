"""A folder with a test PKI and a target file, for the tests of this room."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from harness.security.keys import load_identity
from harness.security.model import Identity
from harness.security.pki import TestPki


class Bench:
    """A folder with a test PKI and a target file that can be changed before it is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pki = TestPki.create(folder / "identities", datetime.now(UTC))
        self.lines = {
            "sut": '{authority: Customs, product: Transit, version: "1"}',
            "role": "customs",
            "positions": "[export]",
            "certificates": "{tls: [identities/trust.pem], crls: [identities/crl.pem]}",
            "identities": "identities",
            "keys": "test",
            "control": "{type: none}",
        }

    def issue(self, name: str, host: str = "127.0.0.1") -> Identity:
        """The identity of that name, made when it is not there yet."""
        files = self.pki.folder / f"{name}.pem", self.pki.folder / f"{name}.key"
        return load_identity(name, *files) if files[0].is_file() else self.pki.issue(name, hosts=(host,))

    def write(self, **lines: str) -> Path:
        path = self.folder / "target.yaml"
        path.write_text("".join(f"{key}: {text}\n" for key, text in {**self.lines, **lines}.items()), "utf-8")
        return path
