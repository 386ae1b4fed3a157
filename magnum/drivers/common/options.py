"""The options that ``schema.json`` in a driver's directory declares, for that driver.

What they are and how they are read stands in :mod:`magnum.drivers.options`, which the API uses too.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from magnum.drivers import options


class Options:
    """The options that one driver declares. Made once per driver; the file is read when needed."""

    def __init__(self, package: str) -> None:
        """``package`` is the driver's, for example ``magnum.drivers.noop_v1``."""
        self._package = package

    @cached_property
    def _read(self) -> options.Options:
        return options.load(self._package)

    @property
    def schema(self) -> dict[str, Any]:
        """The schema as it stands in the file."""
        return dict(self._read.schema)

    def read(self, labels: Mapping[str, str], *, strict: bool = True) -> dict[str, Any]:
        """Every declared option with its value: the label's, or else the default, or else None.

        A value that the schema does not allow raises InvalidOption, naming the option; with
        ``strict`` false it counts as not given, so that such a bay can still be deleted.
        """
        return self._read.read(labels, strict=strict)
