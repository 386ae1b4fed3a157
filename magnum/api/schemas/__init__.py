"""What each request may hold, as JSON Schema (Draft 2020-12). One noun, one module."""
