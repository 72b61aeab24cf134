"""Published bases (TinyLlama, Mistral) become planners, after the TinyAgent paper (arXiv:2409.00608)."""
