"""onnxruntime, told before it is loaded to keep no record of its use.

Its builds for Linux report to their maker unless this variable stands in the environment; switching the
reports off afterwards leaves a device number and a data base in the user's cache.
"""

from __future__ import annotations

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

__all__ = ["onnxruntime"]
