"""Magnum: container clusters as a service for OpenStack clouds.

`pyproject.toml` holds the map of the layers (`[tool.importlinter]`).
"""
