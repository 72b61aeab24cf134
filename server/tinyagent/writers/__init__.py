"""Prose written without the planner: summaries."""
