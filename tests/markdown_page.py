"""The blocks of a page of the documentation, run as its reader would: from top to bottom, in one folder.

- ``python``: executed, all of a page in one namespace, as in one session.
- ``sh``: executed by bash with this environment's commands. A block that installs is left out: that is CI's first step.
- ``console``: shown only; it needs what no test has.
- ``text`` behind one of these: what it printed, by doctest's rules ("..." is anything, white space does not count).
- ``{code-block}`` with a caption, of whatever language: saved as a file of that name.
"""

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, Example, OutputChecker
from pathlib import Path

import warm
from markdown_it import MarkdownIt

FLAGS = ELLIPSIS | NORMALIZE_WHITESPACE
FOR_EVER = re.compile(r"bluesky-gp (catalog serve|ioc|view)\b")  # these end when they are told to


@dataclass(frozen=True)
class Block:
    """A fenced block and where it is."""

    language: str
    text: str
    where: str


def blocks(page):
    """The fenced blocks of a page."""
    fences = [token for token in MarkdownIt().parse(page.read_text()) if token.type == "fence"]
    return [Block(fence.info.strip(), fence.content, f"{page.name}:{fence.map[0] + 1}") for fence in fences]


class Reader:
    """Somebody who types what a page says."""

    def __init__(self, folder, names=(), replaced=()):
        self.folder = folder
        self.names = {"__name__": "__main__", **dict(names)}
        self.replaced = dict(replaced)
        places = [str(folder / ".commands"), str(Path(sys.executable).parent), os.environ["PATH"]]
        self.environment = os.environ | {"PATH": os.pathsep.join(places), "COLUMNS": "110"}
        self.printed = None

    def follow(self, page):
        """Do what each block says, and compare."""
        for block in blocks(page):
            self.do(block)

    def do(self, block):
        text = block.text
        for old, new in self.replaced.items():
            text = text.replace(old, new)
        if block.language == "python":
            self.printed = self.execute(text, block.where)
        elif block.language == "sh":
            self.printed = self.type(text, block.where)
        elif block.language == "text" and self.printed is not None:
            self.compare(text, block.where)
        elif block.language.startswith("{code-block}"):
            self.save(text)

    def execute(self, text, where):
        out = io.StringIO()
        with redirect_stdout(out):
            exec(compile(text, where, "exec"), self.names)  # noqa: S102
        return out.getvalue()

    def type(self, text, where):
        if "pip install" in text:
            return None
        for catalog in self.catalogs():
            catalog.flush(60)  # who types a command has given it its second
        (self.folder / ".commands").mkdir(exist_ok=True)
        warm.command(self.folder / ".commands", "bluesky-gp", "bluesky_gp.cli")
        limited = f"timeout -s INT 8 bash -c '{text}' || test $? = 124" if FOR_EVER.search(text) else text
        exports = "\n".join(re.findall(r"^export .*$", text, flags=re.MULTILINE))
        done = subprocess.run(
            ["bash", "-ec", limited], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{where}: {text}\n{done.stdout}\n{done.stderr}"
        self.environment |= dict(line.removeprefix("export ").split("=", 1) for line in exports.splitlines())
        return done.stdout

    def compare(self, expected, where):
        checker, example = OutputChecker(), Example("", expected)
        if not checker.check_output(expected, self.printed, FLAGS):
            raise AssertionError(f"{where}: {checker.output_difference(example, self.printed, FLAGS)}")
        self.printed = None

    def save(self, text):
        caption, _, code = text.partition("\n")
        (self.folder / caption.removeprefix(":caption:").strip()).write_text(code.lstrip("\n"))

    def close(self):
        """End what the page has left open, as the end of the session would."""
        for catalog in self.catalogs():
            catalog.close()

    def catalogs(self):
        """Those that the page has open."""
        return [value for value in self.names.values() if type(value).__name__ == "Catalog" and not value.closed]
