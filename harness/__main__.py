"""``python -m harness``: the command ``c2c`` without installing it."""

from __future__ import annotations

import sys

from harness.cli.main import main

sys.exit(main())
