"""g++ 12 miscompiles some uses of co_await (temporaries in its arguments are destroyed twice). What is known to be safe:
`co_await f(named);` alone, or `auto x = co_await f(named);`. Everything else is refused here."""

import re

import pytest

from sources import code_only, files, shown

ALLOWED = re.compile(r"(?:(?:const )?auto(?: ?&{1,2})? ?(?:\w+|\[[\w, ]+\]) = )?co_await [^?{}]+")
# A temporary made in the arguments: Type(…) of ours, or one of the library's.
TEMPORARY = re.compile(r"[(,] ?(?:(?:\w+::)*[A-Z]\w+|std::(?:string|vector<.*>|function<.*>|pair<.*>|tuple<.*>))\(")
GUARD = re.compile(r"(?:else )?(?:if|while|for) (?:constexpr )?\(|else |do ")


def without_guard(statement):
    """`if (x) co_await f()` → `co_await f()`, where the condition itself does not await."""
    while match := GUARD.match(statement):
        end = match.end()
        if statement[end - 1] == "(":
            depth = 1
            while depth and end < len(statement):
                depth += {"(": 1, ")": -1}.get(statement[end], 0)
                end += 1
            if "co_await" in statement[:end]:
                return statement
        statement = statement[end:].lstrip()
    return statement


def unsafe(path, text):
    """Every use of co_await that is not one of the two, as a sentence."""
    code = code_only(text)
    wrong = []
    for match in re.finditer(r"\bco_await\b", code):
        start = max(code.rfind(mark, 0, match.start()) for mark in ";{}") + 1
        end = code.find(";", match.end())
        statement = " ".join(code[start:end].split())
        statement = without_guard(re.sub(r"^(?:case [\w:]+|default) ?: ", "", statement))
        if not ALLOWED.fullmatch(statement) or statement.count("co_await") > 1 or TEMPORARY.search(statement):
            line = code.count("\n", 0, match.start()) + 1
            wrong.append(f"{path}:{line}: {statement[:160]}\n    write `co_await f(named);` or `auto x = co_await f(named);`")
    return wrong


def test_every_co_await_stands_alone():
    wrong = [line for path in files() for line in unsafe(shown(path), path.read_text(encoding="utf-8"))]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("line", [
    "auto x = co_await f(Options{.a = 1});",
    "auto x = co_await f({1, 2});",
    "auto x = c ? co_await a() : b;",
    "auto x = co_await (c ? a() : b());",
    "co_return Result{co_await g()};",
    "co_return co_await g();",
    "f(co_await g());",
    "if (co_await g()) h();",
    "while (!co_await g()) h();",
    "auto x = co_await f(co_await g());",
    "auto x = co_await f(Error(code));",
    "auto x = co_await f(std::string(\"text\"));",
    "auto x = co_await f([&] { return 1; });",
    "x.y = co_await f(z);",
])
def test_what_is_miscompiled_is_found(line):
    assert unsafe("x.cc", f"awaitable<void> f() {{\n  {line}\n}}")


@pytest.mark.parametrize("line", [
    "co_await f(named);",
    "auto x = co_await f(named, std::move(other), 3);",
    "const auto x = co_await io.sleep_until(a + b);",
    "auto [a, b] = co_await f(named);",
    "if (n > (3)) co_await f(named);",
    "for (int i = 0; i < 3; ++i) { auto x = co_await f(i); use(x); }",
    "case 3: co_await f(named);",
    "// co_return co_await g();",
    'log("co_await {}");',
    "auto x =\n      co_await f(named,\n        other);",
])
def test_what_is_safe_is_not(line):
    assert not unsafe("x.cc", f"awaitable<void> f() {{\n  {line}\n}}")
