"""What a peer may make us spend on cryptography, and its reasons. A range holds both of its named ends."""

from typing import Final

STRETCHING_ITERATIONS: Final = range(1_000, 100_000 + 1)
"""PBKDF2: the reference takes 10 000; a hundred thousand are 50 ms of a core."""

STRETCHED_KEY_BITS: Final = range(128, 512 + 1)
"""PBKDF2: the reference takes 160. Every 160 bits cost all iterations once more."""

STRETCHING_SALT_OCTETS: Final = range(8, 64 + 1)
"""PBKDF2: the reference takes 16."""

PROOF_OCTETS_MAX: Final = 4_096
"""The longest proof of any kind: a signature of the largest key with its names fits four times."""

SIGNATURE_OCTETS: Final = range(1, 1_024 + 1)
"""The longest signature is one of RSA with 8 192 bits. An empty one is none."""

DIGEST_NAME_OCTETS: Final = range(1, 32 + 1)
"""The longest name in the field has 11."""

PUBLIC_KEY_OCTETS: Final = range(1, 16_384 + 1)
"""The longest public key in any encoding; RSA with 8 192 bits as PEM has about 1 500."""

PRIVATE_KEY_FILE_OCTETS: Final = range(5, 65_536 + 1)
"""The longest private key file; RSA with 8 192 bits as PEM has about 6 400."""

RSA_BITS: Final = range(1_024, 8_192 + 1)
"""The cost of verifying grows with the square of the size. Below 1 024 bits it is not verified at all."""

RSA_BITS_STRONG_MIN: Final = 2_048
"""NIST SP 800-131A: a shorter RSA key is weak."""

RSA_EXPONENT_BITS: Final = range(2, 64 + 1)
"""The cost of verifying grows with the exponent's size; nearly all have 17 bits."""

DSA_BITS: Final = range(1_024, 3_072 + 1)
"""FIPS 186-4: the sizes that exist."""

DH_BITS: Final = range(1_024, 4_096 + 1)
"""Clients in the field agree on keys with 1 024 bits. Twice 30 ms are spent at 4 096, eight times as much at 8 192,
without letting other threads run."""

REPLAY_WINDOW_COUNTERS: Final = 200
"""Reference: how far a session's counter may lie behind the highest that was seen."""

JWS_OCTETS: Final = range(5, 262_144 + 1)
"""The longest signed text: no value is longer than a message."""

JSON_DEPTH_MAX: Final = 16
"""The deepest nesting of a signed text; those in the field have four."""

SIGNED_VALUES_MAX: Final = 2_048
"""The most values of one record, hence the most digests of them."""

CERTIFICATES_MAX: Final = 16
"""The longest chain of certificates; the field has root, national node, secondary node, enterprise."""

CERTIFICATE_PERMISSIONS_MAX: Final = 256
"""The most permissions of one certificate; those in the field have three."""

CERTIFICATES_OF_HANDLE_MAX: Final = 64
"""The most values of type HS_CERT of one handle that are read in search of an issuer's."""
