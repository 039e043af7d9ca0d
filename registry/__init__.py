"""The register in Postgres: records, prefixes, enterprises and their changes."""
