"""The page of settings is generated; this fails when it has fallen behind."""

from __future__ import annotations

import re
import tomllib

from tests.docs.settings_table import PAGE, filled
from tinyagent.settings import Settings


def test_every_setting_is_documented_as_it_is() -> None:
    page = PAGE.read_text()
    assert filled(page) == page, "run: PYTHONPATH=server:. python -m tests.docs.settings_table"
    assert all(name in page for name in Settings.model_fields)


def test_the_examples_are_toml() -> None:
    for block in re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL):
        assert tomllib.loads(block)
