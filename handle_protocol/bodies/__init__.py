"""What stands between header and credential: one file per family of operations (RFC 3652 §3)."""
