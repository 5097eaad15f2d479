"""Print a published JSON Schema: of a pack's tables, of scenarios, of the target file.

Without a name: all names, one a line. An editor that is given the schema completes and checks YAML files:

  c2c schema scenario > scenario.schema.json
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.errors import CONFORMANT
from harness.pack.data import published_schema, schema_names

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="which schema; left out: list all names")


def run(options: argparse.Namespace) -> int:
    """Print the schema, or the names."""
    print(json.dumps(published_schema(options.name), indent=2) if options.name else "\n".join(schema_names()))
    return CONFORMANT
