// Kinds as the tests declare them: one key of every type, so that the loader is tested without the real catalog.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "probe/config/config.h"

namespace slosonde::config::test {

// http (check: every type), kafka (check and watch), webhook (watch only).
std::vector<NamedBlock> kinds();

// A source whose environment and files are given in test_kinds.cc; everything else is unset and unreadable.
Source source(std::string name, std::string text);

// What none of the outputs may ever hold: the contents of every secret that source() knows.
extern const std::array<std::string_view, 3> kSecretTexts;

std::string file_text(const std::string& path);

}  // namespace slosonde::config::test
