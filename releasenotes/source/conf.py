project = "Magnum release notes"
copyright = "the Magnum maintainers"
extensions = ["reno.sphinxext"]
html_theme = "alabaster"
