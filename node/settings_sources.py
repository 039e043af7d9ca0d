"""Where settings come from, the later ones winning: defaults, idnode.toml, IDNODE_* variables, command options.

Every mistake in every source is told at once, also in a value that a later source replaces.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from node.errors import ExitStatus, NodeError, Text
from node.settings import ENVIRONMENT_PREFIX, SETTING_FIELDS, Settings, description

FILE_NAME: Final = "idnode.toml"
FILE_OCTETS_MAX: Final = 1 << 20
CONFIG_VARIABLE: Final = "IDNODE_CONFIG"
PASSWORD_IN_URL: Final = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")

KUBERNETES_SERVICE_LINK: Final = re.compile(r"IDNODE_(?:.*_)?(?:SERVICE_(?:HOST|PORT.*)|PORT|PORT_\d+_.*)")
"""Kubernetes describes a service called idnode to each pod in such variables; they are none of ours."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong with the settings.

    Attributes:
        where: the source and the name, as its writer knows it: IDNODE_WORKERS, --workers, idnode.toml: workers.
        found: what stands there.
        expected: what should stand there.
        solve: what to do.
        is_known: whether there is a setting of this name at all.
    """

    where: str
    found: str
    expected: Text
    solve: Text
    is_known: bool = True

    @property
    def sentence(self) -> Text:
        """What is wrong, for people."""
        if not self.is_known:
            return Text(f"{self.where}: no such setting", f"{self.where}:没有此设置项")
        return Text(
            f"{self.where} = {self.found}: expected {self.expected.english}",
            f"{self.where} = {self.found}: 应为 {self.expected.chinese}",
        )


class SettingsError(NodeError):
    """Settings that cannot be used.

    Attributes:
        mistakes: all of them.
    """

    exit_status = ExitStatus.WRONG_SETTINGS

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        number = len(mistakes)
        super().__init__(
            Text(f"the settings have {number} mistake{'s' if number > 1 else ''}", f"设置中有 {number} 处错误"),
            Text("list every setting with: idnode check --settings", "查看全部设置:idnode check --settings"),
        )
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Source:
    """Values as somebody wrote them.

    Attributes:
        values: by the name of the setting, or of whatever was written instead.
        template: how its writer names one of them, with the name in the place of {}.
    """

    values: Mapping[str, object]
    template: str

    def where(self, name: str) -> str:
        """Return how the writer of this source knows the setting `name`."""
        written = {
            ENVIRONMENT_PREFIX + "{}": name.upper(),
            "--{}": name.replace("_", "-"),
        }.get(self.template, name)
        return self.template.format(written)


def load_settings(
    options: Mapping[str, object], environment: Mapping[str, str], config: Path | None = None
) -> Settings:
    """Read the settings from all sources.

    Args:
        options: what was given on the command line, by setting; None = not given.
        environment: as os.environ.
        config: the file to read; None = IDNODE_CONFIG, or idnode.toml in the working directory if it is there.

    Raises:
        SettingsError: there are mistakes: unknown names, unusable values, settings that contradict each other.
    """
    mistakes: list[Mistake] = []
    sources = (
        _file_source(config, environment, mistakes),
        _environment_source(environment),
        Source({name: value for name, value in options.items() if value is not None}, "--{}"),
    )
    accepted: dict[str, Any] = {}
    for source in sources:
        for name, value in source.values.items():
            if name not in SETTING_FIELDS:
                mistakes.append(_unknown(source, name))
                continue
            try:
                accepted[name] = description(name).kind.read(value)
            except ValueError:
                mistakes.append(_unusable(source, name, value))
    if not mistakes:
        settings = Settings(**accepted)
        mistakes.extend(_contradictions(settings))
    if mistakes:
        raise SettingsError(tuple(mistakes))
    return settings


def without_password(value: object) -> str:
    """Return `value` as it may be shown: a password in a URL becomes ***."""
    return PASSWORD_IN_URL.sub(r"\1:***@", str(value))


def _file_source(config: Path | None, environment: Mapping[str, str], mistakes: list[Mistake]) -> Source:
    named = config or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None)
    path = named or Path(FILE_NAME)
    if named is None and not path.exists():
        return Source({}, FILE_NAME)
    try:
        with path.open("rb") as file:
            values = tomllib.loads(file.read(FILE_OCTETS_MAX).decode())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        expected = Text("a readable TOML file", "可读取的 TOML 文件")
        solve = Text("mend the file, or name another with --config", "请修正该文件,或用 --config 指定其他文件")
        mistakes.append(Mistake(str(path), reason, expected, solve))
        return Source({}, str(path))
    return Source(values, f"{path}: {{}}")


def _environment_source(environment: Mapping[str, str]) -> Source:
    ours = {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX) and name != CONFIG_VARIABLE and not _is_service_link(name, value)
    }
    return Source(ours, ENVIRONMENT_PREFIX + "{}")


def _is_service_link(name: str, value: str) -> bool:
    is_ours = name.removeprefix(ENVIRONMENT_PREFIX).lower() in SETTING_FIELDS
    return KUBERNETES_SERVICE_LINK.fullmatch(name) is not None and (not is_ours or value.startswith("tcp://"))


def _unknown(source: Source, name: str) -> Mistake:
    close = difflib.get_close_matches(name, SETTING_FIELDS, n=1)
    expected = Text("the name of a setting", "设置项名称")
    if close:
        meant = source.where(close[0])
        solve = Text(f"did you mean {meant}?", f"是否指 {meant}?")
        return Mistake(source.where(name), name, expected, solve, is_known=False)
    solve = Text("list every setting with: idnode check --settings", "查看全部设置:idnode check --settings")
    return Mistake(source.where(name), name, expected, solve, is_known=False)


def _unusable(source: Source, name: str, value: object) -> Mistake:
    described = description(name)
    default = default_text(name)
    return Mistake(
        source.where(name),
        without_password(value),
        described.kind.expected,
        Text(
            f"{described.meaning.english}; leave it out for the default: {default.english}",
            f"{described.meaning.chinese};省略则使用默认值:{default.chinese}",
        ),
    )


def default_text(name: str) -> Text:
    """Return the default of the setting `name` for people to read."""
    described = description(name)
    if described.default_text is not None:
        return described.default_text
    plain = str(SETTING_FIELDS[name].default)
    return Text(plain, plain)


def _contradictions(settings: Settings) -> Iterator[Mistake]:
    """Yield what each setting alone does not show."""
    taken: dict[int, str] = {}
    for name in ("handle_port", "http_port", "admin_port"):
        port = getattr(settings, name)
        if port in taken:
            yield Mistake(
                name,
                str(port),
                Text(f"a port other than that of {taken[port]}", f"与 {taken[port]} 不同的端口"),
                Text("give each door a port of its own", "请为每个服务指定不同的端口"),
            )
        taken[port] = name
    if bool(settings.tls_cert) != bool(settings.tls_key):
        given, missing = ("tls_cert", "tls_key") if settings.tls_cert else ("tls_key", "tls_cert")
        yield Mistake(
            missing,
            "",
            Text(f"the file that belongs to {given}", f"与 {given} 配套的文件"),
            Text("give both, or neither for a self-signed certificate", "请同时指定两者,或都不指定以使用自签名证书"),
        )
    if settings.udp_fragments_per_peer_max > settings.udp_fragments_max:
        yield Mistake(
            "udp_fragments_per_peer_max",
            str(settings.udp_fragments_per_peer_max),
            Text(
                f"at most udp_fragments_max ({settings.udp_fragments_max})",
                f"不超过 udp_fragments_max({settings.udp_fragments_max})",
            ),
            Text("lower it, or raise udp_fragments_max", "请调低它,或调高 udp_fragments_max"),
        )
