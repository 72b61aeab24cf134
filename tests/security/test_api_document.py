"""The API does what its own document says, for whatever the document allows and for what it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import serve

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
ENDLESS = ("/v1/worker/claim", "/v1/runs/{run}/events")
"""What waits for something to happen."""


def test_every_route_answers_as_documented_whatever_is_sent(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists():
        pytest.skip("schemathesis is not installed")
    limits = {"RUN_DEADLINE_S": "5", "CALL_DEADLINE_S": "3", "MAX_ACTIVE_RUNS": "1000"}
    environment = {f"TINYAGENT_{name}": value for name, value in limits.items()}
    with serve(tmp_path / "home", TINYAGENT_REQUESTS_PER_MINUTE="1000000", **environment) as server:
        tried = subprocess.run(
            [
                *(str(program), "run", f"{server.url}/openapi.json"),
                *("--header", f"Authorization: Bearer {server.token}"),
                *("--phases", "examples,coverage,fuzzing", "--checks", CHECKS),
                *(
                    "--max-examples",
                    "3",
                    "--max-time",
                    "20",
                    "--seed",
                    "1",
                    "--no-shrink",
                    "--continue-on-failure",
                ),
                *("--request-timeout", "30", "--warnings", "off"),
                *(part for path in ENDLESS for part in ("--exclude-path", path)),
                *("--exclude-path", "/readyz"),  # says with 503 what is not ready
            ],
            capture_output=True,
            text=True,
            timeout=300,
            cwd=tmp_path,
            check=False,
        )
        assert "Traceback" not in server.log.read_text()
    assert tried.returncode == 0, tried.stdout[-12_000:] + tried.stderr
