"""The pages of documentation: their programs, run against a service, and what they show."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docs.generate import filled
from tests.workers.service import Service

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
CHANGELOG = ROOT / "CHANGELOG.md"

ADDRESS = "http://127.0.0.1:8000"
END_OF_BLOCK = "=== end of block ==="
LANGUAGES = ("sh", "python")
TIMEOUT_SECONDS = 280

_FENCED = re.compile(r"^```(\{?\w+\}?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHOWN = ("json", "text")


@dataclass(frozen=True)
class Block:
    """A block of a page: its language, its text, its line, and the outputs shown directly below it."""

    language: str
    text: str
    line: int
    shown: tuple["Block", ...] = ()


@dataclass(frozen=True)
class Session:
    """What became of the programs of a page in one language: what each printed, and what it asked the service."""

    page: Path
    blocks: tuple[Block, ...]
    printed: tuple[str, ...]
    requests: tuple[tuple[str, str], ...]
    code: int
    complaint: str


class LoggedService(Service):
    """A service with two workers that logs into its data directory."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir, workers=2)

    @property
    def address(self) -> str:
        """Where it listens."""
        return str(self.client.base_url).rstrip("/")

    def requests(self) -> list[tuple[str, str]]:
        """Return method and path of every request that it has answered."""
        return re.findall(r'"([A-Z]+) (/[^ ?"]*)\S* HTTP/1\.1"', self.log.read_text())


def pages() -> list[Path]:
    """Return all pages of documentation."""
    return [
        README,
        CONTRIBUTING,
        CHANGELOG,
        *sorted(path for path in DOCS.glob("**/*.md") if "_build" not in path.parts),
    ]


def guides() -> list[Path]:
    """Return the pages whose programs run, and whose every output stands below the program that prints it."""
    return [README, DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md")), DOCS / "reference" / "client.md"]


def read(page: Path) -> str:
    """Return a page, its generated parts as the code has them now."""
    return filled(page.read_text(encoding="utf-8"))


def section(text: str, title: str) -> str:
    """Return a section of a page, its subsections included."""
    begin = re.search(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    assert begin, f"there is no section {title}"
    end = re.compile(rf"^#{{1,{len(begin[1])}}} ", re.MULTILINE).search(text, begin.end())
    return text[begin.start() : end.start() if end else None]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all tables, without their headers."""
    found = []
    lines = text.splitlines()
    for above, line in zip(["", *lines], lines, strict=False):
        is_row = line.startswith("| ") and not line.startswith(("| ---", "|---"))
        if is_row and above.startswith("|"):
            found.append(
                [cell.strip() for cell in re.split(r" (?<!\\)\| ", line.removeprefix("| ").removesuffix(" |"))]
            )
    return found


def fenced(text: str) -> Iterator[Block]:
    """Yield every fenced block of a page that names its language."""
    for match in _FENCED.finditer(text):
        yield Block(match[1], match[2], text[: match.start()].count("\n") + 1)


def programs(text: str) -> list[Block]:
    """Return the programs of a page, each with the outputs that stand directly below it."""
    found: list[Block] = []
    end = None
    for match in _FENCED.finditer(text):
        block = Block(match[1], match[2], text[: match.start()].count("\n") + 1)
        if block.language in LANGUAGES:
            found.append(block)
        elif block.language in _SHOWN and end is not None and not text[end : match.start()].strip():
            program = found.pop()
            found.append(Block(program.language, program.text, program.line, (*program.shown, block)))
        else:
            end = None
            continue
        end = match.end()
    return found


def run(page: Path, language: str, service: LoggedService, directory: Path) -> Session:
    """Run the programs of a page in one language, in order and in one session."""
    chosen = tuple(block for block in programs(read(page)) if block.language == language)
    mark = f"\nprintf '\\n{END_OF_BLOCK}\\n'\n" if language == "sh" else f"\nprint('\\n{END_OF_BLOCK}')\n"
    script = directory / f"script.{language}"
    script.write_text("".join(block.text + mark for block in chosen).replace(ADDRESS, service.address))
    program = ["bash", "-euo", "pipefail"] if language == "sh" else [sys.executable]
    already = len(service.requests())
    done = subprocess.run(
        [*program, script],
        check=False,
        cwd=directory,
        env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
    )
    return Session(
        page=page,
        blocks=chosen,
        printed=tuple(done.stdout.split(f"\n{END_OF_BLOCK}\n")[:-1]),
        requests=tuple(service.requests()[already:]),
        code=done.returncode,
        complaint=done.stderr,
    )


def is_shown(real: Any, shown: Any) -> bool:
    """Whether `shown` is `real`, but for what "..." stands for in it."""
    match shown:
        case "...":
            return True
        case dict():
            if not isinstance(real, dict):
                return False
            named = shown.keys() - {"..."}
            complete = "..." in shown or real.keys() == named
            return complete and all(name in real and is_shown(real[name], shown[name]) for name in named)
        case [*first, "..."]:
            return isinstance(real, list) and len(real) > len(first) and is_shown(real[: len(first)], first)
        case list():
            return (
                isinstance(real, list)
                and len(real) == len(shown)
                and all(is_shown(*pair) for pair in zip(real, shown, strict=True))
            )
    return bool(real == shown) and type(real) is type(shown)


def pattern(shown: str) -> re.Pattern[str]:
    """Return what a shown text matches: "..." stands for anything."""
    return re.compile(re.escape(without_blank_lines(shown)).replace(re.escape("..."), ".*"), re.DOTALL)


def without_blank_lines(text: str) -> str:
    """Return a text without its blank lines."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())
