"""The deliberate mistakes of tests/simulation/mutants still fit the tree, and say what they break."""

import subprocess

import pytest

from sources import ROOT

PATCHES = sorted((ROOT / "tests/simulation/mutants").glob("*.patch"))


def test_there_are_enough():
    assert len(PATCHES) >= 20


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_applies(patch):
    text = patch.read_text(encoding="utf-8")
    what, rest = text.split("\n", 1)
    assert what.endswith("."), "the first line says what the mistake breaks"
    changed = [line for line in rest.splitlines() if line.startswith("+++ ")]
    assert changed and all(line.startswith("+++ b/probe/") for line in changed), "a mistake in the product, not in its tests"
    done = subprocess.run(["git", "apply", "--check", str(patch)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\nmake the same mistake again in the code as it is now"
