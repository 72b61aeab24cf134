"""The sole place that builds things from settings.

`service` puts the engine together of what the others build: `planning` (Tool RAG and planners), `hosting`
(applications and workers), `writing` (prose) and `models` (the bundled files).
"""

from tinyagent.bootstrap.hosting import build_desktop, build_local_host, build_workers, uses_mac_apps
from tinyagent.bootstrap.models import (
    BUNDLED_GGUF,
    COMPACT,
    NANO,
    build_embedder,
    encoder_digest,
    load_examples,
    load_nano,
    models_folder,
)
from tinyagent.bootstrap.planning import Toolkit, build_planners, build_toolkit
from tinyagent.bootstrap.service import SystemClock, build_policy, open_service
from tinyagent.bootstrap.telemetry import Telemetry, open_telemetry
from tinyagent.bootstrap.writing import build_writer

__all__ = [
    "BUNDLED_GGUF",
    "COMPACT",
    "NANO",
    "SystemClock",
    "Telemetry",
    "Toolkit",
    "build_desktop",
    "build_embedder",
    "build_local_host",
    "build_planners",
    "build_policy",
    "build_toolkit",
    "build_workers",
    "build_writer",
    "encoder_digest",
    "load_examples",
    "load_nano",
    "models_folder",
    "open_service",
    "open_telemetry",
    "uses_mac_apps",
]
