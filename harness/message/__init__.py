"""What travels: documents, paths, bindings, envelopes, and what can be wrong with them."""
