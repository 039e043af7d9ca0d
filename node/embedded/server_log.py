"""What a bundled server prints, kept in a file of bounded size."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from contextlib import closing, suppress
from io import FileIO
from pathlib import Path
from typing import Final

from node.errors import EmbeddedServerError, Text

LOG_OCTETS_MAX: Final = 8 * 1024 * 1024
"""One file; the file before it is kept as .1, so that a server never has more than twice this on disk."""

READ_OCTETS: Final = 64 * 1024
LINES_REMEMBERED: Final = 40
"""Enough for the sentence in which a server says why it stopped."""


LAST_WORDS: Final = 3
"""How many of them are put into an error message."""


class ServerLog:
    """Copies a server's output into a file and remembers the last lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last_lines: deque[str] = deque(maxlen=LINES_REMEMBERED)
        self._copying: asyncio.Task[None] | None = None

    @property
    def last_lines(self) -> tuple[str, ...]:
        """What the server printed last, oldest first."""
        return tuple(self._last_lines)

    async def open(self) -> int:
        """Start copying. Return the file descriptor for the server to print to; the caller closes its copy of it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        ours, servers = os.pipe()
        reader = asyncio.StreamReader(limit=READ_OCTETS)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", buffering=0)
        )
        self._copying = asyncio.create_task(self._copy(reader))
        return servers

    async def close(self, timeout_seconds: float = 2.0) -> None:
        """Wait until everything printed is copied, at most `timeout_seconds`."""
        if self._copying is None:
            return
        done, _ = await asyncio.wait({self._copying}, timeout=timeout_seconds)
        if not done:
            self._copying.cancel()
            await asyncio.wait({self._copying})

    async def _copy(self, reader: asyncio.StreamReader) -> None:
        """Read to the very end, whatever becomes of the file: a server whose pipe is full stands still."""
        with closing(_BoundedFile(self.path)) as file:
            while chunk := await reader.read(READ_OCTETS):
                self._last_lines.extend(chunk.decode(errors="replace").splitlines())
                file.write(chunk)


class _BoundedFile:
    """The file on disk. What cannot be written is dropped, and the file opened anew for what comes after it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._size = 0

    def write(self, chunk: bytes) -> None:
        try:
            file = self._file = self._file or self._open()
            if self._size + len(chunk) > LOG_OCTETS_MAX:
                self._keep_as_previous()
                file.truncate(0)
                self._size = 0
            self._size += file.write(chunk)
        except OSError:
            self.close()

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # some file systems say only now that they are full
                file.close()

    def _open(self) -> FileIO:
        file = self._path.open("ab", buffering=0)
        self._size = file.seek(0, os.SEEK_END)
        return file

    def _keep_as_previous(self) -> None:
        """Copy the full file to .1; the open file stays the same, so that a reader's `tail -f` goes on."""
        self._path.with_name(self._path.name + ".1").write_bytes(self._path.read_bytes())


def server_failed(what: Text, log: ServerLog) -> EmbeddedServerError:
    """Return the error that says what failed, with the server's last words and where its log is."""
    last_words = " | ".join(log.last_lines[-LAST_WORDS:])
    return EmbeddedServerError(
        Text(f"{what.english}: {last_words}", f"{what.chinese}:{last_words}"),
        Text(f"see {log.path}", f"请查看 {log.path}"),
    )
