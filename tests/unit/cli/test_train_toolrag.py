"""The commands that train Tool RAG."""

from __future__ import annotations

import builtins
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.support.tiny_corpus import write_corpus
from tests.support.tiny_encoder import save_bert
from tinyagent.cli.app import app

NANO = Path(__file__).parents[3] / "models" / "nano"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_classifier_is_trained_and_then_given_thresholds(tmp_path: Path) -> None:
    data, out = write_corpus(tmp_path / "data", train=8, dev=6), tmp_path / "out"
    base = save_bert(tmp_path / "base")
    result = run("train", "toolrag", "--data", data, "--out", out, "--base", base, "--epochs", 1)
    assert result.exit_code == 0, result.output
    assert "exported to" in result.stderr
    fitted = run("train", "thresholds", "--data", data, "--model", out / "int8", "--json")
    assert fitted.exit_code == 0, fitted.output
    thresholds = json.loads(fitted.stdout)["thresholds"]
    assert json.loads((out / "int8" / "toolrag.json").read_text())["thresholds"] == thresholds


def test_fitting_shows_what_the_thresholds_bring(tmp_path: Path) -> None:
    nano = shutil.copytree(NANO, tmp_path / "nano")
    result = run("train", "thresholds", "--data", write_corpus(tmp_path / "data"), "--model", nano)
    assert result.exit_code == 0, result.output
    for words in ("one for all", "fitted", "cross-fitted", "send_sms 0.0"):
        assert words in result.stdout


def test_a_folder_that_is_no_encoder_is_a_clear_failure(tmp_path: Path) -> None:
    data = write_corpus(tmp_path / "data")
    result = run("train", "toolrag", "--data", data, "--out", tmp_path / "out", "--base", tmp_path)
    assert result.exit_code == 1
    assert "config.json is missing" in result.stderr


def test_a_missing_package_is_named_with_the_extra_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordinary = builtins.__import__

    def without_training(
        name: str,
        scope: Mapping[str, object] | None = None,
        local: Mapping[str, object] | None = None,
        wanted: Sequence[str] | None = (),
        level: int = 0,
    ) -> object:
        if name == "tinyagent.training.toolrag.run":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return ordinary(name, scope, local, wanted, level)

    monkeypatch.setattr(builtins, "__import__", without_training)
    result = run("train", "toolrag", "--data", tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "torch" in result.stderr
    assert "tinyagent[train]" in result.stderr


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = run("train", "thresholds", "--model", tmp_path / "none", "--data", tmp_path)
    assert (result.exit_code, "none is no folder" in result.stderr) == (1, True)
