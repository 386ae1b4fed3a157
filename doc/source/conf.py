import sys
from pathlib import Path

from magnum.version import version_string

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ext"))

project = "Magnum"
copyright = "the Magnum maintainers"
release = version_string()

extensions = [
    "sphinx.ext.autodoc",
    "cliff.sphinxext",
    "oslo_config.sphinxext",
    "oslo_policy.sphinxext",
    "magnum_openapi",
    "magnum_tables",
]
autoprogram_cliff_application = "openstack"
# What every command has, for how its answer looks.
autoprogram_cliff_ignored = [
    *("--help", "--format", "--column", "--noindent", "--prefix", "--max-width", "--fit-width"),
    *("--print-empty", "--quote", "--sort-column", "--sort-ascending", "--sort-descending"),
]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"

html_theme = "alabaster"
html_theme_options = {
    "description": "Container clusters as a service for OpenStack clouds",
    "fixed_sidebar": True,
    "page_width": "1100px",
}
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
