"""The commands against a real register: what they print, and how they refuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from node.cli.frame import COMMANDS, run


class Ran(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


class Commands:
    """Runs commands of `idnode` in this process, in an empty folder."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.chdir(folder)
        self.set_environment(IDNODE_DATA_DIR=str(folder / "data"), LC_ALL="C.UTF-8")

    def set_environment(self, **variables: str) -> None:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def run(self, *words: str) -> Ran:
        self._capsys.readouterr()
        status = run(words)
        return Ran(status, *self._capsys.readouterr())

    def json(self, *words: str) -> Any:
        ran = self.run(*words, "--json")
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    """Commands with no register about."""
    return Commands(tmp_path, monkeypatch, capsys)


@pytest.fixture
def commands(alone: Commands, database_url: str) -> Commands:
    """Commands with a register of their own."""
    alone.set_environment(IDNODE_DATABASE_URL=database_url)
    assert alone.json("migrate")["applied"]
    return alone


def add_prefixes(commands: Commands) -> None:
    assert commands.run("prefix", "add", "88.118.8", "--enterprise", "示例锂电工具有限公司").returncode == 0
    assert commands.run("prefix", "add", "88.118.9", "--delegate", "192.0.2.7:2641").returncode == 0


def lines(ran: Ran) -> Sequence[str]:
    return ran.stderr.splitlines()


def test_migrating_twice_finds_nothing_to_do(commands: Commands) -> None:
    assert commands.json("migrate") == {"applied": []}


def test_prefixes_are_added_listed_suspended_and_resumed(commands: Commands) -> None:
    add_prefixes(commands)
    assert commands.json("prefix", "suspend", "88.118.8") == {"prefix": "88.118.8", "outcome": "changed"}
    listed = commands.json("prefix", "list")
    assert [(each["prefix"], each["status"], each["enterprise"], each["delegatedTo"]) for each in listed] == [
        ("88.118.8", "suspended", "示例锂电工具有限公司", []),
        ("88.118.9", "active", None, ["192.0.2.7:2641"]),
    ]
    assert commands.json("prefix", "resume", "88.118.8") == {"prefix": "88.118.8", "outcome": "changed"}
    assert "示例锂电工具有限公司" in commands.run("prefix", "list").stdout


def test_prefixes_are_listed_as_people_count_with_their_status_in_the_users_language(commands: Commands) -> None:
    for name in ("88.118.10", "88.118.9", "88.118.甲", "88.118", "88.9"):
        assert commands.run("prefix", "add", name).returncode == 0
    commands.run("prefix", "suspend", "88.118.9")
    listed = commands.json("prefix", "list")
    assert [each["prefix"] for each in listed] == ["88.9", "88.118", "88.118.9", "88.118.10", "88.118.甲"]
    assert listed[2]["status"] == "suspended"
    commands.set_environment(LC_ALL="zh_CN.UTF-8")
    rows = commands.run("prefix", "list").stdout.splitlines()
    assert [row.split()[1] for row in rows[1:]] == ["正常", "正常", "已暂停", "正常", "正常"]


def test_a_prefix_that_is_registered_differently_is_refused_in_the_users_language(commands: Commands) -> None:
    add_prefixes(commands)
    commands.set_environment(LC_ALL="zh_CN.UTF-8")
    refused = commands.run("prefix", "add", "88.118.9", "--delegate", "192.0.2.8:2641")
    assert refused.returncode == 1
    assert lines(refused)[0].startswith("错误: 前缀已注册,且内容不同")
    assert lines(refused)[1] == "提示: 查看其注册内容:idnode prefix list"


def test_a_handle_is_registered_once_and_then_unchanged(commands: Commands) -> None:
    add_prefixes(commands)
    words = ("register", "88.118.8/减速机", "--value", "1:URL=https://example.cn", "--value", "名称=减速机")
    assert commands.json(*words) == {"handle": "88.118.8/减速机", "outcome": "created"}
    assert commands.json(*words) == {"handle": "88.118.8/减速机", "outcome": "same"}


def test_a_handle_that_is_there_is_replaced_only_when_that_is_said(commands: Commands) -> None:
    add_prefixes(commands)
    words = ("register", "88.118.8/泵", "--value")
    assert commands.run(*words, "名称=泵").returncode == 0
    refused = commands.run(*words, "名称=水泵")
    assert refused.returncode == 1
    assert lines(refused) == ["error: 88.118.8/泵: there already", "hint: replace it with --overwrite"]
    assert "水泵" not in commands.run("export").stdout
    assert json.loads(commands.run(*words, "名称=水泵", "--json").stdout)[0]["responseCode"] == 101
    changed = commands.json(*words, "名称=水泵", "--overwrite")
    assert changed == {"handle": "88.118.8/泵", "outcome": "changed"}


@pytest.mark.parametrize(
    ("handle", "reason", "hint"),
    [
        ("99.1/a", "no registered prefix covers it", "register the prefix first: idnode prefix add PREFIX"),
        ("88.118.9/a", "the enterprise's own node answers for its prefix", "register it there"),
    ],
)
def test_a_refused_handle_is_told_with_a_hint(commands: Commands, handle: str, reason: str, hint: str) -> None:
    add_prefixes(commands)
    refused = commands.run("register", handle, "--value", "URL=https://example.cn")
    assert refused.returncode == 1
    assert lines(refused) == [f"error: {handle} was refused: {reason}", f"hint: {hint}"]


def test_an_export_is_whole_and_sorted(commands: Commands, tmp_path: Path) -> None:
    add_prefixes(commands)
    for suffix in ("丙", "甲", "b"):
        commands.run("register", f"88.118.8/{suffix}", "--value", f"名称={suffix}")
    printed = commands.run("export").stdout.splitlines()
    written = commands.run("export", "全部.ndjson", "--prefix", "88.118.8")
    assert written.returncode == 0
    assert (tmp_path / "全部.ndjson").read_text().splitlines() == printed
    assert [json.loads(line)["handle"] for line in printed] == ["88.118.8/b", "88.118.8/丙", "88.118.8/甲"]
    assert [path.name for path in tmp_path.iterdir() if "全部" in path.name] == ["全部.ndjson"]


@pytest.mark.parametrize("prefix", ["88.118.8", "0.NA/88.118.8"])
def test_an_export_of_a_prefix_has_its_own_record_and_is_for_nobody_else(
    commands: Commands, tmp_path: Path, prefix: str
) -> None:
    add_prefixes(commands)
    for handle in ("0.NA/88.118.8", "88.118.8/甲"):
        assert commands.run("register", handle, "--value", "301:HS_SECKEY=口令").returncode == 0
    commands.run("export", "全部.ndjson", "--prefix", prefix)
    written = (tmp_path / "全部.ndjson").read_text().splitlines()
    assert [json.loads(line)["handle"] for line in written] == ["0.NA/88.118.8", "88.118.8/甲"]
    assert (tmp_path / "全部.ndjson").stat().st_mode & 0o777 == 0o600


def test_a_second_administrator_is_added_without_json(commands: Commands) -> None:
    add_prefixes(commands)
    assert commands.run("keygen", "zweiter.pem", "--index", "301").returncode == 0
    values = ("301:HS_PUBKEY=@zweiter.pem", "101:HS_ADMIN=301:0.NA/88.118.8:000011111111")
    assert commands.run("register", "0.NA/88.118.8", "--value", "1:名称=甲").returncode == 0
    added = commands.run("set", "0.NA/88.118.8", "--value", values[0], "--value", values[1])
    assert (added.returncode, added.stderr) == (0, "")
    stored = {each["index"]: each for each in json.loads(commands.run("export").stdout)["values"]}
    assert stored[101]["data"]["value"] == {"handle": "0.NA/88.118.8", "index": 301, "permissions": "000011111111"}
    assert stored[301]["data"]["format"] == "key"
    assert commands.run("set", "0.NA/88.118.8", "--value", "名称=乙").returncode == 2


def test_an_export_that_fails_leaves_the_file_that_was_there(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "alt.ndjson").write_text("alt")
    commands.set_environment(IDNODE_DATABASE_URL="postgresql://idnode@127.0.0.1:1/idnode")
    failed = commands.run("export", "alt.ndjson")
    assert failed.returncode == 1
    assert (tmp_path / "alt.ndjson").read_text() == "alt"
    assert [path.name for path in tmp_path.glob("*.ndjson*")] == ["alt.ndjson"]


def test_a_database_that_is_not_there_is_named_without_its_password(alone: Commands) -> None:
    alone.set_environment(IDNODE_DATABASE_URL="postgresql://idnode:geheim@127.0.0.1:1/idnode")
    failed = alone.run("prefix", "list")
    assert failed.returncode == 1
    assert lines(failed)[0] == "error: the database postgresql://idnode:***@127.0.0.1:1/idnode does not answer"


@pytest.mark.parametrize(
    "words",
    [
        ("prefix", "list"),
        ("prefix", "add", "88.118.8"),
        ("register", "88.118.8/轴承", "--value", "名称=轴承"),
        ("import", "轴承.csv"),
        ("export",),
    ],
)
def test_a_database_without_a_schema_is_told_with_what_makes_it(
    alone: Commands, database_url: str, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "轴承.csv").write_text("handle,名称\n88.118.8/轴承,轴承\n", encoding="utf-8")
    alone.set_environment(IDNODE_DATABASE_URL=database_url)
    failed = alone.run(*words)
    assert failed.returncode == 1
    assert lines(failed) == ["error: the database has no schema yet", "hint: idnode migrate"]


def test_a_directory_without_a_node_is_no_other_node(alone: Commands, tmp_path: Path) -> None:
    failed = alone.run("resolve", "88.118.8/轴承", "--data-dir", str(tmp_path / "leer"))
    assert failed.returncode == 1
    assert lines(failed)[0] == f"error: no node runs here (looked in {tmp_path / 'leer'})"


@pytest.mark.parametrize("words", [("export",), ("export", "-")])
def test_an_export_to_standard_output_says_how_many_handles_it_wrote(
    commands: Commands, tmp_path: Path, words: tuple[str, ...]
) -> None:
    add_prefixes(commands)
    commands.run("register", "88.118.8/丙", "--value", "名称=丙")
    written = commands.run(*words)
    assert json.loads(written.stdout)["handle"] == "88.118.8/丙"
    assert lines(written) == ["1 handle written"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("prefix", "reason", "hint"),
    [
        ("88.1", "no registered prefix covers it", "register the prefix first: idnode prefix add PREFIX"),
        ("88.118.9", "the enterprise's own node answers for its prefix", "register it there"),
    ],
)
def test_a_list_of_a_prefix_that_is_not_answered_here_is_refused(
    commands: Commands, prefix: str, reason: str, hint: str
) -> None:
    add_prefixes(commands)
    refused = commands.run("list", prefix)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert lines(refused) == [f"error: 0.NA/{prefix}: {reason}", f"hint: {hint}"]
    assert commands.run("list", "88.118.8") == Ran(0, "", "")


def test_a_change_below_a_suspended_prefix_is_told_how_to_end_that(commands: Commands) -> None:
    add_prefixes(commands)
    assert commands.run("register", "88.118.8/泵", "--value", "名称=泵").returncode == 0
    assert commands.run("prefix", "suspend", "88.118.8").returncode == 0
    assert lines(commands.run("set", "88.118.8/泵", "--value", "1:名称=水泵")) == [
        "error: 88.118.8/泵: its prefix is suspended",
        "hint: end that with: idnode prefix resume PREFIX",
    ]


def test_what_is_to_be_deleted_and_is_not_there_is_not_told_to_be_made(commands: Commands) -> None:
    add_prefixes(commands)
    assert lines(commands.run("delete", "88.118.8/没有")) == [
        "error: 88.118.8/没有: not found",
        "hint: see which there are: idnode list PREFIX",
    ]


def test_a_settings_error_says_once_where_settings_are_listed(alone: Commands) -> None:
    alone.set_environment(IDNODE_NICHTS="1")
    failed = alone.run("check")
    assert failed.returncode == 78
    assert failed.stderr.count("idnode check --settings") == 1


def test_an_export_below_a_prefix_that_nobody_registered_says_so(commands: Commands) -> None:
    add_prefixes(commands)
    written = commands.run("export", "--prefix", "88.1")
    assert (written.returncode, written.stdout) == (0, "")
    assert lines(written) == [
        "notice: the prefix 88.1 is not registered here; see: idnode prefix list",
        "0 handles written",
    ]
    for registered in ("88", "88.118.8", "88.118.8.1"):
        assert lines(commands.run("export", "--prefix", registered)) == ["0 handles written"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (
            ("export", "全部.csv"),
            2,
            ["error: an export is NDJSON, not CSV", "hint: name the file so: idnode export 全部.ndjson"],
        ),
        (("export", "/nonexistent/全部"), 1, ["error: /nonexistent/全部: No such file or directory"]),
        (
            ("register", "减速机", "--value", "名称=减速机"),
            1,
            [
                "error: no valid handle: expected prefix/suffix, such as 88.118.8/6205-2RS",
                "hint: a handle is PREFIX/SUFFIX, such as 88.118.8/abc",
            ],
        ),
        (
            ("register", "88.118.8/", "--value", "名称=减速机"),
            1,
            [
                "error: no valid handle: expected prefix/suffix, such as 88.118.8/6205-2RS",
                "hint: a handle is PREFIX/SUFFIX, such as 88.118.8/abc",
            ],
        ),
        (
            ("register", "88.118.8/减速机", "--value", "0:名称=减速机"),
            2,
            [
                "error: Invalid value: an index is a number from 1 to 4294967295, not 0",
                "hint: see: idnode register --help",
            ],
        ),
        (
            ("prefix", "add", "88..1"),
            1,
            [
                "error: expected a prefix such as 88.118.8, not '88..1'",
                "hint: a prefix is segments joined by dots, such as 88.118.8",
            ],
        ),
    ],
)
def test_what_cannot_be_done_is_told_with_what_was_meant(
    alone: Commands, words: tuple[str, ...], status: int, said: list[str]
) -> None:
    alone.set_environment(IDNODE_DATABASE_URL="postgresql://idnode@127.0.0.1:1/idnode")
    failed = alone.run(*words)
    assert failed.returncode == status
    assert lines(failed) == said


def test_another_case_rule_is_told_by_its_option(commands: Commands) -> None:
    add_prefixes(commands)
    refused = commands.run("prefix", "add", "88.118.8", "--enterprise", "示例锂电工具有限公司", "--ignore-case")
    assert refused.returncode == 1
    assert lines(refused) == [
        "error: prefix 88.118.8 is registered already, with another --ignore-case",
        "hint: this rule is set once: give or leave out --ignore-case as before (idnode prefix list --json)",
    ]


@pytest.mark.parametrize(
    ("server", "hint"),
    [
        ("127.0.0.1:1", "check the address, and that a node listens there"),
        ("::1:2641", "an IPv6 address and its port are written [::1]:2641"),
    ],
)
def test_whoever_named_a_server_is_not_told_to_name_one(alone: Commands, server: str, hint: str) -> None:
    failed = alone.run("resolve", "88.118.8/轴承", "--server", server, "--protocol", "tcp")
    assert failed.returncode == 1
    assert lines(failed)[1] == f"hint: {hint}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("prefx",), "没有此命令:prefx"),
        (("export", "--prefx", "88"), "没有此选项:--prefx(是否指 --prefix?)"),
        (("register",), "缺少参数 'HANDLE'"),
        (("register", "88.118.8/a", "--value", "URL"), "值无效:应为 类型=内容"),
        (("resolve", "88.118.8/a", "--index", "0"), "'--index' 值无效:0 is not in the range"),
    ],
)
def test_wrong_use_is_told_in_chinese(alone: Commands, words: tuple[str, ...], said: str) -> None:
    alone.set_environment(LC_ALL="zh_CN.UTF-8")
    failed = alone.run(*words)
    assert failed.returncode == 2
    assert lines(failed)[0].startswith(f"错误: {said}")


def test_errors_are_json_where_json_is_wanted(commands: Commands) -> None:
    failed = commands.run("prefix", "suspend", "99.9", "--json")
    assert failed.returncode == 1
    assert json.loads(failed.stderr)["error"] == "prefix 99.9 is not registered"


def test_check_looks_at_the_database_and_lists_every_setting(commands: Commands) -> None:
    checked = commands.json("check")
    assert {each["check"]: each["verdict"] for each in checked}["database"] == "good"
    listed = commands.json("check", "--settings")
    by_name = {each["name"]: each for each in listed}
    assert by_name["handle_port"]["environment"] == "IDNODE_HANDLE_PORT"
    assert by_name["cache_octets"]["unit"] == "octets"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("--help",), 0),
        (("serve", "--help"), 0),
        (("prefix", "add", "--help"), 0),
        (("nonsense",), 2),
        (("register", "88.118.8/a"), 2),
        (("register", "88.118.8/a", "--value", "URL"), 2),
        (("resolve", "88.118.8/a", "--server", "host:port"), 2),
        (("resolve", "", "--server", "127.0.0.1:1"), 1),
        (("resolve", "88.118.8/a", "--server", "127.0.0.1:1", "--protocol", "tcp"), 1),
        (("check", "--config", "missing.toml"), 78),
    ],
)
def test_the_exit_status_tells_what_happened(alone: Commands, words: tuple[str, ...], status: int) -> None:
    ran = alone.run(*words)
    assert ran.returncode == status
    if status:
        assert lines(ran)[0].startswith("error: ")


@pytest.mark.parametrize("locale", ["C.UTF-8", "zh_CN.UTF-8"])
def test_each_command_shows_an_example_in_the_users_language(locale: str) -> None:
    """A process of its own: help is worded when a command's file is imported."""
    script = "import sys; from node.cli.frame import run\nfor name in sys.argv[1:]: run([*name.split(), '--help'])"
    names = [*COMMANDS, "prefix add", "prefix list", "prefix suspend", "prefix resume"]
    shown = subprocess.run(
        [sys.executable, "-c", script, *names],
        env=os.environ | {"LC_ALL": locale},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    example = "示例" if locale.startswith("zh") else "Example"
    assert shown.count(f"{example}:\n    ") == len(names)
    for chinese, english in (("用法: ", "Usage: "), ("显示此帮助并退出。", "Show this message and exit.")):
        expected, other = (chinese, english) if locale.startswith("zh") else (english, chinese)
        assert (shown.count(expected), shown.count(other)) == (len(names), 0)


def test_migrate_starts_the_bundled_postgres_where_no_node_runs(alone: Commands, data_dir: Path) -> None:
    assert alone.json("migrate", "--data-dir", str(data_dir / "node"))["applied"]
