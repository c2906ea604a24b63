"""Configuration of Sphinx.

sphinx-build -W --keep-going -b html docs docs/_build
"""

from importlib.metadata import version as version_of

project = "bluesky_gp"
author = "the bluesky_gp developers"
project_copyright = author
version = release = version_of("bluesky_gp")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_click",
]
exclude_patterns = ["_build", "_templates", "jupyter_execute"]  # the last is made beside a build in docs/_build
templates_path = ["_templates"]

myst_enable_extensions = ["amsmath", "attrs_block", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["ref.python"]  # words of a type in a docstring ("sequence of pixels") are no references

# Every build runs the notebooks: a cached figure would outlive the code that drew it.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 120
nb_merge_streams = True

default_role = "code"  # numpydoc's single backticks: parameters as often as classes
autodoc_typehints = "none"  # the docstrings say types, and shapes
autodoc_member_order = "bysource"
autodoc_default_options = {"exclude-members": "__init__, __new__"}
autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
napoleon_google_docstring = False
napoleon_use_rtype = False
python_use_unqualified_type_names = True

html_theme = "pydata_sphinx_theme"
html_title = f"bluesky_gp {version}"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
}
