"""`tinyagent train`: from the command line to a planner that llama.cpp runs under its grammar."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import Result
from typer.testing import CliRunner

from tests.support.plan_requests import make_request
from tests.support.tiny_base import write_base
from tests.support.tiny_corpus import write_corpus
from tests.support.tiny_gguf import make_network, make_tokenizer
from tinyagent.cli.app import app
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.planners.grammar import Limits
from tinyagent.planners.llama import LlamaPlanner
from tinyagent.training.gguf_export import export
from tinyagent.training.gguf_train import Budget, Trainer

LIMITS = Limits(calls=2, items=1, characters=12, references=1)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def fine_tune(base: Path, data: Path, out: Path, *others: object) -> Result:
    return run(
        "train", "planner", "--base", base, "--data", data, "--out", out, "--epochs", 1, "--batch", 2,
        "--rank", 2, "--validate", 1, "--limit", 4, "--negative-tools", 1, *others,
    )  # fmt: skip


async def plan_with(path: Path) -> str:
    planner = LlamaPlanner(path, limits=LIMITS, max_tokens=400)
    try:
        pieces = [
            piece async for piece in planner.plan(make_request(tools=["get_phone_number", "open_note"]))
        ]
    finally:
        await planner.close()
    return "".join(piece for piece in pieces if isinstance(piece, str))


@pytest.mark.parametrize(("architecture", "tokenizer"), [("llama", "bytes"), ("mistral", "pieces")])
async def test_a_base_becomes_a_planner_in_three_sizes(
    tmp_path: Path, architecture: str, tokenizer: str
) -> None:
    base = write_base(tmp_path / "base", architecture, tokenizer)  # type: ignore[arg-type]
    data, out = write_corpus(tmp_path / "data"), tmp_path / "out"
    result = fine_tune(base, data, out, "--examples", 1, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report == json.loads((out / "report.json").read_text())
    assert report["steps"] == 2
    assert report["export_agreement"]["smallest_cosine"] > 0.999
    assert "step 2/2" in result.stderr
    for kind in ("f16", "q8_0", "q4_0"):
        plan = parse_plan(await plan_with(out / f"planner-{kind}.gguf"))
        assert all(call.tool in ("get_phone_number", "open_note") for call in plan.calls)
    logged = [json.loads(line)["kind"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert logged == ["step", "step", "validation"]


def test_a_base_that_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path) -> None:
    result = fine_tune(tmp_path / "nowhere", tmp_path, tmp_path / "out")
    assert result.exit_code == 1
    assert "is no folder" in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_quantizing_shows_success_before_and_after(tmp_path: Path) -> None:
    whole, small, cases = tmp_path / "whole.gguf", tmp_path / "small.gguf", tmp_path / "cases.jsonl"
    export(make_network(), make_tokenizer(), whole, "F32")
    case = {"id": "a", "now": "2026-03-04 09:30", "query": "open tea"}
    cases.write_text(json.dumps(case | {"plan": '1. open_note("Tea", "")\n2. join()<END_OF_PLAN>'}))
    result = run("train", "quantize", "--gguf", whole, "--type", "q8_0", "--out", small, "--cases", cases)
    assert result.exit_code == 0, result.output
    assert small.stat().st_size < whole.stat().st_size / 2
    for word in ("whole.gguf", "small.gguf", "success", "arguments exact"):
        assert word in result.stdout
    again = run("train", "quantize", "--gguf", small, "--type", "q4_0", "--out", tmp_path / "x.gguf")
    assert again.exit_code == 1
    assert "quantized already" in again.stderr


def test_the_small_planner_is_trained_for_four_bits(tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "qat.gguf"
    work.mkdir()
    make_tokenizer().save(work / "tokenizer.json")
    Trainer(make_network(), Budget(1.0)).save(work / "checkpoint.pt")
    before = (work / "checkpoint.pt").read_bytes()
    data = write_corpus(tmp_path / "data")
    result = run("train", "qat", "--work", work, "--data", data, "--seconds", 0.2, "--out", out)
    assert result.exit_code == 0, result.output
    assert "14 of 14 simulated matrices are exactly the stored ones" in result.stdout
    assert (work / "checkpoint.pt").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "qat.gguf", "work"]


def test_a_run_without_checkpoint_or_time_is_refused(tmp_path: Path) -> None:
    arguments = ["train", "qat", "--data", tmp_path, "--out", tmp_path / "q.gguf", "--work", tmp_path]
    result = run(*arguments, "--seconds", 1)
    assert result.exit_code == 1
    assert "checkpoint.pt does not exist" in result.stderr
    (tmp_path / "tokenizer.json").write_text("{}")
    torch.save({"shape": {}}, tmp_path / "checkpoint.pt")
    assert "is not one of this training" in run(*arguments, "--seconds", 1).stderr
    for seconds in (0, "nan", "inf"):
        assert "no time to train" in run(*arguments, "--seconds", seconds).stderr


def test_places_that_cannot_be_written_are_told_before_the_training(tmp_path: Path) -> None:
    work, whole = tmp_path / "work", tmp_path / "whole.gguf"
    work.mkdir()
    make_tokenizer().save(work / "tokenizer.json")
    Trainer(make_network(), Budget(1.0)).save(work / "checkpoint.pt")
    export(make_network(), make_tokenizer(), whole, "F32")
    for command in (
        ("train", "qat", "--work", work, "--data", tmp_path, "--seconds", 1),
        ("train", "quantize", "--gguf", whole, "--type", "q8_0"),
    ):
        folder, beneath = run(*command, "--out", tmp_path), run(*command, "--out", whole / "q.gguf")
        assert (folder.exit_code, "is a folder" in folder.stderr) == (1, True)
        assert (beneath.exit_code, "cannot be written" in beneath.stderr) == (1, True)


def test_a_planner_that_cannot_be_kept_is_told_and_nothing_half_written_stays(tmp_path: Path) -> None:
    base, data, out = write_base(tmp_path / "base"), write_corpus(tmp_path / "data"), tmp_path / "out"
    (out / "adapter.safetensors").mkdir(parents=True)
    result = fine_tune(base, data, out, "--examples", 0)
    assert result.exit_code == 1
    assert "adapter.safetensors cannot be written: Is a directory" in result.stderr
    assert sorted(path.name for path in out.iterdir()) == ["adapter.safetensors", "log.jsonl"]


def test_faulty_lines_of_data_and_cases_are_told(tmp_path: Path) -> None:
    whole, cases = tmp_path / "whole.gguf", tmp_path / "cases.jsonl"
    export(make_network(), make_tokenizer(), whole, "F32")
    case = {"id": "a", "now": "2026-03-04 09:30", "query": "open tea"}
    good = json.dumps(case | {"plan": '1. open_note("Tea", "")\n2. join()<END_OF_PLAN>'})
    cases.write_text(f"{good}\n{{\n")
    out = tmp_path / "q.gguf"
    result = run("train", "quantize", "--gguf", whole, "--type", "q8_0", "--out", out, "--cases", cases)
    assert f"{cases}:2: not JSON" in result.stderr
    data = write_corpus(tmp_path / "data")
    with (data / "natural" / "requests.jsonl").open("a") as file:
        file.write("{\n")
    refused = fine_tune(write_base(tmp_path / "base"), data, tmp_path / "out", "--max-tokens", 64)
    assert "requests.jsonl, line 11: not JSON" in refused.stderr
