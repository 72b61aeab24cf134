"""A GGUF model in memory: tokens and text, and the sequences of tokens that it has read.

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
from tinyagent.planners.llama_sequences import SEQUENCES, Sequences

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
    """A loaded model with one context. `read` keeps what earlier prompts have in common with the next."""

    def __init__(
        self,
        path: Path,
        *,
        context: int = 4096,
        threads: int | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Load the file. Raises ModelUnavailable when llama.cpp refuses it, PlannerFailed when cancelled."""
        bindings.llama_log_set(_silent, ctypes.c_void_p(0))
        bindings.llama_backend_init()
        self._pieces: dict[int, bytes] = {}
        parameters = bindings.llama_model_default_params()

        def goes_on(_progress: float, _data: object) -> bool:
            return not cancelled()

        parameters.progress_callback = bindings.llama_progress_callback(goes_on)
        self._model: Any = bindings.llama_model_load_from_file(str(path).encode(), parameters)
        if not self._model and cancelled():
            raise PlannerFailed(f"Loading {path.name} was given up.", hint="Try again.")
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
        self._sequences = Sequences(
            bindings.llama_get_memory(self._context),
            self._count,
            bindings.llama_n_ctx(self._context),
        )
        self._batch: Any = bindings.llama_batch_init(BATCH, 0, 1)
        self.vocabulary: Any = bindings.llama_model_get_vocab(self._model)
        self.size = bindings.llama_vocab_n_tokens(self.vocabulary)

    @property
    def _count(self) -> int:
        """How many sequences the model can keep apart and share the beginnings of."""
        states = bindings.llama_model_is_recurrent(self._model) or bindings.llama_model_is_hybrid(self._model)
        return 1 if states else SEQUENCES

    def _parameters(self, path: Path, threads: int | None) -> Any:
        parameters = bindings.llama_context_default_params()
        parameters.n_ctx = self.context
        parameters.n_batch = parameters.n_ubatch = BATCH
        parameters.n_seq_max, parameters.kv_unified = self._count, True
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
            self._pieces[token] = self._text_of(token, 256)
        return self._pieces[token]

    def _text_of(self, token: int, size: int) -> bytes:
        buffer = ctypes.create_string_buffer(size)
        length = bindings.llama_token_to_piece(self.vocabulary, token, buffer, size, 0, True)
        return buffer.raw[:length] if length >= 0 else self._text_of(token, -length)

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
        """How many tokens the sequence holds that was used last."""
        return len(self._sequences.tokens)

    def read(self, prompt: Sequence[int], cancelled: Callable[[], bool]) -> int | None:
        """Read a prompt; how many of its tokens were known from before, or None when cancelled.

        At least the last token is read anew, so that its logits are there.
        """
        known = self._sequences.begin(prompt)
        for start in range(known, len(prompt), BATCH):
            if cancelled():
                return None
            self.extend(prompt[start : start + BATCH])
        return known

    def forget(self) -> None:
        """Make every prompt be read from its beginning.

        Only then does one come to the very same scores again: their last digits depend on the batches that
        the tokens were read in, and on what else is in memory.
        """
        self._sequences.clear()

    def extend(self, tokens: Sequence[int]) -> None:
        """Read at most BATCH further tokens."""
        self._sequences.make_room(len(tokens))
        held, batch = self._sequences.tokens, self._batch
        for place, token in enumerate(tokens):
            batch.token[place], batch.pos[place] = token, len(held) + place
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, self._sequences.current
            batch.logits[place] = place == len(tokens) - 1
        batch.n_tokens = len(tokens)
        code = bindings.llama_decode(self._context, batch)
        if code != 0:
            self.forget()
            raise PlannerFailed(f"llama.cpp stopped with code {code} while planning.", hint="Try again.")
        held += tokens

    def logits(self) -> npt.NDArray[np.float32]:
        """Scores of the next token; a view that the next `extend` overwrites."""
        pointer = bindings.llama_get_logits_ith(self._context, -1)
        return np.ctypeslib.as_array(pointer, shape=(self.size,))

    def close(self) -> None:
        """Free the memory; the model is of no use afterwards."""
        if self._context:
            bindings.llama_batch_free(self._batch)
            bindings.llama_free(self._context)
            bindings.llama_model_free(self._model)
            self._context = self._model = None
