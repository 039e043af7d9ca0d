"""Changing records and prefixes on behalf of somebody: what is wanted, who may, and what becomes of it. No sockets."""
