"""The operators' door: health and metrics of the whole node."""
