"""Make the published sample bundles in ``reports/sample/`` (``make sample``), by the commands that everybody uses.

One certifies the embedded reference implementation with a throw-away TEST key, is countersigned by admitting it under a
policy made for the occasion, and verifies. The other shows failures: the same implementation with two mistakes.
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
from harness.errors import CONFORMANT, NOT_CONFORMANT
from harness.host import write_private
from harness.security.statement_key import key_id, load_public_keys, public_pem

TARGET = Path(__file__).resolve().parent.parent / "reports" / "sample"
ROLE = "holder"
FAULTS = ("holder-amends-route", "holder-declares-although-refused")
SHOWN = ("nominal-movement@*", "amendment-en-route@*", "lifecycle-E9-guarantee-unknown@*")
"""The cases of the bundle with failures: few, to keep it small."""
README = """\
# Two sample bundles

Made by `make sample`, by the commands that everybody uses. Their keys were made for them and thrown away; they say
TEST, and they certify nothing.

**What a failure looks like**: the embedded reference implementation with two mistakes on purpose, in three cases and
their controls. Open `failing/report.html`: what failed stands first, with the demand, what was expected and observed,
the bytes, the command that plays it again, and where to dispute it.

    c2c verify reports/sample/failing/bundle.zip --trust reports/sample/failing/keys.pub.pem

**What a certificate looks like**: the same implementation without mistakes, certified, countersigned and verified.
`report.html` is the report in it, to be looked at; `policy.yaml` are the rules under which it was admitted.

    c2c verify reports/sample/bundle.zip --trust reports/sample/keys.pub.pem
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
        failing(folder / "failing", TARGET / "failing")


def failing(bundle: Path, target: Path) -> None:
    """The bundle with failures."""
    trust = bundle.with_name("failing.pub.pem")
    mistakes = [word for name in FAULTS for word in ("--fault", name)]
    cases = [word for pattern in SHOWN for word in ("--select", pattern)]
    run("demo", "--role", ROLE, "--serial", *mistakes, *cases, "--out", bundle, code=NOT_CONFORMANT)
    run("verify", bundle, "--trust", trust)
    target.mkdir()
    write_zip(bundle, target / "bundle.zip")
    shutil.copyfile(trust, target / "keys.pub.pem")
    shutil.copyfile(bundle / "derived" / "report.html", target / "report.html")


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


def run(*arguments: object, code: int = CONFORMANT) -> None:
    """One command, which must end as expected."""
    if c2c([str(each) for each in arguments]) != code:
        sys.exit(f"c2c {arguments[0]} did not end with {code}")


if __name__ == "__main__":
    main()
