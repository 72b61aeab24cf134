"""Each desktop has the applications that it is tested for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.desktop.backends import ALL_APPS, BACKENDS
from tests.contracts.desktop.portable_world import PortableWorld


@pytest.mark.parametrize("name", BACKENDS)
def test_what_is_not_a_desktops_own_is_the_portable_desktops(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    portable = PortableWorld(tmp_path / "compared").desktop
    backend = BACKENDS[name]

    desktop = backend.build(tmp_path / name, request).desktop

    others = {app for app in ALL_APPS if type(getattr(desktop, app)) is type(getattr(portable, app))}
    assert others == (ALL_APPS if name == "portable" else ALL_APPS - backend.apps)
