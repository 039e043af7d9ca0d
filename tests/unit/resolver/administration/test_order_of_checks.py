"""Which code is said first: to nobody in particular, to somebody wrong, and to an administrator."""

from __future__ import annotations

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle, Prefix
from handle_protocol.limits import HANDLE_OCTETS_MAX
from handle_protocol.value import Permissions, ValueReference
from resolver.administration.administration import DECISIONS_MAX
from resolver.administration.commands import (
    AddValues,
    Create,
    Delete,
    HomePrefix,
    ListHandles,
    ListPrefixes,
    ModifyValues,
    ReadValues,
    RemoveValues,
    UnhomePrefix,
)
from resolver.administration.judgement import BUSY
from resolver.administration.outcomes import Done, IdentityNeeded, Listed, Refused, ValuesRead
from resolver.authentication.claims import Proof
from resolver.authority import Authority
from resolver.query import Query
from resolver.sources import ChangeResult
from tests.builders import text_value
from tests.fakes.claims import KnownClaim
from tests.unit.resolver.administration.administered_world import NOW, OWNER, admin_value

THERE = Handle("88.300.15907/水泵-001")
MISSING = Handle("88.300.15907/没有")
STRANGER = ValueReference(300, "0.NA/88.300.4")
HALF = ValueReference(301, "0.NA/88.300.15907")
"""An administrator without any permission."""

URL = text_value(1, "URL", "https://泵.cn")
NEW = text_value(9, "型号", "IS80")
READ_ONLY = text_value(5, "铭牌", "不可改", permissions=Permissions.ADMIN_READ | Permissions.PUBLIC_READ)
OPEN = text_value(6, "备注", "谁都可写", permissions=15)
OPEN_BUT_READ_ONLY = text_value(7, "备注", "x", permissions=Permissions.PUBLIC_READ | Permissions.PUBLIC_WRITE)

ASKED = IdentityNeeded()
CODE = ResponseCode

# Command: without a claim, a wrong proof of the owner, a stranger's valid one, one without the permission, the owner.
ORDER = {
    "create": (Create(MISSING, (URL,)), ASKED, 403, 400, 401, 1),
    "create what is there": (Create(THERE, (URL,)), 101, 101, 101, 101, 101),
    "create without values": (Create(MISSING, ()), ASKED, 403, 400, 401, 1),
    "create without a suffix": (Create(Handle("88.300.15907/"), (URL,)), 102, 102, 102, 102, 102),
    "create an index twice": (Create(MISSING, (URL, URL)), 201, 201, 201, 201, 201),
    "create an index of zero": (Create(MISSING, (text_value(0, "X", "x"),)), 202, 202, 202, 202, 202),
    "create over it": (Create(THERE, (NEW,), overwrites=True), ASKED, 403, 400, 401, 1),
    "create a derived prefix": (Create(Handle("0.NA/88.300.15907.1"), (URL,)), ASKED, 403, 400, 401, 1),
    "create a prefix whose parent is elsewhere": (Create(Handle("0.NA/88.300.4"), (URL,)), ASKED, 400, 400, 400, 400),
    "create below a prefix without a record": (Create(Handle("88.300.4/x"), (URL,)), ASKED, 400, 400, 400, 400),
    "create below a derived prefix": (Create(Handle("88.300.15907.1/x"), (URL,)), ASKED, 400, 400, 400, 400),
    "create elsewhere": (Create(Handle("10.1000/x"), (URL, URL)), 301, 301, 301, 301, 301),
    "create below a suspended prefix": (Create(Handle("88.300.2/x"), (URL,)), 301, 301, 301, 301, 301),
    "create below a delegated prefix": (Create(Handle("88.300.3/x"), (URL,)), 301, 301, 301, 301, 301),
    "delete": (Delete(THERE), ASKED, 403, 400, 401, 1),
    "delete what is not there": (Delete(MISSING), ASKED, 403, 400, 100, 100),
    "delete elsewhere": (Delete(Handle("10.1000/x")), 301, 301, 301, 301, 301),
    "add": (AddValues(THERE, (NEW,)), ASKED, 403, 400, 401, 1),
    "add nothing": (AddValues(THERE, ()), 202, 202, 202, 202, 202),
    "add to what is not there": (AddValues(MISSING, (NEW,)), ASKED, 403, 400, 100, 100),
    "add an index that is there": (AddValues(THERE, (URL,)), ASKED, 403, 400, 201, 201),
    "add over an index": (AddValues(THERE, (text_value(1, "X", "x"),), overwrites=True), ASKED, 403, 400, 401, 1),
    "add what is there already": (AddValues(THERE, (URL,), overwrites=True), ASKED, 403, 400, 1, 1),
    "add an index twice": (AddValues(THERE, (NEW, NEW)), 201, 201, 201, 201, 201),
    "modify": (ModifyValues(THERE, (text_value(1, "URL", "x"),)), ASKED, 403, 400, 401, 1),
    "modify nothing": (ModifyValues(THERE, ()), 202, 202, 202, 202, 202),
    "modify what is not there": (ModifyValues(MISSING, (URL,)), 100, 100, 100, 100, 100),
    "modify an index that is not there": (ModifyValues(THERE, (NEW,)), 200, 200, 200, 200, 200),
    "modify a read-only value": (ModifyValues(THERE, (READ_ONLY,)), 401, 401, 401, 401, 401),
    "modify an open value": (ModifyValues(THERE, (text_value(6, "备注", "y"),)), 1, 1, 1, 1, 1),
    "modify an open, read-only value": (ModifyValues(THERE, (OPEN_BUT_READ_ONLY,)), 401, 401, 401, 401, 401),
    "make an open value a key": (ModifyValues(THERE, (text_value(6, "HS_SECKEY", ""),)), ASKED, 403, 400, 401, 1),
    "remove": (RemoveValues(THERE, (1,)), ASKED, 403, 400, 401, 1),
    "remove a read-only value": (RemoveValues(THERE, (5,)), ASKED, 403, 400, 401, 1),
    "remove from what is not there": (RemoveValues(MISSING, (1,)), ASKED, 403, 400, 100, 100),
    "remove an index that is not there": (RemoveValues(THERE, (1, 77)), ASKED, 403, 400, 200, 200),
    "read": (ReadValues(Query(THERE, (301,), is_public_only=False)), ASKED, 403, 400, 401, 1),
    "read what everybody may": (ReadValues(Query(THERE, (1,), is_public_only=False)), 1, 1, 1, 1, 1),
    "read what nobody may": (ReadValues(Query(THERE, is_public_only=False)), 401, 401, 401, 401, 401),
    "read an index that is not there": (ReadValues(Query(THERE, (77,), is_public_only=False)), 200, 200, 200, 200, 200),
    "read what is not there": (ReadValues(Query(MISSING, is_public_only=False)), 100, 100, 100, 100, 100),
    "read elsewhere": (ReadValues(Query(Handle("10.1000/x"), is_public_only=False)), 301, 301, 301, 301, 301),
    "list": (ListHandles(Prefix("88.300.15907")), ASKED, 403, 400, 401, 1),
    "list a prefix without a record": (ListHandles(Prefix("88.300.4")), ASKED, 400, 400, 400, 400),
    "list a derived prefix": (ListHandles(Prefix("88.300.15907.1")), 301, 301, 301, 301, 301),
    "list elsewhere": (ListHandles(Prefix("99.9999.1")), 301, 301, 301, 301, 301),
    "list a suspended prefix": (ListHandles(Prefix("88.300.2")), 301, 301, 301, 301, 301),
    "list a delegated prefix": (ListHandles(Prefix("88.300.3")), 301, 301, 301, 301, 301),
    "home": (HomePrefix(Prefix("88.300.15907.9")), ASKED, 400, 400, 400, 400),
    "unhome": (UnhomePrefix(Prefix("88.300.15907")), ASKED, 400, 400, 400, 400),
    "list prefixes": (ListPrefixes(), ASKED, 400, 400, 400, 400),
}

CLAIMS = (
    lambda: None,
    lambda: KnownClaim(OWNER, Proof.WRONG),
    lambda: KnownClaim(STRANGER),
    lambda: KnownClaim(HALF),
    lambda: KnownClaim(OWNER),
)

UNREADABLE = text_value(8, "HS_X", "谁都不可读", permissions=Permissions.ADMIN_WRITE)
SECRET = text_value(301, "HS_SECKEY", "s3cret", permissions=Permissions.ADMIN_READ | Permissions.ADMIN_WRITE)


@pytest.fixture
def stocked(world):
    """Return the world in which HALF is an administrator of everything that OWNER is, without a permission."""
    both = (admin_value(OWNER), admin_value(HALF, 0, index=101))
    world.register.put("0.NA/88.300.15907", *both)
    world.register.put(THERE.spelling, URL, READ_ONLY, OPEN, OPEN_BUT_READ_ONLY, UNREADABLE, SECRET, *both)
    return world


def shown(outcome: object) -> object:
    if isinstance(outcome, Refused):
        return int(outcome.code)
    return 1 if isinstance(outcome, Done | ValuesRead | Listed) else outcome


@pytest.mark.parametrize("place", range(5), ids=["nobody", "wrong", "stranger", "without the permission", "owner"])
@pytest.mark.parametrize(("command", "codes"), [(row[0], row[1:]) for row in ORDER.values()], ids=ORDER)
async def test_everybody_learns_what_the_reference_tells_them(command, codes, place, stocked) -> None:
    before = dict(stocked.register.records)
    assert shown(await stocked.perform(command, CLAIMS[place]())) == codes[place]
    if codes[place] != 1:
        assert stocked.register.records == before


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        (Proof.WRONG, CODE.AUTHENTICATION_FAILED),
        (Proof.UNUSABLE, CODE.INVALID_CREDENTIAL),
        (Proof.TOO_WEAK, CODE.INVALID_CREDENTIAL),
        (Proof.TOO_MANY, CODE.AUTHENTICATION_ERROR),
        (Proof.UNKNOWN, CODE.AUTHENTICATION_ERROR),
        (Proof.BUSY, CODE.SERVER_TOO_BUSY),
    ],
)
async def test_a_claim_that_is_not_proved_is_refused_as_it_failed(proof, code, stocked) -> None:
    outcome = await stocked.perform(Delete(THERE), KnownClaim(OWNER, proof))
    assert isinstance(outcome, Refused)
    assert outcome.code == code


@pytest.mark.parametrize("claimed", [STRANGER, HALF])
async def test_no_proof_is_looked_at_of_somebody_who_may_not_anyway(claimed, stocked) -> None:
    claim = KnownClaim(claimed)
    await stocked.perform(Delete(THERE), claim)
    assert claim.proofs == 0


async def test_a_claim_to_any_key_of_a_handle_is_judged_by_the_key_that_proves_it(stocked) -> None:
    anybody = ValueReference(0, OWNER.handle)
    assert shown(await stocked.perform(Delete(THERE), KnownClaim(anybody))) == 400
    assert shown(await stocked.perform(Delete(THERE), KnownClaim(anybody, Proof.WRONG))) == 403
    assert shown(await stocked.perform(Delete(THERE), KnownClaim(anybody, proves_to_be=HALF))) == 401
    assert shown(await stocked.perform(Delete(THERE), KnownClaim(anybody, proves_to_be=OWNER))) == 1


TEXTS = [
    (Create(MISSING, (URL, URL)), CODE.VALUE_ALREADY_EXISTS, "Index conflict for 1"),
    (AddValues(THERE, (NEW, URL)), CODE.VALUE_ALREADY_EXISTS, "Index conflict for 1"),
    (AddValues(THERE, (text_value(2**31, "X", "x"),)), CODE.INVALID_VALUE, "Value indexes must be positive"),
    (AddValues(THERE, ()), CODE.INVALID_VALUE, "Value list was empty 值列表为空"),
    (ModifyValues(THERE, (READ_ONLY,)), CODE.INSUFFICIENT_PERMISSIONS, "Value is read-only 该值只读"),
    (ListHandles(Prefix("99.9999.1")), CODE.SERVER_NOT_RESPONSIBLE, "That prefix doesn't live here"),
    (Delete(Handle("88.300.2/x")), CODE.SERVER_NOT_RESPONSIBLE, "The prefix is suspended 该前缀已暂停"),
    (Delete(Handle("88.300.3/x")), CODE.SERVER_NOT_RESPONSIBLE, "Ask the enterprise's own node 请向企业自建节点提出"),
]


@pytest.mark.parametrize(("command", "code", "text"), TEXTS)
async def test_a_refusal_says_why(command, code, text, stocked) -> None:
    assert await stocked.perform(command, OWNER) == Refused(code, text)


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("88.300.15907/", Done(Handle("88.300.15907/uuid-0"), revision=1)),
        ("88.300.15907/批次-", Done(Handle("88.300.15907/批次-uuid-0"), revision=1)),
        ("88.300.15907", Refused(CODE.INVALID_HANDLE, "No suffix can be made for this 无法为其生成后缀")),
        (
            "88.300.15907/" + "长" * (HANDLE_OCTETS_MAX // 3 - 5),
            Refused(CODE.INVALID_HANDLE, "No suffix can be made for this 无法为其生成后缀"),
        ),
    ],
)
async def test_a_minted_name_goes_on_where_the_given_one_ends(spelling, expected, stocked) -> None:
    assert await stocked.perform(Create(Handle(spelling), (URL,), mints_suffix=True), OWNER) == expected


async def test_an_outage_is_told_as_such_and_never_as_a_lack_of_rights(stocked) -> None:
    stocked.register.outage = TimeoutError()
    for row in ORDER.values():
        outcome = await stocked.perform(row[0], OWNER)
        assert outcome == BUSY or shown(outcome) in {301, 400}  # What the register need not be asked for.
    assert await stocked.perform(Delete(THERE), OWNER) == BUSY


async def test_nothing_is_said_before_the_prefixes_are_known(stocked) -> None:
    stocked.resolver.authority = Authority()
    for command in (Create(MISSING, (URL,)), ListHandles(Prefix("88.300.15907"))):
        assert await stocked.perform(command, OWNER) == BUSY


async def test_a_change_is_made_only_to_the_revision_that_is_expected(stocked) -> None:
    revision = stocked.register.records[THERE.key()].revision
    stale = Refused(CODE.ERROR, "revision")
    change = ModifyValues(THERE, (text_value(1, "URL", "新"),))
    assert await stocked.perform(change, OWNER, expected_revision=revision - 1) == stale
    assert await stocked.perform(change, OWNER, expected_revision=0) == stale
    assert await stocked.perform(Create(MISSING, (URL,)), OWNER, expected_revision=3) == stale
    assert await stocked.perform(change, OWNER, expected_revision=revision) == Done(THERE, revision=revision + 1)
    assert shown(await stocked.perform(change, STRANGER, expected_revision=1)) == 400


async def test_a_handle_that_was_deleted_goes_on_where_its_revision_ended(stocked) -> None:
    revision = stocked.register.records[THERE.key()].revision
    assert await stocked.perform(Delete(THERE), OWNER) == Done(THERE, revision=revision + 1)
    assert await stocked.perform(Create(THERE, (URL,)), OWNER) == Done(THERE, revision=revision + 2)


async def test_a_request_that_is_repeated_is_answered_alike_and_changes_nothing_more(stocked) -> None:
    create = Create(MISSING, (URL, NEW), overwrites=True)  # OWNER may create there, but is not named in it.
    assert await stocked.perform(create, OWNER) == Done(MISSING, revision=1)
    assert await stocked.perform(create, OWNER) == Done(MISSING, has_overwritten=True, revision=1)
    add = AddValues(THERE, (NEW,), overwrites=True)
    first = await stocked.perform(add, OWNER)
    assert await stocked.perform(add, OWNER) == Done(THERE, has_overwritten=True, revision=first.revision)
    assert len(stocked.register.transactions) == 2


async def test_who_may_not_change_a_secret_cannot_guess_at_it(stocked) -> None:
    guesses = (SECRET, text_value(301, "HS_SECKEY", "falsch", permissions=SECRET.permissions))
    for guess in guesses:
        assert shown(await stocked.perform(AddValues(THERE, (guess,), overwrites=True), STRANGER)) == 400


async def test_what_was_changed_is_read_at_once_by_the_same_worker(stocked) -> None:
    query = Query(MISSING)
    stocked.resolver.cache.trust(stocked.resolver.clock())
    assert type(await stocked.resolver.resolve(query)).__name__ == "NotFound"
    await stocked.perform(Create(MISSING, (URL,)), OWNER)
    found = await stocked.resolver.resolve(query)
    assert found.record.values == (text_value(1, "URL", "https://泵.cn", modified_at=NOW),)


async def test_a_record_that_changes_meanwhile_is_looked_at_again(stocked) -> None:
    def interfere() -> None:
        stocked.register.put(THERE.spelling, URL, admin_value(OWNER))

    stocked.register.meanwhile = [interfere] * 2
    outcome = await stocked.perform(AddValues(THERE, (NEW,)), OWNER)
    assert [value.index for value in stocked.values(THERE.spelling)] == [1, 9, 100]  # What interfered is kept.
    assert outcome == Done(THERE, revision=stocked.register.records[THERE.key()].revision)
    stocked.register.meanwhile = [interfere] * (1 + DECISIONS_MAX)
    assert await stocked.perform(AddValues(THERE, (text_value(10, "X", "x"),)), OWNER) == BUSY


async def test_what_the_register_refuses_is_refused_with_its_reason(stocked) -> None:
    expected = {
        ChangeResult.NOT_OURS: 301,
        ChangeResult.SUSPENDED: 301,
        ChangeResult.DELEGATED: 301,
        ChangeResult.TOO_LONG: 202,
    }
    for result, code in expected.items():
        stocked.register.results = {THERE.key(): result}
        assert shown(await stocked.perform(RemoveValues(THERE, (1,)), OWNER)) == code


async def test_handles_are_listed_in_pages_with_their_number(stocked) -> None:
    for name in "乙甲丙":
        stocked.register.put(f"88.300.15907/{name}", URL)
    stocked.register.put("88.300.15907.1/不算", URL)
    names = sorted(["水泵-001", *"乙甲丙"])
    handles = tuple(Handle(f"88.300.15907/{name}") for name in names)
    prefix = Prefix("88.300.15907")
    first = await stocked.perform(ListHandles(prefix, handles_max=3, is_counted=True), OWNER)
    assert first == Listed(handles[:3], last_key=handles[2].key(), total_count=4)
    assert await stocked.perform(ListHandles(prefix, after=first.last_key, handles_max=3), OWNER) == Listed(handles[3:])
    assert await stocked.perform(ListHandles(prefix, handles_max=0), OWNER) == Listed((), total_count=4)


async def test_restricted_values_are_read_with_the_site_of_a_prefix(stocked) -> None:
    stocked.register.put("0.NA/88.300.15907", admin_value(OWNER), SECRET)
    handle = Handle("88.300.15907")
    read = await stocked.perform(ReadValues(Query(handle, is_public_only=False)), OWNER)
    assert read.record.handle == handle
    assert [value.value_type for value in read.record.values] == ["HS_SITE", "HS_ADMIN", "HS_SECKEY"]
