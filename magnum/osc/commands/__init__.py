"""The commands, one noun one module."""
