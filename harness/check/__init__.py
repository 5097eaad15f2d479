"""Small named functions: a message and its conversation in, findings out."""
