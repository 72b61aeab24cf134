"""`tinyagent data`: what each command prints, writes and ends with."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.support.teacher import Teacher, body, hang, saying, teaching
from tinyagent.cli.app import app
from tinyagent.training.split import part_of

ROOT = Path(__file__).parents[3]
END_S = 60.0


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["data", *arguments])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A small folder of requests, some of each part."""
    folder = tmp_path / "data"
    (folder / "natural").mkdir(parents=True)
    (folder / "written").mkdir()
    lines: list[str] = []
    for number, name in enumerate(
        f"{first}{second}" for first in "ABCDEFGHI" for second in ("da", "ro", "lin")
    ):
        plan = (
            f'1. get_phone_number("{name}")\n2. send_sms(["$1"], "{name} {number}")\n3. join()<END_OF_PLAN>'
        )
        query = f"text {name} the words {name} {number} exactly as given"
        row = {"id": f"c{number}", "now": "2026-03-04 10:00", "query": query, "plan": plan, "dates": []}
        lines.append(json.dumps(row))
    (folder / "natural" / "a.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "written" / "b.txt").write_text('note: tea tomorrow\n= create_note("Tea tomorrow")\n\nsing\n')
    assert {part_of(f"c{number}") for number in range(len(lines))} == {"train", "dev", "test"}
    return folder


@pytest.fixture
def teacher() -> Iterator[Teacher]:
    with teaching() as server:
        yield server


def test_check_counts_sound_requests(data: Path) -> None:
    result = run("check", str(data / "natural" / "a.jsonl"), str(data / "written" / "b.txt"))
    assert result.exit_code == 0
    assert "a.jsonl: 27 sound requests (0 that no tool serves), 0 faults, 0 warnings" in result.stdout
    assert "b.txt: 2 sound requests (1 that no tool serves), 0 faults, 0 warnings" in result.stdout


def test_check_names_faults_with_file_and_line_and_fails(data: Path) -> None:
    path = data / "natural" / "a.jsonl"
    with path.open("a") as file:
        file.write('{"id": "x"}\n')
    result = run("check", str(path))
    assert result.exit_code == 1
    assert f'{path}:28: "now" is missing or is not text' in result.stdout
    assert "27 sound requests" in result.stdout


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = run("check", str(tmp_path / "none.jsonl"))
    assert result.exit_code == 1
    assert "cannot be read: No such file" in result.stderr


def test_make_writes_three_files_and_their_checksums(data: Path, tmp_path: Path) -> None:
    sizes = ("--train", "40", "--dev", "4", "--test", "4")
    results = [run("make", "--data", str(data), "--out", str(tmp_path / name), *sizes) for name in "ab"]
    assert [result.exit_code for result in results] == [0, 0]
    assert results[0].stdout.replace(str(tmp_path / "a"), str(tmp_path / "b")) == results[1].stdout
    assert f"{tmp_path / 'a' / 'train.jsonl'}: 40 requests, sha256 " in results[0].stdout
    assert run("check", *(str(path) for path in (tmp_path / "a").iterdir())).exit_code == 0


def test_make_without_room_or_place_or_data_says_so(data: Path, tmp_path: Path) -> None:
    full = run("make", "--data", str(data), "--out", str(tmp_path / "out"), "--train", "1" + "0" * 13)
    assert (full.exit_code, "has room for" in full.stderr) == (1, True)
    (tmp_path / "file").write_text("")
    place = run("make", "--data", str(data), "--out", str(tmp_path / "file"))
    assert (place.exit_code, "cannot be written" in place.stderr) == (1, True)
    empty = run("make", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "out"))
    assert (empty.exit_code, "holds no requests" in empty.stderr) == (1, True)


def test_card_writes_the_same_text_every_time(data: Path, tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        assert run("card", "--data", str(data), "--out", str(tmp_path / name)).exit_code == 0
    text = (tmp_path / "a.md").read_text("utf-8")
    assert text == (tmp_path / "b.md").read_text("utf-8")
    assert "| natural | written |" in text


def lessons(data: Path, teacher: Teacher, out: Path, count: int) -> tuple[str, ...]:
    where = ("--out", str(out), "--data", str(data), "--base-url", teacher.url)
    return ("teach", *where, "--model", "m", "--count", str(count), "--timeout", "20")


def test_teach_fills_a_file_and_reports(
    data: Path, teacher: Teacher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "general")
    monkeypatch.setenv("TINYAGENT_TEACHER_KEY", "mine")
    teacher.script = [saying("no")]
    out = tmp_path / "rows.jsonl"
    prices = ("--price-in", "2", "--price-out", "10", "--concurrency", "1")
    result = run(*lessons(data, teacher, out, 3), *prices)
    assert result.exit_code == 0, result.stderr
    assert "3 requests in the file; asked 3 times, 3 answered, 3 accepted (75% of what was" in result.stdout
    assert "rejected: not in the form asked for 1" in result.stdout
    assert "tokens: 300 asked, 30 answered; cost 0.0009" in result.stdout
    assert set(teacher.keys) == {"Bearer mine"}
    assert (
        "mine"
        not in (tmp_path / "rows.report.json").read_text() + (tmp_path / "rows.state.jsonl").read_text()
    )
    system = teacher.bodies[0]["messages"][0]["content"]
    assert "exactly as given" in system
    assert run("check", str(out)).exit_code == 0


def test_teach_without_a_usable_server_says_why_and_keeps_its_report(
    data: Path, teacher: Teacher, tmp_path: Path
) -> None:
    teacher.script = [body(b"", 401)] * 4
    result = run(*lessons(data, teacher, tmp_path / "rows.jsonl", 3))
    assert result.exit_code == 1
    assert "HTTP 401" in result.stderr
    assert "TINYAGENT_TEACHER_KEY" in result.stderr
    assert json.loads((tmp_path / "rows.report.json").read_text())["rows"] == 0


def test_ctrl_c_keeps_everything_and_the_same_command_goes_on(
    data: Path, teacher: Teacher, tmp_path: Path
) -> None:
    from tests.support.teacher import good

    teacher.script = [good, hang, hang]
    out = tmp_path / "rows.jsonl"
    command = [
        sys.executable,
        "-m",
        "tinyagent",
        "data",
        *lessons(data, teacher, out, 6),
        "--concurrency",
        "1",
    ]
    process = subprocess.Popen(
        command,
        cwd=ROOT / "server",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A suite that runs in the background of a shell inherits an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert teacher.asked.wait(END_S)
        process.send_signal(signal.SIGINT)
        shown, errors = process.communicate(timeout=END_S)
    finally:
        process.kill()
    assert process.returncode == 130, errors
    assert "2 requests in the file; asked 1 times" in shown
    assert "Traceback" not in errors
    kept = out.read_text()
    teacher.script = []
    assert run(*lessons(data, teacher, out, 6)).exit_code == 0
    assert out.read_text().startswith(kept)
    assert len(out.read_text().splitlines()) == 6


def test_none_of_it_needs_torch(data: Path, teacher: Teacher, tmp_path: Path) -> None:
    sizes = ("--train", "40", "--dev", "4", "--test", "4")
    calls = [
        ["data", *lessons(data, teacher, tmp_path / "rows.jsonl", 2)],
        ["data", "make", "--data", str(data), "--out", str(tmp_path / "out"), *sizes],
        ["data", "card", "--data", str(data), "--out", str(tmp_path / "card.md")],
        ["data", "check", str(data / "natural" / "a.jsonl")],
    ]  # fmt: skip
    code = (
        "import sys, json; from typer.testing import CliRunner; from tinyagent.cli.app import app\n"
        f"codes = [CliRunner().invoke(app, call).exit_code for call in json.loads({json.dumps(calls)!r})]\n"
        "print(codes, sorted({'torch', 'transformers', 'onnxruntime'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT / "server", capture_output=True, text=True, timeout=END_S * 2)
    assert done.stdout == "[0, 0, 0, 0] []\n", done.stderr
