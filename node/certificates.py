"""The certificate of the HTTP port's TLS side: where it lies, and how one is made that nobody signed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from node.errors import NodeError, Text
from node.layout import certificate_file, certificate_key_file
from node.secret_files import write_secret_file
from node.settings import Settings
from resolver.listeners.tls_certificate import make_context

KEY_BITS: Final = 2_048
"""RSA, because every client in the field speaks it; a handshake costs a worker about a millisecond."""

RSA_EXPONENT: Final = 65_537
LIFETIME: Final = timedelta(days=3_650)
"""Nobody renews it: whoever trusts it was given it by hand."""

CLOCKS_DIFFER_BY: Final = timedelta(days=1)
NAME: Final = "idnode"


class CertificateFiles(NamedTuple):
    """Where a certificate chain and its private key lie, both PEM."""

    certificate: Path
    key: Path


def certificate_files(settings: Settings) -> CertificateFiles:
    """Return where the certificate of a node lies."""
    if settings.tls_cert:
        return CertificateFiles(Path(settings.tls_cert), Path(settings.tls_key))
    return CertificateFiles(certificate_file(settings.data_dir), certificate_key_file(settings.data_dir))


def prepare_certificate(settings: Settings) -> None:
    """See to it that there is a certificate: the operator's, or one that is made once.

    Raises:
        NodeError: the operator's cannot be used.
        OSError: none can be written.
    """
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise NodeError(
            Text("tls_cert and tls_key belong together", "tls_cert 与 tls_key 必须同时设置"),
            Text("set both, or neither", "请同时设置两者,或都不设置"),
        )
    files = certificate_files(settings)
    if not settings.tls_cert and not all(file.exists() for file in files):
        _write_own(files, settings)
    try:
        make_context(files.certificate.read_bytes(), files.key.read_bytes())
    except (OSError, ValueError) as error:
        raise NodeError(
            Text(
                f"certificate {files.certificate} cannot be used: {error}", f"证书 {files.certificate} 无法使用:{error}"
            ),
            Text(
                "see that both files are PEM, readable, and belong together",
                "请确认证书与私钥均为 PEM 格式、可读取且相互匹配",
            ),
        ) from None


def _write_own(files: CertificateFiles, settings: Settings) -> None:
    key = generate_private_key(RSA_EXPONENT, KEY_BITS)
    certificate = _make_certificate(key, {settings.public_address, settings.reachable_address, "127.0.0.1", "::1"})
    write_secret_file(files.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    write_secret_file(files.certificate, certificate.public_bytes(Encoding.PEM))


def _make_certificate(key: RSAPrivateKey, addresses: set[str]) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    names = [x509.DNSName("localhost"), *(x509.IPAddress(ip_address(each)) for each in sorted(addresses))]
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER_BY)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, SHA256())
    )
