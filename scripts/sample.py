"""Make the published sample bundle in ``reports/sample/`` (``make sample``), by the commands that everybody uses.

It certifies the embedded reference implementation with a throw-away TEST key, countersigns it by admitting it under a
policy made for the occasion, and verifies the result.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.bundle.files import write_zip
from harness.cli.main import main as c2c
from harness.host import write_private
from harness.security.statement_key import key_id, load_public_keys, public_pem

TARGET = Path(__file__).resolve().parent.parent / "reports" / "sample"
ROLE = "holder"
README = """\
# A sample bundle

Made by `make sample`: the embedded reference implementation, certified, countersigned and verified by the commands that
everybody uses. Its keys were made for it and thrown away; they say TEST, and it certifies nothing.

    c2c verify reports/sample/bundle.zip --trust reports/sample/keys.pub.pem

`report.html` is the report in it, to be looked at; `policy.yaml` are the rules under which it was admitted.
"""


def main() -> None:
    """Make it, and leave the private keys nowhere."""
    with tempfile.TemporaryDirectory(prefix="c2c-sample-") as temporary:
        folder = Path(temporary)
        bundle, trust = folder / "bundle", folder / "bundle.pub.pem"
        run("demo", "--role", ROLE, "--serial", "--out", bundle)
        reviewer = ed25519.Ed25519PrivateKey.generate()
        write_private(
            folder / "reviewer.pem", reviewer.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        (folder / "policy.yaml").write_text(policy(bundle, trust, key_id(reviewer.public_key())), "utf-8")
        run(
            *("admit", bundle, "--policy", folder / "policy.yaml", "--key", folder / "reviewer.pem"),
            *("--register", folder / "register.db"),
        )
        run("verify", bundle, "--trust", trust)
        shutil.rmtree(TARGET, ignore_errors=True)
        TARGET.mkdir(parents=True)
        write_zip(bundle, TARGET / "bundle.zip")
        keys = trust.read_bytes() + b"Reviewer of the sample, TEST\n" + public_pem(reviewer.public_key())
        (TARGET / "keys.pub.pem").write_bytes(keys)
        shutil.copyfile(bundle / "derived" / "report.html", TARGET / "report.html")
        shutil.copyfile(folder / "policy.yaml", TARGET / "policy.yaml")
        (TARGET / "README.md").write_text(README, "utf-8")


def policy(bundle: Path, trust: Path, reviewer: str) -> str:
    """The rules of the sample."""
    pack = json.loads((bundle / "record.json").read_bytes())["pack"]
    return f"""\
policy: sample
pack: {{id: {pack["id"]}, versions: ["{pack["version"]}"], digests: ["{pack["digest"]}"]}}
roles: [{ROLE}]
mandatory: ["*@{ROLE}"]
maximum_age: 1
test_keys: true
signers:
  - {{name: Tester of the sample, part: tester, key: {key_id(load_public_keys(trust)[0])}}}
  - {{name: Reviewer of the sample, part: reviewer, key: {reviewer}}}
"""


def run(*arguments: object) -> None:
    """One command, which must end well."""
    if c2c([str(each) for each in arguments]) != 0:
        sys.exit(f"c2c {arguments[0]} did not end with 0")


if __name__ == "__main__":
    main()
