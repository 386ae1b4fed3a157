"""What each answer shows: plain functions from a record to a dict. One noun, one module."""
