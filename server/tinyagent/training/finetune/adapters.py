"""The base with LoRA adapters on the seven matrices of every layer, and merging them into it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import MethodType
from typing import Any, Literal, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from peft.tuners.lora import Linear as LoraLinear
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModelForCausalLM
from transformers import logging as transformers_logging

from tinyagent.errors import ModelUnavailable, StorageFull
from tinyagent.training.fake_q4 import GROUP, round_q4, simulate_q4
from tinyagent.training.finetune.base import Base
from tinyagent.training.finetune.settings import FinetuneSettings

_ADAPTER = "default"


def load_model(base: Base, dtype: torch.dtype | Literal["auto"]) -> Any:
    """The base's weights in transformers' model, `auto` as they are stored.

    Raises ModelUnavailable when any is missing or unfit.
    """
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        model, found = AutoModelForCausalLM.from_pretrained(
            base.folder, dtype=dtype, local_files_only=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelUnavailable(
            f"The weights in {base.folder} cannot be loaded ({type(error).__name__}).",
            hint="They do not fit config.json, or a file is damaged: download the folder again.",
        ) from error
    faults = [*found["missing_keys"], *(str(item[0]) for item in found["mismatched_keys"])]
    if faults:
        raise ModelUnavailable(
            f"The weights in {base.folder} lack {len(faults)} tensors, {sorted(faults)[0]} among them.",
            hint="A file is missing or of another model: download the folder again.",
        )
    return model


def adapt(base: Base, settings: FinetuneSettings, model: Any, checkpointing: bool) -> PeftModel:
    """Freeze the model and put new adapters beside its matrices; with `qat` they simulate Q4_0 together."""
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0 if settings.qat else settings.dropout,
        target_modules=list(base.linear_shapes),
        task_type="CAUSAL_LM",
    )
    if checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    adapted = cast("PeftModel", get_peft_model(model, config))
    if settings.qat:
        _check_groups(base)
        for layer in adapted.modules():
            if isinstance(layer, LoraLinear):
                layer.forward = MethodType(_simulated_forward, layer)  # type: ignore[method-assign]
    return adapted


def _check_groups(base: Base) -> None:
    for name, (columns, _) in base.linear_shapes.items():
        if columns % GROUP:
            raise ModelUnavailable(
                f"{name} of {base.folder} has rows of {columns} weights, which Q4_0 cannot group by {GROUP}.",
                hint="Fine-tune it without --qat.",
            )


def _simulated_forward(layer: Any, x: Tensor, *_: Any, **__: Any) -> Tensor:
    """The layer with base and adapter as the one matrix that will be stored, rounded to 4 bits."""
    down, up = layer.lora_A[_ADAPTER].weight, layer.lora_B[_ADAPTER].weight
    with torch.autocast(x.device.type, enabled=False):
        whole = layer.base_layer.weight.float() + layer.scaling[_ADAPTER] * (up.float() @ down.float())
        simulated = simulate_q4(whole)
    return functional.linear(x, simulated.to(x.dtype))


def mixed_precision(device: str) -> AbstractContextManager[Any]:
    """Matrix products in bfloat16 where there is a GPU, else as they are."""
    return torch.autocast(device, dtype=torch.bfloat16) if device == "cuda" else nullcontext()


def adapter_state(model: PeftModel) -> dict[str, Tensor]:
    """The adapters' weights by name, in main memory."""
    state = cast("dict[str, Tensor]", get_peft_model_state_dict(model))
    return {name: weight.detach().cpu().clone() for name, weight in state.items()}


def restore_adapter(model: PeftModel, state: Mapping[str, Tensor]) -> None:
    """Give the adapters these weights."""
    set_peft_model_state_dict(model, dict(state))


def merged_folder(
    base: Base, settings: FinetuneSettings, adapter: Mapping[str, Tensor], folder: Path
) -> None:
    """Write the base with the adapter merged into it, in half precision, as transformers stores models.

    With `qat` the matrices hold their simulated values, which half precision keeps well enough to be
    quantized to the same numbers again.
    """
    model = load_model(base, "auto")
    scale = settings.alpha / settings.rank
    with torch.no_grad():
        for name, module in model.named_modules():
            if isinstance(module, nn.Linear) and name.rpartition(".")[2] in base.linear_shapes:
                down = adapter[f"base_model.model.{name}.lora_A.weight"].float()
                up = adapter[f"base_model.model.{name}.lora_B.weight"].float()
                whole = module.weight.float() + scale * (up @ down)
                module.weight.data = (round_q4(whole) if settings.qat else whole).half()
        try:
            model.half().save_pretrained(folder)
        except (OSError, SafetensorError) as error:
            raise StorageFull(
                f"The merged model cannot be written to {folder}.",
                hint="Free some space, then go on with the same command and --resume.",
            ) from error
