"""What the TinyAgent paper (arXiv:2409.00608) measured with its own models on its own test set."""

from __future__ import annotations

RETRIEVAL_HEADERS = ("Tool RAG", "tool recall", "prompt tokens", "1.1B success", "7B success")
RETRIEVAL = (
    ("none (all tools)", "1", "2762", "78.89", "83.09"),
    ("basic RAG, top 3", "0.949", "1674", "74.88", "78.50"),
    ("DeBERTa classifier", "0.998", "1397", "80.06", "84.95"),
)

MODEL_HEADERS = ("model", "bits", "size, GB", "latency, s", "success")
MODELS = (
    ("GPT-3.5", "–", "–", "3.2", "65.04"),
    ("GPT-4-Turbo", "–", "–", "3.9", "79.08"),
    ("TinyAgent-1.1B", "16", "2.2", "3.9", "80.06"),
    ("TinyAgent-1.1B", "4", "0.68", "2.9", "80.35"),
    ("TinyAgent-7B", "16", "14.5", "19.5", "84.95"),
    ("TinyAgent-7B", "4", "4.37", "13.1", "85.14"),
)
