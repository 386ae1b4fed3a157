"""A recording stand-in for Keystone, Heat and their neighbours over real HTTP, for tests of ours.

It is used where a real Heat is too slow, or cannot be made to misbehave. One process, one port; each service lies
below a path of its own. Nothing is made and nobody is checked, but every answer has the shape of the real service's.
"""
