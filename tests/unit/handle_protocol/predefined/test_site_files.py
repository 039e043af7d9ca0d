"""The files in which the reference keeps sites: its own, the global ones, and those of prefixes it was told of."""

from handle_protocol.handle import Handle
from handle_protocol.json_data import data_from_json, data_to_json
from handle_protocol.octets import OctetReader
from handle_protocol.predefined.site import decode_site, encode_site
from handle_protocol.record import decode_value_list, encode_value_list
from handle_protocol.value import HandleValue
from tests.unit.handle_protocol.conftest import read_vectors

FILES = {vector["name"]: vector for vector in read_vectors("10", "name")}
OWN = FILES["siteinfo.bin and siteinfo.json"]
GLOBAL = FILES["root_info / resolver_service file (global values)"]
LOCAL = FILES["local_info binary file"]
SITE = bytes.fromhex(OWN["bin_hex"])


def test_a_site_in_a_file_of_octets_and_in_one_of_json_is_the_same() -> None:
    assert data_to_json(HandleValue(1, "HS_SITE", SITE)) == {"format": "site", "value": OWN["json"]}
    assert data_from_json({"format": "site", "value": OWN["json"]}, "data") == SITE
    assert encode_site(decode_site(SITE)) == SITE


def test_a_file_of_global_values_holds_one_site() -> None:
    file = OctetReader(bytes.fromhex(GLOBAL["file_hex"]))
    value_list = file.counted("values")
    file.finish("file")
    [value] = decode_value_list(value_list)
    assert (value.index, value.value_type, value.data) == (3, "HS_SITE", SITE)
    assert encode_value_list([value]) == value_list


def test_a_file_of_local_sites_names_prefixes_and_their_site() -> None:
    file = OctetReader(bytes.fromhex(LOCAL["file_hex"]))
    assert file.u32("octets of the file, these four as well") == len(LOCAL["file_hex"]) // 2
    assert file.u32("number of sites") == 1
    prefixes = [Handle.decode(file.counted("prefix handle")) for _ in range(file.u32("number of prefixes"))]
    site = file.counted("site")
    file.finish("file")
    [described] = LOCAL["json"]
    assert prefixes == [Handle("0.NA/88.300.15907"), Handle("0.NA/88.300")]
    assert [str(prefixes[0])] == described["nas"]
    assert data_from_json({"format": "site", "value": described["site"]}, "data") == site
