"""The OpenAPI document: what every route takes and answers, for one microversion.

It is put together from the table of routes, the schemas of requests, and the modules in
:mod:`magnum.api.openapi.nouns`, which say of each route what no other place says. The tests hold every answer that they
get against it (``magnum.tests.documented``).
"""
