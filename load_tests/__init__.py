"""Load and benchmarks: a client of the node like any other."""
