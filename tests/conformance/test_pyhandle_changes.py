"""pyhandle 1.5 does all its work against a started node: registers, reads, changes and deletes, over TLS.

It logs in by name and password (Basic), and by a certificate that nobody has signed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from node.layout import certificate_file
from tests.conformance.seeded import OWNER, SERVER_ADMINISTRATOR
from tests.started_node import StartedNode

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Its docstrings have backslashes that Python complains of.
    from pyhandle.client.resthandleclient import RESTHandleClient
    from pyhandle.clientcredentials import PIDClientCredentials
    from pyhandle.handleexceptions import HandleAlreadyExistsException, HandleAuthenticationError

PREFIX = "88.300.15907"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The files of a certificate that the administrator has made for themselves."""
    key = SERVER_ADMINISTRATOR.key.private
    identity = SERVER_ADMINISTRATOR.identity
    name = x509.Name([x509.NameAttribute(NameOID.USER_ID, f"{identity.index}:{identity.handle}")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    ).sign(key, SHA256())
    folder = tmp_path_factory.mktemp("certificate")
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def by_password(node: StartedNode, _: tuple[Path, Path]) -> RESTHandleClient:
    identity = OWNER.identity
    return RESTHandleClient.instantiate_with_username_and_password(
        f"https://localhost:{node.http_port}",
        f"{identity.index}:{identity.handle}",
        OWNER.key.decode(),
        HTTPS_verify=str(certificate_file(node.data_dir)),
    )


def by_certificate(node: StartedNode, files: tuple[Path, Path]) -> RESTHandleClient:
    credentials = PIDClientCredentials(
        client="rest",
        handle_server_url=f"https://localhost:{node.http_port}",
        certificate_only=str(files[0]),
        private_key=str(files[1]),
    )
    return RESTHandleClient.instantiate_with_credentials(credentials, HTTPS_verify=str(certificate_file(node.data_dir)))


@pytest.fixture(params=[by_password, by_certificate], ids=["password", "certificate"])
def client(request: pytest.FixtureRequest, node: StartedNode, certificate: tuple[Path, Path]) -> RESTHandleClient:
    log_in: Callable[[StartedNode, tuple[Path, Path]], RESTHandleClient] = request.param
    return log_in(node, certificate)


def test_a_handle_lives_its_whole_life(client: RESTHandleClient, request: pytest.FixtureRequest) -> None:
    handle = f"{PREFIX}/pyhandle-{request.node.callspec.id}"
    assert client.register_handle(handle, "https://example.cn/水泵", 产品名称="离心泵") == handle
    with pytest.raises(HandleAlreadyExistsException):
        client.register_handle(handle, "https://example.cn/水泵")
    assert client.get_value_from_handle(handle, "产品名称") == "离心泵"
    client.modify_handle_value(handle, URL="https://example.cn/水泵/2", 型号="IS80-65-160")
    assert client.get_value_from_handle(handle, "URL") == "https://example.cn/水泵/2"
    assert client.get_value_from_handle(handle, "型号") == "IS80-65-160"
    client.delete_handle_value(handle, "型号")
    assert client.get_value_from_handle(handle, "型号") is None
    assert client.delete_handle(handle) == handle
    assert client.retrieve_handle_record_json(handle) is None


def test_a_wrong_password_changes_nothing(node: StartedNode) -> None:
    client = RESTHandleClient.instantiate_with_username_and_password(
        f"https://localhost:{node.http_port}",
        f"301:0.NA/{PREFIX}",
        "wrong",
        HTTPS_verify=str(certificate_file(node.data_dir)),
    )
    with pytest.raises(HandleAuthenticationError):
        client.register_handle(f"{PREFIX}/pyhandle-无权", "https://example.cn/")
