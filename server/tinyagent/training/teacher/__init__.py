"""Requests with plans from a chat model: asked for by sets of tools, checked, and kept without repeats."""
