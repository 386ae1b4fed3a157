"""What ``tools/bench`` is made of: a floor to compare with, a load, and the rows of the report."""
