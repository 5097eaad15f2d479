"""The copy of a bundle that may leave the house: masked view, reports and statement; the exact bytes sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509

from harness.bundle.files import files, write_zip
from harness.bundle.seal import SEALED, copy_file, seal
from harness.bundle.statement import DETACHABLE
from harness.bundle.verify import opened, verify_bundle
from harness.errors import BUNDLE_INVALID, BundleFault, ConfigurationFault, Where


def share_bundle(bundle: Path, target: Path, recipients: Sequence[x509.Certificate], at: datetime) -> None:
    """Write the copy of a bundle that may be shared.

    Parameters:
        bundle: folder or ``.zip``; it must verify.
        target: folder, or ``.zip`` file, for the copy; it must not be there.
        recipients: who may open the exact bytes.
        at: now.

    Raises:
        ConfigurationFault: there is something at *target*, or the evidence has been sealed already.
        BundleFault: the bundle does not verify.
    """
    if target.exists():
        raise ConfigurationFault(
            "there is something already", where=Where(target), expected="a new folder or .zip file"
        )
    with opened(bundle) as folder:
        verification = verify_bundle(folder, None, at)
        if verification.exit_code == BUNDLE_INVALID:
            raise BundleFault("the bundle does not verify: " + " ".join(verification.lines[-1:]))
        if not (folder / DETACHABLE).is_dir():
            raise ConfigurationFault("the evidence of this bundle is sealed already", where=Where(bundle))
        if target.suffix.lower() == ".zip":
            with TemporaryDirectory(prefix="c2c-share-") as temporary:
                _write(folder, Path(temporary) / "copy", recipients)
                write_zip(Path(temporary) / "copy", target)
        else:
            _write(folder, target, recipients)


def _write(folder: Path, target: Path, recipients: Sequence[x509.Certificate]) -> None:
    sealed = seal(folder, recipients)
    for name in files(folder):
        if not name.startswith(DETACHABLE):
            copy_file(folder, target, name)
    (target / SEALED).parent.mkdir(parents=True, exist_ok=True)
    (target / SEALED).write_bytes(sealed)
