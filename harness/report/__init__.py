"""Everything derived from the record: pages for people, files for machines."""
