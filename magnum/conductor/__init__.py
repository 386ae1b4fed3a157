"""The process that does the work: it finds due operations, by hint or by sweep, and runs their passes."""
