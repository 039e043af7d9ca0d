"""`idnode migrate`: bring the schema of the register up to date."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import click

from node.cli.language import words
from node.cli.options import chosen_data_dir, command_settings, data_dir_option, json_option
from node.data_dir_lock import hold_data_dir
from node.embedded.postgres import EmbeddedPostgres
from node.register import migrate_register
from node.running import find_running_node
from node.settings import EMBEDDED, Settings


@click.command(
    help=words(
        """Bring the schema of the register up to date. `serve` does so too when it starts.

\b
Example:
  IDNODE_DATABASE_URL=postgresql://idnode@db/idnode idnode migrate""",
        """更新注册数据库的结构。serve 启动时也会自动执行。

\b
示例:
  IDNODE_DATABASE_URL=postgresql://idnode@db/idnode idnode migrate""",
    )
)
@data_dir_option
@json_option
def migrate(data_dir: str | None, *, is_json: bool) -> None:
    """Migrate the database that is set; the bundled one is started for it where no node runs."""
    applied = asyncio.run(_migrate(command_settings(data_dir)))
    if is_json:
        click.echo(json.dumps({"applied": list(applied)}))
        return
    for name in applied:
        click.echo(words(f"applied {name}", f"已应用 {name}"))
    if not applied:
        click.echo(words("nothing to do: the schema is up to date", "无需更新:数据库结构已是最新"))


async def _migrate(settings: Settings) -> Sequence[str]:
    if settings.database_url != EMBEDDED:
        return await migrate_register(settings.database_url)
    node = find_running_node(chosen_data_dir(settings))
    if node is not None:
        return await migrate_register(node.database_url)
    async with hold_data_dir(settings.data_dir):
        postgres = EmbeddedPostgres(settings.data_dir)
        try:
            await postgres.start()
            return await migrate_register(postgres.url)
        finally:
            await postgres.stop()
