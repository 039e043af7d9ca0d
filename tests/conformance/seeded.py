"""What a node under trial holds: the recorded register with its keys, and enterprises whose records are worked on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from handle_protocol.bodies.administration import HandleRequest
from handle_protocol.codes import OpCode
from handle_protocol.handle import Handle, Prefix
from handle_protocol.predefined.admin import Administrator, encode_administrator
from handle_protocol.predefined.site import Site
from handle_protocol.record import HandleRecord
from handle_protocol.security.private_keys import SigningKey, read_private_key
from handle_protocol.value import HandleValue, ValueReference
from registry.database import Database
from registry.prefixes import PrefixStore
from registry.records import RecordStore
from tests.builders import text_value
from tests.conformance.speaking import Prover, connected, perform, request_of
from tests.started_node import StartedNode, wait_until

VECTORS = Path(__file__).parents[1] / "vectors" / "handle"

SEED = Prefix.parse("88.300.15907")
HOME = Prefix.parse("88.300.16")
SUSPENDED = Prefix.parse("88.300.17")
DELEGATED = Prefix.parse("88.300.18")
SERVER_ADMINISTRATORS = {"IDNODE_SERVER_ADMINS": "300:0.NA/88.300.15907"}

_ELSEWHERE = Site(())


def vectors(name: str) -> dict[str, Any]:
    """Return a file of vectors."""
    content: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text())
    return content


def recorded_key(name: str) -> SigningKey:
    """Return a private key of the reference: "admin RSA", "admin DSA"."""
    found = next(each for each in vectors("10-keys-and-files")["vectors"] if each["name"] == f"key {name}")
    return read_private_key(b"\0\0\0\1" + bytes.fromhex(found["private_hex"]), None)


OWNER = Prover(ValueReference(301, "0.NA/88.300.15907"), b"s3cret-key")
"""May do everything below HOME; named by the recorded register."""

SERVER_ADMINISTRATOR = Prover(ValueReference(300, "0.NA/88.300.15907"), recorded_key("admin RSA"), "HS_PUBKEY")
APPRENTICE = Prover(ValueReference(300, "88.300.16/见习"), "见习密钥".encode())
"""Is named as an administrator, and may do nothing."""

STRANGER = Prover(ValueReference(300, "88.300.16/路人"), "路人密钥".encode())
"""Has a key, and is named nowhere."""

GHOST = Prover(ValueReference(300, "88.300.16/幽灵"), b"whatever")
"""May do everything, and has no key."""

IMPOSTOR = Prover(OWNER.identity, b"wrong")
CONFUSED = Prover(OWNER.identity, b"s3cret-key", "HS_NOKEY")


def administrator(index: int, prover: Prover, permissions: int = 0xFFF) -> HandleValue:
    """Return a value that names an administrator."""
    return HandleValue(index, "HS_ADMIN", encode_administrator(Administrator(permissions, prover.identity)))


ADMINISTRATORS = (administrator(100, OWNER), administrator(101, APPRENTICE, 0), administrator(102, GHOST))

RECORDS = (
    HandleRecord.of(HOME.handle, (text_value(1, "名称", "南通锂电工具有限公司（示例）"), *ADMINISTRATORS)),
    *(
        HandleRecord.of(Handle(each.identity.handle), (HandleValue(300, "HS_SECKEY", bytes(each.key), permissions=12),))
        for each in (APPRENTICE, STRANGER)
        if isinstance(each.key, bytes)
    ),
)


async def seed(node: StartedNode) -> None:
    """Load the recorded register by the commands of an operator, and the records of our own."""
    lines = [{"handle": each["handle"], "values": each["values"]} for each in vectors("seed-handles")["handles"]]
    file = node.data_dir / "seed.ndjson"
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    for words in (("prefix", "add", str(SEED)), ("import", str(file))):
        done = node.idnode(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    async with Database.open(node.database_url) as database:
        prefixes = PrefixStore(database)
        await prefixes.add(HOME, enterprise="南通锂电工具有限公司（示例）")
        await prefixes.add(SUSPENDED, enterprise="已暂停的企业")
        await prefixes.suspend(SUSPENDED)
        await prefixes.add(DELEGATED, enterprise="自建节点的企业", delegated_to=_ELSEWHERE)
        await RecordStore(database).put(RECORDS)
    wait_until(lambda: _knows_its_prefixes(node), 20.0)


def _knows_its_prefixes(node: StartedNode) -> bool:
    """Tell whether every worker has heard of the prefixes; a few connections meet them all."""
    codes = set()
    for _ in range(8):
        with connected(node.address) as way:
            codes.add(perform(way, request_of(HandleRequest(HOME.handle), OpCode.LIST_HANDLES)).response_code)
            codes.add(perform(way, request_of(HandleRequest(SEED.handle), OpCode.LIST_HANDLES)).response_code)
    return codes == {402}
