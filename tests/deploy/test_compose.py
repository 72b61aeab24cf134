"""The compose file is valid, and lets out no more than it must."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.dockerfile import stages
from tinyagent.settings import Settings

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVER: dict[str, Any] = COMPOSE["services"]["server"]


def test_it_follows_the_compose_specification() -> None:
    pytest.importorskip("check_jsonschema", reason="the package check-jsonschema carries the specification")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout


def test_the_port_is_published_to_this_computer_alone_and_under_its_own_number() -> None:
    (published,) = SERVER["ports"]
    port = "${TINYAGENT_PORT:-8765}"
    assert published == f"127.0.0.1:{port}:{port}"
    assert SERVER["environment"]["TINYAGENT_PORT"] == port


def test_the_image_is_built_from_these_sources_and_never_pulled() -> None:
    assert SERVER["build"] == "."
    assert "image" not in SERVER


def test_a_missing_token_stops_it_before_anything_starts() -> None:
    assert re.fullmatch(r"\$\{TINYAGENT_TOKEN:\?.+\}", SERVER["environment"]["TINYAGENT_TOKEN"])


def test_the_container_can_write_to_its_volume_alone_and_gain_no_rights() -> None:
    volume = stages(ROOT / "Dockerfile")[-1].last("VOLUME").rest
    assert SERVER["read_only"] is True
    assert SERVER["volumes"] == [f"data:{volume}"]
    assert "data" in COMPOSE["volumes"]
    assert SERVER["cap_drop"] == ["ALL"]
    assert SERVER["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "user", "network_mode", "pid"} & set(SERVER)


def test_every_variable_is_a_setting() -> None:
    variables = {name.removeprefix("TINYAGENT_").lower() for name in SERVER["environment"]}
    assert variables <= set(Settings.model_fields)
    assert {name.lower() for name in re.findall(r"\$\{TINYAGENT_(\w+)", FILE.read_text())} <= variables


def test_what_the_image_needs_is_not_overruled_by_the_users_file() -> None:
    fixed = stages(ROOT / "Dockerfile")[-1].environment({"PATH": ""})
    for name in ("TINYAGENT_HOST", "TINYAGENT_HOME"):
        assert SERVER["environment"][name] == fixed[name]
