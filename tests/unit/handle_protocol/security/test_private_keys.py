"""Keys that sign, and their files."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from handle_protocol import octets
from handle_protocol.envelope import Version
from handle_protocol.errors import MalformedMessage, ProtocolError
from handle_protocol.security.errors import OutOfBounds, UnsupportedAlgorithm, UnsupportedKey, WrongPassphrase
from handle_protocol.security.private_key_files import FileEncryption, encode_private_key, open_key_file
from handle_protocol.security.private_keys import (
    SigningKey,
    make_key,
    read_private_key,
    write_private_key,
    write_private_pem,
)
from handle_protocol.security.public_keys import KeyKind, read_public_key
from handle_protocol.security.sm2_forms import encode_sm2_public_key, pem
from tests.unit.handle_protocol.security.conftest import (
    TELEINFO_KEYS,
    cases,
    reference_key,
    sm2_key,
    vector_named,
)

PASSPHRASE = "口令 pass".encode()
NAMES = ["server RSA", "admin RSA", "admin DSA"]
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def openssl(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *arguments], capture_output=True, check=False)


@cases("10", "file_hex", "private key file")
def test_a_file_of_the_reference_is_opened_in_every_encryption(vector: dict[str, Any]) -> None:
    file, passphrase = bytes.fromhex(vector["file_hex"]), vector["passphrase"].encode()
    assert open_key_file(file, passphrase).hex() == vector["clear_hex"]
    key = read_private_key(file, passphrase)
    assert key.public_data().hex() == vector_named("10", "key admin DSA")["public_hex"]
    assert encode_private_key(key.private).hex() == vector["clear_hex"]


@pytest.mark.parametrize("name", ["encryption 0", "encryption 1"])
def test_a_file_without_chance_is_written_like_the_reference(name: str) -> None:
    vector = vector_named("10", f"private key file, {name}")
    encryption = FileEncryption(int(name[-1]))
    written = write_private_key(reference_key("admin DSA"), vector["passphrase"].encode(), encryption)
    assert written.hex() == vector["file_hex"]


@pytest.mark.parametrize("name", NAMES)
def test_a_private_key_of_the_reference_comes_back(name: str) -> None:
    vector = vector_named("10", f"key {name}")
    key = reference_key(name)
    assert encode_private_key(key.private).hex() == vector["private_hex"]
    assert key.public_data().hex() == vector["public_hex"]


@pytest.mark.parametrize("encryption", FileEncryption)
@pytest.mark.parametrize("name", NAMES[1:])
def test_what_is_written_is_read(name: str, encryption: FileEncryption) -> None:
    file = write_private_key(reference_key(name), PASSPHRASE, encryption)
    assert read_private_key(file, PASSPHRASE).public_key() == reference_key(name).public_key()


@pytest.mark.parametrize("encryption", [each for each in FileEncryption if each is not FileEncryption.NONE])
def test_another_passphrase_opens_nothing(encryption: FileEncryption) -> None:
    file = write_private_key(reference_key("admin DSA"), PASSPHRASE, encryption)
    for wrong in (None, b"other"):
        with pytest.raises(WrongPassphrase, match="口令"):
            read_private_key(file, wrong)
    with pytest.raises(WrongPassphrase):
        write_private_key(reference_key("admin DSA"), b"", encryption)


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
@pytest.mark.parametrize("name", NAMES)
def test_pem_comes_back(name: str, passphrase: bytes | None) -> None:
    text = write_private_pem(reference_key(name), passphrase)
    assert read_private_key(text, passphrase).public_key() == reference_key(name).public_key()
    assert (b"ENCRYPTED" in text) is (passphrase is not None)


def test_pem_of_pkcs_1_is_read_and_a_needless_passphrase_is_not_looked_at() -> None:
    key = reference_key("admin RSA")
    text = key.private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert read_private_key(text, PASSPHRASE).public_key() == key.public_key()


@pytest.mark.parametrize("wrong", [None, b"other"])
def test_encrypted_pem_needs_its_passphrase(wrong: bytes | None) -> None:
    with pytest.raises(WrongPassphrase):
        read_private_key(write_private_pem(reference_key("admin RSA"), PASSPHRASE), wrong)


def test_an_rsa_file_that_tells_only_modulus_and_exponent_is_read() -> None:
    numbers = reference_key("admin RSA").private.private_numbers()
    content = octets.text("RSA_PRIV_KEY") + octets.integer(numbers.public_numbers.n) + octets.integer(numbers.d)
    assert read_private_key(b"\0\0\0\1" + content, None).public_key() == reference_key("admin RSA").public_key()


@pytest.mark.parametrize(
    ("file", "error"),
    [
        (b"", OutOfBounds),
        (bytes(70_000), OutOfBounds),
        (b"\0\0\0\7abc", MalformedMessage),
        (b"\0\0\0\1\0\0\0\3abc", UnsupportedKey),
        (b"\0\0\0\1" + octets.text("DSA_PRIV_KEY") + octets.integer(5) * 4, OutOfBounds),
        (b"\0\0\0\1" + octets.text("RSA_PRIV_KEY") + octets.integer(2**2_047 + 1) * 2, UnsupportedKey),
        (b"\0\0\0\1" + octets.text("RSA_PRIVCRT_KEY") + octets.integer(2**2_047 + 1) * 8, UnsupportedKey),
        (b"\0\0\0\1" + octets.text("DSA_PRIV_KEY") + octets.integer(2**1_023 + 1) * 4, UnsupportedKey),
        (b"-----BEGIN PRIVATE KEY-----\nMFkw\n-----END PRIVATE KEY-----\n", UnsupportedKey),
        (
            ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            UnsupportedKey,
        ),
        (
            b"\0\0\0\3" + octets.counted(bytes(16)) + octets.u32s((10_000, 128)) + octets.counted(bytes(8)) * 2,
            WrongPassphrase,
        ),
        (b"\0\0\0\4" + octets.counted(bytes(16)) + octets.u32s((2**31, 128)), OutOfBounds),
    ],
)
def test_what_is_no_private_key_is_refused(file: bytes, error: type[ProtocolError]) -> None:
    with pytest.raises(error):
        read_private_key(file, PASSPHRASE)


@pytest.mark.parametrize("kind", [KeyKind.RSA, KeyKind.SM2])
def test_a_new_key_signs_and_its_public_data_verifies(kind: KeyKind) -> None:
    key = make_key(kind)
    name, signature = key.sign(b"content", Version(2, 11), "0.NA/88.企业".encode())
    public = read_public_key(key.public_data())
    assert public.verify(name, signature, b"content", "0.NA/88.企业".encode())
    assert not public.is_weak(name)
    assert read_private_key(write_private_pem(key, None), None).public_key() == public


@pytest.mark.parametrize(
    ("name", "version", "digest"),
    [
        ("admin RSA", Version(2, 6), "SHA1"),
        ("admin RSA", Version(2, 7), "SHA-256"),
        ("admin DSA", Version(2, 10), "SHA1"),
        ("admin DSA", Version(2, 11), "SHA-256"),
    ],
)
def test_the_digest_is_the_one_of_the_version(name: str, version: Version, digest: str) -> None:
    key = reference_key(name)
    chosen, signature = key.sign(b"content", version)
    assert chosen == digest
    assert key.public_key().verify(digest, signature, b"content")


def test_short_keys_and_dsa_keys_are_not_made() -> None:
    with pytest.raises(OutOfBounds):
        make_key(KeyKind.RSA, 1_024)
    with pytest.raises(UnsupportedKey, match="RSA or SM2"):
        make_key(KeyKind.DSA)


def test_a_digest_that_does_not_fit_the_key_is_refused() -> None:
    with pytest.raises(UnsupportedAlgorithm):
        sm2_key().sign_digest("SHA-256", b"content")
    with pytest.raises(UnsupportedAlgorithm):
        reference_key("admin RSA").sign_digest("SM3", b"content")
    with pytest.raises(UnsupportedKey):
        reference_key("admin RSA").sign_sm2(b"content")


def test_an_sm2_key_is_written_as_teleinfo_writes_it_and_in_no_other_file() -> None:
    assert write_private_pem(sm2_key(), None) == TELEINFO_KEYS["sm2_private_pkcs8_pem"].encode()
    with pytest.raises(UnsupportedKey):
        write_private_pem(sm2_key(), PASSPHRASE)
    with pytest.raises(UnsupportedKey):
        write_private_key(sm2_key(), PASSPHRASE)


def test_a_private_key_is_not_shown() -> None:
    assert str(sm2_key().private.number) not in repr(sm2_key())
    assert repr(SigningKey(sm2_key().private)) == "SigningKey()"


@needs_openssl
@pytest.mark.parametrize("user_id", [b"1234567812345678", "88.300.15907/标识".encode()])
def test_openssl_verifies_our_sm2_signature(tmp_path: Path, user_id: bytes) -> None:
    content, signature, public = tmp_path / "content", tmp_path / "signature", tmp_path / "public.pem"
    content.write_bytes("内容".encode())
    signature.write_bytes(sm2_key().sign_sm2("内容".encode(), user_id))
    public.write_bytes(pem(encode_sm2_public_key(sm2_key().public_key().numbers), "PUBLIC KEY"))
    options = ("-rawin", "-digest", "sm3", "-pkeyopt", f"hexdistid:{user_id.hex()}")
    checked = ("-verify", "-pubin", "-inkey", public, "-in", content, "-sigfile", signature)
    done = openssl("pkeyutl", *checked, *options)
    assert done.returncode == 0, done.stderr


@needs_openssl
def test_we_verify_an_sm2_signature_of_openssl_by_a_key_that_openssl_made(tmp_path: Path) -> None:
    private, content, signature = tmp_path / "private.pem", tmp_path / "content", tmp_path / "signature"
    content.write_bytes("内容".encode())
    assert openssl("genpkey", "-algorithm", "SM2", "-out", private).returncode == 0
    options = ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:88.300.15907/app")
    done = openssl("pkeyutl", "-sign", "-inkey", private, "-in", content, "-out", signature, *options)
    assert done.returncode == 0, done.stderr
    key = read_private_key(private.read_bytes(), None).public_key()
    assert key.verify_sm2(signature.read_bytes(), "内容".encode(), b"88.300.15907/app")
    assert not key.verify_sm2(signature.read_bytes(), "内容".encode())
