"""Build the wheel, and for each platform a zip that installs it on a machine without a network (``make release``).

A zip holds the wheel, the wheels of everything it needs for every supported Python, the lock with the hashes, and
INSTALL.txt. The zip of this platform is then installed and run with the network cut off.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
GLIBC = [f"manylinux_2_{minor}" for minor in range(34, 16, -1)]
PLATFORMS = {
    "linux-x86_64": [f"{glibc}_x86_64" for glibc in [*GLIBC, "manylinux2014"]],
    "linux-aarch64": [f"{glibc}_aarch64" for glibc in [*GLIBC, "manylinux2014"]],
    "macos-arm64": [f"macosx_{major}_0_{arch}" for major in range(15, 10, -1) for arch in ("arm64", "universal2")],
    "windows-amd64": ["win_amd64"],
}
"""Our name of a platform to the platform tags of the wheels that run on it.

Macs with an Intel processor are not among them: cryptography has no wheels for them any more.
"""

INSTALL = """\
C2C Harness {version} for {platform}, for a machine without a network
{underline}
Needed: Python {first} to {last}, nothing else. In this folder:

    python -m venv c2c-venv
    {python} -m pip install --no-index --find-links wheels --require-hashes -r requirements.txt
    {c2c} demo

requirements.txt names every file by its SHA-256 digest; pip refuses any other.
"""


def main() -> None:
    """Read the options, build, and try what was built."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platform", action="append", choices=PLATFORMS, help="only this one (default: all)")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder for the files (default: dist)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    wheel = build_wheel(options.out)
    zips = {name: build_zip(name, wheel, options.out) for name in options.platform or PLATFORMS}
    here = this_platform()
    if here in zips:
        try_offline(zips[here])
    else:
        print(f"Not tried: no zip for this platform ({here}).")
    for file in (wheel, *zips.values()):
        print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file}")


def build_wheel(out: Path) -> Path:
    """Build the wheel without build isolation: the build back-end is in the lock."""
    epoch = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch}
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", out.resolve()]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return max(out.glob("*.whl"), key=lambda file: file.stat().st_mtime_ns)


def build_zip(name: str, wheel: Path, out: Path) -> Path:
    """Collect the wheels for one platform and pack them."""
    version = wheel.name.split("-")[1]
    target = out / f"c2c-harness-{version}-{name}.zip"
    with tempfile.TemporaryDirectory() as folder:
        wheels = Path(folder, "wheels")
        wheels.mkdir()
        shutil.copy(wheel, wheels)
        for python in PYTHONS:
            download(name, python, wheels)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        lock = (ROOT / "requirements/run.txt").read_text(encoding="utf-8")
        own = f"c2c-harness=={version} \\\n    --hash=sha256:{digest}\n"
        Path(folder, "requirements.txt").write_text(lock + own, encoding="utf-8")
        Path(folder, "INSTALL.txt").write_text(instructions(name, version), encoding="utf-8")
        shutil.copy(ROOT / "LICENSE", folder)
        pack(Path(folder), target)
    print(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB")
    return target


def download(name: str, python: str, wheels: Path) -> None:
    """Fetch the locked wheels for a platform; markers are dropped, because pip judges them for *this* platform."""
    lock = (ROOT / "requirements/run.txt").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder, "requirements.txt")
        bare.write_text(re.sub(r" ; [^\\\n]+", "", lock), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "--quiet", "download", "--no-deps", "--require-hashes"]
        command += ["--only-binary=:all:", "--python-version", python, "--implementation", "cp"]
        command += [option for tag in PLATFORMS[name] for option in ("--platform", tag)]
        subprocess.run([*command, "--dest", wheels, "--requirement", bare], check=True)


def instructions(name: str, version: str) -> str:
    """INSTALL.txt."""
    folder, suffix = ("c2c-venv\\Scripts\\", ".exe") if name.startswith("windows") else ("c2c-venv/bin/", "")
    return INSTALL.format(
        version=version,
        platform=name,
        underline="=" * 60,
        first=PYTHONS[0],
        last=PYTHONS[-1],
        python=f"{folder}python{suffix}",
        c2c=f"{folder}c2c{suffix}",
    )


def pack(folder: Path, target: Path) -> None:
    """Zip a folder; equal content gives equal bytes."""
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(f"{target.stem}/{file.relative_to(folder).as_posix()}")
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if file.suffix == ".whl" else zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())


def this_platform() -> str:
    """Our name of the platform that this runs on."""
    system = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    return f"{system}-{platform.machine().lower()}"


def try_offline(archive: Path) -> None:
    """Follow INSTALL.txt in an empty folder, without a network, and run the demonstration.

    ``unshare --net`` gives the commands a network of their own with nothing in it but loopback. Where there is no
    such thing, pip is told to use no index, and the rest is taken on trust.
    """
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(archive).extractall(folder)
        room = Path(folder, archive.stem)
        binary = room / "c2c-venv" / ("Scripts" if sys.platform == "win32" else "bin")
        commands: list[list[str | Path]] = [
            [sys.executable, "-m", "venv", room / "c2c-venv"],
            [binary / "python", "-m", "pip", "--quiet", "install", "--no-index", "--find-links", "wheels"],
            [binary / "c2c", "demo", "--out", room / "bundle"],
            [binary / "c2c", "verify", room / "bundle"],
        ]
        commands[1] += ["--require-hashes", "-r", "requirements.txt"]
        cut = no_network()
        for command in commands:
            subprocess.run([*cut, *command], cwd=room, check=True, env={**os.environ, "PIP_NO_INDEX": "1"})
    how = "with the network cut off" if cut else "with pip's index switched off"
    print(f"{archive.name}: installed and run {how}.")


def no_network() -> list[str]:
    """The prefix of a command that runs without any network but loopback; empty where that cannot be done."""
    prefix = ["unshare", "--net", "--map-root-user", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
        return prefix
    return []


if __name__ == "__main__":
    main()
