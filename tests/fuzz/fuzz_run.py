"""Fuzz for as long as you like: ``make fuzz``, or ``python tests/fuzz/fuzz_run.py [TARGET ...] --seconds 600``.

With atheris (optional extra ``fuzz``, Linux on x86-64) the search is guided by coverage, in one process per target, and
new inputs are kept under ``out/fuzz``; without it, seeded mutations of the corpus are tried. What a target cannot bear
is written to ``tests/fuzz/corpus/TARGET/found-<digest>`` and stays there, as a test, when it is mended.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
SLOWEST = 5.0
"""Seconds that one input may take."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=600, help="for each target (default: 600)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first round (default: the clock)")
    engine = "atheris" if find_spec("atheris") else "mutator"
    parser.add_argument("--engine", choices=("atheris", "mutator"), default=engine)
    options = parser.parse_args()
    if options.engine == "atheris" and len(options.targets) == 1:
        guided(options.targets[0], options.seconds, options.seed)
    from fuzz_targets import TARGETS

    failed = []
    for target in options.targets or TARGETS:
        if options.engine == "mutator":
            good = mutated(target, options.seconds, options.seed)
        else:
            command = [sys.executable, __file__, target, f"--seconds={options.seconds}", f"--seed={options.seed}"]
            good = subprocess.run(command, check=False).returncode == 0
        failed += [] if good else [target]
    sys.exit(f"found something: {', '.join(failed)}" if failed else 0)


def guided(target: str, seconds: int, seed: int) -> None:
    """One target under atheris; does not come back."""
    import atheris

    with atheris.instrument_imports(include=["harness"]):
        from fuzz_targets import CORPUS, TARGETS
    grown = Path("out/fuzz") / target
    grown.mkdir(parents=True, exist_ok=True)
    arguments = [
        sys.argv[0], str(grown), str(CORPUS / target), f"-max_total_time={seconds}", f"-seed={seed % 2**31 or 1}",
        "-max_len=40000", f"-timeout={int(SLOWEST)}", "-rss_limit_mb=2048",
        f"-artifact_prefix={CORPUS / target}/found-",
    ]  # fmt: skip
    atheris.Setup(arguments, TARGETS[target])
    atheris.Fuzz()


def mutated(target: str, seconds: float, seed: int, corpus: Path | None = None) -> bool:
    """One target under the mutator; whether it bore everything."""
    from fuzz_mutator import mutations
    from fuzz_targets import CORPUS, TARGETS

    folder = (corpus or CORPUS) / target
    seeds = [file.read_bytes() for file in sorted(folder.iterdir())]
    end, count = time.monotonic() + seconds, 0
    for data in mutations(seeds, seed):
        began = time.monotonic()
        if began > end:
            break
        count += 1
        try:
            TARGETS[target](data)
            if time.monotonic() - began > SLOWEST:
                raise AssertionError(f"took {time.monotonic() - began:.1f} s")
        except Exception as error:
            file = folder / f"found-{sha256(data).hexdigest()[:16]}"
            file.write_bytes(data)
            print(f"{target}: {error!r} for {file}")
            return False
    print(f"{target}: {count} inputs, nothing found")
    return True


if __name__ == "__main__":
    main()
