"""How Sphinx builds the site: MyST pages, the furo theme, formulas as MathML, nothing from another host."""

import re
from importlib.metadata import version as version_of
from pathlib import Path

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

project = "Thalweg"
copyright = "the authors of Thalweg"
release = version = version_of("thalweg")

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"Thalweg {release}"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_math_renderer = "mathml"
pygments_style = "friendly"
smartquotes = False

# what a browser fetches by itself, unlike a link that somebody follows
_FETCHED = re.compile(
    r"""(?:<(?:script|img|source|iframe)[^>]*\ssrc|<link[^>]*\shref)="(?:https?:)?//|url\(["']?(?:https?:)?//|@import"""
)
_log = logging.getLogger(__name__)


def _inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(latex2mathml.tex2mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator: HTML5Translator, node: nodes.math_block) -> None:
    formula = latex2mathml.tex2mathml(node.astext(), as_block=True)
    translator.body.append(f'<div class="math" style="overflow: auto hidden; padding: 0.5em 0">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Let browsers set the formulas, as the service's own page does: Sphinx's MathJax comes from another host."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    app.connect("build-finished", _check_offline)


def _check_offline(app: Sphinx, _error: Exception | None) -> None:
    """Warn, which fails the build, of every file that makes a browser ask another host."""
    for path in sorted(Path(app.outdir).rglob("*")):
        if path.suffix in {".html", ".css"} and (fetched := _FETCHED.search(path.read_text(encoding="utf-8"))):
            _log.warning("%s fetches from another host: %s", path, fetched[0])
