from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from small_run import Run, small_run

from harness.bundle.write import write_bundle
from harness.security.statement_key import SigningKey


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run; its folder is not to be changed."""
    return small_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return SigningKey(ed25519.Ed25519PrivateKey.generate())


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory, key: SigningKey) -> Path:
    """A signed bundle that stands on a waiver, so that it holds until a day; not to be changed."""
    made = small_run(tmp_path_factory.mktemp("bundle"), waived=["NB-CONTENT"])
    write_bundle(made.folder, made.plan, made.pack, made.record(), [key])
    return made.folder


@pytest.fixture
def copied(bundle: Path, tmp_path: Path) -> Callable[[], Path]:
    """Makes a copy of the bundle that may be changed."""
    import shutil

    def copy() -> Path:
        target = tmp_path / "copy"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(bundle, target)
        return target

    return copy
