"""Carries out a Dockerfile's steps in a folder that stands for the image, without a container engine.

Folders of the image lie below `root`, and paths in commands are changed accordingly. What installs Debian
packages or makes users is left out; the compiler is spared by wheels that were compiled before.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy.dockerfile import Stage, Step

OWN_FOLDERS = ("/src", "/wheels", "/opt/tinyagent", "/data")
LEFT_OUT = re.compile(r"^(apt-get|groupadd|useradd) |^rm -rf /var/lib/apt/")
STEP_S = 300


@dataclass
class Image:
    """A folder in place of an image, built from `context` with compiled wheels from `wheels`."""

    root: Path
    context: Path
    wheels: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def here(self, text: str) -> str:
        """The text with the image's folders as they are called here."""
        names = "|".join(map(re.escape, OWN_FOLDERS))
        return re.sub(rf"(?<![\w.])({names})(?![\w.-])", lambda found: f"{self.root}{found.group()}", text)

    def build(self, stage: Stage) -> None:
        """Carry out the stage's steps in order."""
        folder = self.root
        inherited = {"PATH": f"{self._tools()}:{os.environ['PATH']}"}
        self.environment = {name: self.here(value) for name, value in stage.environment(inherited).items()}
        for step in stage.steps:
            if step.instruction == "WORKDIR":
                folder = Path(self.here(step.rest))
                folder.mkdir(parents=True, exist_ok=True)
            elif step.instruction == "COPY":
                self._copy(step, folder)
            elif step.instruction == "RUN":
                for command in step.commands:
                    self._run(command, folder)

    def _tools(self) -> Path:
        """A folder with the `python` that the base image would have."""
        python = self.root / "tools" / "python"
        if not python.exists():
            python.parent.mkdir(parents=True)
            python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
            python.chmod(0o755)
        return python.parent

    def _copy(self, step: Step, folder: Path) -> None:
        *sources, destination = step.words
        if sources[0].startswith("--from="):
            assert sources[1:] == [destination], "the folder is the same one in both stages here"
            return
        target = folder / destination
        for source in (self.context / name for name in sources):
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_ignored(self.context)))
            else:
                shutil.copy(source, target)

    def _run(self, command: str, folder: Path) -> None:
        if LEFT_OUT.search(command):
            return
        if os.geteuid() != 0:
            command = re.sub(r"--(owner|group)=\S+ ", "", command)
        spared = {"PIP_FIND_LINKS": str(self.wheels), "PIP_ONLY_BINARY": "llama-cpp-python"}
        kept = {name: value for name, value in self.environment.items() if name != "PIP_NO_CACHE_DIR"}
        outside = {name: value for name, value in os.environ.items() if not name.startswith("TINYAGENT_")}
        result = subprocess.run(
            ["sh", "-c", self.here(command)],
            cwd=folder,
            env={**outside, "PYTHONPATH": "", **kept, **spared},
            capture_output=True,
            text=True,
            timeout=STEP_S,
        )
        assert result.returncode == 0, f"{command}\n{result.stdout[-2000:]}{result.stderr[-2000:]}"


def _ignored(context: Path) -> list[str]:
    """Names that `.dockerignore` keeps out wherever they lie."""
    lines = (context / ".dockerignore").read_text().splitlines()
    return [line.removeprefix("**/") for line in lines if line.startswith("**/")]


def as_user(user: str) -> list[str]:
    """A prefix for a command that gives it the image's user, `uid:gid`.

    It may look into the folders of whoever tests, which the interpreter may lie in, but write to none.
    Without the right to change users, nothing is put before the command.
    """
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return []
    uid, _, gid = user.partition(":")
    only = "-all,+dac_read_search"
    return [
        *("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs"),
        *(f"--inh-caps={only}", f"--ambient-caps={only}", f"--bounding-set={only}"),
    ]
