// The commands, one file each. Each gives its exit code (exit.h); results go to stdout, everything else to stderr.
#pragma once

#include <string>

namespace slosonde::cli {

struct RunOptions {
  std::string config;
};
int run(const RunOptions& options);

struct ValidateOptions {
  std::string config;
  bool json = false;
};
int validate(const ValidateOptions& options);

struct OnceOptions {
  std::string config;
  std::string transaction;  // empty: all of them
  bool json = false;
};
int once(const OnceOptions& options);

struct TriggerOptions {
  std::string probe;  // http://…, https://… or unix:/path: the admin listener
  std::string transaction;
  std::string token_file;
  bool json = false;
};
int trigger(const TriggerOptions& options);

struct StatusOptions {
  std::string probe;
  bool json = false;
};
int status(const StatusOptions& options);

struct SchemaOptions {
  bool reference = false;
};
int schema(const SchemaOptions& options);

}  // namespace slosonde::cli
