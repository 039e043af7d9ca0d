"""The demonstration as a visitor lives it, through the command line alone: start, resolve, import, suspend, stop."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.samples.manufacturers import MANUFACTURERS, Manufacturer
from tests.started_node import START_SECONDS, StartedNode, free_ports, wait_until

VISIBLE_SECONDS = 2.0
"""How long a change may take to reach every worker; the node promises one second."""

TOOL = "88.118.8/JXDY2106023"


class Demo(StartedNode):
    def resolve(self, handle: str, protocol: str = "udp") -> tuple[int, dict[str, str]]:
        """Return the response code, and the values by type."""
        answered = self.idnode("resolve", handle, "--protocol", protocol, "--json")
        assert answered.stdout, answered.stderr
        said = json.loads(answered.stdout)
        return said["responseCode"], {value["type"]: value["data"]["value"] for value in said.get("values", [])}

    def wait_for(self, handle: str, response_code: int) -> None:
        """Wait until the change is visible, which each worker learns by itself, then ask some of them."""
        time.sleep(VISIBLE_SECONDS)
        assert [self.resolve(handle, "tcp")[0] for _ in range(4)] == [response_code] * 4


def start(data_dir: Path, output: Path) -> Demo:
    demo = Demo(data_dir, output, *free_ports(3), command="demo")
    demo.launch()
    wait_until(lambda: demo.process.poll() is not None or "Ctrl-C" in demo.printed(), START_SECONDS, demo.printed)
    assert demo.process.poll() is None, demo.printed()
    return demo


@pytest.fixture(scope="module")
def demo(server_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    data_dir = server_data_dir / "demo"
    running = start(data_dir, tmp_path_factory.mktemp("demo") / "output")
    yield running
    assert running.stop() == os.EX_OK


@pytest.mark.parametrize("protocol", ["udp", "tcp", "http"])
@pytest.mark.parametrize("manufacturer", MANUFACTURERS, ids=lambda each: each.prefix)
def test_a_sample_product_resolves_through_every_door(demo: Demo, manufacturer: Manufacturer, protocol: str) -> None:
    (product,) = (each for each in manufacturer.products() if each.suffix == manufacturer.example)
    response_code, values = demo.resolve(manufacturer.example_handle, protocol)
    assert response_code == 1
    assert (values["名称"], values["NAME"], values["型号"]) == (product.name, product.english_name, product.model)
    assert values["URL"].startswith(manufacturer.site)


def test_the_printed_lines_for_pyhandle_work(demo: Demo) -> None:
    printed = demo.output.read_text(encoding="utf-8")
    (script,) = re.findall(r"    from pyhandle.*\n    client = .*\n    print.*\n", printed)
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    record = ast.literal_eval(said.stdout)
    assert record["名称"] == "锂电冲击扳手"
    assert record["URL"] == "https://tools.example.cn/JXDY2106023"


def test_a_file_of_ones_own_is_imported_suspended_and_resumed(demo: Demo, tmp_path: Path) -> None:
    products = tmp_path / "我的产品.csv"
    products.write_text(
        "handle,url,2000:名称\n"
        "88.118.20/减速机-1,https://example.cn/1,行星减速机\n"
        "88.118.20/减速机-2,https://example.cn/2,谐波减速机,多一格\n",
        encoding="utf-8",
    )
    assert demo.idnode("prefix", "add", "88.118.20", "--enterprise", "扬州一厂").returncode == 0
    imported = demo.idnode("import", str(products), "--json")
    assert imported.returncode == 1
    summary = json.loads(imported.stdout)
    assert (summary["created"], summary["failed"]) == (1, 1)
    (error,) = Path(summary["errors_file"]).read_text(encoding="utf-8").splitlines()
    assert json.loads(error)["row"] == 3

    demo.wait_for("88.118.20/减速机-1", 1)
    for protocol in ("udp", "tcp", "http"):
        assert demo.resolve("88.118.20/减速机-1", protocol)[1]["名称"] == "行星减速机"

    assert demo.idnode("prefix", "suspend", "88.118.20").returncode == 0
    demo.wait_for("88.118.20/减速机-1", 301)
    refused = demo.idnode("import", str(products), "--json")
    assert (refused.returncode, json.loads(refused.stdout)["failed"]) == (1, 2)

    assert demo.idnode("prefix", "resume", "88.118.20").returncode == 0
    demo.wait_for("88.118.20/减速机-1", 1)


def test_what_is_printed_names_the_real_ports_and_examples(demo: Demo) -> None:
    printed = demo.output.read_text(encoding="utf-8")
    assert f"{demo.site}/api/handles/{TOOL}" in printed
    assert f"127.0.0.1:{demo.handle_port}" in printed
    commands = re.findall(r" (resolve \S+ --protocol \w+)", printed)
    assert len(commands) == 3
    for command in commands:
        assert demo.idnode(*command.split()).returncode == 0


def test_a_second_start_loads_nothing_again_and_ends_with_status_0(data_dir: Path, tmp_path: Path) -> None:
    first = start(data_dir, tmp_path / "first")
    assert first.stop() == os.EX_OK
    second = start(data_dir, tmp_path / "second")
    changed = second.idnode("register", TOOL, "--value", "2000:名称=改过的名称", "--overwrite")
    assert changed.returncode == 0
    assert second.stop() == os.EX_OK
    third = start(data_dir, tmp_path / "third")
    assert third.resolve(TOOL)[1] == {"名称": "改过的名称"}
    assert third.stop() == os.EX_OK
    loaded = [
        re.search(r'"records":\s*(\d+)', (tmp_path / name).read_text(encoding="utf-8"))
        for name in ("first", "second", "third")
    ]
    assert [found and int(found[1]) for found in loaded] == [11_980, 0, 0]
