"""Each promise of docs/trust.md names a test, and each test that is named there is there."""

import re

import pytest

from sources import ROOT

PAGE = ROOT / "docs/trust.md"


def promises():
    """The rows of the tables that say what holds a promise."""
    found, inside = [], False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        inside = line == "| promise | held by |" or (inside and line.startswith("|"))
        if inside and not line.startswith(("| promise", "|---")):
            found.append(line.strip("| ").split(" | "))
    return found


PROMISES = promises()
NAMED = [(name, path) for _, held in PROMISES for name, path in re.findall(r"\[`([^`]+)`\]\(\.\./([^)]+)\)", held)]


def test_there_are_promises():
    assert len(PROMISES) >= 20


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[0][:60])
def test_is_held_by_a_test(promise):
    assert len(promise) == 2 and "](../tests/" in promise[1]


@pytest.mark.parametrize("name,path", NAMED, ids=lambda value: value.rsplit("/", 1)[-1])
def test_is_there(name, path):
    file = ROOT / path
    assert file.is_file(), f"there is no {path}"
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        assert f"def {name}(" in text
    elif file.suffix == ".cc":
        suite, test = name.split(".")
        assert re.search(rf"^TEST(_F|_P)?\({suite}, {test}\)", text, re.M)
    else:
        assert file.stem == name
