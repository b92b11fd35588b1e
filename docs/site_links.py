"""For the site: pages of results join it, and links out of docs/ lead to the repository.

Where the site knows no address of the repository, such links are names.
"""

import posixpath
import re
from pathlib import Path

_LINK = re.compile(r"(?<!!)\[([^\]\n]*)\]\(([^)\s:#]+)(#[^)\s]*)?\)")


def on_config(config, **_):
    """Add the pages of results/ to its part of the navigation; MkDocs calls this."""
    docs = Path(config.docs_dir)
    pages = sorted(str(page.relative_to(docs)) for page in docs.glob("results/*.md"))
    for part in config.nav:
        for listed in part.values():
            if listed == ["results/README.md"]:
                listed += [page for page in pages if page not in listed]
    return config


def on_page_markdown(markdown, page, config, **_):
    """Rewrite the links of one page; MkDocs calls this."""
    folder = posixpath.dirname(page.file.src_uri)

    def outside(link):
        words, target, anchor = link.groups(default="")
        path = posixpath.normpath(posixpath.join("docs", folder, target))
        if path.startswith("docs/"):
            return link[0]
        if not config.repo_url:
            return words
        return f"[{words}]({config.repo_url.rstrip('/')}/blob/main/{path}{anchor})"

    return _LINK.sub(outside, markdown)
