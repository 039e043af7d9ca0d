"""CSV files: what is read, and how each mistake is named."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue
from node.input.encoding import Encoding
from node.input.input_file import FileFormat, InputFile
from node.input.limits import BATCH_OCTETS, BLOCK_OCTETS, CELL_OCTETS_MAX, LINE_OCTETS_MAX
from node.input.problems import Problem, RowError, UnreadableFile

HEADER = "handle,url,2000:名称"
GOOD = "88.118.9/6205-2RS,https://bearings.example.cn/6205-2RS,深沟球轴承"
LAST = "88.118.16/Z41H-16C-DN50,https://valves.example.cn/Z41H-16C-DN50,碳钢闸阀"


def read(folder: Path, content: str | bytes) -> tuple[list[HandleRecord], list[RowError]]:
    path = folder / "products.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    batches = list(InputFile.open(path).batches(10_000))
    return [record for batch in batches for record in batch.records], [error for b in batches for error in b.errors]


def test_a_row_becomes_the_record_that_its_cells_say(tmp_path: Path) -> None:
    records, errors = read(tmp_path, f"{HEADER}\n{GOOD}\n")
    assert errors == []
    assert records == [
        HandleRecord.of(
            Handle("88.118.9/6205-2RS"),
            [
                HandleValue(1, "URL", b"https://bearings.example.cn/6205-2RS"),
                HandleValue(2000, "名称", "深沟球轴承".encode()),
            ],
        )
    ]


def test_an_empty_cell_makes_no_value(tmp_path: Path) -> None:
    records, _ = read(tmp_path, f"{HEADER}\n88.118.9/6205,,深沟球轴承\n")
    assert records == [HandleRecord.of(Handle("88.118.9/6205"), [HandleValue(2000, "名称", "深沟球轴承".encode())])]


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{HEADER}\n{GOOD}\n{LAST}\n",
        f"{HEADER}\r\n{GOOD}\r\n{LAST}\r\n",
        f"{HEADER}\n\n{GOOD}\n\n\n{LAST}",
        f"\n{HEADER}\n{GOOD}\n{LAST}\n",
        f'"handle","url","2000:名称"\n{GOOD}\n{LAST}\n',
        f" Handle , URL , 2000 : 名称 \n{GOOD}\n{LAST}\n",
    ],
    ids=["byte order mark", "crlf", "blank lines", "blank first line", "quoted header", "spaces in the header"],
)
def test_spellings_of_the_same_file(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == read(tmp_path, f"{HEADER}\n{GOOD}\n{LAST}\n")


@pytest.mark.parametrize(
    ("row", "field", "problem", "handle"),
    [
        (b"88.118.9/1,https://example.cn", "", Problem.WRONG_COLUMN_COUNT, "88.118.9/1"),
        (b"88.118.9/1,https://example.cn,a,b", "", Problem.WRONG_COLUMN_COUNT, "88.118.9/1"),
        (b'88.118.9/1,"https://example.cn,a', "", Problem.BROKEN_QUOTING, "88.118.9/1"),
        (b'88.118.9/1,"https://example.cn"x,a', "", Problem.BROKEN_QUOTING, "88.118.9/1"),
        (b"88.118.9/1,https://example.cn,a\rb", "", Problem.STRAY_CARRIAGE_RETURN, "88.118.9/1"),
        (b"88.118.9/1,https://example.cn,\xff\xfe", "2000:名称", Problem.NOT_TEXT, "88.118.9/1"),
        (b"88.118.9/\xe8\xbd,https://example.cn,a", "handle", Problem.NOT_TEXT, "88.118.9/\ufffd"),
        (b"88.118.9/1,https://example.cn,a\0b", "2000:名称", Problem.NUL_OCTET, "88.118.9/1"),
        (b",https://example.cn,a", "handle", Problem.INVALID_HANDLE, ""),
        (b",,", "handle", Problem.INVALID_HANDLE, ""),
        (b"88.118.9,https://example.cn,a", "handle", Problem.INVALID_HANDLE, "88.118.9"),
        (b"88..9/1,https://example.cn,a", "handle", Problem.INVALID_HANDLE, "88..9/1"),
        (b"88.118.20/,https://example.cn,a", "handle", Problem.INVALID_HANDLE, "88.118.20/"),
        (b"/1,https://example.cn,a", "handle", Problem.INVALID_HANDLE, "/1"),
        (b"88.118.9 /1,https://example.cn,a", "handle", Problem.INVALID_HANDLE, "88.118.9 /1"),
        (b"88.118.9/1 ,https://example.cn,a", "handle", Problem.INVALID_HANDLE, "88.118.9/1 "),
        (b'"88.118.9/1\n2",https://example.cn,a', "handle", Problem.INVALID_HANDLE, "88.118.9/1\n2"),
        (b"88.118.9/" + b"1" * 2_040 + b",https://example.cn,a", "handle", Problem.INVALID_HANDLE, None),
        (GOOD.encode(), "handle", Problem.DUPLICATE_HANDLE, "88.118.9/6205-2RS"),
        (b"88.118.9/1,,", "", Problem.NO_VALUES, "88.118.9/1"),
        (b"88.118.9/1,https://example.cn/a\\b,a", "url", Problem.INVALID_URL, "88.118.9/1"),
        (b'88.118.9/1,"https://example.cn/\r\nX: y",a', "url", Problem.INVALID_URL, "88.118.9/1"),
        (b"88.118.9/1,," + b"x" * (CELL_OCTETS_MAX + 1), "", Problem.CELL_TOO_LONG, "88.118.9/1"),
        (b"88.118.9/1,," + b"x" * (LINE_OCTETS_MAX + 1), "", Problem.CELL_TOO_LONG, "88.118.9/1"),
        (b"88.118.9/1,," + b"x" * (4 * LINE_OCTETS_MAX), "", Problem.LINE_TOO_LONG, "88.118.9/1"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(
    tmp_path: Path, row: bytes, field: str, problem: Problem, handle: str | None
) -> None:
    records, errors = read(tmp_path, b"\n".join((HEADER.encode(), GOOD.encode(), row, LAST.encode())))
    assert [str(record.handle) for record in records] == ["88.118.9/6205-2RS", "88.118.16/Z41H-16C-DN50"]
    assert [(error.row, error.field, error.problem) for error in errors] == [(3, field, problem)]
    assert handle is None or errors[0].handle == handle
    assert errors[0].reason
    assert errors[0].reason_zh
    assert len(errors[0].handle) <= 256


@pytest.mark.parametrize("column", ["url", "URL", "5:URL", "URL.CN", "5:url.cn"])
def test_every_column_of_urls_is_checked(tmp_path: Path, column: str) -> None:
    records, errors = read(tmp_path, f"handle,{column}\n88.118.9/1,https://a.cn\\@b.cn\n88.118.9/2,https://a.cn/\n")
    assert [str(record.handle) for record in records] == ["88.118.9/2"]
    assert [(error.row, error.field, error.problem) for error in errors] == [(2, column, Problem.INVALID_URL)]


def test_a_quote_left_open_costs_only_its_own_line(tmp_path: Path) -> None:
    rows = [f"88.118.9/{number},https://example.cn,轴承" for number in range(4)]
    rows[1] = '88.118.9/1,"https://example.cn,轴承'
    records, errors = read(tmp_path, "\n".join([HEADER, *rows, '88.118.9/5,,"阀门, DN50"']))
    assert [record.handle.suffix for record in records] == ["0", "2", "3", "5"]
    assert [error.row for error in errors] == [3]


def test_rows_are_numbered_by_the_line_where_they_start(tmp_path: Path) -> None:
    _, errors = read(tmp_path, f'{HEADER}\n88.118.9/1,,"深沟\n球\n轴承"\n\n88.118.9/2\n88.118.9/3\n')
    assert [error.row for error in errors] == [6, 7]


def test_a_duplicate_names_the_row_that_came_first_whatever_the_case_of_the_prefix(tmp_path: Path) -> None:
    _, errors = read(tmp_path, "handle,url\n88.ab.1/x,u\n88.ab.1/X,u\n88.AB.1/x,u\n")
    assert [(error.row, error.details) for error in errors] == [(4, {"first_row": 2})]


def test_a_record_longer_than_a_message_is_refused(tmp_path: Path) -> None:
    header = ",".join(["handle", *(f"t{number}" for number in range(5))])
    _, errors = read(tmp_path, f"{header}\n88.118.9/1,{','.join(['x' * 60_000] * 5)}\n")
    assert [error.problem for error in errors] == [Problem.RECORD_TOO_LONG]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", Problem.EMPTY_FILE),
        (b"\xef\xbb\xbf\r\n", Problem.EMPTY_FILE),
        (b"url,handle\nu,88.118.9/1", Problem.HANDLE_NOT_FIRST),
        (b"88.118.9/1,https://example.cn", Problem.HANDLE_NOT_FIRST),
        (b"handle;url\n88.118.9/1;u", Problem.HANDLE_NOT_FIRST),
        (b'"handle,url\n88.118.9/1,u', Problem.NO_HEADER),
        (b",,\n88.118.9/1,u,v", Problem.NO_HEADER),
        (b"handle\n88.118.9/1", Problem.NO_VALUE_COLUMNS),
        (b"handle,url,\n", Problem.EMPTY_COLUMN_NAME),
        (b"handle,url,URL\n", Problem.DUPLICATE_COLUMN),
        (b"handle,1:url,1:email\n", Problem.DUPLICATE_COLUMN),
        (b"handle,1:url,Handle\n", Problem.DUPLICATE_COLUMN),
        (b"handle,0:url\n", Problem.INVALID_COLUMN_NAME),
        (b"handle,4294967296:url\n", Problem.INVALID_COLUMN_NAME),
        (b"handle,x:url\n", Problem.INVALID_COLUMN_NAME),
        (b"handle,-1:url\n", Problem.INVALID_COLUMN_NAME),
        (b"handle,5:\n", Problem.INVALID_COLUMN_NAME),
        (b"handle,100:HS_ADMIN\n", Problem.BINARY_TYPE),
        (b"handle,hs_site.prefix\n", Problem.BINARY_TYPE),
        (b"handle," + b",".join(b"t%d" % number for number in range(1_025)), Problem.TOO_MANY_COLUMNS),
        ("handle,url\n".encode("utf-16"), Problem.UTF_16),
        ("handle,url\n".encode("utf-16-le"), Problem.BINARY_FILE),
        (b"PK\3\4" + bytes(200), Problem.BINARY_FILE),
        (b"handle,url\r88.118.9/1,u\r", Problem.CARRIAGE_RETURN_LINES),
        (b"handle,url,\xff\xff\n88.118.9/1,u,v\n", Problem.HEADER_NOT_UTF_8),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, problem: Problem) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read(tmp_path, content)
    assert caught.value.problem is problem
    assert caught.value.message.chinese


def test_columns_without_an_index_get_the_next_free_one(tmp_path: Path) -> None:
    records, _ = read(tmp_path, "handle,url,2:名称,型号,10320/loc,1000:TEMPLATE_ID,hs_alias\n88.118.9/1,u,n,m,l,t,a\n")
    assert [(value.index, value.value_type) for value in records[0].values] == [
        (1, "URL"),
        (2, "名称"),
        (3, "型号"),
        (4, "10320/loc"),
        (1000, "TEMPLATE_ID"),
        (5, "HS_ALIAS"),
    ]


def test_a_file_of_chinese_excel_is_read_as_gb18030(tmp_path: Path) -> None:
    content = f"{HEADER}\r\n{GOOD}\r\n{LAST}\r\n"
    path = tmp_path / "products.csv"
    path.write_bytes(content.encode("gb18030"))
    assert InputFile.open(path).encoding is Encoding.GB18030
    assert read(tmp_path, content.encode("gb18030")) == read(tmp_path, content)


def test_a_bad_row_of_a_gb18030_file_is_named(tmp_path: Path) -> None:
    broken = b"88.118.9/1,https://example.cn,\xff"
    content = b"\n".join((HEADER.encode("gb18030"), GOOD.encode("gb18030"), broken, LAST.encode("gb18030")))
    records, errors = read(tmp_path, content)
    assert len(records) == 2
    assert [(error.row, error.reason) for error in errors] == [(3, "the octets are not GB18030")]


def test_a_single_cut_character_does_not_make_a_file_gb18030(tmp_path: Path) -> None:
    records, errors = read(tmp_path, b"handle,url,name\n88.118.9/1,u,\xe8\xbd\n88.118.9/2,u,x\n")
    assert [record.handle.suffix for record in records] == ["2"]
    assert [error.problem for error in errors] == [Problem.NOT_TEXT]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "handle,url\n", FileFormat.CSV),
        ("a.NDJSON", "", FileFormat.NDJSON),
        ("a.jsonl", "", FileFormat.NDJSON),
        ("a.txt", '\ufeff"Handle","url"\n', FileFormat.CSV),
        ("a", ' {"handle":', FileFormat.NDJSON),
    ],
)
def test_the_format_is_told_by_the_ending_or_else_by_the_content(
    tmp_path: Path, name: str, content: str, expected: FileFormat
) -> None:
    path = tmp_path / name
    path.write_text(content or "x", encoding="utf-8")
    assert InputFile.open(path).format is expected


def test_an_unknown_format_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear colleagues,\n")
    with pytest.raises(UnreadableFile) as caught:
        InputFile.open(path)
    assert caught.value.problem is Problem.UNKNOWN_FORMAT


suffixes = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=40)
cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)


@given(st.lists(st.tuples(suffixes, cells, cells), min_size=1, max_size=30, unique_by=lambda row: row[0]))
def test_what_a_csv_writer_writes_reads_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["handle", "2000:名称", "5:型号"])
    writer.writerows((f"88.118.9/{suffix}", name, model) for suffix, name, model in rows)
    records, errors = read(tmp_path_factory.getbasetemp(), text.getvalue())
    expected = [
        HandleRecord.of(
            Handle(f"88.118.9/{suffix}"),
            [
                HandleValue(index, value_type, cell.encode())
                for index, value_type, cell in ((2000, "名称", name), (5, "型号", model))
                if cell
            ],
        )
        for suffix, name, model in rows
        if name or model
    ]
    assert records == expected
    assert {error.problem for error in errors} <= {Problem.NO_VALUES}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_rows_and_characters_are_whole_wherever_the_file_is_cut_while_reading(tmp_path: Path, encoding: str) -> None:
    names = [f"深沟球轴承,{number}\n“两面密封”" + "密" * (number % 7) for number in range(20_000)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["handle", "2000:名称"])
    writer.writerows((f"88.118.9/{number}", name) for number, name in enumerate(names))
    content = text.getvalue().encode(encoding)
    assert len(content) > 3 * BLOCK_OCTETS
    records, errors = read(tmp_path, content)
    assert errors == []
    assert [record.values[0].data.decode() for record in records] == names


def test_a_batch_is_bounded_in_octets_too(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    with path.open("w") as file:
        file.write("handle,a,b,c\n")
        file.writelines(f"88.118.9/{number},{'x' * 60_000},{'y' * 60_000},{'z' * 60_000}\n" for number in range(200))
    sizes = [sum(map(len, batch.value_lists)) for batch in InputFile.open(path).batches(10_000)]
    assert len(sizes) > 1
    assert max(sizes) <= BATCH_OCTETS + LINE_OCTETS_MAX
