"""The servers that come with the node, run below its data directory: a real Postgres and a Valkey."""
