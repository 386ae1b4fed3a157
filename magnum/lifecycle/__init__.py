"""The rules of a bay's life: what may be asked when, and how an operation comes to its end.

The one floor where the wings meet. It knows no Heat and no HTTP.
"""
