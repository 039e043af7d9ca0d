"""The octets that values have in common, prepared once where only their data differ."""

from functools import lru_cache
from typing import Final

from handle_protocol import octets
from handle_protocol.limits import TTL_SECONDS_DEFAULT
from handle_protocol.value import HandleValue, Ttl, encode_value

NO_REFERENCES: Final = octets.u32(0)
"""What follows the data of a value without references."""
_LENGTH_AND_REFERENCES_OCTETS: Final = 8


@lru_cache(maxsize=16_384)
def value_head(index: int, value_type: str, ttl_seconds: int = TTL_SECONDS_DEFAULT, modified_at: int = 0) -> bytes:
    """Return what precedes the data's length in a value with the usual permissions."""
    empty = encode_value(HandleValue(index, value_type, b"", ttl=Ttl(ttl_seconds), modified_at=modified_at))
    return empty[:-_LENGTH_AND_REFERENCES_OCTETS]
