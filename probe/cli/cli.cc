#include "probe/cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "probe/cli/commands.h"
#include "probe/cli/exit.h"
#include "probe/config/suggest.h"
#include "probe/config/utf8.h"

namespace slosonde::cli {

namespace {

void add_config(CLI::App& command, std::string& path) {
  command.add_option("CONFIG", path, "the configuration file")->required()->type_name("");
}

void add_json(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "print JSON instead of a table");
}

// What the commands are asked with, and which one it is.
struct Asked {
  RunOptions run;
  ValidateOptions validate;
  OnceOptions once;
  TriggerOptions trigger;
  StatusOptions status;
  SchemaOptions schema;
  std::function<int()> chosen;
  int when_it_cannot = kBad;  // for want of memory, descriptors and the like
};

void add_run(CLI::App& app, Asked& asked) {
  auto* command = app.add_subcommand("run", "probe until told to stop (SIGTERM or SIGINT)");
  add_config(*command, asked.run.config);
  command->footer(
      "Example:\n  slosonde run /etc/slosonde/slosonde.yaml\n\n"
      "SIGTERM lets runs in flight go on for `probe.grace`; a second one stops at once.\n"
      "Exit code: 0 stopped as told, 1 could not start (say, the port is taken), 2 bad configuration.");
  command->callback([&asked] { asked.chosen = [&asked] { return run(asked.run); }; });
}

void add_validate(CLI::App& app, Asked& asked) {
  auto* command = app.add_subcommand("validate", "check a configuration, and say what its SLOs mean");
  add_config(*command, asked.validate.config);
  add_json(*command, asked.validate.json);
  command->footer(
      "Example:\n  slosonde validate slosonde.yaml\n\n"
      "Shows every mistake at once, each with line and column. Of a good configuration it shows for each SLO its "
      "alert\n"
      "tiers, how many failures fire each of them, and how long a total outage takes to be seen. The tier 14.4x1h\n"
      "fires while the error budget burns over 14.4 times too fast, over 1h and over the shorter window beside it.\n"
      "Exit code: 0 good, 2 bad configuration.");
  command->callback([&asked] {
    asked.chosen = [&asked] { return validate(asked.validate); };
    asked.when_it_cannot = kBadConfig;
  });
}

void add_once(CLI::App& app, Asked& asked) {
  auto* command = app.add_subcommand("once", "run each transaction once, here and now");
  add_config(*command, asked.once.config);
  command->add_option("--transaction", asked.once.transaction, "this one only")->type_name("NAME");
  add_json(*command, asked.once.json);
  command->footer(
      "Example:\n  slosonde once slosonde.yaml --transaction log-to-alert\n\n"
      "Where a running probe holds the address of `hooks`, have that one do it: slosonde trigger.\n"
      "Exit code: 0 all good, 1 one was bad, 2 bad configuration or no such transaction, 3 could not judge.");
  command->callback([&asked] {
    asked.chosen = [&asked] { return once(asked.once); };
    asked.when_it_cannot = kInconclusive;
  });
}

void add_trigger(CLI::App& app, Asked& asked) {
  auto* command = app.add_subcommand("trigger", "have a running probe run a transaction once, now");
  command->add_option("--probe", asked.trigger.probe, "the address of its `admin`: http://HOST:PORT or unix:/PATH")
      ->required()
      ->type_name("URL");
  command->add_option("--transaction", asked.trigger.transaction, "which one")->required()->type_name("NAME");
  command
      ->add_option("--token-file", asked.trigger.token_file, "a file with the token of `admin`, where it asks for one")
      ->type_name("PATH");
  add_json(*command, asked.trigger.json);
  command->footer(
      "Example:\n  slosonde trigger --probe unix:/run/slosonde/admin.sock --transaction log-to-alert\n\n"
      "Waits for its end and shows it as `once` does. The run counts in no SLI.\n"
      "Exit code: 0 good, 1 bad, 2 wrong usage or no such transaction, 3 could not judge or no such probe.");
  command->callback([&asked] {
    asked.chosen = [&asked] { return trigger(asked.trigger); };
    asked.when_it_cannot = kInconclusive;
  });
}

void add_status(CLI::App& app, Asked& asked) {
  auto* command = app.add_subcommand("status", "show a running probe's SLOs and transactions");
  command->add_option("--probe", asked.status.probe, "the address of its `listen`: http://HOST:PORT or unix:/PATH")
      ->required()
      ->type_name("URL");
  add_json(*command, asked.status.json);
  command->footer(
      "Example:\n  slosonde status --probe http://127.0.0.1:9465\n\n"
      "Exit code: 0 shown, 2 wrong usage, 3 no such probe.");
  command->callback([&asked] {
    asked.chosen = [&asked] { return status(asked.status); };
    asked.when_it_cannot = kInconclusive;
  });
}

void add_schema(CLI::App& app, Asked& asked) {
  auto* command = app.add_subcommand("schema", "print the JSON Schema of the configuration");
  command->add_flag("--reference", asked.schema.reference, "print the reference page (Markdown) instead");
  command->footer(
      "Example:\n  slosonde schema > slosonde.schema.json\n\n"
      "Editors check and complete a file that begins with (yaml-language-server):\n"
      "  # yaml-language-server: $schema=slosonde.schema.json\n"
      "Exit code: 0 printed, 1 could not be written.");
  command->callback([&asked] { asked.chosen = [&asked] { return schema(asked.schema); }; });
}

// CLI11 would only say that a command is missing, whatever was written in its place.
std::optional<int> complain_of_command(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  const std::string word = argc > 1 ? argv[1] : "";
  if (word.starts_with('-') || std::find(names.begin(), names.end(), word) != names.end()) return std::nullopt;
  std::cerr << "slosonde: "
            << (argc > 1 ? "there is no command " + config::quoted(word) + "; " + config::suggestion(word, names)
                         : "a command is missing; " + config::suggestion("", names))
            << "\nslosonde --help says more.\n";
  return kBadConfig;
}

// Nothing when a command is to be carried out; else the exit code.
std::optional<int> parse(int argc, char** argv, Asked& asked) {
  CLI::App app{
      "slosonde sends synthetic logs through a log pipeline, watches them come out at every stage, and says whether "
      "the pipeline keeps its promises.",
      "slosonde"};
  app.require_subcommand(1);
  // One word for one thing, here and in the README. Commands take the formatter over.
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.get_formatter()->label("Positionals", "Arguments");
  app.get_formatter()->label("REQUIRED", "(required)");
  app.set_version_flag("--version", "slosonde " SLOSONDE_VERSION);
  add_run(app, asked);
  add_validate(app, asked);
  add_once(app, asked);
  add_trigger(app, asked);
  add_status(app, asked);
  add_schema(app, asked);
  app.footer(
      "Start with:\n  slosonde validate slosonde.yaml\n  slosonde once slosonde.yaml\n  slosonde run slosonde.yaml\n\n"
      "slosonde COMMAND --help says more, with an example.");
  if (const auto code = complain_of_command(app, argc, argv)) return code;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kGood : kBadConfig;
  }
  return std::nullopt;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  Asked asked;
  try {
    // The parser is gone before the command runs: the daemon need not carry it along.
    if (const auto code = parse(argc, argv, asked)) return *code;
    return asked.chosen();
  } catch (const std::exception& error) {
    std::cerr << "slosonde: " << error.what() << '\n';
    return asked.when_it_cannot;
  }
}

}  // namespace slosonde::cli
