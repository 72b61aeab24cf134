"""Files and packages with tools: what cannot be loaded is told with its place, and stops nothing else."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tinyagent.plugins import loading
from tinyagent.plugins.host import OwnToolHost
from tinyagent.plugins.loading import load_tools

GOOD = '''\
"""Tools of my house."""

from __future__ import annotations

from dataclasses import dataclass

from tinyagent.plugins import tool


@dataclass
class Lamp:
    level: int = 0


@tool(effect="read")
def lamp_level(lamp: Lamp) -> str:
    """Tell the level of a lamp."""
    return str(lamp.level)


@tool
def lamp_off(room: str) -> str:
    """Switch a lamp off."""
    return "off"


def helper() -> None:
    pass
'''


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_marked_functions_of_a_file_are_its_tools(tmp_path: Path) -> None:
    found = load_tools([write(tmp_path, "house.py", GOOD)], packages=())
    assert [one.spec.name for one in found.tools] == ["lamp_level", "lamp_off"]
    assert found.faults == []
    assert found.tools[1].place == f"{tmp_path / 'house.py'}, line 21"
    assert found.tools[0].checked([{"level": 3}])["lamp"].level == 3


BROKEN = [
    ("x = 1\ndef (:\n", "{path}, line 2: SyntaxError: invalid syntax."),
    ("x = 1\n\ny = z\n", "{path}, line 3: NameError: name 'z' is not defined."),
    ("import nowhere_to_be_found\n", "{path}, line 1: ModuleNotFoundError: No module named"),
    ("import sys\nsys.exit(4)\n", "{path}, line 2: SystemExit: 4."),
    ("x = 1\n", "{path} has no function that is marked by @tool."),
    (
        "from tinyagent.plugins import tool\n@tool\ndef f(x: int):\n    pass\n",
        "{path}, line 2: f needs a doc",
    ),
    (
        GOOD.replace("lamp_off", "send_sms"),
        "{path}, line 21: send_sms is the name of a built-in tool already.",
    ),
]


@pytest.mark.parametrize(("text", "reason"), BROKEN, ids=[reason[-20:] for _, reason in BROKEN])
def test_what_cannot_be_loaded_is_told_with_its_line(tmp_path: Path, text: str, reason: str) -> None:
    bad = write(tmp_path, "bad.py", text)
    found = load_tools([bad, write(tmp_path, "house.py", GOOD)], {"send_sms"}, packages=())
    assert "lamp_off" in [one.spec.name for one in found.tools]
    assert found.faults[0].reason.startswith(reason.format(path=bad))


def test_files_that_are_missing_or_no_python_are_told(tmp_path: Path) -> None:
    found = load_tools([tmp_path / "none.py", write(tmp_path, "a.txt", "x")], packages=())
    assert [fault.reason for fault in found.faults] == [
        f"{tmp_path / 'none.py'}: the file is missing.",
        f"{tmp_path / 'a.txt'}: ImportError: it is no Python file.",
    ]


def test_a_file_that_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "LOAD_S", 0.2)
    path = write(tmp_path, "slow.py", "import threading\nthreading.Event().wait(5)\n")
    found = load_tools([path, write(tmp_path, "house.py", GOOD)], packages=())
    assert [fault.reason for fault in found.faults] == [f"{path} did not load within 0.2 seconds."]
    assert len(found.tools) == 2


def test_a_name_that_another_file_has_is_told_with_both_places(tmp_path: Path) -> None:
    first, second = write(tmp_path, "a.py", GOOD), write(tmp_path, "b.py", GOOD)
    found = load_tools([first, second], packages=())
    assert len(found.tools) == 2
    assert found.faults[1].reason == (
        f"{second}, line 21: lamp_off is the name of a tool in {first}, line 21 already."
    )


def test_what_a_file_prints_does_not_get_into_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load_tools([write(tmp_path, "loud.py", "print('hello')\n" + GOOD)], packages=())
    assert capsys.readouterr().out == ""


def test_installed_packages_offer_modules_and_functions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "own_package_for_this_test.py", GOOD)
    monkeypatch.syspath_prepend(tmp_path)
    module = EntryPoint("house", "own_package_for_this_test", "tinyagent.tools")
    one = EntryPoint("off", "own_package_for_this_test:lamp_off", "tinyagent.tools")
    gone = EntryPoint("gone", "own_package_that_is_gone", "tinyagent.tools")
    none = EntryPoint("none", "own_package_for_this_test:helper", "tinyagent.tools")
    assert [tool.spec.name for tool in load_tools([], packages=[module]).tools] == ["lamp_level", "lamp_off"]
    found = load_tools([], packages=[one, gone, none])
    assert [tool.spec.name for tool in found.tools] == ["lamp_off"]
    assert [fault.name for fault in found.faults] == ["gone", "none"]
    assert "ModuleNotFoundError" in found.faults[0].reason


def test_faults_are_listed_as_tools_that_are_off(tmp_path: Path) -> None:
    found = load_tools([write(tmp_path, "my house.py", "x = y\n")], packages=())
    [status] = OwnToolHost(found, lambda name: True).tools()
    assert (status.spec.name, status.enabled) == ("my_house_not_loaded", False)
    assert "my house.py, line 1: NameError" in status.reason
