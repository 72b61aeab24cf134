"""Reads a Dockerfile: its stages, their steps, and what a container of it starts with."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """One instruction, such as `RUN`, and the rest of its line with continuations joined."""

    instruction: str
    rest: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.rest)

    @property
    def commands(self) -> list[str]:
        """The commands of a RUN that are joined by `&&`."""
        return [command.strip() for command in self.rest.split("&&")]


@dataclass
class Stage:
    """What stands between one FROM and the next."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def all(self, instruction: str) -> list[Step]:
        return [step for step in self.steps if step.instruction == instruction]

    def last(self, instruction: str) -> Step:
        return self.all(instruction)[-1]

    def command(self, instruction: str) -> list[str]:
        """The exec form of ENTRYPOINT, CMD or HEALTHCHECK. Fails for the shell form, which hides signals."""
        listed = re.search(r"\[.*\]$", self.last(instruction).rest)
        assert listed, f"{instruction} is not in the exec form"
        return json.loads(listed.group())

    def environment(self, inherited: dict[str, str]) -> dict[str, str]:
        """What ENV adds to the inherited variables; `$NAME` stands for an earlier value."""
        values = dict(inherited)
        for step in self.all("ENV"):
            for word in step.words:
                name, _, value = word.partition("=")
                values[name] = re.sub(r"\$(\w+)", lambda found: values.get(found.group(1), ""), value)
        return values


def stages(path: Path) -> list[Stage]:
    """The file's stages in order."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found: list[Stage] = []
    for line in filter(None, (line.strip() for line in joined.splitlines())):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name))
        else:
            found[-1].steps.append(Step(instruction, rest.strip()))
    return found
