"""The doors: sockets, deadlines and bounds, nothing else."""
