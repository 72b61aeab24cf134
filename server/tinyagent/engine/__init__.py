"""One run from request to answer. The way in: `agent.py`."""
