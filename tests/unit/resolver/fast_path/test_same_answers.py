"""Differential: whatever is asked, both twins answer the same octets, and those of the long way, or both leave it."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

import pytest

from handle_protocol import octets
from handle_protocol.envelope import Version
from handle_protocol.flags import OpFlag
from handle_protocol.message import encode_message
from handle_protocol.value import Permissions
from resolver.authority import Authority
from resolver.cache import CacheLimits, RecordCache
from resolver.fast_path.choice import IS_COMPILED, FastPath
from resolver.metrics import DoorTally
from resolver.operations.native import NativeService
from resolver.resolve import Resolver
from tests.builders import OWN_SITE, resolution_request, text_value
from tests.fakes.memory_register import MemoryRegister

REQUESTS = 1_000_000 if os.environ.get("IDNODE_TEST_LONG") else 20_000
NOW = 1_700_000_000

T = TypeVar("T")

HANDLES = (
    "88.118.8/轴承-6205",
    "88.118.8/保密",
    "88.118.8/只有秘密",
    "88.118.8/空",
    "88.118.8/没有",
    "88.118.8/大",
    "88.118.8/斜/线",
    "88.118.9/停",
    "99.1/别人",
    "AB.CD/x",
    "ab.cd/x",
    "0.NA/88.118.8",
    "88.118.8",
    "/",
)
VERSIONS_2 = [Version(2, minor) for minor in range(13)]
VERSIONS = [*VERSIONS_2, Version(1, 0), Version(3, 1), Version(0, 0)]
HARMLESS = [0, *map(int, (OpFlag.RECURSIVE, OpFlag.CACHE_CERTIFY, OpFlag.KEEP_ALIVE, OpFlag.DO_NOT_REFER))]
FLAGS = [0, *map(int, OpFlag)]
SECRET = text_value(301, "HS_SECKEY", "秘密", permissions=Permissions.ADMIN_READ)


def service(fast_path: FastPath) -> NativeService:
    """Return the service of a worker that remembers all its records."""
    register = MemoryRegister()
    for prefix in ("88.118.8", "ab.cd", "0.NA"):
        register.add_prefix(prefix)
    register.add_prefix("88.118.9", is_suspended=True)
    register.put("88.118.8/轴承-6205", text_value(1, "URL", "https://example.cn/轴承"))
    register.put("88.118.8/保密", text_value(1, "URL", "https://example.cn/"), SECRET)
    register.put("88.118.8/只有秘密", SECRET)
    register.put("88.118.8/空")
    register.put("88.118.8/大", *(text_value(number, "DESC", "大" * 300) for number in range(1, 40)))
    register.put("88.118.8/斜/线", text_value(1, "URL", "https://example.cn/"))
    register.put("88.118.9/停", text_value(1, "URL", "https://example.cn/"))
    register.put("AB.CD/x", text_value(1, "URL", "https://example.cn/"))
    cache = RecordCache(CacheLimits(), fast_path)
    resolver = Resolver(register, cache, OWN_SITE, clock=lambda: 0.0, unix_clock=lambda: NOW)
    resolver.authority = Authority(register.prefixes.values())
    cache.trust(0.0)
    for key, record in register.records.items():
        cache.put(key, record, 0.0, NOW)
    return NativeService(resolver, DoorTally("test"))


def requests(draw: random.Random) -> Iterator[bytes]:
    """Yield questions, most of them plain; some with any octets altered, cut or added."""

    def usually(usual: Sequence[T], otherwise: Sequence[T]) -> T:
        """Return one of the usual, or now and then one of the others."""
        return draw.choice(usual if draw.random() < 0.9 else otherwise)

    while True:
        message = resolution_request(
            draw.choice(HANDLES),
            draw.randrange(2**31),
            version=usually(VERSIONS_2, VERSIONS),
            suggested=usually(VERSIONS_2, VERSIONS),
            op_flags=usually(HARMLESS, FLAGS) | usually((int(OpFlag.PUBLIC_ONLY),), FLAGS),
            session_id=draw.choice((0, 0, 10_001)),
            recursion_count=usually((0, 3, 16), (17, 255)),
            indexes=usually(((),), ((1,), (1, 2))),
            types=usually(((),), (("URL",),)),
        )
        yield altered(encode_message(message), draw)


def altered(request: bytes, draw: random.Random) -> bytes:
    """Return a request as it is, or with something done to it."""
    kind = draw.random()
    if kind < 0.6:
        return request
    at = draw.randrange(len(request))
    if kind < 0.9:
        return request[:at] + bytes((draw.randrange(256),)) + request[at + 1 :]
    if kind < 0.95:
        return request[:at]
    return request + draw.randbytes(draw.randrange(1, 8))


@pytest.mark.skipif(not IS_COMPILED, reason="it was not built")
@pytest.mark.timeout(3_600)
def test_both_twins_and_the_long_way_answer_the_same() -> None:
    compiled, python = service(FastPath.COMPILED), service(FastPath.PYTHON)
    seed = random.randrange(2**32)  # noqa: S311 - no secret
    draw = random.Random(seed)  # noqa: S311 - repeatable by its seed
    generated = requests(draw)
    answered = missing = 0
    for _ in range(REQUESTS):
        request = next(generated)
        answer = compiled.plain.answer(request)
        assert answer == python.plain.answer(request), (seed, request.hex())
        if answer:
            answered += 1
            assert answer == python.serve(request), (seed, request.hex())
        missing += answer == b""
    assert answered > REQUESTS // 10
    assert missing > REQUESTS // 100
    assert (compiled.plain.hits, python.plain.hits) == (answered, answered)


@pytest.mark.skipif(not IS_COMPILED, reason="it was not built")
def test_both_twins_answer_a_stream_alike_wherever_it_is_cut() -> None:
    compiled, python = service(FastPath.COMPILED), service(FastPath.PYTHON)
    draw = random.Random(6)  # noqa: S311 - repeatable
    plain = encode_message(resolution_request(HANDLES[0], 7))
    large = encode_message(resolution_request("88.118.8/大", 8))
    for _ in range(REQUESTS // 40):
        stream = b"".join(
            draw.choice((plain, plain, plain, large, next(requests(draw)))) for _ in range(draw.randrange(20))
        )
        stream = stream[: draw.randrange(len(stream) + 1)]
        answers, answered_octets = compiled.plain.answer_stream(stream)
        assert (answers, answered_octets) == python.plain.answer_stream(stream)
        assert bool(answers) == bool(answered_octets)


def test_a_message_that_counts_itself_short_or_long_is_left() -> None:
    plain = encode_message(resolution_request(HANDLES[0], 7))
    for length in (0, 1, 19, len(plain) - 21, len(plain) - 19, 2**31, 2**32 - 1):
        stream = plain[:16] + octets.u32(length) + plain[20:]
        for fast_path in FastPath.available():
            assert service(fast_path).plain.answer_stream(stream) == (b"", 0)
