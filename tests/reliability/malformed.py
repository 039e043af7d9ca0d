"""Packets that are wrong in the ways in which packets are wrong: cut, mixed, overwritten, with lengths that lie."""

from __future__ import annotations

import random
from collections.abc import Iterator

from handle_protocol.errors import ProtocolError
from handle_protocol.limits import ENVELOPE_OCTETS
from handle_protocol.message import decode_message
from tests.builders import question
from tests.unit.handle_protocol.conftest import read_vectors

LYING_NUMBERS = (0, 1, 0x7F, 0xFF, 0x0801, 0xFFFF, 0x0004_0001, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
ANNOUNCED = slice(16, ENVELOPE_OCTETS)
REQUEST_ID = slice(8, 12)
CODES = slice(20, 28)


def whole_messages() -> list[bytes]:
    """Return messages that are right: all that were recorded, and questions of ours."""
    recorded = [bytes.fromhex(vector["wire_hex"]) for vector in read_vectors("", "wire_hex")]
    ours = [
        question("88.118.8/冲击扳手-001"),
        question("88.118.8/冲击扳手-001", indexes=(1, 2000), types=("URL", "名称")),
        question("88.118.8/" + "长" * 600),
    ]
    return sorted({*recorded, *ours})


def malformed(seed: int) -> Iterator[bytes]:
    """Yield packets without end, the same for the same seed; some are right by chance."""
    draw = random.Random(seed)  # noqa: S311 - repeatable
    whole = whole_messages()
    while True:
        packet = bytearray(draw.choice(whole))
        for _ in range(draw.randrange(1, 4)):
            draw.choice(MISTAKES)(packet, draw)
        if draw.random() < 0.6 and len(packet) >= ENVELOPE_OCTETS:  # Else few would be read beyond the envelope.
            packet[ANNOUNCED] = (len(packet) - ENVELOPE_OCTETS).to_bytes(4, "big")
        yield bytes(packet)


def unreadable_requests(seed: int) -> Iterator[bytes]:
    """Yield datagrams that say to be a resolution request, whole, and cannot be read; each with an id of its own."""
    request_id = 0
    for packet in malformed(seed):
        if not 60 <= len(packet) <= 512:
            continue
        request_id += 1
        wrong = bytearray(packet)
        wrong[ANNOUNCED] = (len(packet) - ENVELOPE_OCTETS).to_bytes(4, "big")
        wrong[REQUEST_ID] = request_id.to_bytes(4, "big")
        wrong[CODES] = bytes((0, 0, 0, 1, 0, 0, 0, 0))
        try:
            decode_message(bytes(wrong))
        except ProtocolError:
            yield bytes(wrong)


def _overwrite(packet: bytearray, draw: random.Random) -> None:
    for _ in range(draw.randrange(1, 5)):
        if packet:
            packet[draw.randrange(len(packet))] = draw.randrange(256)


def _lie(packet: bytearray, draw: random.Random) -> None:
    if len(packet) > 4:
        start = draw.randrange(0, len(packet) - 3)
        packet[start : start + 4] = draw.choice(LYING_NUMBERS).to_bytes(4, "big")


def _cut(packet: bytearray, draw: random.Random) -> None:
    del packet[draw.randrange(len(packet) + 1) :]


def _lengthen(packet: bytearray, draw: random.Random) -> None:
    packet += draw.randbytes(draw.choice((1, 4, 40, 400)))


def _remove(packet: bytearray, draw: random.Random) -> None:
    start = draw.randrange(len(packet) + 1)
    del packet[start : start + draw.randrange(1, 30)]


def _repeat(packet: bytearray, draw: random.Random) -> None:
    start = draw.randrange(len(packet) + 1)
    packet[start:start] = packet[start : start + draw.randrange(1, 60)]


def _replace_by_noise(packet: bytearray, draw: random.Random) -> None:
    packet[:] = draw.randbytes(draw.randrange(600))


MISTAKES = (_overwrite, _overwrite, _lie, _lie, _cut, _lengthen, _remove, _repeat, _replace_by_noise)
