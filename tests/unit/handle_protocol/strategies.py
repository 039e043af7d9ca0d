"""Everything that can be said in the Handle protocol, for Hypothesis to choose from."""

from ipaddress import IPv4Address, IPv6Address

from hypothesis import strategies as st

from handle_protocol.bodies.administration import HandleRequest, HandleResponse, RemoveRequest, ValuesRequest
from handle_protocol.bodies.challenge import (
    Challenge,
    ChallengeAnswer,
    VerifyChallengeRequest,
    VerifyChallengeResponse,
)
from handle_protocol.bodies.digest import DigestAlgorithm, RequestDigest
from handle_protocol.bodies.error import ErrorBody
from handle_protocol.bodies.listing import HandleListResponse
from handle_protocol.bodies.login import KeyLoginRequest
from handle_protocol.bodies.raw import RawBody
from handle_protocol.bodies.referral import Referral
from handle_protocol.bodies.resolution import ResolutionRequest, ResolutionResponse
from handle_protocol.bodies.session import KeyExchangeRequest, SessionSetupRequest, SessionSetupResponse
from handle_protocol.bodies.site import SiteInfoResponse
from handle_protocol.codes import OpCode, ResponseCode, code_on_wire
from handle_protocol.credential import Credential
from handle_protocol.envelope import Version
from handle_protocol.flags import EnvelopeFlag, OpFlag
from handle_protocol.handle import Handle
from handle_protocol.header import Header
from handle_protocol.message import Message
from handle_protocol.predefined.admin import Administrator
from handle_protocol.predefined.alias import Alias
from handle_protocol.predefined.public_key import DhPublicKey, DsaPublicKey, RsaPublicKey
from handle_protocol.predefined.secret_key import SecretKey
from handle_protocol.predefined.service import ServiceHandle
from handle_protocol.predefined.site import Attribute, ServerInterface, Site, SiteServer, encode_site
from handle_protocol.predefined.vlist import AdministratorGroup
from handle_protocol.record import encode_value_list
from handle_protocol.value import HandleValue, Ttl, ValueReference

u8 = st.integers(0, 2**8 - 1)
u16 = st.integers(0, 2**16 - 1)
u32 = st.integers(0, 2**32 - 1)
i32 = st.integers(-(2**31), 2**31 - 1)
texts = st.one_of(st.sampled_from(["", "URL", "产品名称", "离心泵 🏭", "x" * 600]), st.text(max_size=20))
octets = st.one_of(st.sampled_from([b"", "二级节点".encode(), bytes(700)]), st.binary(max_size=40))
handles = st.one_of(
    st.sampled_from(["88.300.15907/标识-中文", "0.NA/88.300", "/", "无斜线"]), st.text(min_size=1, max_size=30)
).map(Handle)
versions = st.builds(Version, st.just(2), st.integers(0, 11))


def tuples(items: st.SearchStrategy) -> st.SearchStrategy[tuple]:
    return st.lists(items, max_size=3).map(tuple)


references = st.builds(ValueReference, u32, texts)
values = st.builds(
    HandleValue,
    index=u32,
    value_type=texts,
    data=octets,
    ttl=st.builds(Ttl, i32, u8),
    permissions=u8,
    modified_at=u32,
    references=tuples(references),
)
value_lists = tuples(values).map(encode_value_list)
digests = st.sampled_from(DigestAlgorithm).flatmap(
    lambda algorithm: st.builds(
        RequestDigest,
        st.just(algorithm),
        st.binary(min_size=(size := {1: 16, 2: 20, 3: 32}[algorithm]), max_size=size),
    )
)
credentials = st.builds(
    Credential,
    signer_handle=texts,
    signer_index=u32,
    credential_type=st.sampled_from(["HS_SIGNED", "HS_MAC", "未知"]),
    digest_name=octets,
    signature=octets,
    version=u8,
    reserved=u8,
    options=u16,
)

servers = st.builds(
    SiteServer,
    server_id=u32,
    address=st.one_of(
        st.builds(IPv4Address, u32), st.builds(IPv6Address, st.integers(min_value=2**32, max_value=2**128 - 1))
    ),
    public_key=octets,
    interfaces=tuples(st.builds(ServerInterface, u8, u8, u32)),
)
sites = st.builds(
    Site,
    servers=tuples(servers),
    serial=u16,
    version=st.builds(Version, u8, u8),
    flags=u8,
    hash_option=u8,
    hash_filter=octets,
    attributes=tuples(st.builds(Attribute, texts, texts)),
    data_format=u16,
)
key_numbers = st.integers(-(2**80), 2**80)
typed_data = st.one_of(
    st.tuples(st.just("HS_ADMIN"), st.builds(Administrator, u16, references, st.booleans())),
    st.tuples(st.just("HS_VLIST"), st.builds(AdministratorGroup, tuples(references))),
    st.tuples(st.just("HS_ALIAS"), st.builds(Alias, handles)),
    st.tuples(st.just("HS_SERV"), st.builds(ServiceHandle, handles)),
    st.tuples(st.just("hs_seckey"), st.builds(SecretKey, octets)),
    st.tuples(st.sampled_from(["HS_SITE", "HS_SITE.PREFIX", "HS_SITE.6", "HS_NA_DELEGATE"]), sites),
    st.tuples(
        st.just("HS_PUBKEY"),
        st.one_of(
            st.builds(RsaPublicKey, key_numbers, key_numbers, st.booleans()),
            st.builds(DsaPublicKey, key_numbers, key_numbers, key_numbers, key_numbers),
            st.builds(DhPublicKey, key_numbers, key_numbers, key_numbers),
        ),
    ),
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Any message, with a body that fits its codes."""
    version = draw(versions)
    op_code, code, body = draw(_requests | _answers(version))
    op_flags = draw(u32) & ~OpFlag.RETURN_REQUEST_DIGEST
    if getattr(body, "request_digest", None) is not None:
        op_flags |= OpFlag.RETURN_REQUEST_DIGEST
    credential = draw(st.none() | credentials)
    return Message(
        version=version,
        suggested=draw(st.builds(Version, st.integers(0, 3), u8)),
        flags=draw(st.sampled_from([0, EnvelopeFlag.TRUNCATED, 0x10])),
        session_id=draw(u32),
        request_id=draw(u32),
        header=Header(op_code, code_on_wire(code, version), op_flags, draw(u16), draw(u8), draw(u32), draw(u8)),
        body=body,
        credential=credential,
        has_credential_field=credential is not None or draw(st.booleans()),
    )


def _request(op_codes: list[int], body: st.SearchStrategy) -> st.SearchStrategy[tuple]:
    return st.tuples(st.sampled_from(op_codes), st.just(ResponseCode.REQUEST), body)


_session_setups = st.one_of(
    st.builds(SessionSetupRequest, st.sampled_from([1, 4]), u32, references, octets, has_spare_octets=st.booleans()),
    st.builds(SessionSetupRequest, st.just(2), u32, references, has_spare_octets=st.booleans()),
    st.builds(
        SessionSetupRequest, st.just(3), u32, references, key_reference=references, has_spare_octets=st.booleans()
    ),
)

_requests = st.one_of(
    st.tuples(
        st.just(OpCode.RESOLUTION),
        st.just(ResponseCode.REQUEST),
        st.builds(ResolutionRequest, handles, tuples(u32), tuples(texts), st.booleans()),
    ),
    _request([OpCode.PASSWORD_LOGIN], st.builds(ResolutionRequest, handles, tuples(u32), tuples(texts), st.booleans())),
    _request(
        [OpCode.CREATE_HANDLE, OpCode.ADD_VALUE, OpCode.MODIFY_VALUE], st.builds(ValuesRequest, handles, value_lists)
    ),
    _request([OpCode.REMOVE_VALUE], st.builds(RemoveRequest, handles, tuples(u32))),
    _request([2, 101, 105, 300, 301, 302, 401], st.builds(HandleRequest, handles)),
    _request([OpCode.CHALLENGE_ANSWER], st.builds(ChallengeAnswer, texts, references, octets)),
    _request([OpCode.VERIFY_CHALLENGE], st.builds(VerifyChallengeRequest, references, octets, octets, octets)),
    _request([OpCode.SESSION_SETUP], _session_setups),
    _request([OpCode.SESSION_EXCHANGE_KEY], st.builds(KeyExchangeRequest, octets)),
    _request([OpCode.KEY_LOGIN], st.builds(KeyLoginRequest, references)),
    _request([1000, 1001, 1002, 1003, 99_999], st.builds(RawBody, octets)),
)


def _answers(version: Version) -> st.SearchStrategy[tuple]:
    digest = st.none() | (
        st.builds(RequestDigest, st.just(DigestAlgorithm.MD5), st.binary(min_size=16, max_size=16))
        if version < (2, 1)
        else digests
    )
    referral_codes = [ResponseCode.SERVICE_REFERRAL] + [ResponseCode.PREFIX_REFERRAL] * (version >= (2, 5))
    return st.one_of(
        st.tuples(
            st.just(OpCode.RESOLUTION),
            st.just(ResponseCode.SUCCESS),
            st.builds(ResolutionResponse, handles, value_lists, digest),
        ),
        st.tuples(
            st.just(OpCode.RESOLUTION),
            st.sampled_from(referral_codes),
            st.builds(Referral, texts, st.just(b"") | value_lists, digest),
        ),
        st.tuples(
            st.sampled_from([OpCode.RESOLUTION, OpCode.CREATE_HANDLE]),
            st.sampled_from([2, 3, 4, 7, 100, 200, 301, 401]),
            st.builds(ErrorBody, st.none() | texts, digest),
        ),
        _success([2], st.builds(SiteInfoResponse, st.builds(encode_site, sites), digest)),
        _success([100], st.builds(HandleResponse, st.none() | handles, digest)),
        _success([105, 302], st.builds(HandleListResponse, tuples(handles), digest)),
        _success([201], st.builds(VerifyChallengeResponse, u8, digest)),
        _success([400], st.builds(SessionSetupResponse, u16, octets, st.booleans(), digest)),
        _success([101, 104, 2001], st.builds(RawBody, octets)),
        st.tuples(
            st.just(100), st.just(402), st.builds(Challenge, octets, digest.filter(lambda drawn: drawn is not None))
        ),
        st.tuples(st.just(1), st.just(4711), st.builds(RawBody, octets)),
    )


def _success(op_codes: list[int], body: st.SearchStrategy) -> st.SearchStrategy[tuple]:
    return st.tuples(st.sampled_from(op_codes), st.just(ResponseCode.SUCCESS), body)
