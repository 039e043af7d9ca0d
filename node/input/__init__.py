"""Files of handles from outside: rows are read into records, and records are imported into the register."""
