"""The HTTP face of the engine. The way in: `app.py`; the contract: `docs/http-api.md`."""
