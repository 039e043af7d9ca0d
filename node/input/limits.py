"""Every bound of an imported file. All are ours; each says its reason."""

from typing import Final

from handle_protocol.limits import MESSAGE_OCTETS_MAX

BLOCK_OCTETS: Final = 262_144
"""What is read of a file at a time: large enough for speed, small enough for the processor's cache."""

BATCH_OCTETS: Final = 16 * 1024 * 1024
"""How much of a file goes into one batch at most, whatever the number of rows: this bounds memory."""

BATCH_ROWS_MAX: Final = 50_000
"""The most rows asked for in one batch: with a block more of them, it still fits in one transaction."""

SAMPLE_OCTETS: Final = 1_048_576
"""How much of the file's start decides in which encoding and format it is written."""

LINE_OCTETS_MAX: Final = 4 * MESSAGE_OCTETS_MAX
"""A longer line is skipped and named: no record of that size fits in a message, even with every sign escaped."""

CELL_OCTETS_MAX: Final = 65_536
"""The longest cell of a CSV file. It also bounds how far a quote that nobody closes can reach."""

COLUMNS_MAX: Final = 1_024
"""The most columns of a CSV file: half of what a record may hold, and far beyond what a person can maintain."""

ROWS_MAX: Final = 50_000_000
"""The most rows of a file, about 15 GB: finding duplicate handles costs about 18 octets of memory a row."""

INDEX_MAX: Final = 2**32 - 1
"""RFC 3651 §3.1: an index is a 32-bit number; 0 is no index."""

HANDLE_CHARACTERS_SHOWN: Final = 256
"""How much of a wrong handle is repeated in a message: enough to find it, too little to flood a screen."""
