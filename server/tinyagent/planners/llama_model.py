"""A GGUF model in memory: tokens and text, and one sequence of tokens that it has read.

A thin layer over the bindings of llama.cpp. Nothing here is thread-safe: one thread at a time.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import llama_cpp as bindings
import numpy as np
import numpy.typing as npt

from tinyagent.errors import ModelUnavailable, PlannerFailed

BATCH = 128
"""Tokens of a prompt that are read between two looks at the cancel flag."""
_SMALL_FILE = 64 * 2**20
"""Bytes; a second thread does not help models of smaller files."""
_MOST_THREADS = 8
"""Reading weights from memory bounds the speed of larger models; more threads only take turns."""


@bindings.llama_log_callback
def _silent(_level: int, _text: bytes, _data: object) -> None:
    """Keep llama.cpp's notes out of the server's standard error; failures come back as codes."""


class LlamaModel:
    """A loaded model with one context. `read` keeps what the last prompt has in common with the next."""

    def __init__(self, path: Path, *, context: int = 4096, threads: int | None = None) -> None:
        """Load the file. Raises ModelUnavailable when llama.cpp refuses it."""
        bindings.llama_log_set(_silent, ctypes.c_void_p(0))
        bindings.llama_backend_init()
        self._read: list[int] = []
        self._pieces: dict[int, bytes] = {}
        self._model: Any = bindings.llama_model_load_from_file(
            str(path).encode(), bindings.llama_model_default_params()
        )
        if not self._model:
            raise ModelUnavailable(
                f"llama.cpp cannot load the planner's model {path}: the file is damaged or too new.",
                hint="Copy or download the file again, or update llama-cpp-python.",
            )
        self.context = min(context, bindings.llama_model_n_ctx_train(self._model))
        self._context: Any = bindings.llama_init_from_model(self._model, self._parameters(path, threads))
        if not self._context:
            bindings.llama_model_free(self._model)
            raise ModelUnavailable(
                f"llama.cpp has no room for a context of {self.context} tokens for {path}.",
                hint="Close other programs, or choose a smaller model.",
            )
        self._memory: Any = bindings.llama_get_memory(self._context)
        self.vocabulary: Any = bindings.llama_model_get_vocab(self._model)
        self.size = bindings.llama_vocab_n_tokens(self.vocabulary)

    def _parameters(self, path: Path, threads: int | None) -> Any:
        parameters = bindings.llama_context_default_params()
        parameters.n_ctx = self.context
        parameters.n_batch = parameters.n_ubatch = BATCH
        parameters.n_seq_max = 1
        small = path.stat().st_size < _SMALL_FILE
        count = threads or (1 if small else min(os.cpu_count() or 1, _MOST_THREADS))
        parameters.n_threads = parameters.n_threads_batch = count
        return parameters

    # --- tokens and text ---

    def tokenize(self, text: str, *, special: bool = False, begin: bool = False) -> list[int]:
        """Tokens of a text. Control markers in it count only with `special`; never for a user's text."""
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        buffer = (bindings.llama_token * size)()
        count = bindings.llama_tokenize(self.vocabulary, data, len(data), buffer, size, begin, special)
        if count < 0:
            raise PlannerFailed("The planner's model cannot tokenize the request.")
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for, markers written out."""
        if token not in self._pieces:
            buffer = ctypes.create_string_buffer(256)
            length = bindings.llama_token_to_piece(self.vocabulary, token, buffer, 256, 0, True)
            self._pieces[token] = buffer.raw[: max(length, 0)]
        return self._pieces[token]

    def is_end(self, token: int) -> bool:
        """Whether the token ends a text."""
        return bool(bindings.llama_vocab_is_eog(self.vocabulary, token))

    def chat_template(self) -> str | None:
        """The Jinja template of the file's metadata."""
        template = bindings.llama_model_chat_template(self._model, None)
        return template.decode("utf-8", "replace") if template else None

    def boundary_texts(self) -> tuple[str, str]:
        """The texts of the tokens that begin and end a sequence, empty where there is none."""
        ends = (bindings.llama_vocab_bos, bindings.llama_vocab_eos)
        tokens = [cast("int", of(self.vocabulary)) for of in ends]
        begin, end = (self.piece(token).decode("utf-8", "replace") if token >= 0 else "" for token in tokens)
        return begin, end

    # --- reading ---

    @property
    def tokens_in_memory(self) -> int:
        """How many tokens the context holds."""
        return len(self._read)

    def read(self, prompt: Sequence[int], cancelled: Callable[[], bool]) -> int | None:
        """Read a prompt; how many of its tokens were known from before, or None when cancelled.

        At least the last token is read anew, so that its logits are there.
        """
        known = self._keep_common(prompt)
        for start in range(known, len(prompt), BATCH):
            if cancelled():
                return None
            self.extend(prompt[start : start + BATCH])
        return known

    def forget(self) -> None:
        """Make the next prompt be read from its beginning.

        Only then does it come to the very same scores again: their last digits depend on the batches that
        the tokens were read in.
        """
        bindings.llama_memory_clear(self._memory, True)
        self._read.clear()

    def _keep_common(self, prompt: Sequence[int]) -> int:
        common = 0
        for old, new in zip(self._read, prompt[:-1], strict=False):
            if old != new:
                break
            common += 1
        if not bindings.llama_memory_seq_rm(self._memory, 0, common, -1):
            self.forget()
            common = 0
        del self._read[common:]
        return common

    def extend(self, tokens: Sequence[int]) -> None:
        """Read at most BATCH further tokens."""
        array = (bindings.llama_token * len(tokens))(*tokens)
        code = bindings.llama_decode(self._context, bindings.llama_batch_get_one(array, len(tokens)))
        if code != 0:
            self.forget()
            raise PlannerFailed(f"llama.cpp stopped with code {code} while planning.", hint="Try again.")
        self._read += tokens

    def logits(self) -> npt.NDArray[np.float32]:
        """Scores of the next token; a view that the next `extend` overwrites."""
        pointer = bindings.llama_get_logits_ith(self._context, -1)
        return np.ctypeslib.as_array(pointer, shape=(self.size,))

    def close(self) -> None:
        """Free the memory; the model is of no use afterwards."""
        if self._context:
            bindings.llama_free(self._context)
            bindings.llama_model_free(self._model)
            self._context = self._model = None
