"""What is remembered: typed models, one store per noun, and migrations. A wing: it knows no driver and no HTTP.

Stores return detached records of :mod:`magnum.db.models`. Writing to a record changes nothing; changes go through
a store's functions.
"""
