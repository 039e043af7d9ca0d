"""The handle of a row: what is checked before it goes into a record."""

import re
from functools import lru_cache
from typing import Final

from handle_protocol.errors import InvalidHandle
from handle_protocol.handle import Handle, Prefix
from node.input.problems import Problem, RowProblem

_FIELD: Final = "handle"
_USUAL: Final = re.compile(r"[0-9A-Za-z]{1,64}(?:\.[0-9A-Za-z]{1,64}){1,7}/[!-~]{1,255}")
"""Nearly every handle there is, in octets that need no further look."""
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")


def parse_handle(spelling: str) -> Handle:
    """Read a handle of the form prefix/suffix.

    Raises:
        RowProblem: it is empty, too long, without a slash or a suffix, or its prefix can be none.
    """
    if _USUAL.fullmatch(spelling):
        return Handle(spelling)
    try:
        handle = Handle.parse(spelling)
    except InvalidHandle as error:
        raise _problem(str(error), "须为 1 至 2048 字节的 UTF-8 文本") from None
    prefix, _, suffix = spelling.partition("/")
    if not suffix:
        raise _problem("expected prefix/suffix, such as 88.118.8/6205-2RS", "应为 前缀/后缀,例如 88.118.8/6205-2RS")
    if not _is_prefix(prefix):
        raise _problem(f"{prefix!r} is no prefix", f"{prefix!r} 不是有效前缀")
    if _CONTROL.search(spelling) or spelling != spelling.strip():
        raise _problem("it holds control characters, or starts or ends with a space", "含有控制字符,或首尾有空格")
    return handle


@lru_cache(maxsize=4_096)
def _is_prefix(spelling: str) -> bool:
    if any(map(str.isspace, spelling)):
        return False
    try:
        Prefix.parse(spelling)
    except InvalidHandle:
        return False
    return True


def _problem(detail: str, detail_zh: str) -> RowProblem:
    return RowProblem(Problem.INVALID_HANDLE, _FIELD, detail=detail, detail_zh=detail_zh)
