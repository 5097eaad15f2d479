"""The system under test: its description, its control interface, what to check before a run."""
