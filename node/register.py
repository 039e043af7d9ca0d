"""How the supervisor and the commands reach the register, and how its failures are said to an operator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from node.errors import NodeError, Text
from node.settings_sources import without_password
from registry.database import Database
from registry.errors import DatabaseUnfit
from registry.migrate import migrate


@asynccontextmanager
async def open_register(url: str, *, is_read_only: bool = False) -> AsyncIterator[Database]:
    """Open the register at `url`; what goes wrong inside leaves as a NodeError.

    Raises:
        NodeError: the database cannot be reached, does not answer in time, or must not be used.
    """
    try:
        async with Database.open(url, is_read_only=is_read_only) as database:
            yield database
    except DatabaseUnfit as error:
        raise _unfit(error) from error
    except (ConnectionError, TimeoutError) as error:
        raise _unreachable(url) from error


async def migrate_register(url: str) -> Sequence[str]:
    """Bring the schema up to date and return the names of the migrations that were applied.

    Raises:
        NodeError: as `open_register`.
    """
    async with open_register(url) as database:
        return await migrate(database)


def _unfit(error: DatabaseUnfit) -> NodeError:
    return NodeError(
        Text(f"the database must not be used: {error}", f"数据库不可用:{error}"),
        Text(
            "mend what the message names, or point database_url to another database",
            "请按提示修复,或将 database_url 指向其他数据库",
        ),
    )


def _unreachable(url: str) -> NodeError:
    shown = without_password(url)
    return NodeError(
        Text(f"the database {shown} does not answer", f"数据库 {shown} 无响应"),
        Text("check that it runs and that database_url is right", "请检查数据库是否运行、database_url 是否正确"),
    )
