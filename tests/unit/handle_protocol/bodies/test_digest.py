"""The digest of a request in its answer."""

import pytest
from hypothesis import given

from handle_protocol.bodies.digest import DigestAlgorithm, RequestDigest, decode_digest, digest_of, encode_digest
from handle_protocol.errors import MalformedMessage
from handle_protocol.octets import OctetReader
from tests.unit.handle_protocol.strategies import digests, octets


@given(digests)
def test_a_digest_comes_back(digest: RequestDigest) -> None:
    assert decode_digest(OctetReader(encode_digest(digest, (2, 1))), (2, 1)) == digest


@given(octets)
def test_before_2_1_a_digest_is_bare_md5(request_octets: bytes) -> None:
    digest = digest_of(request_octets, DigestAlgorithm.MD5)
    written = encode_digest(digest, (2, 0))
    assert written == b"\0\0\0\x10" + digest.octets
    assert decode_digest(OctetReader(written), (2, 0)) == digest


@pytest.mark.parametrize(
    ("written", "version"),
    [(b"", (2, 11)), (b"\0" * 33, (2, 11)), (b"\4" * 33, (2, 11)), (b"\3" * 32, (2, 11)), (b"\0\0\0\1x", (2, 0))],
)
def test_what_is_no_digest_is_refused(written: bytes, version: tuple[int, int]) -> None:
    with pytest.raises(MalformedMessage):
        decode_digest(OctetReader(written), version)
