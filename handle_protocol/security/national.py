"""SM2 signatures (GB/T 32918.2). The arithmetic is gmssl's, an optional extra that nothing else imports.

What gmssl leaves out is done here: the point and the numbers of a signature are checked, random numbers come from the
operating system, and the user id is a free choice. It is pure Python: a signature takes some 10 ms, and its time
depends on the key, so a key of value belongs into a device.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from handle_protocol.security.digests import sm3
from handle_protocol.security.errors import UnsupportedKey
from handle_protocol.security.sm2_forms import Sm2PrivateKey, Sm2PublicKey

USER_ID_DEFAULT: Final = b"1234567812345678"
"""GB/T 35276: the id of a signer who has none."""

_P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A: Final = _P - 3
_B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_G: Final = bytes.fromhex(
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
)
_OCTETS: Final = 32
_USER_ID_OCTETS_MAX: Final = 0xFFFF // 8

_MISSING: Final = (
    "SM2 needs an extra that is not installed: pip install .[gm] / 国密算法 SM2 需要可选组件,请安装: pip install .[gm]"
)


def check_sm2_is_installed() -> None:
    """Check that SM2 can be computed here.

    Raises:
        UnsupportedKey: it cannot; the text says what to install, in English and Chinese.
    """
    _arithmetic(0, b"")


def check_sm2_point(key: Sm2PublicKey) -> None:
    """Check that a public key lies on the curve.

    Raises:
        UnsupportedKey: it does not.
    """
    x, y = _number(key.point[:_OCTETS]), _number(key.point[_OCTETS:])
    if max(x, y) >= _P or (y * y - x * x * x - _A * x - _B) % _P:
        raise UnsupportedKey("expected a point of the SM2 curve")


def verify_sm2(key: Sm2PublicKey, signature: bytes, content: bytes, user_id: bytes) -> bool:
    """Tell whether `signature` (DER) was made over `content` by the signer `user_id`.

    Raises:
        UnsupportedKey: SM2 is not installed.
    """
    arithmetic = _arithmetic(0, key.point)
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        return False
    if not (0 < r < _N and 0 < s < _N):
        return False
    try:
        is_valid: bool = arithmetic.verify(f"{r:064x}{s:064x}", _digest(key, content, user_id))
    except TypeError:
        # gmssl knows no point at infinity: it trips over its own None. Such a sum is no valid signature.
        return False
    return is_valid


def sign_sm2(key: Sm2PrivateKey, content: bytes, user_id: bytes) -> bytes:
    """Return a signature (DER) over `content` by the signer `user_id`.

    Raises:
        UnsupportedKey: SM2 is not installed.
    """
    public = sm2_public_key(key)
    arithmetic = _arithmetic(key.number, public.point)
    digest = _digest(public, content, user_id)
    signature = None
    while signature is None:  # None comes with a probability of 2⁻²⁵⁶
        signature = arithmetic.sign(digest, f"{_random_number():064x}")
    return encode_dss_signature(int(signature[:64], 16), int(signature[64:], 16))


def sm2_public_key(key: Sm2PrivateKey) -> Sm2PublicKey:
    """Return the public key that belongs to a private one, computed if the file did not tell.

    Raises:
        UnsupportedKey: SM2 is not installed, or the number is no private key.
    """
    if not 0 < key.number < _N - 1:
        raise UnsupportedKey("expected an SM2 private key below the order of the curve")
    if key.public is not None:
        return key.public
    point: str = _arithmetic(key.number, b"")._kg(key.number, _G.hex())  # noqa: SLF001 - gmssl has no public name for it
    return Sm2PublicKey(bytes.fromhex(point))


def make_sm2_key() -> Sm2PrivateKey:
    """Return a new private key.

    Raises:
        UnsupportedKey: SM2 is not installed.
    """
    number = secrets.randbelow(_N - 2) + 1
    return Sm2PrivateKey(number, sm2_public_key(Sm2PrivateKey(number, None)))


def _arithmetic(number: int, point: bytes) -> Any:  # noqa: ANN401 - gmssl has no types
    try:
        from gmssl.sm2 import CryptSM2  # type: ignore[import-untyped]  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise UnsupportedKey(_MISSING) from None
    arithmetic = CryptSM2(f"{number:064x}", "")
    # Set afterwards, since the constructor takes all zeros and fours off the front of a point that begins with 04.
    arithmetic.public_key = point.hex()
    return arithmetic


def _digest(key: Sm2PublicKey, content: bytes, user_id: bytes) -> bytes:
    """Return SM3 over the signer (GB/T 32918.2 §5.5) and the content."""
    if len(user_id) > _USER_ID_OCTETS_MAX:
        raise UnsupportedKey(f"expected at most {_USER_ID_OCTETS_MAX} octets of user id")
    id_bits = (8 * len(user_id)).to_bytes(2, "big")
    curve = _A.to_bytes(_OCTETS, "big") + _B.to_bytes(_OCTETS, "big") + _G
    return sm3(sm3(id_bits + user_id + curve + key.point) + content)


def _random_number() -> int:
    return secrets.randbelow(_N - 1) + 1


def _number(coordinate: bytes) -> int:
    return int.from_bytes(coordinate, "big")
