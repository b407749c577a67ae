#include "probe/cli/cli.h"

int main(int argc, char** argv) {
  return slosonde::cli::run_command_line(argc, argv);
}
