"""Which values of a record are vouched for, and what happens when a certificate cannot be asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Handle
from handle_protocol.record import HandleRecord
from handle_protocol.security.certificates import CertificatePermission, CertificateRight
from handle_protocol.security.private_keys import make_key
from handle_protocol.security.public_keys import KeyKind
from handle_protocol.security.record_trust import Claims, RecordTrust, Trust, sign_certificate, sign_record
from handle_protocol.value import HandleValue, ValueReference
from resolver.asking.vouching import Vouching, verify_shown
from resolver.client import connect
from tests.builders import text_value
from tests.fakes.scripted_server import Conversation, found, refused, scripted_server

NOW = 1_800_000_000
HANDLE = Handle("88.118.8/减速机")
ROOT, SIGNER = ValueReference(300, "88.111.1/0.0"), ValueReference(300, "0.NA/88.118.8")
NAME, URL = text_value(1, "名称", "减速机"), text_value(2, "URL", "https://例.cn")
TRUSTED = RecordTrust(Trust.TRUSTED, (1, 2), issuers=(SIGNER, ROOT), expires_at=NOW + 9)
ROOT_KEY, SIGNER_KEY = make_key(KeyKind.RSA), make_key(KeyKind.RSA)


def times(expires_at: int) -> dict[str, int]:
    return {"not_before": NOW - 9, "expires": expires_at, "issued_at": NOW}


def signature(index: int = 401) -> HandleValue:
    text = sign_record([NAME, URL], SIGNER_KEY, Claims(SIGNER, HANDLE.spelling, **times(NOW + 9)))
    return HandleValue(index, "HS_SIGNATURE", text.encode())


CERTIFICATE = HandleValue(
    400,
    "HS_CERT",
    sign_certificate(
        [CertificatePermission(CertificateRight.EVERYTHING)],
        SIGNER_KEY.public_key(),
        ROOT_KEY,
        Claims(ROOT, str(SIGNER), **times(NOW + 99)),
    ).encode(),
)


async def show_certificate(conversation: Conversation) -> None:
    while True:
        asked = await conversation.listen()
        is_theirs = asked.body.handle == Handle(SIGNER.handle)
        conversation.say(found(asked, CERTIFICATE) if is_theirs else refused(asked, ResponseCode.HANDLE_NOT_FOUND))


async def close(conversation: Conversation) -> None:
    await conversation.listen()


async def test_certificates_are_asked_of_the_node_that_showed_the_record() -> None:
    record = HandleRecord.of(HANDLE, (NAME, URL, signature()))
    async with scripted_server(show_certificate) as (address, _), connect(address) as node:
        vouching = await verify_shown(node, record, {ROOT: ROOT_KEY.public_key()}, NOW)
        nothing = await verify_shown(node, record, {}, NOW)
    assert vouching == Vouching(record, {401: TRUSTED})
    assert vouching.is_whole
    assert nothing.signatures[401].outcome is Trust.UNTRUSTED
    assert not nothing.is_whole


async def test_that_a_certificate_cannot_be_asked_for_is_an_outage_and_no_verdict() -> None:
    record = HandleRecord.of(HANDLE, (NAME, URL, signature()))
    async with scripted_server(close) as (address, _), connect(address) as node:
        with pytest.raises(ConnectionError):
            await verify_shown(node, record, {ROOT: ROOT_KEY.public_key()}, NOW)


async def test_only_the_first_four_signatures_are_looked_at() -> None:
    record = HandleRecord.of(HANDLE, (NAME, URL, *map(signature, range(401, 410))))
    async with scripted_server(show_certificate) as (address, _), connect(address) as node:
        vouching = await verify_shown(node, record, {ROOT: ROOT_KEY.public_key()}, NOW)
    assert list(vouching.signatures) == [401, 402, 403, 404]


@pytest.mark.parametrize(
    ("values", "trust", "accepts_weak", "by_value"),
    [
        ((NAME, URL), TRUSTED, False, {1: 401, 2: 401}),
        ((NAME, URL, CERTIFICATE), TRUSTED, False, {1: 401, 2: 401}),
        ((NAME, text_value(3, "备注", "后来")), TRUSTED, False, {1: 401, 3: None}),
        ((NAME,), replace(TRUSTED, outcome=Trust.NOT_NOW), False, {1: None}),
        ((NAME,), replace(TRUSTED, is_weak=True), False, {1: None}),
        ((NAME,), replace(TRUSTED, is_weak=True), True, {1: 401}),
        ((), TRUSTED, False, {}),
    ],
)
def test_a_record_is_vouched_for_when_each_of_its_values_is_and_there_are_some(
    values: tuple[HandleValue, ...], trust: RecordTrust, by_value: dict[int, int | None], *, accepts_weak: bool
) -> None:
    vouching = Vouching(HandleRecord.of(HANDLE, (*values, signature())), {401: trust}, accepts_weak)
    assert {value.index: vouching.signature_over(value) for value in vouching.needed} == by_value
    assert vouching.is_whole == (bool(by_value) and None not in by_value.values())
