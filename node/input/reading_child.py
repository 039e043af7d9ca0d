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
from typing import BinaryIO, Final

from node.input.encoding import Encoding
from node.input.input_file import FileFormat, InputFile
from node.input.problems import UnreadableFile

LENGTH_OCTETS: Final = 4


def arguments_for(file: InputFile, rows: int) -> tuple[str, ...]:
    """Return the command line of a child that reads `file`."""
    return str(file.path), file.format.value, file.encoding.value, str(file.size), str(rows)


def main() -> None:
    """Read the file that the command line names."""
    gc.disable()  # Rows are many, young and without cycles: looking for garbage among them costs a tenth of the time.
    path, file_format, encoding, size, rows = sys.argv[1:]
    file = InputFile(Path(path), FileFormat(file_format), Encoding(encoding), int(size))
    try:
        for batch in file.batches(int(rows), stamp=int(time.time())):
            _send(sys.stdout.buffer, batch)
        _send(sys.stdout.buffer, None)
    except BrokenPipeError:
        os._exit(1)  # The parent has gone: there is nobody to tell, and nothing more to flush.
    except (UnreadableFile, OSError) as error:
        _send(sys.stdout.buffer, error)


def _send(pipe: BinaryIO, message: object) -> None:
    octets = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    pipe.write(len(octets).to_bytes(LENGTH_OCTETS, "big") + octets)
    pipe.flush()


if __name__ == "__main__":
    main()
