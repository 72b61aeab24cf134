"""Tool RAG: which tools a request needs (onnxruntime, tokenizers)."""
