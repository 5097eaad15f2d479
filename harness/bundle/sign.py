"""Signing a bundle that was made already: first the one who tested, then others, each below the same statement.

Nobody signs what does not verify.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from harness.bundle.files import STATEMENT
from harness.bundle.statement import countersign, open_statement
from harness.bundle.timestamp import add_stamp
from harness.bundle.verify import verify_bundle
from harness.bundle.write import RECORD, issue_statement, write_durably
from harness.errors import BUNDLE_INVALID, BundleFault, ConfigurationFault, HarnessFault, Where
from harness.record.strict import loads
from harness.security.statement_key import Signer


def sign_bundle(folder: Path, key: Signer, at: datetime, authority: str | None = None) -> int:
    """Sign a bundle, or add a signature to its statement.

    Parameters:
        folder: of the bundle.
        key: who signs.
        at: now.
        authority: address of the time-stamping authority that stamps the signature, or ``None``.

    Returns:
        how many signatures the statement now has.

    Raises:
        ConfigurationFault: there is no folder with a record, or a demo key would sign a real certification.
        BundleFault: the bundle does not verify, or this key has signed it already.
        HarnessFault: the harness went wrong in a case.
    """
    if not (folder / RECORD).is_file():
        raise ConfigurationFault(
            "there is no record to sign",
            where=Where(folder),
            expected="the folder of a bundle; unpack a .zip first",
            remedy="`c2c judge` makes the record of a run that was cut.",
        )
    statement = folder / STATEMENT
    _sign(folder, statement, key, at)
    if authority is not None:
        write_durably(statement, add_stamp(statement.read_bytes(), authority))
    return len(open_statement(statement.read_bytes())[1])


def _sign(folder: Path, statement: Path, key: Signer, at: datetime) -> None:
    if not statement.exists():
        record = loads((folder / RECORD).read_bytes(), RECORD)
        if issue_statement(folder, record, [key]) is None:
            raise HarnessFault("no statement is issued, because the harness itself went wrong in a case")
        try:
            _must_verify(folder, at)
        except BundleFault:
            statement.unlink()
            raise
        return
    _must_verify(folder, at)
    data = statement.read_bytes()
    if key.demo and not open_statement(data)[0]["predicate"]["demo"]:
        raise ConfigurationFault("a TEST key cannot sign a real certification", remedy="Sign with a real key.")
    write_durably(statement, countersign(data, key))


def _must_verify(folder: Path, at: datetime) -> None:
    verification = verify_bundle(folder, None, at)
    if verification.exit_code == BUNDLE_INVALID:
        reasons = [line for line in verification.lines if line.startswith("INVALID: ")]
        raise BundleFault("the bundle does not verify, so that it cannot be signed. " + " ".join(reasons))
