"""`eval-report` with the bundled models, and with a stand-in for any OpenAI-compatible server."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tinyagent.cli.app import app
from tinyagent.cli.report import KEY_VARIABLE, labels

README = Path(__file__).parents[3] / "README.md"
PHONE = '1. get_phone_number("Ann")\n2. join()<END_OF_PLAN>'


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["eval-report", *map(str, arguments)])


def write_cases(path: Path, *queries: str, extra: str = "") -> Path:
    rows = [
        {"id": str(n), "now": "2025-03-08 11:20", "query": query, "plan": PHONE, "tags": ["phone"]}
        for n, query in enumerate(queries)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + extra)
    return path


@pytest.fixture(autouse=True)
def without_the_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra `train` is not installed: nothing heavy is loaded."""
    monkeypatch.setattr("tinyagent.cli.report._EMBEDDER_NEEDS", ("no_such_module",))


class StandIn(ThreadingHTTPServer):
    """Streams the same plan for every request, and keeps what it was asked with which key."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Answer(BaseHTTPRequestHandler):
    """One chat completion."""

    server: StandIn

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append(json.loads(body))
        self.server.keys.append(self.headers["authorization"])
        self.send_response(self.server.status)
        self.end_headers()
        if self.server.status == 200:
            chunk = {"choices": [{"delta": {"content": PHONE}}]}
            usage = {"choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": 20}}
            for part in (json.dumps(chunk), json.dumps(usage), "[DONE]"):
                self.wfile.write(f"data: {part}\n\n".encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


def test_a_report_compares_the_bundled_planners(tmp_path: Path) -> None:
    cases = write_cases(
        tmp_path / "cases.jsonl", "what is Ann's phone number", "look up Ann's number", extra="no json\n"
    )
    requests = tmp_path / "requests.jsonl"
    requests.write_text('{"text": "text ann", "accept": ["send_sms"]}\n{"text": "hi", "accept": []}\n')
    out = tmp_path / "out"
    result = run(
        "--cases", cases, "--out", out, "--planner", "nano", "--planner", "compact", "--labelled", requests
    )
    assert result.exit_code == 0, result.output
    assert f"{cases}:3: not JSON" in result.stderr
    assert str(out / "report.html") in result.stdout
    report = json.loads((out / "report.json").read_text())
    assert [(row["planner"], row["cases"]) for row in report["results"]] == [
        ("nano", "cases"),
        ("compact", "cases"),
    ]
    assert [row["retrieval"] for row in report["retrieval"]["rows"]] == [
        "none (all tools)",
        "basic RAG, top 3",
        "basic RAG, top 6",
        "Tool RAG classifier",
        "the right plan's tools",
    ]
    assert "train" in report["retrieval"]["rows"][1]["note"]
    assert [(row["precision"], row["size_bytes"] > 1e6) for row in report["models"]] == [
        ("int8 (dynamic)", True),
        ("Q8_0", True),
    ]
    assert report["results"][0]["figures"]["by_tag"]["phone"]["cases"] == 2
    assert report["labelled"]["report"]["requests"] == 2
    assert "<h2>Table 2: models</h2>" in (out / "report.html").read_text()


def test_a_report_is_made_again_from_kept_outcomes(tmp_path: Path) -> None:
    cases = write_cases(tmp_path / "cases.jsonl", "what is Ann's phone number", "look up Ann's number")
    out = tmp_path / "out"
    assert run("--cases", cases, "--out", out).exit_code == 0
    kept = {path: path.read_bytes() for path in (out / "outcomes").glob("*.jsonl")}
    assert len(kept) == 3
    first = json.loads((out / "report.json").read_text())
    again = run("--cases", cases, "--out", out)
    assert again.exit_code == 0
    assert "cases: nano" not in again.stderr
    second = json.loads((out / "report.json").read_text())
    assert second["results"] == first["results"]
    path = next(iter(kept))
    path.write_bytes(kept[path][:-20])
    mended = run("--cases", cases, "--out", out)
    assert mended.exit_code == 0
    assert len(re.findall(r"cases: nano.*\(1\)", mended.stderr)) == 1
    assert len(path.read_text().splitlines()) == 3


def test_any_openai_compatible_model_is_compared_by_one_command(
    tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "from the environment")
    cases = write_cases(tmp_path / "cases.jsonl", "what is Ann's phone number", "look up Ann's number")
    out = tmp_path / "out"
    arguments = ("--cases", cases, "--out", out, "--planner", "nano", "--limit", 1)
    result = run(*arguments, "--base-url", stand_in.url, "--model", "some-model")
    assert result.exit_code == 0, result.output
    assert [(body["model"], "Ann's phone" in str(body["messages"])) for body in stand_in.asked] == [
        ("some-model", True)
    ]
    assert stand_in.keys == ["Bearer from the environment"]
    report = json.loads((out / "report.json").read_text())
    remote = report["results"][1]
    assert remote["planner"] == "openai"
    assert remote["figures"]["report"]["mean_prompt_tokens"] == 900
    assert remote["figures"]["report"]["arguments_exact"]["value"] == 1
    assert report["models"][1]["size_bytes"] is None
    assert b"from the environment" not in b"".join(
        path.read_bytes() for path in out.rglob("*") if path.is_file()
    )


def test_a_key_that_is_configured_for_another_address_is_not_sent(
    tmp_path: Path, stand_in: StandIn, home: Path
) -> None:
    home.mkdir()
    (home / "config.toml").write_text(
        '[planners.openai]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\napi_key = "k"\n'
    )
    cases = write_cases(tmp_path / "cases.jsonl", "what is Ann's phone number")
    arguments = ("--cases", cases, "--out", tmp_path / "out", "--planner", "nano")
    assert run(*arguments, "--base-url", stand_in.url, "--model", "n").exit_code == 0
    assert stand_in.keys == [None]


def test_a_server_that_refuses_is_given_up_and_asked_again_next_time(
    tmp_path: Path, stand_in: StandIn
) -> None:
    cases = write_cases(tmp_path / "cases.jsonl", *(f"Ann's phone number, try {n}" for n in range(12)))
    out = tmp_path / "out"
    arguments = ("--cases", cases, "--out", out, "--base-url", stand_in.url, "--model", "m")
    stand_in.status = 401
    refused = run(*arguments)
    assert refused.exit_code == 1
    assert "10 requests in a row" in refused.stderr
    assert "HTTP 401" in refused.stderr
    assert not (out / "report.json").exists()
    stand_in.status = 200
    assert run(*arguments).exit_code == 0
    report = json.loads((out / "report.json").read_text())
    assert report["results"][0]["figures"]["report"]["planner_failures"] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--planner", "none"), 1, "no planner 'none'"),
        (("--base-url", "http://127.0.0.1:9/v1"), 2, "belong together"),
        (("--model", "m"), 2, "belong together"),
        (("--base-url", "127.0.0.1:9", "--model", "m"), 2, "http://"),
        (("--full-precision", "x"), 2, "--ablations"),
        (("--limit", "0"), 2, "--limit"),
        (("--labelled", "none.jsonl"), 1, "none.jsonl cannot be read"),
    ],
)
def test_wrong_usage_is_named(tmp_path: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    cases = write_cases(tmp_path / "cases.jsonl", "what is Ann's phone number")
    result = run("--cases", cases, "--out", tmp_path / "out", *arguments)
    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr


def test_an_empty_case_file_and_a_faulty_one_are_named(tmp_path: Path) -> None:
    empty = write_cases(tmp_path / "empty.jsonl")
    result = run("--cases", empty, "--out", tmp_path / "out")
    assert (result.exit_code, "holds no usable case" in result.stderr) == (1, True)
    faulty = write_cases(tmp_path / "faulty.jsonl", extra="{\n")
    result = run("--cases", faulty, "--out", tmp_path / "out")
    assert (result.exit_code, "Line 1: not JSON" in result.stderr) == (1, True)
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    cases = write_cases(tmp_path / "cases.jsonl", "what is Ann's phone number")
    (tmp_path / "out").write_text("mine")
    result = run("--cases", cases, "--out", tmp_path / "out")
    assert (result.exit_code, "cannot be written" in result.stderr) == (1, True)
    assert (tmp_path / "out").read_text() == "mine"


def test_two_files_of_one_name_are_told_apart() -> None:
    paths = [Path("a/test.jsonl"), Path("b/test.jsonl"), Path("test.json"), Path("dev.jsonl")]
    assert labels(paths) == ["test", "test (2)", "test (3)", "dev"]


def test_the_command_in_the_readme_makes_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = re.findall(r"^\.venv/bin/tinyagent (eval-report .*)$", README.read_text(), re.MULTILINE)
    assert commands
    monkeypatch.chdir(tmp_path)
    write_cases(tmp_path / "cases.jsonl", "what is Ann's phone number")
    result = CliRunner().invoke(app, commands[0].split())
    assert result.exit_code == 0, result.output
    assert (tmp_path / "report" / "report.html").exists()
