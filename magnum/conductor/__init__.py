"""The process that does the work: it finds due operations, by hint, event or sweep, and runs their passes.

As in ``magnum.cmd``, native threads are chosen first: the libraries imported below would settle on eventlet.
"""

from magnum.common import threads

threads.choose()
