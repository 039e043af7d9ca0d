"""Every setting of a node: its name, default, kind and meaning, each said once."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import msgspec

from node.errors import Text
from node.input.limits import BATCH_ROWS_MAX
from node.setting_kinds import (
    ADDRESS,
    AUTOMATIC_ADDRESS,
    NODE_ADDRESSES,
    OCTETS,
    OPTIONAL_FILE,
    PATH,
    PORT,
    PORT_OF_A_CLOSED_DOOR,
    SECONDS,
    SWITCH,
    TRUST_ANCHORS,
    VALUE_REFERENCES,
    Kind,
    choice,
    count,
    seconds_up_to,
    url,
)
from resolver.fast_path.choice import FastPath

ENVIRONMENT_PREFIX: Final = "IDNODE_"
EMBEDDED: Final = "embedded"
OFF: Final = "off"
LOOPBACK: Final = "127.0.0.1"
CHALLENGE_SECONDS_MAX: Final = 60.0
"""Who is asked to prove something answers at once; what waits longer helps nobody but whoever overheard it."""

SYSTEM_DATA_DIR: Final = Path("/var/lib/idnode")


def default_data_dir() -> Path:
    """Return where a node keeps its data unless told otherwise: root's in /var/lib, a user's below the home."""
    if os.geteuid() == 0:
        return SYSTEM_DATA_DIR
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "idnode"


def available_cores() -> int:
    """Return on how many cores this process may run."""
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Description:
    """What is known about a setting besides its type and default.

    Attributes:
        is_fixed: whether a running node keeps it until it is started anew.
        default_text: what to show instead of a default that depends on the machine.
    """

    kind: Kind
    meaning: Text
    is_fixed: bool = False
    default_text: Text | None = None


def _setting(  # noqa: PLR0913 - one table row, its columns by name
    default: Any = None,  # noqa: ANN401 - dataclasses.field does not know the field's type either
    *,
    kind: Kind,
    en: str,
    zh: str,
    factory: Callable[[], Any] | None = None,
    is_fixed: bool = False,
    default_text: Text | None = None,
) -> Any:  # noqa: ANN401
    metadata = {"setting": Description(kind, Text(en, zh), is_fixed, default_text)}
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one node. Durations are in seconds, sizes in octets, limits hold for each worker."""

    data_dir: Path = _setting(  # noqa: RUF009 - it makes a dataclass field
        kind=PATH,
        factory=default_data_dir,
        is_fixed=True,
        en="where the node keeps its data",
        zh="节点的数据目录",
        default_text=Text(
            "/var/lib/idnode for root, else ~/.local/share/idnode",
            "root 用户为 /var/lib/idnode,否则为 ~/.local/share/idnode",
        ),
    )
    bind: str = _setting(
        "0.0.0.0",  # noqa: S104 - a resolution service is there for the public; the admin door has its own address
        kind=ADDRESS,
        is_fixed=True,
        en="address of the public doors; every address, because resolution is a public service",
        zh="公共服务的监听地址;解析面向公众,故默认监听所有地址",
    )
    public_address: str = _setting(
        "",
        kind=AUTOMATIC_ADDRESS,
        en="address that HS_SITE announces to clients",
        zh="HS_SITE 中向客户端公布的地址",
        default_text=Text(
            "bind, or 127.0.0.1 when that is every address", "与 bind 相同;bind 为所有地址时为 127.0.0.1"
        ),
    )
    handle_port: int = _setting(
        2641, kind=PORT, is_fixed=True, en="Handle protocol, UDP and TCP", zh="Handle 协议端口(UDP 与 TCP)"
    )
    http_port: int = _setting(8000, kind=PORT, is_fixed=True, en="HTTP resolution", zh="HTTP 解析端口")
    dns_port: int = _setting(
        0, kind=PORT_OF_A_CLOSED_DOOR, is_fixed=True, en="DNS resolution; 0 = off", zh="DNS 解析端口;0 = 关闭"
    )
    admin_bind: str = _setting(
        LOOPBACK, kind=ADDRESS, is_fixed=True, en="address of health and metrics", zh="健康检查与指标的监听地址"
    )
    admin_port: int = _setting(8080, kind=PORT, is_fixed=True, en="health and metrics", zh="健康检查与指标端口")
    workers: int = _setting(
        kind=count(512),
        factory=available_cores,
        en="processes that resolve",
        zh="解析进程数",
        default_text=Text("one per core", "每个 CPU 核心一个"),
    )
    database_url: str = _setting(
        EMBEDDED,
        kind=url("postgresql", "postgres", words=(EMBEDDED,)),
        is_fixed=True,
        en="the register; embedded = a Postgres in the data directory",
        zh="注册数据库;embedded = 数据目录中的内置 Postgres",
    )
    redis_url: str = _setting(
        OFF,
        kind=url("redis", "rediss", "unix", words=(OFF, EMBEDDED)),
        is_fixed=True,
        en="Redis for what workers share, which is nothing yet; embedded = the node runs a Valkey of its own",
        zh="供各进程共享数据的 Redis(目前尚未使用);embedded = 由节点运行内置 Valkey",
    )
    log_format: str = _setting(
        "auto",
        kind=choice("auto", "json", "console"),
        en="how logs look; auto = console on a terminal, else json",
        zh="日志格式;auto = 终端上为 console,否则为 json",
    )
    log_level: str = _setting(
        "info", kind=choice("debug", "info", "warning", "error"), en="least severity that is logged", zh="最低日志级别"
    )
    fast_path: str = _setting(
        FastPath.usual().value,
        kind=choice(*FastPath.available()),
        en="how plain questions are answered; compiled where it was built",
        zh="普通查询的应答方式;已构建时默认为 compiled",
    )
    cache_octets: int = _setting(256 * 2**20, kind=OCTETS, en="cache of each worker", zh="每个进程的缓存容量")
    cache_seconds_max: float = _setting(
        3600.0, kind=SECONDS, en="longest stay of a record in the cache", zh="记录在缓存中的最长时间"
    )
    negative_cache_entries: int = _setting(
        100_000, kind=count(10_000_000), en="absent handles that are remembered", zh="缓存的不存在标识数量"
    )
    negative_ttl_seconds: float = _setting(
        30.0, kind=SECONDS, en="how long an absent handle is remembered", zh="不存在标识的缓存时间"
    )
    queries_in_flight_max: int = _setting(
        10_000,
        kind=count(1_000_000),
        en="questions that wait for the database at once",
        zh="同时等待数据库的查询数上限",
    )
    query_timeout_seconds: float = _setting(
        2.0, kind=SECONDS, en="longest wait for the database", zh="等待数据库的最长时间"
    )
    database_connections: int = _setting(
        3, kind=count(100), en="connections of each worker to the database", zh="每个进程的数据库连接数"
    )
    udp_answer_packets_max: int = _setting(
        3,
        kind=count(1_000),
        en="datagrams of one UDP answer; longer answers go over TCP",
        zh="单个 UDP 应答的最大报文数;更长的应答改用 TCP",
    )
    udp_fragments_max: int = _setting(
        2_000, kind=count(1_000_000), en="incomplete UDP messages that are kept", zh="保留的不完整 UDP 消息数"
    )
    udp_fragments_octets_max: int = _setting(
        8 * 2**20, kind=OCTETS, en="size of the incomplete UDP messages together", zh="不完整 UDP 消息的总容量"
    )
    udp_fragments_per_peer_max: int = _setting(
        16, kind=count(1_000_000), en="incomplete UDP messages of one address", zh="每个地址的不完整 UDP 消息数"
    )
    tcp_connections_max: int = _setting(4_000, kind=count(1_000_000), en="open connections", zh="连接数上限")
    tcp_connections_per_address_max: int = _setting(
        200, kind=count(1_000_000), en="open connections of one address", zh="每个地址的连接数上限"
    )
    tcp_idle_seconds: float = _setting(
        30.0, kind=SECONDS, en="how long a connection may be silent", zh="连接的最长空闲时间"
    )
    tcp_message_seconds: float = _setting(
        10.0, kind=SECONDS, en="from the first to the last octet of a message", zh="接收一条完整消息的最长时间"
    )
    tcp_write_seconds: float = _setting(
        10.0, kind=SECONDS, en="how long a peer may leave answers unread", zh="对端不读取应答的最长时间"
    )
    tcp_pipeline_max: int = _setting(
        64, kind=count(10_000), en="unanswered requests of one connection", zh="每个连接未应答的请求数上限"
    )
    server_admins: tuple[str, ...] = _setting(
        (),
        kind=VALUE_REFERENCES,
        en="who may home, unhome and list prefixes over the wire: INDEX:HANDLE of their keys, comma between",
        zh="可远程登记、注销、列出前缀的服务器管理员:其密钥的 索引:标识,以逗号分隔",
        default_text=Text("nobody", "无"),
    )
    server_key: str = _setting(
        "",
        kind=OPTIONAL_FILE,
        is_fixed=True,
        en="private key (PEM or Handle format) that signs certified answers",
        zh="签署认证应答的服务器私钥(PEM 或 Handle 格式)",
        default_text=Text("made in the data directory at the first start", "首次启动时在数据目录中生成"),
    )
    tls_cert: str = _setting(
        "",
        kind=OPTIONAL_FILE,
        en="certificate chain (PEM) of the TLS side of the HTTP port; read again when it changes",
        zh="HTTP 端口 TLS 一侧的证书链(PEM);文件变化后自动重新读取",
        default_text=Text("a self-signed one, made in the data directory", "数据目录中自动生成的自签名证书"),
    )
    tls_key: str = _setting(
        "",
        kind=OPTIONAL_FILE,
        en="private key (PEM) of that certificate",
        zh="上述证书的私钥(PEM)",
        default_text=Text("made together with the certificate", "与证书一同生成"),
    )
    legacy_authentication: bool = _setting(
        default=False,
        kind=SWITCH,
        en="accept MD5, SHA-1 and DSA proofs and protocol versions below 2.7 when somebody logs in",
        zh="登录认证时接受 MD5、SHA-1、DSA 以及 2.7 以前的协议版本",
    )
    trust_anchors: tuple[str, ...] = _setting(
        (),
        kind=TRUST_ANCHORS,
        en="keys that vouch for signed records (HS_SIGNATURE): INDEX:HANDLE=FILE of a public key, comma between",
        zh="可信查询(HS_SIGNATURE)所信任的根公钥:索引:标识=公钥文件,以逗号分隔",
        default_text=Text("none: no record counts as vouched for", "无:任何记录均不视为可信"),
    )
    identity_resolvers: tuple[str, ...] = _setting(
        (),
        kind=NODE_ADDRESSES,
        en="nodes that are asked for keys of administrators whose handles are not ours: HOST:PORT, comma between",
        zh="查询外部管理员密钥的节点:主机:端口,以逗号分隔",
        default_text=Text("none: such administrators are refused", "无:拒绝此类管理员"),
    )
    challenge_seconds: float = _setting(
        20.0,
        kind=seconds_up_to(CHALLENGE_SECONDS_MAX),
        en="how long a challenge may wait for its answer",
        zh="等待认证质询应答的最长时间",
    )
    challenges_max: int = _setting(
        10_000, kind=count(1_000_000), en="challenges that wait for an answer", zh="等待应答的认证质询数"
    )
    session_seconds_max: float = _setting(
        86_400.0, kind=SECONDS, en="longest life of an idle session", zh="空闲会话的最长保留时间"
    )
    sessions_max: int = _setting(10_000, kind=count(1_000_000), en="open sessions", zh="会话数上限")
    authentication_failures_max: int = _setting(
        10,
        kind=count(1_000_000),
        en="failed proofs a minute for one key from one network, before proofs are delayed and refused",
        zh="同一网络对同一密钥每分钟允许的认证失败次数,超过则延迟并拒绝",
    )
    drain_seconds: float = _setting(
        15.0, kind=SECONDS, en="time to finish what is in flight when stopping", zh="停止时完成未决请求的时间"
    )
    import_batch_rows: int = _setting(
        10_000, kind=count(BATCH_ROWS_MAX), en="records of one import transaction", zh="每个导入事务的记录数"
    )

    def __post_init__(self) -> None:
        """Fill in the one default that depends on another setting."""
        if not self.public_address:
            object.__setattr__(self, "public_address", self.reachable_address)

    @property
    def reachable_address(self) -> str:
        """Where a client on this machine finds the public doors."""
        return _reachable(self.bind)

    @property
    def reachable_admin_address(self) -> str:
        """Where a client on this machine finds the admin port."""
        return _reachable(self.admin_bind)

    def to_json(self) -> bytes:
        """Return the settings as a supervisor hands them to its workers. May hold a password."""
        return msgspec.json.encode(self, enc_hook=str)

    @classmethod
    def from_json(cls, octets: bytes) -> Settings:
        """Read what `to_json` wrote.

        Raises:
            msgspec.ValidationError: it is something else.
        """
        return msgspec.json.decode(octets, type=cls, dec_hook=lambda wanted, value: wanted(value))


def _reachable(bind: str) -> str:
    return LOOPBACK if ip_address(bind).is_unspecified else bind


SETTING_FIELDS: Final[dict[str, Field[Any]]] = {each.name: each for each in fields(Settings)}


def description(name: str) -> Description:
    """Return what is known about the setting called `name`."""
    described: Description = SETTING_FIELDS[name].metadata["setting"]
    return described


FIXED_SETTINGS: Final = tuple(name for name in SETTING_FIELDS if description(name).is_fixed)
"""Those that a running node keeps until it is started anew."""
