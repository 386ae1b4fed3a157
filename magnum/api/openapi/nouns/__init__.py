"""What each noun's routes take and answer. One noun, one module.

A module has ``described``, which gives a :class:`magnum.api.openapi.described.Described` for every method and path of
its noun, for one microversion.
"""
