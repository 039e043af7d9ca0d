"""What can be wrong with a row or with a whole file, in English and in Chinese."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum
from functools import partial

from node.errors import NodeError, Text


class Problem(Enum):
    """A kind of mistake: a sentence in English and one in Chinese, with places for details."""

    # Of a row.
    WRONG_COLUMN_COUNT = "expected {expected} cells, found {found}", "应有{expected}个单元格,实有{found}个"
    BROKEN_QUOTING = (
        'a quote (") is not closed, or something stands between a closing quote and the next comma',
        '引号(")未闭合,或闭合引号与下一个逗号之间有多余内容',
    )
    STRAY_CARRIAGE_RETURN = "a carriage return stands outside quotes", "引号之外出现回车符"
    CELL_TOO_LONG = (
        "a cell is longer than {limit} octets, or its quote is never closed",
        "单元格超过{limit}字节,或其引号未闭合",
    )
    LINE_TOO_LONG = "the line is longer than {limit} octets", "该行超过{limit}字节"
    NOT_TEXT = "the octets are not {encoding}", "内容不是有效的{encoding}编码"
    NUL_OCTET = "a NUL octet (0x00) stands in the text", "文本中含有空字节(0x00)"
    INVALID_HANDLE = "no valid handle: {detail}", "标识无效:{detail_zh}"
    DUPLICATE_HANDLE = "the handle stands in row {first_row} already", "该标识已出现在第{first_row}行"
    NO_VALUES = "the row has no value", "该行没有任何值"
    INVALID_URL = "a URL must not hold spaces, control characters or backslashes", "URL 不得含有空格、控制字符或反斜杠"
    INVALID_JSON = "no valid JSON object: {detail}", "不是有效的 JSON 对象:{detail}"
    INVALID_VALUE = "no valid handle value: expected {expected}", "标识值无效:应为 {expected}"
    DUPLICATE_INDEX = "the index {index} is used twice", "索引 {index} 重复"
    TOO_MANY_VALUES = "more than {limit} values", "值超过{limit}个"
    RECORD_TOO_LONG = "all values together are longer than {limit} octets", "全部值合计超过{limit}字节"

    # Of a row, said by the register.
    PREFIX_NOT_OURS = (
        "prefix {prefix} is not registered here; add it with: idnode prefix add {prefix}",
        "前缀 {prefix} 未在本节点注册,请先执行:idnode prefix add {prefix}",
    )
    PREFIX_SUSPENDED = (
        "prefix {prefix} is suspended; resume it with: idnode prefix resume {prefix}",
        "前缀 {prefix} 已暂停,可执行:idnode prefix resume {prefix}",
    )
    PREFIX_DELEGATED = (
        "prefix {prefix} is answered by the enterprise's own node; import the row there",
        "前缀 {prefix} 由企业自建节点解析,请在该节点导入",
    )
    SAME_BUT_FOR_CASE = (
        "another row has the same handle but for upper and lower case, which prefix {prefix} does not tell apart",
        "另一行的标识仅大小写不同,而前缀 {prefix} 不区分大小写",
    )

    # Of a file.
    NOT_A_FILE = "only a regular file can be imported, no pipe and no device", "只能导入普通文件,不能是管道或设备"
    EMPTY_FILE = "the file is empty", "文件为空"
    NO_HEADER = "the file has no readable header line", "文件没有可读的表头行"
    HEADER_NOT_UTF_8 = (
        "the header line is not UTF-8; save the file as CSV UTF-8, or try --encoding gb18030",
        "表头不是 UTF-8 编码,请另存为“CSV UTF-8”,或尝试 --encoding gb18030",
    )
    HANDLE_NOT_FIRST = (
        "the first column must be named handle, not {found!r}; columns are separated by commas",
        "第一列须名为 handle,而不是 {found!r};各列以逗号分隔",
    )
    NO_VALUE_COLUMNS = "beside handle, at least one column is needed, such as url", "除 handle 外至少需要一列,例如 url"
    EMPTY_COLUMN_NAME = "column {position} has no name", "第{position}列没有名称"
    INVALID_COLUMN_NAME = (
        "column {found!r}: expected a type such as url, or index:type such as 2000:名称",
        "列名 {found!r} 应为类型(如 url)或 索引:类型(如 2000:名称)",
    )
    BINARY_TYPE = (
        "column {found!r}: values of this type cannot be written as text; import them as NDJSON",
        "列 {found!r}:此类型的值不能以文本书写,请用 NDJSON 导入",
    )
    DUPLICATE_COLUMN = "column {found!r} stands twice", "列 {found!r} 重复"
    TOO_MANY_COLUMNS = "more than {limit} columns", "列数超过{limit}"
    TOO_MANY_ROWS = "more than {limit} rows; split the file", "超过{limit}行,请拆分文件"
    UTF_16 = (
        "the file is UTF-16 (Excel: Unicode text); save it as CSV UTF-8",
        "文件为 UTF-16 编码(Excel 的“Unicode 文本”),请另存为“CSV UTF-8”",
    )
    BINARY_FILE = "the file is not text; save it as CSV UTF-8", "文件不是文本,请另存为“CSV UTF-8”"
    CARRIAGE_RETURN_LINES = (
        "the lines end in a lone carriage return (old Macintosh); save the file with LF or CRLF line ends",
        "各行以单独的回车符结尾(旧 Macintosh 格式),请以 LF 或 CRLF 换行保存",
    )
    UNKNOWN_FORMAT = (
        "the file looks like neither CSV nor NDJSON; say which with --format",
        "无法判断文件是 CSV 还是 NDJSON,请用 --format 指明",
    )


class UnreadableFile(NodeError):
    """A file of which nothing more can be read.

    Attributes:
        problem: what is wrong.
    """

    def __init__(self, problem: Problem, **details: object) -> None:
        english, chinese = (sentence.format(**details) for sentence in problem.value)
        solve = Text("what a file looks like: idnode import --help", "文件格式见:idnode import --help")
        super().__init__(Text(english, chinese), solve)
        self.problem = problem
        self.details = details

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the details, from which the sentences are made."""
        return partial(UnreadableFile, self.problem, **self.details), ()


class RowProblem(ValueError):
    """What is wrong with the row at hand; whoever knows the row makes a RowError of it."""

    def __init__(self, problem: Problem, field: str = "", **details: object) -> None:
        super().__init__(problem.name)
        self.problem = problem
        self.field = field
        self.details = details


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that was not imported.

    Attributes:
        row: the line of the file where the row starts; the first line is 1.
        handle: the handle as far as it could be read, at most 2 048 octets.
        field: the column or member that is wrong; "" when it is the row as a whole.
    """

    row: int
    handle: str
    field: str
    problem: Problem
    details: dict[str, object] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, row: int, handle: str, found: RowProblem) -> RowError:
        """Say where a problem was found."""
        return cls(row, handle, found.field, found.problem, found.details)

    @property
    def reason(self) -> str:
        """The sentence in English."""
        return self.problem.value[0].format(**self.details)

    @property
    def reason_zh(self) -> str:
        """The sentence in Chinese."""
        return self.problem.value[1].format(**self.details)
