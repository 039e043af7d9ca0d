"""A whole node speaks TLS on its HTTP port from the first start, with its own certificate or the operator's."""

from __future__ import annotations

import json
import signal
import ssl
import urllib.request
from pathlib import Path

from handle_protocol.json_data import data_from_json
from node.layout import certificate_file, server_key_file
from node.server_key import read_server_key
from node.settings import Settings
from tests.integration.resolver.tls_world import make_pair
from tests.started_node import StartedNode, wait_until


def own_certificate(node: StartedNode) -> str:
    return ssl.get_server_certificate(("127.0.0.1", node.http_port), timeout=10)


def test_a_node_speaks_tls_and_announces_its_key_without_any_setting(data_dir: Path) -> None:
    with StartedNode.run(data_dir, workers=1) as node:
        trust = ssl.create_default_context(cafile=str(certificate_file(data_dir)))
        url = f"https://localhost:{node.http_port}/api/site"
        with urllib.request.urlopen(url, timeout=10, context=trust) as answer:
            (server,) = json.load(answer)["site"]["servers"]
        key = read_server_key(Settings(data_dir=data_dir)).public_data()
        assert data_from_json(server["publicKey"], "publicKey") == key
        assert [each["protocol"] for each in server["interfaces"]] == ["TCP", "UDP", "HTTP", "HTTPS"]
        made = server_key_file(data_dir).read_bytes()
        node.stop()
        node.start()
        assert server_key_file(data_dir).read_bytes() == made


def test_an_operators_certificate_is_checked_at_the_start_and_at_a_reload(data_dir: Path, tmp_path: Path) -> None:
    pair, other = make_pair(tmp_path, "operator"), make_pair(tmp_path, "other")
    settings = data_dir / "idnode.toml"
    settings.write_text(f'tls_cert = "{pair.certificate}"\ntls_key = "{pair.key}"\n')
    with StartedNode.run(data_dir, {"IDNODE_CONFIG": str(settings)}, workers=1) as node:
        assert own_certificate(node) == pair.certificate.read_text()
        settings.write_text(f'tls_cert = "{pair.certificate}"\ntls_key = "{other.key}"\n')
        node.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reload_failed" in node.printed(), 30, node.printed)
        assert own_certificate(node) == pair.certificate.read_text()
        node.stop()
        node.launch()
        assert node.process.wait(30) == 1
        assert "private key" in node.printed()
