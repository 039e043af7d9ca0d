"""What a worker remembers, for how long, and how much of it."""

from __future__ import annotations

import pytest

from handle_protocol.handle import Handle
from handle_protocol.record import NO_VALUES, HandleRecord, decode_value_list
from handle_protocol.value import Permissions, Ttl, TtlKind
from resolver.cache import CacheLimits, RecordCache
from tests.builders import text_value
from tests.fast_paths import FAST_PATHS

UNIX = 1_700_000_000.0
PUBLIC = text_value(1, "URL", "https://example.cn/阀")
SECRET = text_value(2, "HS_SECKEY", "秘密", permissions=Permissions.ADMIN_READ)


def record(*values, revision: int = 1) -> HandleRecord:
    return HandleRecord.of(Handle("88.118.8/阀"), values, revision)


@pytest.fixture(params=FAST_PATHS)
def cache(request: pytest.FixtureRequest) -> RecordCache:
    cache = RecordCache(CacheLimits(seconds_max=50), request.param)
    cache.trust(0.0)
    return cache


def test_an_entry_holds_what_everybody_may_see_and_everything(cache) -> None:
    cache.put(b"k", record(PUBLIC, SECRET, revision=9), 0.0, UNIX)
    expires_at, public_list, value_list, revision = cache.look_up(b"k", 1.0)
    assert decode_value_list(public_list) == (PUBLIC,)
    assert decode_value_list(value_list) == (PUBLIC, SECRET)
    assert (expires_at, revision) == (50, 9)


def test_both_lists_are_one_when_everything_is_public(cache) -> None:
    cache.put(b"k", record(PUBLIC), 0.0, UNIX)
    _, public_list, value_list, _ = cache.look_up(b"k", 1.0)
    assert public_list is value_list


@pytest.mark.parametrize(
    ("ttls", "seconds"),
    [
        ((Ttl(86_400),), 50),
        ((Ttl(86_400), Ttl(7)), 7),
        ((Ttl(int(UNIX) + 20, TtlKind.ABSOLUTE),), 20),
        ((Ttl(int(UNIX) - 20, TtlKind.ABSOLUTE),), 0),
        ((Ttl(-1),), 0),
        ((), 50),
    ],
)
def test_the_shortest_time_to_live_decides(ttls, seconds, cache) -> None:
    values = (text_value(index, "URL", "x", ttl=ttl) for index, ttl in enumerate(ttls, 1))
    cache.put(b"k", record(*values), 0.0, UNIX)
    assert [cache.look_up(b"k", now) is not None for now in (max(seconds - 1, 0), seconds)] == [seconds > 0, False]


def test_nothing_is_believed_without_word_from_the_feed() -> None:
    cache = RecordCache(CacheLimits())
    cache.put(b"k", record(PUBLIC), 0.0, UNIX)
    cache.put(b"absent", None, 0.0, UNIX)
    assert (cache.look_up(b"k", 1.0), cache.is_absent(b"absent", 1.0)) == (None, False)
    cache.trust(1.0)
    assert cache.look_up(b"k", 1.0) is not None
    assert cache.is_absent(b"absent", 1.0)


def test_absences_expire_and_yield_to_records(cache) -> None:
    cache.put(b"k", None, 0.0, UNIX)
    assert cache.is_absent(b"k", 29.0)
    assert not cache.is_absent(b"k", 31.0)
    cache.put(b"k", None, 31.0, UNIX)
    cache.put(b"k", record(PUBLIC), 32.0, UNIX)
    assert not cache.is_absent(b"k", 33.0)


def test_a_flood_of_absent_names_pushes_no_record_out() -> None:
    cache = RecordCache(CacheLimits(octets_max=2**20, absent_max=1_000))
    cache.trust(0.0)
    cache.put(b"hot", record(PUBLIC), 0.0, UNIX)
    for number in range(20_000):
        cache.put(b"made up %d" % number, None, 0.0, UNIX)
    assert cache.look_up(b"hot", 1.0) is not None


def test_what_was_put_often_and_evicted_once_is_gone(cache) -> None:
    for _ in range(3):
        cache.put(b"k", record(PUBLIC), 0.0, UNIX)
    cache.evict(b"k")
    cache.evict(b"k")
    assert (len(cache), cache.invalidations) == (0, 1)


def test_a_deleted_record_is_absent_and_known_to_have_been_there() -> None:
    cache = RecordCache(CacheLimits())
    cache.trust(0.0)
    cache.put(b"88.118.8/a", HandleRecord(Handle("88.118.8/a"), NO_VALUES, 3, is_deleted=True), 0.0, 0.0)
    cache.put(b"88.118.8/b", None, 0.0, 0.0)
    assert [cache.is_absent(key, 0.0) for key in (b"88.118.8/a", b"88.118.8/b")] == [True, True]
    assert [cache.was_deleted(key) for key in (b"88.118.8/a", b"88.118.8/b")] == [True, False]
    cache.evict(b"88.118.8/a")
    assert not cache.was_deleted(b"88.118.8/a")
