"""Where Horizon looks for its settings: the folder that has this package comes first on its path."""
