"""What ``tools/bench`` is made of: a stage with our processes, a load, a floor to compare with, and the rows."""
