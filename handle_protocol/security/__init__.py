"""Proofs, keys, signatures, sessions and record signatures: all that needs cryptography.

Everything here is pure and synchronous. What costs time (key stretching, signatures, key agreement) is bounded before
it starts; callers run it in threads.
"""
