"""`idnode import` as a person or a script runs it, against a real register."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from load_tests.population import write
from tests.terminals import open_terminal

HEADER = "handle,url,2000:名称\n"
GOOD = "88.118.9/6205-2RS,https://bearings.example.cn/6205-2RS,深沟球轴承\n"
Ran = subprocess.CompletedProcess[str]


class Commands:
    """Runs `idnode` in a folder, against one database."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"IDNODE_DATABASE_URL": database_url, "LC_ALL": "C.UTF-8"}

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-P", "-m", "node", *words]

    def run(self, *words: str, given: str | None = None, **environment: str) -> Ran:
        return subprocess.run(
            self.words(*words),
            env=self.environment | environment,
            cwd=self.folder,
            input=given,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=30,
            check=False,
        )

    def errors_of(self, path: Path) -> list[dict[str, object]]:
        errors = path.with_name(f"{path.name}.errors.ndjson")
        return [json.loads(line) for line in errors.read_text().splitlines()] if errors.exists() else []

    def records(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.run("export").stdout.splitlines()]


@pytest.fixture
def commands(database_url: str, tmp_path: Path) -> Commands:
    found = Commands(database_url, tmp_path)
    for words in (("migrate",), *(("prefix", "add", f"88.118.{last}") for last in (8, 9, 16))):
        assert found.run(*words).returncode == 0
    return found


def test_a_good_file_ends_with_status_0_and_one_line(commands: Commands, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text(HEADER + GOOD, encoding="utf-8")
    first, second = (commands.run("import", str(path)) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.endswith("1 created, 0 changed, 0 same, 0 failed\n")
    assert second.stdout.endswith("0 created, 0 changed, 1 same, 0 failed\n")
    assert first.stderr == ""
    assert [each.name for each in tmp_path.iterdir()] == ["products.csv"]


def test_bad_rows_end_with_status_1_and_are_kept_with_their_reasons(commands: Commands, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text(HEADER + GOOD + GOOD + "88.118.9/6206,https://example.cn\n88.777/1,,别家\n", encoding="utf-8")
    done = commands.run("import", str(path), "--json")
    assert done.returncode == 1
    assert done.stdout, done.stderr
    summary = json.loads(done.stdout)
    kept = [json.loads(line) for line in Path(summary["errors_file"]).read_text(encoding="utf-8").splitlines()]
    assert (summary["rows"], summary["created"], summary["failed"]) == (4, 1, 3)
    assert [(each["row"], each["field"]) for each in kept] == [(3, "handle"), (4, ""), (5, "handle")]
    assert kept[0]["reason_zh"] == "该标识已出现在第2行"
    assert "row 4: expected 3 cells, found 2" in done.stderr

    path.write_text(HEADER + GOOD, encoding="utf-8")
    assert commands.run("import", str(path)).returncode == 0
    assert not (tmp_path / "products.csv.errors.ndjson").exists()


def test_a_file_of_chinese_excel_is_read_with_a_notice(commands: Commands, tmp_path: Path) -> None:
    path = tmp_path / "产品.csv"
    path.write_bytes((HEADER + GOOD).encode("gb18030"))
    done = commands.run("import", str(path), LC_ALL="zh_CN.UTF-8")
    assert done.returncode == 0
    assert "按 GB18030 读取" in done.stderr
    assert "新增 1" in done.stdout
    (record,) = commands.records()
    assert "深沟球轴承" in json.dumps(record, ensure_ascii=False)


def test_an_unreadable_file_says_why_and_what_to_do(commands: Commands, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text("产品;网址\n", encoding="utf-8")
    done = commands.run("import", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "error: the first column must be named handle, not '产品;网址'; columns are separated by commas",
        "hint: what a file looks like: idnode import --help",
    ]
    assert [each.name for each in tmp_path.iterdir()] == ["products.csv"]


def test_standard_input_is_imported_and_its_errors_are_kept_in_the_current_folder(
    commands: Commands, tmp_path: Path
) -> None:
    done = commands.run("import", "-", "--json", given=HEADER + GOOD + "88.118.9/,https://example.cn,无后缀\n")
    assert done.returncode == 1
    summary = json.loads(done.stdout)
    assert (summary["file"], summary["format"], summary["created"]) == ("-", "csv", 1)
    assert summary["errors_file"] == "stdin.errors.ndjson"
    assert [error["handle"] for error in commands.errors_of(tmp_path / "stdin")] == ["88.118.9/"]


@pytest.mark.parametrize(("locale", "end"), [("C.UTF-8", "… and 4 more in"), ("zh_CN.UTF-8", "… 另有 4 行见")])
def test_bad_rows_beyond_the_first_five_are_counted(commands: Commands, tmp_path: Path, locale: str, end: str) -> None:
    path = tmp_path / "products.csv"
    path.write_text(HEADER + "无斜杠,,a\n" * 9, encoding="utf-8")
    shown = commands.run("import", str(path), LC_ALL=locale).stderr.splitlines()
    assert len(shown) == 6
    assert shown[-1] == f"{end} {path}.errors.ndjson"


@pytest.mark.parametrize(
    ("locale", "said"), [("C.UTF-8", "waiting for the database …\n"), ("zh_CN.UTF-8", "等待数据库 …\n")]
)
def test_waiting_for_the_database_is_told_where_there_is_no_bar(tmp_path: Path, locale: str, said: str) -> None:
    path = tmp_path / "products.csv"
    path.write_text(HEADER + GOOD, encoding="utf-8")
    waiting = Commands("postgresql://idnode@127.0.0.1:1/idnode", tmp_path)
    process = subprocess.Popen(
        waiting.words("import", str(path)),
        env=waiting.environment | {"LC_ALL": locale},
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stderr is not None
    with process.stderr as stderr:
        assert stderr.readline() == said
    process.kill()
    process.wait()


def test_wrong_use_ends_with_status_2(commands: Commands, tmp_path: Path) -> None:
    assert commands.run("import", str(tmp_path / "missing.csv")).returncode == 2
    assert commands.run("import", str(tmp_path)).returncode == 2
    assert commands.run("import").returncode == 2


def test_a_pipe_is_refused(commands: Commands, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "products.csv")
    assert commands.run("import", str(tmp_path / "products.csv")).returncode == 1


def test_a_killed_import_is_whole_after_running_again(commands: Commands, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    write(25_000, path)
    with path.open("r+", encoding="utf-8") as file:
        rest = file.read().partition("\n")[2]
        file.seek(0)
        file.write("handle,url,2000:名称,2001:NAME,2002:型号,2003:规格,2004:生产日期\n无斜杠,a,b,c,d,e,f\n" + rest)
    process = subprocess.Popen(commands.words("import", str(path)), env=commands.environment, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 20
    while not commands.errors_of(path) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert [error["row"] for error in commands.errors_of(path)] == [2]
    summary = json.loads(commands.run("import", str(path), "--json").stdout)
    assert (summary["created"] + summary["same"], summary["changed"], summary["failed"]) == (25_000, 0, 1)
    assert summary["same"] > 0
    handles = [record["handle"] for record in commands.records()]
    assert len(set(handles)) == len(handles) == 25_000


def test_a_terminal_shows_how_far_it_is(commands: Commands, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    write(30_000, path)
    ours, theirs = open_terminal()
    process = subprocess.Popen(
        commands.words("import", str(path)),
        env=commands.environment | {"TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    shown = _read_all(ours)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert b"rows, " in shown
    assert b"/s" in shown


def _read_all(terminal: int) -> bytes:
    octets = b""
    try:
        while more := os.read(terminal, 4096):
            octets += more
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(terminal)
    return octets
