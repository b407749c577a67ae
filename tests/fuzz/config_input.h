// What is done with one input, by the fuzzer and by the replay of its corpus.
#pragma once

#include <string_view>

namespace slosonde::config::test {

// Loads the text as a configuration, and ends the process when something does not hold that must hold for any text:
// problems are there, bounded, in order, without secrets and well-formed; what was read can be shown, rendered and
// described.
void try_config(std::string_view text);

}  // namespace slosonde::config::test
