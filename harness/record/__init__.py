"""The canonical record of a run, from which everything shown is derived."""
