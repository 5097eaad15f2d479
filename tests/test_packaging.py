"""The wheel: everything travels in it, and it works from an empty folder without a network and without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from harness import __version__
from harness.pack.data import known_packs

ROOT = Path(__file__).resolve().parent.parent
BIN = "Scripts" if sys.platform == "win32" else "bin"


def call(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"PIP_NO_INDEX": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts folder of an environment with the wheel; what the wheel needs is borrowed from that of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / BIN / "python"
    options = ("--quiet", "--disable-pip-version-check", "install", "--no-deps", "--no-index")
    call(sys.executable, "-m", "pip", "--python", python, *options, wheel, cwd=folder)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    borrowed = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    (site / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    return folder / BIN


def test_everything_travels_in_the_package_and_nothing_beside_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"harness", f"c2c_harness-{__version__}.dist-info"}
    assert "harness/schemas/scenario.json" in names
    for folder in ("suites", "fixtures", "reports"):
        source = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
        packed = {name.removeprefix("harness/_data/") for name in names if name.startswith(f"harness/_data/{folder}/")}
        assert packed == {name for name in source if "__pycache__" not in name}


def test_the_version_is_the_same_everywhere(wheel: Path, installed: Path, tmp_path: Path) -> None:
    assert wheel.name.split("-")[1] == __version__
    assert call(installed / "c2c", "--version", cwd=tmp_path).stdout.strip() == f"c2c-harness {__version__}"


def test_the_installed_wheel_knows_its_packs_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    listed = call(installed / "c2c", "list", cwd=tmp_path).stdout
    assert [line.split()[0] for line in listed.splitlines() if not line.startswith(" ")] == list(known_packs())
    where = "import harness, harness.pack.data as d; print(harness.__file__, d.data_folder('suites'))"
    assert str(ROOT) not in call(installed / "python", "-c", where, cwd=tmp_path).stdout


def test_the_lock_holds_every_dependency_with_hashes_and_no_address() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for lock, wanted in (
        ("run", project["dependencies"]),
        ("dev", project["dependencies"] + project["optional-dependencies"]["dev"]),
    ):
        text = (ROOT / f"requirements/{lock}.txt").read_text(encoding="utf-8")
        locked = {line.split("==")[0] for line in text.splitlines() if "==" in line}
        assert {name.split(">=")[0].partition("[")[0].lower() for name in wanted} <= locked
        assert "://" not in text
        entries = text.replace("\\\n", " ").splitlines()
        assert all("--hash=sha256:" in line for line in entries if "==" in line)
