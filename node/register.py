"""How the supervisor and the commands reach the register, and how its failures are said to an operator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from node.errors import NodeError, Text
from node.settings_sources import without_password
from registry.database import Database
from registry.errors import (
    DatabaseUnfit,
    EnterpriseTaken,
    PrefixDelegated,
    PrefixHoldsRecords,
    PrefixTaken,
    PrefixTooDeep,
    PrefixUnknown,
    Refusal,
    SchemaMissing,
    TransitionForbidden,
)
from registry.migrate import migrate


@asynccontextmanager
async def open_register(url: str, *, is_read_only: bool = False) -> AsyncIterator[Database]:
    """Open the register at `url`; what goes wrong inside leaves as a NodeError.

    Raises:
        NodeError: the database cannot be reached, does not answer in time, must not be used, or the register
            refuses a change.
    """
    try:
        async with Database.open(url, is_read_only=is_read_only) as database:
            yield database
    except Refusal as refusal:
        raise _refused(refusal) from refusal
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


REFUSALS: Final[Mapping[type[Refusal], tuple[str, Text]]] = {
    PrefixUnknown: (
        "前缀未注册",
        Text("see which there are: idnode prefix list", "查看已有前缀:idnode prefix list"),
    ),
    PrefixTooDeep: ("前缀段数过多", Text("use fewer segments", "请减少段数")),
    PrefixTaken: (
        "前缀已注册,且内容不同",
        Text("see how it is registered: idnode prefix list", "查看其注册内容:idnode prefix list"),
    ),
    PrefixHoldsRecords: (
        "该前缀下已有按另一大小写规则存储的标识",
        Text("export and delete those handles first", "请先导出并删除这些标识"),
    ),
    PrefixDelegated: (
        "前缀由企业自建节点解析",
        Text("see which node: idnode prefix list", "查看其节点:idnode prefix list"),
    ),
    TransitionForbidden: (
        "前缀当前状态不允许此操作",
        Text("see its status: idnode prefix list", "查看其状态:idnode prefix list"),
    ),
    EnterpriseTaken: (
        "企业名称或代码已被占用",
        Text("use the enterprise's registered name", "请使用该企业已登记的名称"),
    ),
}
"""How each refusal is said in Chinese, and what to do about it."""


PARTICULARS: Final[Mapping[str, str]] = {
    "enterprise": "--enterprise",
    "delegated_to": "--delegate",
    "folds_suffix": "--ignore-case",
}
"""The fields of a prefix, as an operator gives them."""


def _taken(refusal: PrefixTaken) -> NodeError:
    option = PARTICULARS[refusal.field]
    message = Text(
        f"prefix {refusal.prefix} is registered already, with another {option}",
        f"前缀已注册,且内容不同:{refusal.prefix} 的 {option}",
    )
    if refusal.field != "folds_suffix":
        return NodeError(message, REFUSALS[PrefixTaken][1])
    return NodeError(
        message,
        Text(
            "this rule is set once: give or leave out --ignore-case as before (idnode prefix list --json)",
            "该规则只能设定一次:请与原注册一致地使用或省略 --ignore-case(idnode prefix list --json)",
        ),
    )


def _refused(refusal: Refusal) -> NodeError:
    if isinstance(refusal, PrefixTaken):
        return _taken(refusal)
    chinese, solve = REFUSALS.get(type(refusal), ("注册请求被拒绝", Text("", "")))
    return NodeError(Text(str(refusal), f"{chinese}({refusal})"), solve)


def _unfit(error: DatabaseUnfit) -> NodeError:
    if isinstance(error, SchemaMissing):
        return NodeError(Text(str(error), "数据库尚无表结构"), Text("idnode migrate", "idnode migrate"))
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
