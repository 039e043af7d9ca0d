"""Asking other nodes, and this one as its clients do: one file for each way there, and one for who asks."""
