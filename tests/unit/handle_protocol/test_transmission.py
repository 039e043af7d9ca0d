"""Messages cut into datagrams and put together again, and cut out of streams."""

import hashlib
import time
from typing import Any

import pytest
from hypothesis import given, strategies as st

from handle_protocol.envelope import Envelope, Version, encode_envelope
from handle_protocol.errors import MalformedMessage
from handle_protocol.message import decode_message
from handle_protocol.transmission import Reassembly, StreamCutter, is_whole, split
from tests.unit.handle_protocol.conftest import read_vectors

PEER = ("192.0.2.1", 40_000)
SHARE = 492


def message_of(content: bytes, request_id: int = 7) -> bytes:
    """Envelope and content, as over TCP."""
    return encode_envelope(Envelope(Version(2, 11), Version(2, 11), 0, 0, request_id, 0, len(content))) + content


LONG = message_of(bytes(range(256)) * 5)
contents = st.integers(0, 4 * SHARE + 3).map(lambda size: hashlib.shake_128(bytes(size)).digest(size))


class TestSplitting:
    def test_datagrams_are_those_of_the_reference(self, datagram_vector: dict[str, Any]) -> None:
        datagrams = [bytes.fromhex(datagram) for datagram in datagram_vector["packets_hex"]]
        ours = split(bytes.fromhex(datagram_vector["wire_hex"]))
        if "flag clear" in datagram_vector["name"]:
            ours = [bytes([*datagram[:2], datagram[2] & ~0x20, *datagram[3:]]) for datagram in ours]
        assert ours == datagrams

    def test_datagrams_of_the_reference_become_its_message(self, datagram_vector: dict[str, Any]) -> None:
        reassembly = Reassembly()
        datagrams = [bytes.fromhex(datagram) for datagram in datagram_vector["packets_hex"]]
        *incomplete, message = [reassembly.accept(datagram, PEER, 0.0) for datagram in datagrams]
        assert incomplete == [None] * (len(datagrams) - 1)
        assert message == bytes.fromhex(datagram_vector["wire_hex"])
        assert decode_message(message).header.op_code == datagram_vector["header"]["op_code"]

    @given(contents)
    def test_no_datagram_is_longer_than_512_octets(self, content: bytes) -> None:
        assert max(map(len, split(message_of(content)))) <= 512

    @given(contents, st.data())
    def test_shuffled_and_repeated_datagrams_become_the_message(self, content: bytes, data: st.DataObject) -> None:
        message = message_of(content)
        datagrams = split(message)
        repeated = data.draw(st.lists(st.sampled_from(datagrams), max_size=3))
        order = data.draw(st.permutations(datagrams + repeated))
        reassembly = Reassembly()
        results = [reassembly.accept(datagram, PEER, 0.0) for datagram in order]
        assert message in results
        assert set(results) <= {message, None}

    @given(contents.filter(lambda content: len(content) > SHARE), st.data())
    def test_a_lost_datagram_leaves_nothing_behind(self, content: bytes, data: st.DataObject) -> None:
        datagrams = split(message_of(content))
        lost = data.draw(st.integers(0, len(datagrams) - 1))
        reassembly = Reassembly(seconds=5.0)
        for number, datagram in enumerate(datagrams):
            if number != lost:
                assert reassembly.accept(datagram, PEER, 10.0) is None
        assert reassembly.octets == len(content) - len(datagrams[lost]) + 20
        reassembly.accept(split(LONG)[0], ("192.0.2.2", 1), 15.0)
        assert (reassembly.entries, reassembly.octets) == (1, SHARE)

    def test_a_datagram_tells_whether_it_is_whole(self) -> None:
        assert is_whole(message_of(b""))
        assert is_whole(message_of(b"abc"))
        assert not is_whole(message_of(b"abc")[:-1])
        assert not is_whole(split(LONG)[0])
        assert not is_whole(b"\0" * 19)


class TestReassembly:
    def test_just_received_octets_are_kept(self) -> None:
        reassembly = Reassembly()
        reassembly.accept(split(message_of(bytes(262_144)))[0], PEER, 0.0)
        assert reassembly.octets == SHARE

    @pytest.mark.parametrize("peer", [("192.0.2.2", 40_000), ("192.0.2.1", 40_001)])
    def test_peers_with_the_same_request_id_do_not_meet(self, peer: tuple[str, int]) -> None:
        other = message_of(bytes(SHARE * 2))
        reassembly = Reassembly()
        first, *rest = split(LONG)
        assert reassembly.accept(first, PEER, 0.0) is None
        assert [reassembly.accept(datagram, peer, 0.0) for datagram in split(other)][-1] == other
        assert [reassembly.accept(datagram, PEER, 0.0) for datagram in rest][-1] == LONG

    @pytest.mark.parametrize(
        "forged",
        [
            split(message_of(b"\xff" * 1_280))[0],
            split(message_of(bytes(range(256)) * 5 + b"!"))[1],
            split(message_of(b"\xff" * 5_000))[9],
        ],
        ids=["other octets", "other length", "other length, other place"],
    )
    def test_a_contradiction_spoils_the_message_until_it_expires(self, forged: bytes) -> None:
        reassembly = Reassembly(seconds=5.0)
        first, second, third = split(LONG)
        for datagram in (first, forged, second, third, first, second, third):
            assert reassembly.accept(datagram, PEER, 0.0) is None
        assert (reassembly.entries, reassembly.octets) == (1, 0)
        assert [reassembly.accept(datagram, PEER, 5.0) for datagram in split(LONG)][-1] == LONG
        assert (reassembly.entries, reassembly.octets) == (0, 0)

    def test_an_address_has_a_bounded_number_of_unfinished_messages(self) -> None:
        reassembly = Reassembly(per_peer_max=16)
        for number in range(40):
            reassembly.accept(split(message_of(bytes(1_000), number))[0], ("192.0.2.1", 1_024 + number), 0.0)
        assert reassembly.entries == 16
        assert [reassembly.accept(datagram, ("192.0.2.2", 9), 0.0) for datagram in split(LONG)][-1] == LONG
        reassembly.accept(split(message_of(bytes(1_000), 99))[0], PEER, 6.0)
        assert reassembly.entries == 1

    def test_a_flood_from_many_addresses_is_bounded_and_forgets_the_oldest(self) -> None:
        reassembly = Reassembly(entries_max=100, octets_max=50 * SHARE)
        datagram = split(message_of(bytes(262_144)))[0]
        for number in range(2_000):
            reassembly.accept(datagram, (f"192.0.{number // 250}.{number % 250}", 1), 0.0)
        assert (reassembly.entries, reassembly.octets) == (50, 50 * SHARE)
        assert [reassembly.accept(part, PEER, 0.0) for part in split(LONG)][-1] == LONG

    def test_addresses_are_forgotten_with_their_messages(self) -> None:
        reassembly = Reassembly(entries_max=10)
        for number in range(50):
            reassembly.accept(split(LONG)[2], (f"192.0.2.{number}", 1), 0.0)
        assert len(reassembly._open_by_address) == 10  # noqa: SLF001 - what leaks is seen nowhere else

    def test_the_number_of_messages_is_bounded_too(self) -> None:
        reassembly = Reassembly(entries_max=10)
        for number in range(50):
            reassembly.accept(split(LONG)[2], (f"192.0.2.{number}", 1), 0.0)
        assert reassembly.entries == 10

    @pytest.mark.parametrize(
        "datagram",
        [
            b"",
            bytes(19),
            split(LONG)[0][:-1],
            split(LONG)[0] + b"!",
            split(LONG)[2] + b"!",
            split(LONG)[0][:12] + b"\0\0\0\3" + split(LONG)[0][16:],
            encode_envelope(Envelope(Version(2, 11), Version(2, 11), 0, 0, 7, 2, 2 * SHARE)),
            message_of(b"abc")[:-1],
            message_of(b"abc") + b"!",
        ],
    )
    def test_what_can_be_part_of_no_message_is_malformed(self, datagram: bytes) -> None:
        reassembly = Reassembly()
        with pytest.raises(MalformedMessage):
            reassembly.accept(datagram, PEER, 0.0)
        assert reassembly.entries == 0

    @given(st.lists(st.binary(max_size=60), max_size=5))
    def test_random_datagrams_raise_nothing_but_protocol_errors(self, datagrams: list[bytes]) -> None:
        reassembly = Reassembly()
        for datagram in datagrams:
            try:
                reassembly.accept(datagram, PEER, 0.0)
            except MalformedMessage:
                continue


class TestCutting:
    def test_a_message_arrives_octet_by_octet(self, message_vector: dict[str, Any]) -> None:
        message = bytes.fromhex(message_vector["wire_hex"])
        cutter = StreamCutter()
        for octet in message[:-1]:
            assert cutter.feed(bytes([octet])) == []
            assert cutter.is_within
        assert cutter.feed(message[-1:]) == [message]
        assert not cutter.is_within

    @given(st.data())
    def test_however_a_stream_is_torn_its_messages_are_the_same(self, data: st.DataObject) -> None:
        messages = [bytes.fromhex(vector["wire_hex"]) for vector in read_vectors("01", "wire_hex")[:5]]
        stream, cutter, received = b"".join(messages), StreamCutter(), []
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            received += cutter.feed(stream[start:end])
        assert received == messages

    def test_a_message_announced_too_long_is_refused_before_it_comes(self) -> None:
        envelope = message_of(b"")[:16] + (262_145).to_bytes(4, "big")
        cutter = StreamCutter()
        assert cutter.feed(envelope[:-1]) == []
        with pytest.raises(MalformedMessage):
            cutter.feed(envelope[-1:])

    def test_a_stream_is_cut_in_time_proportional_to_its_octets(self) -> None:
        message = message_of(bytes(262_144))
        cutter = StreamCutter()
        started = time.perf_counter()
        for octet in message[:-1]:
            cutter.feed(bytes([octet]))
        assert cutter.feed(message[-1:]) == [message]
        assert time.perf_counter() - started < 10
