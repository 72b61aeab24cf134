"""What the README has a person with a Mac try is taken by the scripts."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap

from tests.applescripts.blocks import scripts
from tinyagent.apps.macos._header import ScriptHeader, applescripts_folder, check_payload, read_header

FOLDER = applescripts_folder()
README = (FOLDER / "README.md").read_text(encoding="utf-8")
_FENCED = re.compile(r"^( *)```sh\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SAY = 'ask() { printf \'%s\\t%s\\n\' "$1" "$2" >&3; }'
_SENT_ALIKE = {"mail_send", "mail_reply_send", "mail_forward_send"}


def asked() -> list[tuple[str, str]]:
    """Each script that the README runs, with its payload."""
    blocks = [textwrap.dedent(block) for _, block in _FENCED.findall(README)]
    lines = [
        line for block in blocks for line in block.splitlines() if not line.startswith(("for f ", "ask()"))
    ]
    run = ["bash", "-c", "\n".join(["exec 3>&1 >/dev/null", _SAY, *lines])]
    output = subprocess.run(
        run, capture_output=True, text=True, check=True, timeout=30, stdin=subprocess.DEVNULL
    )
    return [
        (name, payload) for name, _, payload in (line.partition("\t") for line in output.stdout.splitlines())
    ]


def header_of(operation: str) -> ScriptHeader:
    return read_header(applescripts_folder() / f"{operation}.applescript")


def test_each_payload_fits_its_script() -> None:
    for name, payload in asked():
        check_payload(header_of(name), json.loads(payload))


def test_each_script_is_tried() -> None:
    assert {name for name, _ in asked()} | _SENT_ALIKE == {path.stem for path in scripts(FOLDER)}
    assert all(f"`{name}`" in README for name in _SENT_ALIKE)


def test_each_application_of_the_permission_check_is_asked_for() -> None:
    apps = [json.loads(payload)["app"] for name, payload in asked() if name == "permission_check"]
    assert apps == header_of("permission_check").app.split(", ")
