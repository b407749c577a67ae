// The command line: `slosonde COMMAND …`.
#pragma once

namespace slosonde::cli {

// Parses, runs the command, gives the exit code (exit.h). Never throws.
int run_command_line(int argc, char** argv);

}  // namespace slosonde::cli
