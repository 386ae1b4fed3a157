"""What each route does. One noun, one module; ``magnum.api.routes`` says which path leads where."""
