"""What the driver's errors mean: outage, missed deadline, refusal, or something an operator has to mend.

Whatever is not in these tables is a bug and travels on as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import asyncpg

from registry.errors import AccessRefused, EnterpriseTaken, RecordExists, Refusal, SchemaMissing

OUTAGES: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.ReadOnlySQLTransactionError,  # a primary that became a standby
    asyncpg.InternalClientError,  # no primary among the hosts; a connection whose end the driver has not noticed yet
)
"""Postgres cannot be reached or cannot do it now. Said with ConnectionError."""

EXPIRIES: Final = (
    TimeoutError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
)
"""Postgres did not answer within the deadline. Said with TimeoutError."""

ACCESS_FAULTS: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ClientConfigurationError,
)
"""What asking again does not mend. Said with AccessRefused."""

CONSTRAINTS: Final[Mapping[str | None, Callable[[], Refusal]]] = {
    "enterprise_pkey": lambda: EnterpriseTaken("code"),
    "enterprise_name_key": lambda: EnterpriseTaken("name"),
    "record_pkey": RecordExists,
}
"""The names of constraints are part of the interface: this is what breaking one means."""


class Meaning:
    """Says the driver's errors inside a `with` block in the words of this project.

    A complaint about the state of a connection is an outage only if `is_gone` says that the connection is lost.
    """

    __slots__ = ("_is_gone",)

    def __init__(self, is_gone: Callable[[], bool]) -> None:
        self._is_gone = is_gone

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, ConnectionError):
            return
        if isinstance(error, EXPIRIES):  # Before OSError, which TimeoutError is a kind of.
            raise TimeoutError(str(error) or "Postgres did not answer within the deadline") from error
        if isinstance(error, OUTAGES) or (isinstance(error, asyncpg.InterfaceError) and self._is_gone()):
            raise ConnectionError(str(error)) from error
        if isinstance(error, ACCESS_FAULTS):
            raise AccessRefused(str(error)) from error
        if isinstance(error, asyncpg.UndefinedTableError):
            raise SchemaMissing from error
        if isinstance(error, asyncpg.IntegrityConstraintViolationError) and error.constraint_name in CONSTRAINTS:
            make_refusal = CONSTRAINTS[error.constraint_name]
            raise make_refusal() from error
