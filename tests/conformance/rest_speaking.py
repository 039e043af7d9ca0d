"""A plain client of the REST API: how a request of the Handle protocol is asked over HTTP, and what the answer says."""

from __future__ import annotations

import base64
import http.client
import json
import re
import secrets
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, urlencode

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from handle_protocol.bodies.administration import HandleRequest, RemoveRequest, ValuesRequest
from handle_protocol.bodies.challenge import VerifyChallengeRequest
from handle_protocol.bodies.raw import RawBody
from handle_protocol.bodies.resolution import ResolutionRequest
from handle_protocol.bodies.table import RequestBody
from handle_protocol.codes import OpCode
from handle_protocol.envelope import VERSION_OURS
from handle_protocol.errors import ProtocolError
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.json_form import value_to_json
from handle_protocol.octets import OctetReader
from handle_protocol.security.key_proofs import read_key_proof
from handle_protocol.security.secret_proofs import ProofAlgorithm, read_secret_proof
from handle_protocol.value import HandleValue
from tests.conformance.speaking import SECONDS, Prover, trusting_anybody

VARIOUS = "various"
HALF_JSON = b'[{"index": 1, "type": "URL"'
_CLIENT_NONCE_OCTETS = 16
_FIELD = re.compile(r'(\w+)="([^"]*)"')
_NAMES = {ProofAlgorithm.PBKDF2_HMAC_SHA1: "PBKDF2-HMAC-SHA1"} | {
    each: each.name for each in (ProofAlgorithm.MD5, ProofAlgorithm.SHA1, ProofAlgorithm.SHA256)
}

STATUS_BY_CODE = {
    **dict.fromkeys((302, 303), 300),
    **dict.fromkeys((4, 102, 202, 301), 400),
    402: 401,
    **dict.fromkeys((400, 401, 403, 404), 403),
    100: 404,
    **dict.fromkeys((101, 201), 409),
    5: 501,
    **dict.fromkeys((3, 7), 503),
}
"""The reference's table, but for what depends on the method; over TLS. Every other code is a 500."""

Parameters = Iterable[tuple[str, object]]


@dataclass(frozen=True)
class WebQuestion:
    """What is sent, but for who sends it."""

    method: str
    target: str
    content: bytes | None = None


@dataclass(frozen=True)
class WebReply:
    """What comes back.

    Attributes:
        said: the JSON object; None = there was no body.
    """

    status: int
    said: Mapping[str, Any] | None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int | None:
        """The response code, if one is said."""
        return None if self.said is None else self.said["responseCode"]


def status_of(code: int, method: str, *, has_overwritten: bool) -> int:
    """Return the HTTP status that goes with a response code over TLS, as the reference's table has it."""
    if code == 1:
        return 201 if method == "PUT" and not has_overwritten else 200
    if code == 200:
        return 200 if method == "GET" else 400
    return STATUS_BY_CODE.get(code, 500)


def web_question(body: RequestBody, op_code: int, op_flags: int) -> WebQuestion | None:
    """Return how the same is asked over HTTP; None = it cannot be."""
    express = _EXPRESSIONS.get(op_code)
    return None if express is None else express(body, OpFlag(op_flags))


def _target(root: str, handle: Handle | bytes, parameters: Parameters = ()) -> str:
    path = f"{root}/{quote(handle if isinstance(handle, bytes) else handle.spelling)}"
    query = urlencode(list(parameters))
    return f"{path}?{query}" if query else path


def _put(handle: Handle | bytes, values: Iterable[HandleValue], parameters: Parameters) -> WebQuestion:
    content = json.dumps([value_to_json(value) for value in values], ensure_ascii=False).encode()
    return WebQuestion("PUT", _target("/api/handles", handle, parameters), content)


def _truth(flags: OpFlag, flag: OpFlag) -> str:
    return str(flag in flags).lower()


def _unreadable(body: RawBody) -> bytes:
    """Return the octets of the handle in a body that is no request."""
    return OctetReader(body.octets).counted("handle")


def _resolution(body: ResolutionRequest | RawBody, flags: OpFlag) -> WebQuestion:
    if isinstance(body, RawBody):
        return WebQuestion("GET", _target("/api/handles", _unreadable(body)))
    selection = [("index", each) for each in body.indexes] + [("type", each) for each in body.types]
    return WebQuestion(
        "GET", _target("/api/handles", body.handle, [*selection, ("publicOnly", _truth(flags, OpFlag.PUBLIC_ONLY))])
    )


def _creation(body: ValuesRequest | RawBody, flags: OpFlag) -> WebQuestion:
    if isinstance(body, RawBody):
        return WebQuestion("PUT", _target("/api/handles", _unreadable(body)), HALF_JSON)
    parameters = [("overwrite", _truth(flags, OpFlag.OVERWRITE)), ("mintNewSuffix", _truth(flags, OpFlag.MINT_SUFFIX))]
    return _put(body.handle, body.values, parameters)


def _addition(body: ValuesRequest, flags: OpFlag) -> WebQuestion:
    return _put(body.handle, body.values, [("index", VARIOUS), ("overwrite", _truth(flags, OpFlag.OVERWRITE))])


def _modification(body: ValuesRequest, _: OpFlag) -> WebQuestion:
    """Put values by their indexes, which replaces what is there, and adds what is not."""
    indexes = [value.index for value in body.values] or [VARIOUS]
    return _put(body.handle, body.values, [("index", each) for each in indexes])


def _removal(body: RemoveRequest, _: OpFlag) -> WebQuestion | None:
    """Delete values; without indexes that would be the whole record."""
    if not body.indexes:
        return None
    return WebQuestion("DELETE", _target("/api/handles", body.handle, [("index", each) for each in body.indexes]))


def _listing(body: HandleRequest, _: OpFlag) -> WebQuestion:
    return list_page(body.handle)


def list_page(prefix_handle: Handle, **page: int) -> WebQuestion:
    """Return how the handles below a prefix are asked for: all, or a page of them (page, pageSize)."""
    return WebQuestion("GET", f"/api/handles?{urlencode({'prefix': prefix_handle.spelling, **page})}")


def _verification(body: VerifyChallengeRequest, _: OpFlag) -> WebQuestion:
    named = {"nonce": _base64(body.nonce), "cnonce": _base64(body.digest_octets[1:]), **fields_of_proof(body.proof)}
    return WebQuestion("GET", f"/api/verifications/{quote(str(body.identity))}?{urlencode(named)}")


_EXPRESSIONS: Mapping[int, Callable[[Any, OpFlag], WebQuestion | None]] = {
    OpCode.RESOLUTION: _resolution,
    OpCode.GET_SITE_INFO: lambda _, __: WebQuestion("GET", "/api/site"),
    OpCode.CREATE_HANDLE: _creation,
    OpCode.DELETE_HANDLE: lambda body, _: WebQuestion("DELETE", _target("/api/handles", body.handle)),
    OpCode.ADD_VALUE: _addition,
    OpCode.MODIFY_VALUE: _modification,
    OpCode.REMOVE_VALUE: _removal,
    OpCode.LIST_HANDLES: _listing,
    OpCode.VERIFY_CHALLENGE: _verification,
    OpCode.HOME_PREFIX: lambda body, _: WebQuestion("POST", _target("/api/prefixes", body.handle)),
    OpCode.UNHOME_PREFIX: lambda body, _: WebQuestion("DELETE", _target("/api/prefixes", body.handle)),
    OpCode.LIST_HOMED_PREFIXES: lambda _, __: WebQuestion("GET", "/api/prefixes"),
    OpCode.SESSION_TERMINATE: lambda _, __: WebQuestion("DELETE", "/api/sessions/this"),
}


def fields_of_proof(proof_octets: bytes, kind: str = "HS_SECKEY") -> dict[str, str]:
    """Return a proof in messages as the named fields of the scheme Handle; an unknown one keeps its number."""
    if kind == "HS_PUBKEY":
        signed = read_key_proof(proof_octets)
        return {"alg": signed.digest_name, "signature": _base64(signed.signature)}
    try:
        proof = read_secret_proof(proof_octets, VERSION_OURS)
    except ProtocolError:
        return {"alg": f"{proof_octets[0]:#x}", "signature": _base64(proof_octets)}
    named = {"alg": _NAMES[proof.algorithm], "signature": _base64(proof.code)}
    if proof.stretching is not None:
        stretching = proof.stretching
        lengths = {"iterations": str(stretching.iterations), "length": str(stretching.key_bits)}
        named |= {"salt": _base64(stretching.salt), **lengths}
    return named


@dataclass(frozen=True)
class Web:
    """HTTP, a connection for each request; over TLS unless it is plain.

    Attributes:
        certificate_of: whose certificate is shown.
    """

    address: tuple[str, int]
    is_secure: bool = True
    certificate_of: Prover | None = None

    def ask(self, question: WebQuestion, authorization: str = "") -> WebReply:
        """Send a request, and return what comes back."""
        connection = self._connect()
        headers = {"Authorization": authorization} if authorization else {}
        if question.content is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(question.method, question.target, question.content, headers)
            response = connection.getresponse()
            content = response.read()
            return WebReply(response.status, json.loads(content) if content else None, dict(response.headers))
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        if not self.is_secure:
            return http.client.HTTPConnection(*self.address, timeout=SECONDS)
        context = trusting_anybody()
        if self.certificate_of is not None:
            show_certificate(context, self.certificate_of)
        return http.client.HTTPSConnection(*self.address, timeout=SECONDS, context=context)


def ask_by_password(web: Web, question: WebQuestion, prover: Prover, _: WebReply | None = None) -> WebReply:
    """Ask with a secret key in the scheme Basic."""
    assert isinstance(prover.key, bytes)
    user = quote(str(prover.identity), safe="").encode()
    return web.ask(question, f"Basic {_base64(user + b':' + prover.key)}")


def ask_by_certificate(web: Web, question: WebQuestion, prover: Prover, _: WebReply) -> WebReply:
    """Ask with a certificate that its holder has signed."""
    return Web(web.address, certificate_of=prover).ask(question, 'Handle clientCert="true"')


def ask_by_challenge(web: Web, question: WebQuestion, prover: Prover, challenge: WebReply) -> WebReply:
    """Ask with a proof of the nonce that `challenge` brought, in the scheme Handle."""
    session = dict(_FIELD.findall(challenge.headers["WWW-Authenticate"]))
    return web.ask(question, proof_in(session, prover))


def proof_in(session: Mapping[str, Any], prover: Prover) -> str:
    """Return what proves somebody in a session (sessionId, nonce): it covers that nonce and one of the client's."""
    client_nonce = secrets.token_bytes(_CLIENT_NONCE_OCTETS)
    proof = prover.prove(base64.b64decode(session["nonce"]), client_nonce)
    named = {
        "version": "0",
        "sessionId": session["sessionId"],
        "cnonce": _base64(client_nonce),
        "id": quote(str(prover.identity), safe=""),
        "type": prover.kind,
        **fields_of_proof(proof, "HS_SECKEY" if isinstance(prover.key, bytes) else "HS_PUBKEY"),
    }
    return "Handle " + ", ".join(f'{name}="{text}"' for name, text in named.items())


def show_certificate(context: ssl.SSLContext, prover: Prover) -> None:
    """Let a client show a certificate that `prover` has made for itself: UID is index:handle."""
    assert not isinstance(prover.key, bytes)
    key: Any = prover.key.private
    name = x509.Name([x509.NameAttribute(NameOID.USER_ID, str(prover.identity))])
    now, day = datetime.now(UTC), timedelta(days=1)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day).sign(key, SHA256())
    with TemporaryDirectory() as folder:
        file = Path(folder) / "certificate.pem"
        clear = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(made.public_bytes(Encoding.PEM) + clear)
        context.load_cert_chain(file)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
