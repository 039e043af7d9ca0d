"""An HTTP door on a loopback port and the records behind it, those of the reference's recorded exchanges among them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from handle_protocol.handle import Handle
from handle_protocol.json_form import record_from_json, value_from_json
from handle_protocol.predefined.site import Site, decode_site
from handle_protocol.record import HandleRecord
from handle_protocol.value import HandleValue
from resolver.authority import Authority
from resolver.cache import CacheLimits, RecordCache
from resolver.fast_path.choice import FastPath
from resolver.listeners.http import HttpDoor
from resolver.listeners.http_bodies import BodyLimits
from resolver.listeners.http_connection import HttpLimits
from resolver.listeners.sockets import open_tcp
from resolver.metrics import DoorTally
from resolver.resolve import Resolver
from tests.builders import text_value
from tests.fakes.memory_register import MemoryRegister

VECTORS = Path(__file__).parents[2] / "vectors" / "handle"
EXCHANGES = {each["name"]: each for each in json.loads((VECTORS / "14-rest.json").read_text("utf-8"))["vectors"]}
SEED = json.loads((VECTORS / "seed-handles.json").read_text("utf-8"))
PREFIX = "88.300.15907"
RECORDED_AT = datetime(2026, 11, 22, 6, 25, 57, tzinfo=UTC).timestamp()

LOCATIONS = """<locations>
<location id="1" href="https://one.example/?a" country="cn" weight="0"/>
<location id="2" href="https://two.example/" http_role="conneg" role="metadata" weight="0"/>
<location id="3" href_template="https://three.example/{hdl:path}" weight="1"/>
</locations>"""

INACTIVE = "<namespace><status>inactive</status><statusmsg>企业已注销 &lt;1&gt;</statusmsg></namespace>"


def recorded_json(name: str) -> Any:
    """The JSON of an exchange; its Chinese was recorded in the wrong character set, which is put right here."""
    recorded = EXCHANGES[name]["response"]["json"]
    try:
        return json.loads(json.dumps(recorded, ensure_ascii=False).encode("latin-1").decode())
    except UnicodeError:
        return recorded


def recorded_record(name: str) -> HandleRecord:
    return record_from_json(recorded_json(name))


class World:
    """A door on a loopback port, and the register behind it."""

    def __init__(self, limits: HttpLimits, *, fast_path: FastPath | None = None, **parts: Any) -> None:
        self.register = MemoryRegister()
        self.register.add_prefix(PREFIX, folds_suffix=True)
        self.register.add_prefix("88.118.7")
        self.register.add_prefix("88.118.8")
        self.register.add_prefix("88.118.9", is_suspended=True)
        self.register.add_prefix("88.200", delegated_to=Site((), serial=7))
        self.tally = DoorTally("http")
        self.is_ready = True
        site = decode_site(record_from_json(SEED["handles"][0]).values[0].data)
        self.resolver = Resolver(self.register, RecordCache(CacheLimits(), fast_path), site)
        self.door = HttpDoor(
            open_tcp("127.0.0.1", 0),
            self.resolver,
            lambda: self.is_ready,
            limits,
            self.tally,
            clock=lambda: RECORDED_AT,
            random=lambda: 0.5,
            **parts,
        )
        self.port = self.door.port
        self.store_records()

    def store_records(self) -> None:
        self.put(record_from_json(SEED["handles"][0]))
        self.put(recorded_record("GET all"))
        for name in ("alias-1", "nourl"):
            values = EXCHANGES[f"PUT {name.replace('-1', '').replace('nourl', 'no-url handle')}"]["request"]["body"]
            self.put(HandleRecord.of(Handle(f"{PREFIX}/{name}"), (value_from_json(each, "") for each in values)))
        self.store(
            f"{PREFIX}/loc-1", text_value(1, "10320/loc", LOCATIONS), text_value(2, "URL", "https://plain.example/")
        )
        self.store(
            "88.118.8/离心泵", text_value(1, "URL", "https://example.cn/产品?id=1"), text_value(2, "名称", "离心泵")
        )
        self.store("88.118.7/X", text_value(1, "URL", "https://example.cn/"))
        self.store("0.NA/88.118.7", text_value(1, "HS_NAMESPACE", INACTIVE))
        self.store("88.118.8/a/b", text_value(1, "DESC", "<script>alert('x')</script>"))
        self.store("88.118.8/坏链接", text_value(1, "URL", "javascript:alert(1)"))
        self.store("88.118.8/换行", text_value(1, "URL", "https://example.cn/\r\nSet-Cookie: a=b"))
        self.store("88.118.8/甲", text_value(1, "HS_ALIAS", "88.118.8/乙"))
        self.store("88.118.8/乙", text_value(1, "HS_ALIAS", "88.118.8/离心泵"))
        self.store("88.118.8/圈一", text_value(1, "HS_ALIAS", "88.118.8/圈二"))
        self.store("88.118.8/圈二", text_value(1, "HS_ALIAS", "88.118.8/圈一"))
        self.store("88.118.8/长", text_value(1, "DESC", "长" * 3_000))
        self.store("88.118.8/大", *(text_value(index, "DESC", "x" * 1_000) for index in range(1, 201)))
        self.resolver.authority = Authority(self.register.prefixes.values())
        self.resolver.cache.trust(1e12)

    def store(self, spelling: str, *values: HandleValue) -> None:
        self.put(HandleRecord.of(Handle(spelling), values))

    def put(self, record: HandleRecord) -> None:
        key = record.handle.key(folds_suffix=record.handle.prefix.name == PREFIX)
        self.register.records[key] = record
        self.resolver.forget([key])

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def exchange(self, octets: bytes, seconds: float = 5.0) -> bytes:
        """Send octets as they are and return whatever comes until the door closes."""
        reader, writer = await self.connect()
        writer.write(octets)
        try:
            return await asyncio.wait_for(reader.read(-1), seconds)
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


SMALL = HttpLimits(
    idle_seconds=1.5,
    head_seconds=0.5,
    body_seconds=0.5,
    write_seconds=1.0,
    per_address_max=20,
    bodies=BodyLimits(parameters_octets_max=4_096, record_octets_max=4_096),
)
