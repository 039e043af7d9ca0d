"""What a node makes for itself at the first start, and what it says of files that it cannot use."""

from __future__ import annotations

import ssl
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from handle_protocol.predefined.public_key import RsaPublicKey, decode_public_key
from handle_protocol.predefined.site import InterfaceProtocol, InterfacePurpose, ServerInterface
from node.assembly import own_site
from node.certificates import certificate_files, prepare_certificate
from node.errors import NodeError
from node.secret_files import write_secret_file
from node.server_key import key_file, prepare_server_key, read_server_key
from node.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "节点", public_address="192.0.2.7")


def test_a_certificate_is_made_once_and_only_its_owner_may_read_it(settings: Settings) -> None:
    prepare_certificate(settings)
    files = certificate_files(settings)
    made = [file.read_bytes() for file in files]
    prepare_certificate(settings)
    assert [file.read_bytes() for file in files] == made
    assert [file.stat().st_mode & 0o777 for file in (*files, files.key.parent)] == [0o600, 0o600, 0o700]
    assert sorted(each.name for each in files.key.parent.iterdir()) == ["certificate-key.pem", "certificate.pem"]


def test_the_certificate_is_for_every_address_of_the_node(settings: Settings) -> None:
    prepare_certificate(settings)
    certificate = x509.load_pem_x509_certificate(certificate_files(settings).certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert set(names.get_values_for_type(x509.IPAddress)) == set(
        map(ip_address, ("127.0.0.1", "::1", "192.0.2.7")),
    )
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 3_651


def test_half_a_pair_is_made_anew(settings: Settings) -> None:
    prepare_certificate(settings)
    files = certificate_files(settings)
    files.key.unlink()
    prepare_certificate(settings)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files)


def test_a_server_key_is_made_once_and_announced(settings: Settings) -> None:
    prepare_server_key(settings)
    key = read_server_key(settings)
    prepare_server_key(settings)
    assert read_server_key(settings).public_data() == key.public_data()
    assert key_file(settings).stat().st_mode & 0o777 == 0o600
    public = decode_public_key(key.public_data())
    assert isinstance(public, RsaPublicKey)
    assert (public.exponent, public.modulus.bit_length()) == (65_537, 2_048)


BOTH = InterfacePurpose.ADMIN | InterfacePurpose.QUERY


def test_the_site_tells_where_to_ask_and_where_to_administer() -> None:
    (server,) = own_site(Settings(public_address="192.0.2.7", handle_port=2641, http_port=8000), b"key").servers
    assert (server.address, server.public_key) == (ip_address("192.0.2.7"), b"key")
    assert server.interfaces == (
        ServerInterface(BOTH, InterfaceProtocol.TCP, 2641),
        ServerInterface(InterfacePurpose.QUERY, InterfaceProtocol.UDP, 2641),
        ServerInterface(BOTH, InterfaceProtocol.HTTP, 8000),
        ServerInterface(BOTH, InterfaceProtocol.HTTPS, 8000),
    )


@pytest.mark.parametrize("lacking", ["tls_cert", "tls_key"])
def test_half_a_certificate_is_refused(settings: Settings, lacking: str) -> None:
    whole = replace(settings, tls_cert="/证书.pem", tls_key="/私钥.pem")
    with pytest.raises(NodeError, match="belong together"):
        prepare_certificate(replace(whole, **{lacking: ""}))


def test_what_cannot_be_used_is_refused_and_nothing_is_made_instead(settings: Settings, tmp_path: Path) -> None:
    prepare_certificate(settings)
    certificate, own_key = certificate_files(settings)
    key = ec.generate_private_key(ec.SECP256R1())
    other, locked, garbage = (tmp_path / name for name in ("other.pem", "locked.pem", "垃圾.pem"))
    other.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    garbage.write_bytes(b"\xff-----BEGIN")
    missing = tmp_path / "missing.pem"
    pairs = [
        (certificate, other),
        (certificate, locked),
        (certificate, garbage),
        (garbage, own_key),
        (missing, own_key),
    ]
    for pair in pairs:
        with pytest.raises(NodeError, match="cannot be used"):
            prepare_certificate(replace(settings, tls_cert=str(pair[0]), tls_key=str(pair[1])))
    for file in (other, locked, garbage, missing):
        with pytest.raises(NodeError, match="cannot be used"):
            prepare_server_key(replace(settings, server_key=str(file)))
    assert not missing.exists()


def test_an_operators_own_certificate_is_taken_with_its_chain(settings: Settings, tmp_path: Path) -> None:
    prepare_certificate(settings)
    certificate, key = certificate_files(settings)
    chain = tmp_path / "链.pem"
    chain.write_bytes(certificate.read_bytes() * 2)
    prepare_certificate(replace(settings, tls_cert=str(chain), tls_key=str(key)))


def test_a_secret_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    occupied = tmp_path / "密钥.pem"
    (occupied / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_secret_file(occupied, b"secret")
    assert [each.name for each in tmp_path.iterdir()] == ["密钥.pem"]
