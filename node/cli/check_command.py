"""`idnode check`: whether a node can run here, and every setting with its meaning."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import click

from node.checks import Check, Verdict, run_checks
from node.cli.language import say, words
from node.cli.options import chosen_data_dir, config_option, data_dir_option, json_option
from node.errors import ExitStatus
from node.running import find_running_node
from node.settings import ENVIRONMENT_PREFIX, SETTING_FIELDS, Settings, description
from node.settings_sources import default_text, load_settings, without_password

COLOURS = {Verdict.GOOD: "green", Verdict.NOTE: "yellow", Verdict.BAD: "red"}
MARKS = {Verdict.GOOD: "✓", Verdict.NOTE: "·", Verdict.BAD: "✗"}


@click.command(
    help=words(
        """Check settings, database, disk, ports and versions. With --settings: list every setting.

\b
Example:
  idnode check --data-dir /srv/idnode
  idnode check --settings --json""",
        """检查设置、数据库、磁盘、端口与版本。加 --settings 则列出全部设置。

\b
示例:
  idnode check --data-dir /srv/idnode
  idnode check --settings --json""",
    )
)
@click.option("--settings", "lists_settings", is_flag=True, help=words("List every setting.", "列出全部设置。"))
@data_dir_option
@config_option
@json_option
def check(data_dir: str | None, config: Path | None, *, lists_settings: bool, is_json: bool) -> int:
    """Print the checks; the exit status tells whether one failed."""
    settings = load_settings({"data_dir": data_dir}, os.environ, config)
    if lists_settings:
        _print_settings(settings, is_json=is_json)
        return ExitStatus.OK
    checks = asyncio.run(run_checks(settings, find_running_node(chosen_data_dir(settings))))
    _print_checks(checks, is_json=is_json)
    return ExitStatus.FAILED if any(each.verdict is Verdict.BAD for each in checks) else ExitStatus.OK


def setting_to_json(name: str, settings: Settings) -> dict[str, str]:
    """Return what is known about one setting as programs read it."""
    described = description(name)
    return {
        "name": name,
        "value": without_password(getattr(settings, name)),
        "default": default_text(name).english,
        "unit": described.kind.unit.english,
        "environment": ENVIRONMENT_PREFIX + name.upper(),
        "expected": described.kind.expected.english,
        "meaning": described.meaning.english,
        "meaning_zh": described.meaning.chinese,
    }


def _print_settings(settings: Settings, *, is_json: bool) -> None:
    if is_json:
        rows = [setting_to_json(name, settings) for name in SETTING_FIELDS]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for name in SETTING_FIELDS:
        click.echo(f"{click.style(name, bold=True)} = {without_password(getattr(settings, name))}")
        click.echo(f"    {_facts(name)}\n    {say(description(name).meaning)}")


def _facts(name: str) -> str:
    """Return what is known of a setting in one line: kind, default, environment name."""
    described = description(name)
    unit = say(described.kind.unit)
    default = words(f"default: {default_text(name).english}", f"默认:{default_text(name).chinese}")
    return "  ·  ".join(filter(None, (unit, say(described.kind.expected), default, ENVIRONMENT_PREFIX + name.upper())))


def _print_checks(checks: list[Check], *, is_json: bool) -> None:
    if is_json:
        rows = [
            {"check": each.subject.english, "verdict": each.verdict, "found": each.found.english} for each in checks
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for each in checks:
        mark = click.style(MARKS[each.verdict], fg=COLOURS[each.verdict])
        click.echo(f"{mark} {say(each.subject)}{words(':', ':')} {say(each.found)}")
        if each.solve is not None:
            click.echo(f"    {say(each.solve)}")
