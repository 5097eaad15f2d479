"""The certification bundle: written, signed, verified, judged again."""
