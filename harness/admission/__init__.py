"""Admission: the rules of an operator, the register of who was admitted, and what it says to others."""
