"""Generic reference parties driven by the pack, with faults that can be switched on."""
