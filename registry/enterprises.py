"""The enterprises that own prefixes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from registry.database import Database, Transaction
from registry.queries import queries

_SQL: Final = queries("enterprises")


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A legal body.

    Attributes:
        name: unique, as in its papers: 示例锂电工具有限公司.
        code: unique; text, never a number, because leading zeros count.
    """

    name: str
    code: str


class EnterpriseReader:
    """Reads enterprises. Raises ConnectionError or TimeoutError in an outage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> Sequence[Enterprise]:
        """Return every enterprise in the order of the codes."""
        return [Enterprise(row["name"], row["code"]) for row in await self._database.fetch(_SQL["load"])]


class EnterpriseStore:
    """Writes enterprises. Raises ConnectionError or TimeoutError in an outage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, enterprise: Enterprise) -> None:
        """Make an enterprise.

        Raises:
            EnterpriseTaken: another one has its code or its name.
        """
        async with self._database.transaction() as transaction:
            await transaction.execute(_SQL["add"], enterprise.code, enterprise.name)


async def find_or_make(transaction: Transaction, name: str, code_if_new: str) -> Enterprise:
    """Return the enterprise called `name`, made with `code_if_new` when there is none.

    Raises:
        EnterpriseTaken: it is new, and another one has the code.
    """
    for row in await transaction.fetch(_SQL["find_by_name"], name):
        return Enterprise(row["name"], row["code"])
    await transaction.execute(_SQL["add"], code_if_new, name)
    return Enterprise(name, code_if_new)
