"""What a client's certificate says of it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from resolver.listeners.client_certificate import ClientCertificate, read_client_certificate
from tests.integration.resolver.tls_world import make_pair


@pytest.mark.parametrize("user_id", ["", "300:0.NA/88.300.15907", "301:88.118.8/管理员", "no identity"])
def test_the_subjects_user_id_is_told_as_it_stands(user_id: str, tmp_path: Path) -> None:
    pair = make_pair(tmp_path, "client", user_id)
    octets = ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())
    assert read_client_certificate(octets) == ClientCertificate(user_id, pair.public_key)


@pytest.mark.parametrize("octets", [b"", b"\x30\x00", b"\xff" * 100])
def test_what_cannot_be_read_is_as_good_as_none(octets: bytes) -> None:
    assert read_client_certificate(octets) is None
