"""The project's own C++ files, and their text without comments and literals."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("probe", "checks", "exporter", "demo", "bench", "tests")


def files(*folders):
    """Every .h and .cc below these folders (all of ours by default)."""
    found = []
    for folder in folders or FOLDERS:
        found += [path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".h", ".cc")]
    return found


def shown(path):
    """The path from the root, as in the messages."""
    return path.relative_to(ROOT).as_posix()


_DULL = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^\s()\\]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)


def code_only(text):
    """The text with comments, strings and characters blanked; line numbers stay. A digit separator is no character."""
    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "_", text)

    def blank(match):
        kept = '""' if match[0][0] in "\"'R" else " "
        return kept + "\n" * match[0].count("\n")

    return _DULL.sub(blank, text)
