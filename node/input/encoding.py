"""In which encoding a file is written: UTF-8, or GB18030 as Excel writes it in China.

GB18030 accepts almost any octets, so it is believed only on strong evidence: none of the lines beyond ASCII in the
file's start is UTF-8, and together they hold several everyday Chinese characters. A file that has both kinds of
lines is UTF-8 with bad rows.
"""

import codecs
from enum import Enum
from typing import BinaryIO, Final

from node.input.limits import SAMPLE_OCTETS
from node.input.problems import Problem, UnreadableFile

BYTE_ORDER_MARK: Final = codecs.BOM_UTF8
_CHARACTERS_FOR_EVIDENCE: Final = 4
"""Two or three Chinese characters may be a UTF-8 character cut in half; four in a row of lines are not."""
_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Encoding(Enum):
    """An encoding that is read, by the name that a person gives it."""

    UTF_8 = "UTF-8"
    GB18030 = "GB18030"


def detect_encoding(sample: bytes) -> Encoding:
    """Tell the encoding from the first octets of a file.

    Raises:
        UnreadableFile: it is UTF-16 or no text at all.
    """
    if sample.startswith(_UTF_16_MARKS):
        raise UnreadableFile(Problem.UTF_16)
    if sample.count(0) > len(sample) // 10:
        raise UnreadableFile(Problem.BINARY_FILE)
    lines = [line for line in _whole_lines(sample) if not line.isascii()]
    if any(_is_encoded(line, "utf-8") for line in lines):
        return Encoding.UTF_8
    everyday = sum(_everyday_characters(line) for line in lines)
    return Encoding.GB18030 if everyday >= _CHARACTERS_FOR_EVIDENCE else Encoding.UTF_8


class AsUtf8:
    """A stream of GB18030 octets, read as UTF-8. Octets that are not GB18030 stay as they are, and so are no UTF-8."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("gb18030")("surrogateescape")

    def read(self, size: int) -> bytes:
        """Return about `size` octets of the text in UTF-8; nothing only at its end."""
        while True:
            octets = self._stream.read(size)
            text = self._decoder.decode(octets, final=not octets)
            if text or not octets:
                return text.encode("utf-8", "surrogateescape")


def _whole_lines(sample: bytes) -> list[bytes]:
    """Split into lines, without the last one if the sample may have cut it."""
    lines = sample.split(b"\n")
    return lines if len(sample) < SAMPLE_OCTETS else lines[:-1]


def _is_encoded(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _everyday_characters(line: bytes) -> int:
    """Count the Chinese characters of a GB18030 line, if all it has beyond ASCII is of the everyday set GB 2312."""
    if not _is_encoded(line, "gb2312"):
        return 0
    return sum(not character.isascii() for character in line.decode("gb2312"))
