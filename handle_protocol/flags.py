"""Flag bits of the envelope and of the header (RFC 3652 §2.2.1 and §2.2.2.3). Unknown bits pass through."""

from enum import IntFlag


class EnvelopeFlag(IntFlag):
    """The upper six bits of the envelope's third octet; the lower two hold the suggested major version."""

    COMPRESSED = 0x80
    ENCRYPTED = 0x40
    TRUNCATED = 0x20


class OpFlag(IntFlag):
    """How an operation is to be done, or was done."""

    AUTHORITATIVE = 0x8000_0000
    CERTIFY = 0x4000_0000
    ENCRYPT = 0x2000_0000
    RECURSIVE = 0x1000_0000
    CACHE_CERTIFY = 0x0800_0000
    CONTINUOUS = 0x0400_0000
    KEEP_ALIVE = 0x0200_0000
    PUBLIC_ONLY = 0x0100_0000
    RETURN_REQUEST_DIGEST = 0x0080_0000
    OVERWRITE = 0x0040_0000
    MINT_SUFFIX = 0x0020_0000
    DO_NOT_REFER = 0x0010_0000
    TRUSTED_QUERY = 0x0000_0002
    TRUSTED_RESULT = 0x0000_0001
