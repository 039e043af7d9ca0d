"""What one worker counts, and what a connection starts with."""

from __future__ import annotations

from prometheus_client import REGISTRY

from handle_protocol.bodies.digest import DigestAlgorithm, digest_of
from handle_protocol.value import ValueReference
from resolver.authentication.evidence import Password
from resolver.authentication.logins import LoggedOut
from tests.unit.resolver.authentication.conftest import ADMINISTRATOR, SECRET

ADDRESS = "192.0.2.7"
REQUEST = "建:88.118.8/阀".encode()


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_what_waits_and_what_is_open_is_shown(authentication) -> None:
    authentication.challenges.issue(REQUEST, digest_of(REQUEST, DigestAlgorithm.SHA256), ADDRESS, 0.0)
    authentication.sessions.open(bytes(32), 3, None, ADDRESS, 0.0)
    authentication.web_sessions.open(ADDRESS, 0.0)
    authentication.flush()
    assert [sample(f"idnode_challenge_{unit}") for unit in ("records", "octets")] == [1.0, len(REQUEST)]
    assert [sample("idnode_session_records", kind=kind) for kind in ("native", "web")] == [1.0, 1.0]


async def test_proofs_are_counted_by_kind_and_result(authentication) -> None:
    identity = ValueReference(301, ADMINISTRATOR)
    before = sample("idnode_authentications_total", method="password", outcome="valid")
    await authentication.present(identity, Password(SECRET), ADDRESS).prove()
    assert sample("idnode_authentications_total", method="password", outcome="valid") == before + 1


def test_a_new_connection_has_nobody_logged_in(authentication) -> None:
    assert authentication.new_login().state == LoggedOut()
