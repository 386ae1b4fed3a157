"""``tools/chaos``: real processes, many bays, and everything that can break breaking at random; then the reckoning.

:mod:`plan` says what happens when, from a seed. :mod:`ground` has the processes, :mod:`asks` asks for bays,
:mod:`faults` breaks things, :mod:`audit` has the database itself record who writes what, :mod:`verdict` judges.
"""
