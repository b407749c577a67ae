"""The layout of the sources: clang-format's, and files of a size that can be read."""

import re
import subprocess

import pytest

from sources import ROOT, files, shown

LONGEST = 520  # lines


def badly_formatted(paths):
    result = subprocess.run(["clang-format-16", "--dry-run", "-Werror", f"--style=file:{ROOT / '.clang-format'}", *paths],
                            capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return ""
    lines = [line for line in result.stderr.splitlines() if "error:" in line] or [result.stderr]
    return "\n".join(lines[:20]) + f"\n({len(lines)} places) run: clang-format-16 -i FILES"


def test_clang_format_has_nothing_to_say():
    wrong = badly_formatted(files())
    assert not wrong, "\n" + wrong


def test_a_badly_formatted_file_is_found(tmp_path):
    (tmp_path / "good.h").write_text("#pragma once\n\nint f();\n", encoding="ascii")
    assert not badly_formatted([tmp_path / "good.h"])
    (tmp_path / "bad.h").write_text("#pragma once\nint  f( ) ;\n", encoding="ascii")
    assert "bad.h:2" in badly_formatted([tmp_path / "bad.h"])


def test_no_file_is_too_long_to_be_read():
    long = {shown(path): lines for path in files() if (lines := path.read_text("utf-8").count("\n")) > LONGEST}
    assert not long, f"longer than {LONGEST} lines, so of more than one purpose: {long}"


SLEEP = re.compile(r"\btime\.sleep\(|\bsleep_for\(|\b(?:u|nano)sleep\(|(?<![\w.:\"])sleep\(\d+\)")


def sleeps(text):
    """Line numbers of sleeps; the pause in a loop that asks again (within `wait_…` or `until`) is none."""
    lines = text.splitlines()
    return [number for number, line in enumerate(lines, 1) if SLEEP.search(line)
            and not any(re.search(r"\b(wait_|until|eventually)\w*\(", before) for before in lines[max(0, number - 10):number])]


def test_no_test_sleeps_to_wait():
    tests = [*files("tests"), *(ROOT / "tests").rglob("*.py")]
    found = [f"{shown(path)}:{number}" for path in tests if path.parent.name not in ("servers", "house")
             for number in sleeps(path.read_text("utf-8"))]
    assert not found, f"wait for the condition, with a deadline (servers/waiting.py): {found}"


@pytest.mark.parametrize("line", ["time.sleep(1)", "std::this_thread::sleep_for(1s);", "  sleep(1);", "usleep(10);"])
def test_a_sleep_is_found(line):
    assert sleeps(f"void f() {{\n{line}\n}}\n") == [2]
