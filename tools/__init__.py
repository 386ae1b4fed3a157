"""The project's own command line tools; a package only so that they can share code."""
