"""The process that reads a file for another one, see reading_process. It imports only what reading needs.

It writes messages to its standard output: a length of 4 octets, then that many octets of a pickled batch, of None at
the end of the file, or of the reason why there is no more.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
import time
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import BinaryIO, Final

from node.input.encoding import Encoding
from node.input.input_file import FileFormat, InputFile
from node.input.problems import UnreadableFile

LENGTH_OCTETS: Final = 4

MESSAGES_AHEAD: Final = 2
"""Batches that may be ready before they are asked for: some ten megabytes."""


def arguments_for(file: InputFile, rows: int) -> tuple[str, ...]:
    """Return the command line of a child that reads `file`."""
    return str(file.path), file.format.value, file.encoding.value, str(file.size), str(rows)


def main() -> None:
    """Read the file that the command line names."""
    gc.disable()  # Rows are many, young and without cycles: looking for garbage among them costs a tenth of the time.
    path, file_format, encoding, size, rows = sys.argv[1:]
    file = InputFile(Path(path), FileFormat(file_format), Encoding(encoding), int(size))
    messages: Queue[bytes] = Queue(MESSAGES_AHEAD)
    sending = Thread(target=_send, args=(messages, sys.stdout.buffer), daemon=True)
    sending.start()
    try:
        for batch in file.batches(int(rows), stamp=int(time.time())):
            messages.put(_message(batch))
        messages.put(_message(None))
    except (UnreadableFile, OSError) as error:
        messages.put(_message(error))
    messages.put(b"")
    sending.join()


def _message(content: object) -> bytes:
    octets = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return len(octets).to_bytes(LENGTH_OCTETS, "big") + octets


def _send(messages: Queue[bytes], pipe: BinaryIO) -> None:
    """Send messages until an empty one, beside the reading: the other process takes them when it comes to it."""
    try:
        while message := messages.get():
            pipe.write(message)
            pipe.flush()
    except BrokenPipeError:
        os._exit(1)  # The parent has gone: there is nobody to tell, and nothing more to flush.


if __name__ == "__main__":
    main()
