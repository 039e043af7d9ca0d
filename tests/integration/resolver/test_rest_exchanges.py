"""The reference's recorded exchanges over its REST interface, replayed in their order against one register."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from handle_protocol.json_form import record_from_json
from handle_protocol.predefined.site import decode_site
from handle_protocol.security.public_keys import read_public_key
from tests.integration.resolver.http_world import EXCHANGES, SEED, recorded_json
from tests.integration.resolver.rest_world import Reply, RestWorld, without_stamps

MINTED = "2116b8c9-7c2e-4cdd-a271-73096e319330"
WITHOUT_TRACE = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
SIGNATURE = re.compile(r'serverSignature="([^"]*)"')


def recorded_session(response: dict[str, Any]) -> tuple[str, bytes] | None:
    """Id and nonce of the session that the reference opened for this answer."""
    said = response["headers"].get("WWW-Authenticate", "")
    found = re.search(r'sessionId="([^"]*)", nonce="([^"]*)"', said)
    pair = found.groups() if found else None
    if response.get("json") and "sessionId" in response["json"]:
        pair = response["json"]["sessionId"], response["json"]["nonce"]
    return None if pair is None else (pair[0], base64.b64decode(pair[1]))


async def replay(world: RestWorld, exchange: dict[str, Any]) -> Reply:
    request = exchange["request"]
    world.session = recorded_session(exchange["response"]) or world.session
    body = request["body"]
    return await world.ask(
        request["method"],
        request["path"],
        body.encode() if isinstance(body, str) else body,
        is_secure=request["scheme"] == "https",
        **{name.replace("-", "_"): text for name, text in request["headers"].items()},
    )


def meaning(json_text: str) -> Any:
    """JSON without what depends on the moment; the words of a message are our own, the case of a list's names too.

    The reference lists names as it keeps them, in upper case; we list them as they were registered.
    """
    read = json.loads(without_stamps(json_text))
    if "message" in read:
        read["message"] = ""
    if "handles" in read:
        read["handles"] = [name.upper() for name in read["handles"]]
    return list(read.items())


def difference(name: str, reply: Reply) -> list[object]:
    """What differs from the recorded answer."""
    expected = EXCHANGES[name]["response"]
    differences: list[object] = [] if reply.status == expected["status"] else [("status", reply.status)]
    headers = dict(expected["headers"])
    if "WWW-Authenticate" in headers:
        headers["WWW-Authenticate"] = SIGNATURE.sub('serverSignature="c2lnbmF0dXJl"', headers["WWW-Authenticate"])
    for header in ("Content-Type", "WWW-Authenticate", "Allow", "Access-Control-Allow-Origin", "Expires"):
        recorded = headers.get(header)
        if recorded is not None and reply.headers.get(header) != recorded.replace("TRACE, ", ""):
            differences.append((header, reply.headers.get(header)))
    if expected["json"] is not None:
        recorded = json.dumps(recorded_json(name), ensure_ascii=False)
        if meaning(reply.text) != meaning(recorded):
            differences.append((meaning(reply.text), meaning(recorded)))
    elif not expected["text"] and expected["status"] != 301 and reply.text:
        differences.append(("text", reply.text))
    elif expected["text"].startswith("my_fn") and without_stamps(reply.text) != without_stamps(expected["text"]):
        differences.append(("script", reply.text))
    return differences


async def test_every_recorded_exchange_is_answered_alike() -> None:
    world = RestWorld()
    world.suffix = MINTED
    differences = {}
    for name, exchange in EXCHANGES.items():
        if name == "proxy loc default":
            world.add_locations()
        found = difference(name, await replay(world, exchange))
        if found:
            differences[name] = found
    world.close()
    assert differences == {}


async def test_the_node_signs_what_the_reference_signs() -> None:
    world = RestWorld()
    for name in ("POST /api/sessions", "server signature: cnonce without id"):
        await replay(world, EXCHANGES[name])
    world.close()
    (signed,) = world.signed
    said = EXCHANGES["server signature: cnonce without id"]["response"]["headers"]["WWW-Authenticate"]
    found = SIGNATURE.search(said)
    assert found is not None
    key = decode_site(record_from_json(SEED["handles"][0]).values[0].data).servers[0].public_key
    assert read_public_key(key).verify("SHA-256", base64.b64decode(found[1]), signed)


async def test_without_weak_algorithms_sha1_proves_nothing() -> None:
    world = RestWorld(accepts_legacy=False)
    steps = (
        "Authorization Handle step 1: unauthenticated write gives sessionId and nonce",
        "Authorization Handle HS_SECKEY SHA1",
        "Authorization Handle HS_SECKEY SHA256",
    )
    statuses = [(await replay(world, EXCHANGES[name])).status for name in steps]
    world.close()
    assert statuses == [401, 401, 200]
