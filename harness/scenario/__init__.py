"""Scripts: the whole conversation written once, projected onto one seat, or derived from the life cycle."""
