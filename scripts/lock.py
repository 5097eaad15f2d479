"""Write the lock files ``requirements/run.txt`` and ``requirements/dev.txt`` from ``pyproject.toml`` (``make lock``).

Run it with the oldest supported Python: what a newer one needs is then a subset. pip-compile resolves for the
machine it runs on, but writes the hashes of every platform's files; so one lock serves Linux, macOS and Windows as soon
as the few packages that only another platform needs are named in ``ELSEWHERE``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
ELSEWHERE = {"colorama": 'sys_platform == "win32"'}
"""Packages that pytest needs on another platform than this one: name to environment marker."""
DEV_ELSEWHERE = {"tzdata": 'sys_platform == "win32"'}
"""The same for what is needed for development only (psycopg)."""

HEADER = """\
# Made by `make lock` from pyproject.toml; do not edit. Hashes are those of all platforms' files.
# Use: python -m pip install --require-hashes -r {name}
"""


def main() -> None:
    """Write both locks; the second one keeps the versions of the first."""
    if sys.version_info[:2] != OLDEST:
        raise SystemExit(f"make lock needs Python {'.'.join(map(str, OLDEST))}, the oldest supported one")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    run = [*project["dependencies"], *ELSEWHERE]
    dev = [*run, *project["optional-dependencies"]["dev"], *DEV_ELSEWHERE]
    lock(ROOT / "requirements/run.txt", run)
    lock(ROOT / "requirements/dev.txt", dev, constraint=ROOT / "requirements/run.txt")


def lock(target: Path, requirements: list[str], constraint: Path | None = None) -> None:
    """Resolve *requirements* into *target*, newest versions, with hashes and without any index or annotation."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "requirements.in"), Path(folder, "requirements.txt")
        lines = requirements if constraint is None else [*requirements, f"-c {constraint}"]
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        options = "--generate-hashes --upgrade --strip-extras --quiet --no-config --no-header --no-annotate"
        bare = "--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options"
        command = [sys.executable, "-m", "piptools", "compile", *options.split(), *bare.split()]
        subprocess.run([*command, "--output-file", output, source], check=True, cwd=ROOT)
        locked = output.read_text(encoding="utf-8")
    for package, marker in (ELSEWHERE | DEV_ELSEWHERE).items():
        locked = "\n".join(
            line.replace(" \\", f" ; {marker} \\") if line.startswith(f"{package}==") else line
            for line in locked.splitlines()
        )
    if "://" in locked:
        raise SystemExit(f"{target.name}: an address came into the lock; look at pip's configuration")
    target.write_text(HEADER.format(name=f"requirements/{target.name}") + locked + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
