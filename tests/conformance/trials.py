"""Every operation with every outcome that it may have: what is asked, by whom, and what must become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from handle_protocol import octets
from handle_protocol.bodies.administration import HandleRequest, RemoveRequest, ValuesRequest
from handle_protocol.bodies.challenge import VerifyChallengeRequest
from handle_protocol.bodies.raw import RawBody
from handle_protocol.bodies.resolution import ResolutionRequest
from handle_protocol.bodies.session import ExchangeMode, KeyExchangeRequest, SessionSetupRequest
from handle_protocol.bodies.table import RequestBody
from handle_protocol.codes import OpCode, ResponseCode
from handle_protocol.envelope import VERSION_OURS
from handle_protocol.flags import OpFlag
from handle_protocol.handle import Handle
from handle_protocol.message import OP_FLAGS_USUAL
from handle_protocol.record import encode_value_list
from handle_protocol.security.secret_proofs import make_secret_proof
from handle_protocol.value import HandleValue, ValueReference
from tests.builders import text_value
from tests.conformance.seeded import (
    ADMINISTRATORS,
    APPRENTICE,
    CONFUSED,
    DELEGATED,
    GHOST,
    HOME,
    IMPOSTOR,
    OWNER,
    SEED,
    SERVER_ADMINISTRATOR,
    STRANGER,
    SUSPENDED,
    administrator,
)
from tests.conformance.speaking import Prover

Values = tuple[HandleValue, ...]
AskFor = Callable[[Handle], RequestBody]
Code = ResponseCode

URL = text_value(1, "URL", "https://tools.example.cn/JXDY2106023")
SECRET = text_value(3, "内部价", "不公开", permissions=12)
READ_ONLY = text_value(4, "铭牌", "只读", permissions=10)
OPEN = text_value(5, "留言", "人人可写", permissions=15)
RECORD: Values = (URL, text_value(2, "名称", "锂电冲击扳手"), SECRET, READ_ONLY, OPEN, *ADMINISTRATORS)
NEW: Values = (text_value(1, "URL", "https://e.cn/产品"), administrator(100, OWNER))
MAIL = text_value(7, "EMAIL", "质检@e.cn")
RENAMED = text_value(2, "名称", "冲击扳手")
CHATTED = text_value(5, "留言", "已阅", permissions=15)

FOREIGN = Handle("20.500.99/陌生")
RESTING = Handle(f"{SUSPENDED}/甲")
AWAY = Handle(f"{DELEGATED}/甲")
EVERYTHING = int(OpFlag.RECURSIVE)
OVERWRITING = int(OP_FLAGS_USUAL | OpFlag.OVERWRITE)


@dataclass(frozen=True)
class Trial:
    """One thing asked.

    Attributes:
        body: of the request, for a handle of its own.
        code: how it ends.
        prover: who answers if there is a challenge; None = nobody.
        is_challenged: whether it is asked who it is before anything is said.
        before, after: what is stored; None = nothing.
        has_overwritten: what the answer says.
    """

    name: str
    op_code: int
    body: AskFor
    code: int
    prover: Prover | None = None
    is_challenged: bool = True
    before: Values | None = RECORD
    after: Values | None = RECORD
    op_flags: int = int(OP_FLAGS_USUAL)
    has_overwritten: bool = False


def with_values(*values: HandleValue, at: Handle | None = None) -> AskFor:
    """Return how a handle is asked to have these values."""
    return lambda handle: ValuesRequest(at or handle, encode_value_list(values))


def without(*indexes: int, at: Handle | None = None) -> AskFor:
    """Return how a handle is asked to lose these values."""
    return lambda handle: RemoveRequest(at or handle, indexes)


def named(at: Handle | None = None) -> AskFor:
    """Return how a handle is named."""
    return lambda handle: HandleRequest(at or handle)


def question(*indexes: int, types: tuple[str, ...] = (), at: Handle | None = None) -> AskFor:
    """Return how a handle is asked for."""
    return lambda handle: ResolutionRequest(at or handle, indexes, types)


def raw(content: bytes) -> AskFor:
    """Return how something is said that is no request."""
    return lambda _: RawBody(content)


def derived(label: str) -> AskFor:
    """Return how a prefix below HOME is named that is this trial's own."""
    return lambda handle: HandleRequest(Handle(f"0.NA/{HOME}.{sum(handle.spelling.encode())}.{label}"))


def replaced(*changed: HandleValue, gone: tuple[int, ...] = ()) -> Values:
    """Return RECORD with these values, and without those."""
    values = {value.index: value for value in (*RECORD, *changed)}
    return tuple(values[index] for index in sorted(values) if index not in gone)


def of_nobody(op_code: int, body: AskFor, **fields: object) -> tuple[Trial, ...]:
    """Return the trials that end because of who asks, or does not."""
    codes = {
        "nobody": (None, Code.AUTHENTICATION_NEEDED),
        "a stranger": (STRANGER, Code.INVALID_ADMIN),
        "an apprentice": (APPRENTICE, Code.INSUFFICIENT_PERMISSIONS),
        "an impostor": (IMPOSTOR, Code.AUTHENTICATION_FAILED),
        "one with a key of no kind": (CONFUSED, Code.INVALID_CREDENTIAL),
        "one without a key": (GHOST, Code.AUTHENTICATION_ERROR),
    }
    return tuple(
        Trial(f"{OpCode(op_code).name.lower()} by {who}", op_code, body, code, prover, **fields)  # type: ignore[arg-type] - fields of a Trial
        for who, (prover, code) in codes.items()
    )


def of_no_place(op_code: int, body: Callable[[Handle], AskFor]) -> tuple[Trial, ...]:
    """Return the trials that end because of the prefix."""
    places = {"foreign": FOREIGN, "suspended": RESTING, "delegated": AWAY}
    return tuple(
        Trial(
            f"{OpCode(op_code).name.lower()} below a {which} prefix",
            op_code,
            body(place),
            Code.SERVER_NOT_RESPONSIBLE,
            is_challenged=False,
            before=None,
            after=None,
        )
        for which, place in places.items()
    )


CREATE, DELETE, ADD, REMOVE, MODIFY = 100, 101, 102, 103, 104
RESOLVE, SITE, LIST, VERIFY, HOMING, UNHOMING, LIST_HOMED = 1, 2, 105, 201, 300, 301, 302

_NOT_UTF8 = octets.counted(b"88.300.16/\xff\xfe") + octets.u32(0)
_TWICE = (URL, text_value(1, "URL", "https://二.cn"))
_ZERO = HandleValue(0, "URL", b"https://e.cn")
_GROUP = HandleValue(9, "HS_VLIST", b"\xff")


def _creation(name: str, code: int, body: AskFor, **fields: object) -> Trial:
    return Trial(name, CREATE, body, code, **({"before": None, "after": None, "prover": OWNER} | fields))  # type: ignore[arg-type] - fields of a Trial


CREATIONS = (
    _creation("create", Code.SUCCESS, with_values(*NEW), after=NEW),
    _creation("create without values", Code.SUCCESS, with_values(), after=()),
    _creation(
        "create what is there",
        Code.HANDLE_ALREADY_EXISTS,
        with_values(*NEW),
        is_challenged=False,
        before=RECORD,
        after=RECORD,
    ),
    _creation(
        "create over what is there",
        Code.SUCCESS,
        with_values(*NEW),
        before=RECORD,
        after=NEW,
        op_flags=OVERWRITING,
        has_overwritten=True,
    ),
    _creation("create over nothing", Code.SUCCESS, with_values(*NEW), after=NEW, op_flags=OVERWRITING),
    _creation(
        "create without suffix", Code.INVALID_HANDLE, with_values(*NEW, at=Handle(f"{HOME}/")), is_challenged=False
    ),
    _creation("create in no UTF-8", Code.INVALID_HANDLE, raw(_NOT_UTF8), is_challenged=False),
    _creation("create with an index twice", Code.VALUE_ALREADY_EXISTS, with_values(*_TWICE), is_challenged=False),
    _creation("create with index 0", Code.INVALID_VALUE, with_values(_ZERO), is_challenged=False),
    _creation("create with a group that is none", Code.INVALID_VALUE, with_values(_GROUP), is_challenged=False),
    _creation(
        "create in half a message",
        Code.PROTOCOL_ERROR,
        raw(octets.text("88.300.16/半") + octets.u32(9)),
        is_challenged=False,
    ),
    *of_nobody(CREATE, with_values(*NEW), before=None, after=None),
    *of_no_place(CREATE, lambda place: with_values(*NEW, at=place)),
)

DELETIONS = (
    Trial("delete", DELETE, named(), Code.SUCCESS, OWNER, after=None),
    Trial("delete what is not there", DELETE, named(), Code.HANDLE_NOT_FOUND, OWNER, before=None, after=None),
    *of_nobody(DELETE, named()),
    *of_no_place(DELETE, named),
)

ADDITIONS = (
    Trial("add", ADD, with_values(MAIL), Code.SUCCESS, OWNER, after=replaced(MAIL)),
    Trial("add what is there", ADD, with_values(RENAMED), Code.VALUE_ALREADY_EXISTS, OWNER),
    Trial(
        "add over what is there",
        ADD,
        with_values(RENAMED, MAIL),
        Code.SUCCESS,
        OWNER,
        after=replaced(RENAMED, MAIL),
        op_flags=OVERWRITING,
        has_overwritten=True,
    ),
    Trial("add to what is not there", ADD, with_values(MAIL), Code.HANDLE_NOT_FOUND, OWNER, before=None, after=None),
    Trial("add nothing", ADD, with_values(), Code.INVALID_VALUE, OWNER, is_challenged=False),
    Trial("add an index twice", ADD, with_values(MAIL, MAIL), Code.VALUE_ALREADY_EXISTS, OWNER, is_challenged=False),
    Trial("add index 0", ADD, with_values(_ZERO), Code.INVALID_VALUE, OWNER, is_challenged=False),
    *of_nobody(ADD, with_values(MAIL)),
    *of_no_place(ADD, lambda place: with_values(MAIL, at=place)),
)

MODIFICATIONS = (
    Trial("modify", MODIFY, with_values(RENAMED), Code.SUCCESS, OWNER, after=replaced(RENAMED)),
    Trial(
        "modify what anybody may",
        MODIFY,
        with_values(CHATTED),
        Code.SUCCESS,
        is_challenged=False,
        after=replaced(CHATTED),
    ),
    Trial(
        "modify what nobody may",
        MODIFY,
        with_values(READ_ONLY),
        Code.INSUFFICIENT_PERMISSIONS,
        OWNER,
        is_challenged=False,
    ),
    Trial(
        "modify a value that is not there", MODIFY, with_values(MAIL), Code.VALUES_NOT_FOUND, OWNER, is_challenged=False
    ),
    Trial(
        "modify what is not there",
        MODIFY,
        with_values(URL),
        Code.HANDLE_NOT_FOUND,
        OWNER,
        is_challenged=False,
        before=None,
        after=None,
    ),
    Trial(
        "modify an index twice", MODIFY, with_values(URL, URL), Code.VALUE_ALREADY_EXISTS, OWNER, is_challenged=False
    ),
    Trial("modify nothing", MODIFY, with_values(), Code.INVALID_VALUE, OWNER, is_challenged=False),
    *of_nobody(MODIFY, with_values(RENAMED)),
    *of_no_place(MODIFY, lambda place: with_values(URL, at=place)),
)

REMOVALS = (
    Trial("remove", REMOVE, without(2, 3), Code.SUCCESS, OWNER, after=replaced(gone=(2, 3))),
    Trial("remove nothing", REMOVE, without(), Code.SUCCESS, OWNER),
    Trial("remove a value that is not there", REMOVE, without(1, 77), Code.VALUES_NOT_FOUND, OWNER),
    Trial("remove from what is not there", REMOVE, without(1), Code.HANDLE_NOT_FOUND, OWNER, before=None, after=None),
    *of_nobody(REMOVE, without(2)),
    *of_no_place(REMOVE, lambda place: without(1, at=place)),
)

QUESTIONS = (
    Trial("resolve", RESOLVE, question(), Code.SUCCESS, is_challenged=False),
    Trial("resolve everything", RESOLVE, question(), Code.SUCCESS, OWNER, op_flags=EVERYTHING),
    Trial(
        "resolve what is public anyway", RESOLVE, question(1), Code.SUCCESS, is_challenged=False, op_flags=EVERYTHING
    ),
    Trial("resolve no such value", RESOLVE, question(77), Code.VALUES_NOT_FOUND, is_challenged=False),
    Trial("resolve a secret as if it were public", RESOLVE, question(3), Code.VALUES_NOT_FOUND, is_challenged=False),
    Trial("resolve no such type", RESOLVE, question(types=("没有",)), Code.VALUES_NOT_FOUND, is_challenged=False),
    Trial(
        "resolve what is not there",
        RESOLVE,
        question(),
        Code.HANDLE_NOT_FOUND,
        is_challenged=False,
        before=None,
        after=None,
    ),
    Trial("resolve a foreign handle", RESOLVE, question(at=FOREIGN), Code.SERVER_NOT_RESPONSIBLE, is_challenged=False),
    Trial(
        "resolve a suspended handle", RESOLVE, question(at=RESTING), Code.SERVER_NOT_RESPONSIBLE, is_challenged=False
    ),
    Trial("resolve a delegated handle", RESOLVE, question(at=AWAY), Code.SERVICE_REFERRAL, is_challenged=False),
    Trial("resolve in no UTF-8", RESOLVE, raw(_NOT_UTF8 + bytes(4)), Code.INVALID_HANDLE, is_challenged=False),
    *of_nobody(RESOLVE, question(3), op_flags=EVERYTHING),
    Trial("tell the site", SITE, named(Handle("/")), Code.SUCCESS, is_challenged=False),
)

_PROOF_DIGEST = b"\3" + bytes(32)
_PROOF = make_secret_proof(b"s3cret-key", bytes(16), bytes(32), VERSION_OURS, salt=bytes(16))


def verification(identity: ValueReference, digest: bytes = _PROOF_DIGEST, proof: bytes = _PROOF) -> AskFor:
    """Return how somebody else's proof is asked after."""
    return lambda _: VerifyChallengeRequest(identity, bytes(16), digest, proof)


SERVICES = (
    Trial(
        "list another's handles", LIST, named(FOREIGN.prefix.handle), Code.SERVER_NOT_RESPONSIBLE, is_challenged=False
    ),
    Trial(
        "list the handles of a suspended prefix",
        LIST,
        named(SUSPENDED.handle),
        Code.SERVER_NOT_RESPONSIBLE,
        is_challenged=False,
    ),
    Trial(
        "list the handles of a delegated prefix",
        LIST,
        named(DELEGATED.handle),
        Code.SERVER_NOT_RESPONSIBLE,
        is_challenged=False,
    ),
    Trial("list the handles of no prefix", LIST, named(), Code.INVALID_HANDLE, is_challenged=False),
    *of_nobody(LIST, named(HOME.handle)),
    Trial("home", HOMING, derived("1"), Code.SUCCESS, SERVER_ADMINISTRATOR),
    Trial("home once more", HOMING, named(SEED.handle), Code.SUCCESS, SERVER_ADMINISTRATOR),
    Trial("home no prefix", HOMING, named(), Code.INVALID_HANDLE, is_challenged=False),
    Trial("home by nobody", HOMING, derived("1"), Code.AUTHENTICATION_NEEDED),
    Trial("home by an administrator of a prefix", HOMING, derived("1"), Code.INVALID_ADMIN, OWNER),
    Trial("unhome", UNHOMING, derived("2"), Code.SUCCESS, SERVER_ADMINISTRATOR),
    Trial("unhome what is not homed", UNHOMING, derived("3"), Code.SUCCESS, SERVER_ADMINISTRATOR),
    Trial("unhome no prefix", UNHOMING, named(), Code.INVALID_HANDLE, is_challenged=False),
    Trial("unhome by nobody", UNHOMING, derived("1"), Code.AUTHENTICATION_NEEDED),
    Trial("unhome by an administrator of a prefix", UNHOMING, derived("1"), Code.INVALID_ADMIN, OWNER),
    Trial("list prefixes", LIST_HOMED, named(Handle("/")), Code.SUCCESS, SERVER_ADMINISTRATOR),
    Trial("list prefixes by nobody", LIST_HOMED, named(Handle("/")), Code.AUTHENTICATION_NEEDED),
    Trial("list prefixes by an administrator of a prefix", LIST_HOMED, named(Handle("/")), Code.INVALID_ADMIN, OWNER),
    Trial("verify", VERIFY, verification(OWNER.identity), Code.SUCCESS, is_challenged=False),
    Trial(
        "verify a proof that is wrong",
        VERIFY,
        verification(OWNER.identity, bytes(32)[:31] + b"\1"),
        Code.SUCCESS,
        is_challenged=False,
    ),
    Trial(
        "verify a proof that is none",
        VERIFY,
        verification(OWNER.identity, proof=b"\x77"),
        Code.SUCCESS,
        is_challenged=False,
    ),
    Trial("verify a proof of nobody", VERIFY, verification(GHOST.identity), Code.SUCCESS, is_challenged=False),
    Trial(
        "set up a session with an RSA key",
        400,
        lambda _: SessionSetupRequest(ExchangeMode.CLIENT_KEY, 60, OWNER.identity, b"key"),
        Code.SESSION_FAILED,
        is_challenged=False,
    ),
    Trial(
        "set up a session with a key that is none",
        400,
        lambda _: SessionSetupRequest(ExchangeMode.DIFFIE_HELLMAN, 60, OWNER.identity, b"key"),
        Code.INVALID_SESSION_SETUP,
        is_challenged=False,
    ),
    Trial("end no session", 401, named(Handle("/")), Code.SESSION_TIMEOUT, is_challenged=False),
    Trial(
        "hand over a key", 402, lambda _: KeyExchangeRequest(b"key"), Code.INVALID_SESSION_SETUP, is_challenged=False
    ),
    *(
        Trial(f"operation {op_code}", op_code, raw(b""), Code.OPERATION_NOT_SUPPORTED, is_challenged=False)
        for op_code in (106, 1000, 1001, 1002, 1003, 1004, 606, 3000)
    ),
)

TRIALS = (*CREATIONS, *DELETIONS, *ADDITIONS, *MODIFICATIONS, *REMOVALS, *QUESTIONS, *SERVICES)
