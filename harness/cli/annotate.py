"""Say what went wrong in the words of a build server, which shows it beside the code.

c2c annotate out/bundle --for github
c2c annotate out/bundle --for gitlab > gl-code-quality-report.json
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.bundle.rejudge import open_bundle
from harness.bundle.verify import opened, read_document
from harness.bundle.write import PACK, PLAN, RECORD
from harness.errors import CONFORMANT
from harness.report.annotations import github, gitlab

if TYPE_CHECKING:
    import argparse

_FORMS = {"github": github, "gitlab": gitlab}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder, or its .zip")
    parser.add_argument("--for", dest="form", required=True, choices=_FORMS, help="which build server")


def run(options: argparse.Namespace) -> int:
    """Print the annotations; whether the run was good, `c2c run` has said."""
    with opened(options.bundle) as folder:
        record = read_document(folder / RECORD)
        bundle = open_bundle(folder, record, read_document(folder / PLAN))
        root = (folder / PACK).resolve()
        places = {
            case.id: replace(case.where, file=Path(case.where.file).resolve().relative_to(root).as_posix())
            for case in bundle.plan.cases
            if Path(case.where.file).resolve().is_relative_to(root)
        }
        print(_FORMS[options.form](record, places), end="")
    return CONFORMANT
