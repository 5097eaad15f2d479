"""How fast the machine is, beside the least that could be done: ``python -m benchmarks``, see ``docs/speed.md``."""
