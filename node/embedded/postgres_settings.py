"""What the bundled Postgres is told: durable, on its socket only, sized for a node of some million records."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

MEBIBYTE: Final = 1024 * 1024

DURABILITY: Final[Mapping[str, str]] = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
}
"""Given on the command line, where ALTER SYSTEM cannot undo it: what was acknowledged survives a power loss."""

SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",  # workers and commands hold three each
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",  # building the index after a bulk load
    "huge_pages": "off",  # containers promise huge pages that they do not have
    "dynamic_shared_memory_type": "mmap",  # /dev/shm may be missing or tiny in containers
    "max_parallel_workers_per_gather": "0",  # resolution is many small questions, none worth a second process
    "jit": "off",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",  # an import of millions of records must not checkpoint every few seconds
    "min_wal_size": "256MB",
    "wal_buffers": "16MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "log_destination": "stderr",
    "logging_collector": "off",  # the supervisor keeps the log, bounded
    "log_checkpoints": "on",
    "log_min_duration_statement": "1s",
    "log_line_prefix": "%m [%p] %q%a ",
    "log_timezone": "UTC",
    "TimeZone": "UTC",
    "lc_messages": "C",
}

SHARED_BUFFERS_MEBIBYTES: Final = (64, 2048)
SHARED_BUFFERS_PART_OF_MEMORY: Final = 8
"""An eighth: workers and the page cache need the rest. Records of about 320 octets: 2 GiB hold six million."""

CONFIGURATION_HEAD: Final = "# Written anew at each start. To tune this server, use ALTER SYSTEM.\n"


def configuration(socket_folder: Path) -> str:
    """Return the text of postgresql.conf."""
    settings = {
        **SETTINGS,
        "unix_socket_directories": str(socket_folder),
        "shared_buffers": f"{_shared_buffers_mebibytes()}MB",
        "effective_cache_size": f"{max(_memory_mebibytes() // 2, 64)}MB",
    }
    return CONFIGURATION_HEAD + "".join(f"{name} = {_quoted(value)}\n" for name, value in settings.items())


def host_based_authentication() -> str:
    """Return the text of pg_hba.conf: the kernel says who connects, and nobody comes over a network."""
    return "local all all peer map=idnode\n"


def ident_map(accounts: Iterable[str], role: str) -> str:
    """Return the text of pg_ident.conf: the server's account and its supervisor's may act as `role`.

    Besides, the socket stands in a folder with mode 0700. A password would add nothing: whoever is one of these
    accounts can read the data files.
    """
    return "".join(f'idnode "{account}" "{role}"\n' for account in sorted(set(accounts)))


def _shared_buffers_mebibytes() -> int:
    least, most = SHARED_BUFFERS_MEBIBYTES
    return min(max(_memory_mebibytes() // SHARED_BUFFERS_PART_OF_MEMORY, least), most)


def _memory_mebibytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEBIBYTE


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
