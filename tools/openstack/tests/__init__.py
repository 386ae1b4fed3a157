"""Unit tests of the tools: pure functions and small real processes, no cloud."""
