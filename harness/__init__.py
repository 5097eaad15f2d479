"""C2C Harness: proves that customs systems can exchange transit data, by playing every other party."""

__version__ = "0.1.0"
