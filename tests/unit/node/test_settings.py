"""Settings: where they come from, and that every mistake is told at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from node.settings import SETTING_FIELDS, Settings, description
from node.settings_sources import SettingsError, load_settings, without_password

NO_SENTENCE = r"^$"
"""The kind knows what is expected; its reader only says no."""

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing is bound


def mistakes_of(**sources: object) -> dict[str, str]:
    """Return what was found where."""
    with pytest.raises(SettingsError) as refused:
        load_settings(**{"options": {}, "environment": {}, **sources})  # type: ignore[arg-type]
    return {mistake.where: mistake.found for mistake in refused.value.mistakes}


@pytest.fixture
def toml_file(tmp_path: Path) -> Path:
    return tmp_path / "idnode.toml"


def test_options_win_over_the_environment_over_the_file_over_defaults(toml_file: Path) -> None:
    toml_file.write_text('handle_port = 1001\nhttp_port = 1002\nadmin_port = 1003\nbind = "127.0.0.1"\n')
    environment = {"IDNODE_HTTP_PORT": "2002", "IDNODE_ADMIN_PORT": "2003", "IDNODE_CONFIG": str(toml_file)}
    settings = load_settings({"admin_port": "3003", "workers": None}, environment)
    assert settings == replace(Settings(), bind="127.0.0.1", handle_port=1001, http_port=2002, admin_port=3003)


def test_every_mistake_of_every_source_is_told_at_once(toml_file: Path) -> None:
    toml_file.write_text('workers = 0\nhandel_port = 2641\ndatabase_url = "mysql://甲:秘密@db/x"\n')
    assert mistakes_of(
        config=toml_file,
        environment={"IDNODE_DRAIN_SECONDS": "bald", "IDNODE_WORKRS": "2", "IDNODE_DNS_PORT": "53"},
        options={"cache_octets": "256Mb", "bind": "localhost", "http_port": "70000"},
    ) == {
        f"{toml_file}: workers": "0",
        f"{toml_file}: handel_port": "handel_port",
        f"{toml_file}: database_url": "mysql://甲:***@db/x",
        "IDNODE_DRAIN_SECONDS": "bald",
        "IDNODE_WORKRS": "workrs",
        "IDNODE_DNS_PORT": "53",
        "--cache-octets": "256Mb",
        "--bind": "localhost",
        "--http-port": "70000",
    }


def test_an_unknown_name_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({}, {"IDNODE_WORKRS": "2"})
    (mistake,) = refused.value.mistakes
    assert mistake.solve == ("did you mean IDNODE_WORKERS?", "是否指 IDNODE_WORKERS?")


def test_an_unknown_name_is_told_without_a_value(toml_file: Path) -> None:
    toml_file.write_text("handle_prot = 2641\n")
    with pytest.raises(SettingsError) as refused:
        load_settings({}, {}, toml_file)
    (mistake,) = refused.value.mistakes
    assert mistake.sentence == (f"{toml_file}: handle_prot: no such setting", f"{toml_file}: handle_prot:没有此设置项")
    assert mistake.solve.english == f"did you mean {toml_file}: handle_port?"


@pytest.mark.parametrize(
    ("name", "most"), [("workers", 512), ("database_connections", 100), ("import_batch_rows", 50_000)]
)
def test_a_count_beyond_reason_is_a_slip_of_the_keyboard(name: str, most: int) -> None:
    assert getattr(load_settings({name: str(most)}, {}), name) == most
    assert mistakes_of(options={name: most + 1}) == {f"--{name.replace('_', '-')}": str(most + 1)}


def test_a_mistake_says_what_is_expected_in_both_languages() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"http_port": "0"}, {})
    (mistake,) = refused.value.mistakes
    assert mistake.expected == ("a port from 1 to 65535", "1 至 65535 的端口号")
    assert refused.value.exit_status == 78


def test_doors_with_the_same_port_contradict_each_other() -> None:
    assert mistakes_of(options={"http_port": 8080}) == {"admin_port": "8080"}


def test_a_peer_cannot_have_more_fragments_than_there_are() -> None:
    assert mistakes_of(options={"udp_fragments_max": 8}) == {"udp_fragments_per_peer_max": "16"}


def test_a_file_that_is_named_but_missing_is_a_mistake(toml_file: Path) -> None:
    assert mistakes_of(config=toml_file) == {str(toml_file): "No such file or directory"}


def test_a_file_that_is_no_toml_is_a_mistake(toml_file: Path) -> None:
    toml_file.write_text("workers: 2")
    assert list(mistakes_of(config=toml_file)) == [str(toml_file)]


def test_variables_that_kubernetes_makes_for_a_service_of_our_name_are_left_alone() -> None:
    environment = {
        "IDNODE_SERVICE_HOST": "10.0.0.1",
        "IDNODE_PORT": "tcp://10.0.0.1:2641",
        "IDNODE_PORT_2641_TCP_ADDR": "10.0.0.1",
        "IDNODE_ADMIN_PORT": "tcp://10.0.0.1:8080",
    }
    assert load_settings({}, environment) == Settings()


@pytest.mark.parametrize(
    ("written", "octets"), [("4096", 4096), (8192, 8192), ("256MiB", 2**28), ("1.5 KiB", 1536), ("2GiB", 2**31)]
)
def test_sizes_have_binary_suffixes(written: object, octets: int) -> None:
    assert load_settings({"cache_octets": written}, {}).cache_octets == octets


@pytest.mark.parametrize("written", ["-1", "1e3", "256Mb", "0.3", "", True, None, "99999TiB", [1]])
def test_what_is_no_size_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=NO_SENTENCE):
        description("cache_octets").kind.read(written)


@pytest.mark.parametrize(("written", "seconds"), [("30", 30), (2, 2), (0.5, 0.5), ("500ms", 0.5), ("15min", 900)])
def test_durations_have_suffixes(written: object, seconds: float) -> None:
    assert load_settings({"drain_seconds": written}, {}).drain_seconds == seconds


@pytest.mark.parametrize("written", ["0", "-1", "nan", "inf", "1d", "8000000", False])
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=NO_SENTENCE):
        description("drain_seconds").kind.read(written)


@pytest.mark.parametrize(
    ("bind", "announced"), [(EVERY_ADDRESS, "127.0.0.1"), ("::", "127.0.0.1"), ("192.0.2.7", "192.0.2.7")]
)
def test_the_announced_address_is_the_one_listened_on(bind: str, announced: str) -> None:
    assert load_settings({"bind": bind}, {}).public_address == announced
    assert load_settings({"bind": bind, "public_address": "198.51.100.1"}, {}).public_address == "198.51.100.1"


def test_settings_reach_a_worker_unchanged() -> None:
    settings = load_settings({"database_url": "postgresql://甲:秘密@db/x", "data_dir": "/srv/节点"}, {})
    assert Settings.from_json(settings.to_json()) == settings


def test_each_setting_has_a_meaning_in_both_languages() -> None:
    for name in SETTING_FIELDS:
        meaning = description(name).meaning
        assert meaning.english.isascii()
        assert not meaning.chinese.isascii()


def test_a_password_is_never_shown() -> None:
    assert without_password("postgresql://idnode:geheim@db/x") == "postgresql://idnode:***@db/x"
