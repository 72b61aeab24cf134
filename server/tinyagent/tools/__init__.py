"""The built-in tools, written once against the protocols of `apps.base`."""
