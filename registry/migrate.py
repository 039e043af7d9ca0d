"""How a database gets its schema: SQL files applied once each, in the order of their names, forwards only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from registry.database import Database, Transaction
from registry.errors import MigrationAltered, SchemaNewer
from registry.queries import queries

STATEMENT_TIMEOUT_SECONDS: Final = 3_600.0
"""Building an index over a hundred million records takes its time; waiting for another migration too."""

_SQL: Final = queries("migrate")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema.

    Attributes:
        name: such as 0001_records_prefixes_changes; the names give the order.
        script: its SQL, run as one transaction.
    """

    name: str
    script: str

    @property
    def sha256(self) -> str:
        """The digest of the script, in hexadecimal digits."""
        return hashlib.sha256(self.script.encode()).hexdigest()


def known_migrations() -> Sequence[Migration]:
    """Return the migrations of this program, oldest first."""
    files = (resources.files("registry") / "migrations").iterdir()
    migrations = (
        Migration(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
        for file in files
        if file.name.endswith(".sql")
    )
    return sorted(migrations, key=lambda migration: migration.name)


async def migrate(database: Database, migrations: Sequence[Migration] | None = None) -> Sequence[str]:
    """Apply what is missing, each migration in a transaction of its own, and return the names of those applied.

    Several programs may migrate at the same time: one does the work, the others wait and find nothing to do.

    Raises:
        MigrationAltered: an applied migration is not the one known here.
        SchemaNewer: the database has a migration that is not known here.
        DatabaseUnfit: the right to change the schema is missing.
        ConnectionError: Postgres cannot be reached.
        TimeoutError: a statement did not end in time, or a table was in use for longer than 2 s.
    """
    known = known_migrations() if migrations is None else migrations
    names = []
    while (name := await _apply_next(database, known)) is not None:
        names.append(name)
    return names


async def _apply_next(database: Database, known: Sequence[Migration]) -> str | None:
    async with database.transaction() as transaction:
        for preparation in ("wait_long", "lock", "make_bookkeeping"):
            await transaction.execute(_SQL[preparation], timeout_seconds=STATEMENT_TIMEOUT_SECONDS)
        applied = {row["name"]: row["sha256"] for row in await transaction.fetch(_SQL["applied"])}
        migration = _next(known, applied)
        if migration is None:
            return None
        await _apply(transaction, migration)
        return migration.name


def _next(known: Sequence[Migration], applied: Mapping[str, str]) -> Migration | None:
    names = {migration.name for migration in known}
    for name in applied:
        if name not in names:
            raise SchemaNewer(name)
    for migration in known:
        if migration.name not in applied:
            return migration
        if applied[migration.name] != migration.sha256:
            raise MigrationAltered(migration.name)
    return None


async def _apply(transaction: Transaction, migration: Migration) -> None:
    await transaction.execute(_SQL["limit_waiting"])
    await transaction.execute(migration.script, timeout_seconds=STATEMENT_TIMEOUT_SECONDS)
    await transaction.execute(_SQL["record"], migration.name, migration.sha256)
