"""The stand-alone Tool RAG: a classifier on any pretrained encoder, and thresholds for any classifier."""
