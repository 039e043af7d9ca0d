"""The command `idnode`: which commands there are, and what becomes of their errors.

A command's file is imported when the command is used, so that `idnode --help` is quick.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Final

import click

from node.cli.help_format import HelpFormat
from node.cli.language import say, words
from node.cli.refusals import show_error
from node.errors import ExitStatus, Text


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command is, and its line in the list of commands."""

    module: str
    attribute: str
    summary: Text


COMMANDS: Final[Mapping[str, Command]] = {
    "serve": Command("node.cli.serve_command", "serve", Text("run the node", "运行节点")),
    "demo": Command("node.cli.demo_command", "demo", Text("run a node with sample data", "运行带示例数据的节点")),
    "resolve": Command("node.cli.resolve_command", "resolve", Text("ask a node for a handle", "解析标识")),
    "register": Command("node.cli.register_command", "register", Text("store one handle", "注册一个标识")),
    "set": Command("node.cli.change_commands", "set_values", Text("add or replace values", "添加或替换值")),
    "unset": Command("node.cli.change_commands", "unset", Text("remove values", "删除值")),
    "delete": Command("node.cli.change_commands", "delete", Text("delete handles", "删除标识")),
    "list": Command("node.cli.list_command", "list_handles", Text("list handles of a prefix", "列出前缀下的标识")),
    "keygen": Command("node.cli.keygen_command", "keygen", Text("make a key", "生成密钥")),
    "sign": Command("node.cli.sign_command", "sign", Text("sign a record", "为记录签名")),
    "verify": Command("node.cli.verify_command", "verify", Text("verify a signed record", "验证记录的签名")),
    "history": Command("node.cli.history_command", "history", Text("what an identity changed", "查看与撤销变更")),
    "import": Command("node.cli.import_command", "import_file", Text("store handles from a file", "从文件批量注册")),
    "export": Command("node.cli.export_command", "export", Text("write handles to a file", "导出标识")),
    "prefix": Command("node.cli.prefix_command", "prefix", Text("add, list, suspend prefixes", "管理前缀")),
    "migrate": Command("node.cli.migrate_command", "migrate", Text("bring the schema up to date", "更新数据库结构")),
    "check": Command("node.cli.check_command", "check", Text("check settings and surroundings", "检查设置与环境")),
}


class CommandTable(click.Group):
    """A group that knows its commands from a table."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command called `cmd_name`; None when there is none."""
        command = COMMANDS.get(cmd_name)
        if command is None:
            return None
        found: click.Command = getattr(importlib.import_module(command.module), command.attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing them."""
        with formatter.section(words("Commands", "命令")):
            formatter.write_dl([(name, say(command.summary)) for name, command in COMMANDS.items()])


HELP: Final = words(
    """A secondary node of the industrial-internet identifier resolution system.

\b
Example:
  idnode demo
  idnode serve --data-dir /var/lib/idnode
  idnode resolve 88.118.8/abc

Exit status: 0 done, 1 refused or failed, 2 wrong use, 78 wrong settings.""",
    """工业互联网标识解析体系二级节点。

\b
示例:
  idnode demo
  idnode serve --data-dir /var/lib/idnode
  idnode resolve 88.118.8/abc

退出状态:0 成功,1 被拒绝或失败,2 用法错误,78 设置错误。""",
)


def _version() -> str:
    try:
        return metadata.version("idnode")
    except metadata.PackageNotFoundError:  # started from a checkout
        return "0.1.0"


@click.group(cls=CommandTable, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version(), prog_name="idnode")
def group() -> None:
    """Take the command from the table."""


click.Context.formatter_class = HelpFormat


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with an exit status (see node.errors.ExitStatus)."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit status; an expected failure is said in one line with a hint.

    A bug leaves as it is, with its traceback.
    """
    try:
        status = group.main(list(arguments), prog_name="idnode", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.Abort:
        return ExitStatus.FAILED
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.FAILED
    except Exception as error:
        shown = show_error(error, is_json="--json" in arguments)
        if shown is None:
            raise
        return shown
    return status if isinstance(status, int) else ExitStatus.OK
