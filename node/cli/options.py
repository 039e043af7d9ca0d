"""Options that several commands have, and how a command finds the register they speak of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

from node.cli.language import words
from node.running import get_running_node
from node.settings import EMBEDDED, Settings, default_data_dir
from node.settings_sources import load_settings

data_dir_option: Final = click.option(
    "--data-dir",
    metavar="DIRECTORY",
    help=words("The node's data directory.", "节点的数据目录。"),
)
config_option: Final = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=words(
        "Settings file; IDNODE_CONFIG or ./idnode.toml by default.", "设置文件;默认为 IDNODE_CONFIG 或 ./idnode.toml。"
    ),
)
json_option: Final = click.option(
    "--json", "is_json", is_flag=True, help=words("Print JSON for programs.", "以 JSON 输出。")
)


def command_settings(data_dir: str | None, config: Path | None = None) -> Settings:
    """Return the settings a command works with.

    Raises:
        SettingsError: there are mistakes.
    """
    return load_settings({"data_dir": data_dir}, os.environ, config)


def register_url(data_dir: str | None) -> str:
    """Return where the register is: the database that is set, else that of the running node.

    Raises:
        SettingsError: there are mistakes in the settings.
        NodeError: the database is the bundled one, and no node runs.
    """
    settings = command_settings(data_dir)
    if settings.database_url != EMBEDDED:
        return settings.database_url
    return get_running_node(chosen_data_dir(settings)).database_url


def chosen_data_dir(settings: Settings) -> Path | None:
    """Return the data directory if somebody chose one, None = look in the usual places."""
    return settings.data_dir if settings.data_dir != default_data_dir() else None
