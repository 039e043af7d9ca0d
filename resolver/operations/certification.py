"""Answers that the node signs with its own key, for those who ask for it (RFC 3652 §2.2.4, flag CERTIFY)."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from cachetools import LRUCache

from handle_protocol.envelope import VERSION_OURS
from handle_protocol.flags import OpFlag
from handle_protocol.message import Message, encode_message
from handle_protocol.security.message_authentication import sign_message
from handle_protocol.security.private_keys import SigningKey

SIGNED_ANSWERS_MAX: Final = 1_000
"""Signed answers that are remembered for those who ask again: with 400 octets each, a megabyte in all.

From version 2.7 on a signature covers the request's id, so it serves for repetitions of one request alone.
"""

SIGNATURES_WAITING_MAX: Final = 256
"""Answers that wait to be signed, a quarter of a second of one core; more leave without a signature."""


class Certifier:
    """Signs answers.

    Args:
        key: the node's; None = nothing is signed.
        threads: where signatures are made, so that the loop stays responsive.
    """

    def __init__(self, key: SigningKey | None, threads: ThreadPoolExecutor) -> None:
        self._key = key
        self._threads = threads
        self._signed: LRUCache[bytes, bytes] = LRUCache(SIGNED_ANSWERS_MAX)
        self._waiting = 0

    def is_wanted(self, answer: Message) -> bool:
        """Tell whether an answer is to be signed: its flags are those of the request."""
        return self._key is not None and answer.has_flag(OpFlag.CERTIFY)

    async def sign(self, content: bytes) -> tuple[str, bytes]:
        """Return the name of the digest and a signature over `content`.

        Raises:
            ConnectionError: there is no key, or too much waits for it.
        """
        if self._key is None or self._waiting >= SIGNATURES_WAITING_MAX:
            raise ConnectionError("nothing can be signed now")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._key.sign, content, VERSION_OURS)
        finally:
            self._waiting -= 1

    async def encode_signed(self, answer: Message) -> bytes:
        """Return the octets of an answer with a signature, if not too many wait for one."""
        unsigned = encode_message(answer)
        signed = self._signed.get(unsigned)
        if signed is not None or self._key is None or self._waiting >= SIGNATURES_WAITING_MAX:
            return signed or unsigned
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            signed = await loop.run_in_executor(self._threads, _sign, answer, self._key)
        finally:
            self._waiting -= 1
        self._signed[unsigned] = signed
        return signed


def _sign(answer: Message, key: SigningKey) -> bytes:
    return encode_message(sign_message(answer, key))
