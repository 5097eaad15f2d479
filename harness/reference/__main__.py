"""``python -m harness.reference``."""

import sys

from harness.reference.serve import main

sys.exit(main())
