"""A profile as data: packs are found, read, checked, and asked about messages."""
