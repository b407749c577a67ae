"""Who may include whom: each folder stands only on those below it, and each library stays where it belongs."""

import re

import pytest

from sources import ROOT, files, shown

# folder: the folders it may include beside its own.
ALLOWED = {
    "probe/base": set(),
    "probe/slo": {"probe/base"},
    "probe/ledger": {"probe/base"},
    "probe/config": {"probe/base", "probe/slo", "probe/ledger"},
    "probe/store": {"probe/base", "probe/slo", "probe/ledger"},
    "probe/io": {"probe/base"},
    "checks": {"probe/base", "probe/ledger", "probe/config", "probe/io"},
    "probe/engine": {"probe/base", "probe/slo", "probe/ledger", "probe/config", "probe/store", "probe/io"},
    "exporter": {"probe/base", "probe/slo", "probe/ledger", "probe/config", "probe/store", "probe/io", "probe/engine"},
    "demo": {"probe/base"},
}
# The seam between the engine and the kinds: the only headers of checks/ that engine and exporter see.
SEAM = {"checks/check.h", "checks/watch.h", "checks/kind.h"}
UNBOUND = {"probe/cli", "probe", "bench", "tests"}  # the commands, main.cc, benchmarks and tests may include everything

# Libraries: (what the header's name looks like, what else is fine, where it may stand).
LIBRARIES = [
    (r"boost/(asio|beast)/", r"boost/asio/awaitable\.hpp",
     r"probe/io/|exporter/web/|probe/engine/(launcher|service|supervisor|witnesses)|demo/|tests/|bench/|probe/(cli/|main\.cc)"),
    (r"curl/", None, r"checks/|exporter/|tests/|bench/|probe/(cli/|main\.cc)"),
    (r"librdkafka/", None, r"checks/|demo/|tests/|bench/"),
    (r"sqlite3\.h", None, r"probe/store/|tests/"),
    (r"ares\.h", None, r"probe/io/|tests/"),
    (r"yaml-cpp/", None, r"probe/config/|tests/"),
    (r"prometheus/", None, r"exporter/|tests/|bench/"),
    (r"openssl/", None, r"probe/(base/secret|ledger/|io/)|checks/|exporter/|tests/|bench/"),
]
# The pure folders, and the core of the engine, know no clock, thread or socket. The core is what its target is made of,
# with the headers of those sources, and those that are headers alone.
CORE_SOURCES = re.search(r"slosonde_library\(engine_core\s+SOURCES([^)]*?)USES", (ROOT / "probe/engine/CMakeLists.txt")
                         .read_text(encoding="utf-8"))[1].split()
CORE = {name.removesuffix(".cc") for name in CORE_SOURCES} | {
    "core_impl", "facts", "plan", "run", "run_list", "run_state", "schedule_queue", "seen_items", "snapshot"}
PURE = re.compile(rf"probe/(slo/.*|ledger/.*|engine/({'|'.join(sorted(CORE))})\.(h|cc))")
IMPURE = re.compile(r"(thread|mutex|condition_variable|future|ctime|fstream|unistd\.h|poll\.h|sys/.*|netinet/.*)")

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)


def folder_of(path):
    """The folder in the sense of the rules: "probe/io/tls/x.h" is of probe/io, "checks/net/x.h" of checks."""
    parts = path.split("/")
    if parts[0] == "probe":
        return "/".join(parts[:2]) if len(parts) > 2 else "probe"
    return parts[0]


def forbidden(path, text):
    """Every include of `text` that a file at `path` may not have, as a sentence."""
    here = folder_of(path)
    wrong = []
    for match in INCLUDE.finditer(text):
        own, library = match[1], match[2]
        line = text.count("\n", 0, match.start(1 if own else 2)) + 1
        if own:
            there = folder_of(own)
            fine = (there == here or here in UNBOUND or there in ALLOWED.get(here, ())
                    or (own in SEAM and here in ("probe/engine", "exporter"))
                    or (here in UNBOUND and "/" not in own))
            if not fine:
                wrong.append(f'{path}:{line}: {here} may not include "{own}"; it may include '
                             f'{", ".join(sorted(ALLOWED.get(here, ()))) or "nothing but itself"}')
            continue
        for pattern, exempt, where in LIBRARIES:
            if re.match(pattern, library) and not (exempt and re.fullmatch(exempt, library)) and not re.match(where, path):
                wrong.append(f"{path}:{line}: <{library}> has no place here; it belongs to {where}")
        if PURE.fullmatch(path) and IMPURE.fullmatch(library):
            wrong.append(f"{path}:{line}: <{library}> in a folder that knows no clock, thread or I/O")
    return wrong


def test_every_include_is_allowed():
    found = files()
    assert len(found) > 10, f"the sources were not found below {ROOT}"
    wrong = [line for path in found for line in forbidden(shown(path), path.read_text(encoding="utf-8"))]
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_header_is_guarded():
    bare = [shown(path) for path in files() if path.suffix == ".h" and "#pragma once" not in path.read_text("utf-8")]
    assert not bare, f"without #pragma once: {bare}"


def test_each_file_of_the_engine_is_of_the_core_or_of_its_world():
    """A header that nobody has put on one side or the other would be checked by nobody."""
    world = {"acknowledgements", "equip", "held_up", "launcher", "launcher_alarm", "service", "state_keeper", "supervisor", "witnesses"}
    names = {path.stem for path in files() if shown(path).startswith("probe/engine/")}
    assert names == CORE | world and not CORE & world


@pytest.mark.parametrize("path, include", [
    ("probe/slo/x.h", '"probe/ledger/marker.h"'),
    ("probe/slo/x.h", "<thread>"),
    ("probe/base/x.h", '"probe/io/io.h"'),
    ("probe/io/x.cc", '"checks/check.h"'),
    ("checks/x.cc", '"probe/engine/core.h"'),
    ("checks/x.cc", "<boost/asio/steady_timer.hpp>"),
    ("checks/net/x.cc", '"probe/slo/counts.h"'),
    ("probe/engine/core.cc", '"checks/catalog.h"'),
    ("probe/engine/core.cc", "<sys/socket.h>"),
    ("probe/engine/sight.h", "<thread>"),
    ("probe/engine/seen_items.h", "<mutex>"),
    ("probe/engine/sli_book.cc", "<fstream>"),
    ("probe/engine/histogram.cc", "<unistd.h>"),
    ("exporter/x.cc", '"checks/http.h"'),
    ("exporter/x.cc", '"probe/cli/run.h"'),
    ("demo/x.cc", '"probe/engine/core.h"'),
    ("probe/base/x.h", '"x.h"'),
])
def test_a_forbidden_edge_is_found(path, include):
    assert len(forbidden(path, f"#pragma once\n\n#include {include}\n")) == 1


@pytest.mark.parametrize("path, include", [
    ("probe/engine/core.h", '"checks/check.h"'),
    ("probe/engine/launcher.cc", "<boost/asio/co_spawn.hpp>"),
    ("checks/check.h", "<boost/asio/awaitable.hpp>"),
    ("probe/ledger/marker.cc", "<openssl/evp.h>"),
    ("probe/cli/run.cc", '"checks/catalog.h"'),
])
def test_an_allowed_edge_is_not(path, include):
    assert not forbidden(path, f"#include {include}\n")
