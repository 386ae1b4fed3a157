"""Console scripts, one small file each. The top floor: nothing imports it.

The first thing any of them does is to choose native threads.
"""

from magnum.common import threads

threads.choose()
