"""Whether the harness bites: every fault of a reference implementation is caught, and no legal variation is refused."""
