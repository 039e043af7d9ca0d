import pytest
from hypothesis import given, strategies as st

from handle_protocol.errors import InvalidHandle
from handle_protocol.handle import Prefix
from resolver.scanned import SCANNED_CHARACTERS_MAX, read_scanned

PUMP = "88.118.8/JXDY2106023"

READINGS = {
    "plain": (PUMP, PUMP),
    "bare prefix": ("88.111.1", "88.111.1"),
    "prefix handle": ("0.NA/88.118.8", "0.NA/88.118.8"),
    "leading zeros stay": ("88.101.0042/001", "88.101.0042/001"),
    "letters in the prefix": ("cnri.dlib/july95-arms", "cnri.dlib/july95-arms"),
    "Chinese suffix with slashes": ("88.118.8/离心泵/50-32.160", "88.118.8/离心泵/50-32.160"),
    "hdl": (f"hdl:{PUMP}", PUMP),
    "hdl in capitals, with a blank": (f"HDL: {PUMP}", PUMP),
    "hdl with a full-width colon": (f"hdl：{PUMP}", PUMP),
    "hdl with slashes": (f"hdl://{PUMP}", PUMP),
    "info": (f"info:hdl/{PUMP}", PUMP),
    "urn of a handle": (f"urn:hdl:{PUMP}", PUMP),
    "urn with a colon for the slash": ("urn:hdl:88.300.15907:rest-1", "88.300.15907/rest-1"),
    "urn that begins with the prefix": ("urn:88.118.8:JXDY2106023", PUMP),
    "only the first colon of a urn": ("urn:88.118.8:a:b", "88.118.8/a:b"),
    "doi": ("doi:10.1000/182", "10.1000/182"),
    "link": (f"https://id.example.cn/{PUMP}", PUMP),
    "link with a port": (f"HTTP://10.0.0.1:8081/{PUMP}", PUMP),
    "link to the JSON": (f"https://id.example.cn/api/handles/{PUMP}", PUMP),
    "link to the resolver": (f"https://id.example.cn/resolve/{PUMP}", PUMP),
    "link with hdl inside": (f"https://id.example.cn/hdl:{PUMP}", PUMP),
    "link in a link": (f"https://a.cn/resolve/https%3A%2F%2Fb.cn%2F{PUMP}", PUMP),
    "link with a query": (f"https://id.example.cn/{PUMP}?from=wechat#top", PUMP),
    "handle in the query": (f"https://id.example.cn/?id={PUMP}", PUMP),
    "handle in the query, no path": ("https://id.example.cn?handle=88.118.8%2FJXDY2106023&x=1", PUMP),
    "handle in the query of a page": (f"https://m.example.cn/scan.html?code={PUMP}", PUMP),
    "encoded slash": ("88.118.8%2FJXDY2106023", PUMP),
    "encoded in a link": ("https://id.cn/88.118.8/%E7%A6%BB%E5%BF%83%E6%B3%B5", "88.118.8/离心泵"),
    "encoded twice in a link": ("https://id.cn/88.118.8%252F%25E7%25A6%25BB", "88.118.8/离"),
    "escapes that spell Chinese": ("88.118.8/%E7%A6%BB%E5%BF%83%E6%B3%B5", "88.118.8/离心泵"),
    "encoded slash in the suffix of a link": ("https://id.cn/88.118.8/a%2Fb", "88.118.8/a/b"),
    "encoded slash in a plain suffix": ("88.118.8/a%2Fb", "88.118.8/a%2Fb"),
    "percent sign in a suffix": ("88.118.8/50%25", "88.118.8/50%25"),
    "octets that are no text stay escaped": ("88.118.8/%FF%FE", "88.118.8/%FF%FE"),
    "full-width slash": ("88.118.8／JXDY2106023", PUMP),
    "full-width prefix": ("８８．１１８．８/JXDY2106023", PUMP),
    "all full-width": ("８８．１１８．８／ＪＸＤＹ２１０６０２３", PUMP),
    "Chinese full stops": ("88。118。8/JXDY2106023", PUMP),
    "full-width digits after Chinese": ("８８．１１８．８／离心泵Ａ１", "88.118.8/离心泵A1"),
    "full-width brackets are typography": ("88.118.8／离心泵（一）", "88.118.8/离心泵（一）"),
    "mixed width in the suffix is deliberate": ("88.118.8／Ａb１", "88.118.8/Ａb１"),
    "half-width structure: the suffix is deliberate": ("88.118.8/ＡＢＣ", "88.118.8/ＡＢＣ"),
    "full-width slash in the suffix": ("88.118.8/甲／乙", "88.118.8/甲／乙"),
    "VAA": ("VAA08810012345678/abc123", "88.100.12345678/abc123"),
    "VAA of country 86": ("VAA0867091/cc", "86.709.1/cc"),
    "VAA in small letters": ("vaa08810012345678/abc123", "88.100.12345678/abc123"),
    "VAA, full-width": ("ＶＡＡ０８８１００１２３４５６７８／ａ１", "88.100.12345678/a1"),
    "VAA without serial": ("VAA08810012345678", "88.100.12345678"),
    "VAA with a blank": ("VAA08810012345678 abc123", "88.100.12345678/abc123"),
    "VAA keeps zeros": ("VAA0881000042/001", "88.100.0042/001"),
    "blank for the slash": ("88.140.1 TY-001", "88.140.1/TY-001"),
    "full-width blank": ("88.140.1　TY-001", "88.140.1/TY-001"),
    "tab": ("88.140.1\tTY-001", "88.140.1/TY-001"),
    "blanks about the slash": ("88.140.1 / TY-001", "88.140.1/TY-001"),
    "blank in the suffix": ("88.140.1/TY 001", "88.140.1/TY 001"),
    "surrounding blanks and line end": (f" \u3000{PUMP}\u00a0\r\n", PUMP),
    "byte order mark": (f"\ufeff{PUMP}", PUMP),
    "FNC1 as group separator": (f"\x1d{PUMP}\x1d", PUMP),
    "line break in the middle": ("88.118.8/JXDY\r\n2106023", PUMP),
    "symbology identifier": (f"]Q3{PUMP}", PUMP),
}

NO_HANDLES = (
    "",
    "  ",
    "hello",
    "产品",
    "6901234567892",
    "88.118.8/",
    "/JXDY2106023",
    "https://www.example.cn/",
    "https://www.example.cn/product.html",
    "https://id.cn/%FF%FE",
    "88..8/abc",
    "产品/88.118.8",
    "88.118.8/" + "a" * 2_048,
    "9" * (SCANNED_CHARACTERS_MAX + 1),
)


@pytest.mark.parametrize(("scanned", "handle"), READINGS.values(), ids=READINGS)
def test_reads_what_people_print(scanned: str, handle: str) -> None:
    assert read_scanned(scanned).spelling == handle


@pytest.mark.parametrize(("scanned", "handle"), READINGS.values(), ids=READINGS)
def test_what_was_read_is_read_as_itself(scanned: str, handle: str) -> None:
    assert read_scanned(read_scanned(scanned).spelling).spelling == handle


@pytest.mark.parametrize("scanned", NO_HANDLES)
def test_what_is_no_handle_is_refused(scanned: str) -> None:
    with pytest.raises(InvalidHandle, match="expected"):
        read_scanned(scanned)


def test_endless_wrapping_is_refused() -> None:
    with pytest.raises(InvalidHandle, match="link in a link"):
        read_scanned("https://a.cn/" * 20 + PUMP)


@pytest.mark.parametrize(
    ("known", "handle"),
    [
        ((), "88.100.12345678/a"),
        (("88.1001",), "88.1001.2345678/a"),
        (("88.10012",), "88.10012.345678/a"),
        (("88.100", "88.1001.2345678"), "88.1001.2345678/a"),
        (("88.100", "88.1001"), "88.100.12345678/a"),
    ],
)
def test_known_prefixes_tell_where_a_node_code_ends(known: tuple[str, ...], handle: str) -> None:
    assert read_scanned("VAA08810012345678/a", is_known_prefix=set(map(Prefix, known)).__contains__).spelling == handle


prefixes = st.from_regex(r"(86|88|10|20)(\.[0-9]{1,8}){1,3}", fullmatch=True, alphabet="0123456789.")
visible = st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=60)
suffixes = visible.filter(lambda suffix: "%" not in suffix)


@given(prefixes, suffixes)
def test_a_well_formed_handle_is_read_as_itself(prefix: str, suffix: str) -> None:
    assert read_scanned(f"{prefix}/{suffix}").spelling == f"{prefix}/{suffix}"


@given(st.text(max_size=80) | st.builds("{}{}{}".format, prefixes, st.sampled_from("/／ \u3000%"), visible))
def test_reading_twice_changes_nothing_more(text: str) -> None:
    try:
        once = read_scanned(text)
    except InvalidHandle:
        return
    assert read_scanned(once.spelling) == once


def test_a_link_with_hundreds_of_parameters_is_no_handle() -> None:
    with pytest.raises(InvalidHandle, match="parameters"):
        read_scanned("http://x.example/?" + "a&" * 150)
