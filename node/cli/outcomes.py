"""What became of a change, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.errors import Text
from registry.outcomes import OutcomeKind, RefusalReason

OUTCOMES: Final[Mapping[OutcomeKind, Text]] = {
    OutcomeKind.CREATED: Text("created", "已创建"),
    OutcomeKind.CHANGED: Text("changed", "已变更"),
    OutcomeKind.SAME: Text("unchanged, it was so already", "未变化,原已如此"),
    OutcomeKind.DELETED: Text("deleted", "已删除"),
    OutcomeKind.MISSING: Text("not there", "不存在"),
    OutcomeKind.REFUSED: Text("refused", "被拒绝"),
}

REASONS: Final[Mapping[RefusalReason, tuple[Text, Text]]] = {
    RefusalReason.NOT_OURS: (
        Text("no registered prefix covers it", "没有已注册的前缀包含它"),
        Text("register the prefix first: idnode prefix add PREFIX", "请先注册前缀:idnode prefix add 前缀"),
    ),
    RefusalReason.SUSPENDED: (
        Text("its prefix is suspended", "其前缀已被暂停"),
        Text("end that with: idnode prefix resume PREFIX", "恢复前缀:idnode prefix resume 前缀"),
    ),
    RefusalReason.DELEGATED: (
        Text("the enterprise's own node answers for its prefix", "其前缀由企业自建节点解析"),
        Text("register it there", "请在该企业节点上注册"),
    ),
    RefusalReason.DUPLICATE: (
        Text("it was given twice", "重复给出"),
        Text("give each handle once", "每个标识只给出一次"),
    ),
    RefusalReason.TOO_LONG: (
        Text("its values are more than one message can carry", "其值超过一条消息可承载的长度"),
        Text("shorten them, or spread them over several handles", "请缩短,或拆分到多个标识"),
    ),
}
"""Why a record was refused, and what to do."""
