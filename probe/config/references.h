// ${env:NAME} and ${file:PATH} within the values of the file.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "probe/base/secret.h"
#include "probe/config/block.h"
#include "probe/config/config.h"

namespace slosonde::config {

constexpr size_t kMaxIncludedBytes = 64 * 1024;       // of one variable or file
constexpr size_t kMaxAllIncludedBytes = 1024 * 1024;  // of all places where they stand together
constexpr size_t kMaxReferences = 1024;               // different ones

// A text with its references replaced. What came from outside may be secret: such a text is never shown.
struct Expanded {
  // One reference's part of the text.
  struct Part {
    size_t from = 0, length = 0;
    std::string written;  // "${env:NAME}"
  };
  std::string text;
  std::vector<Part> parts;    // in order
  bool from_outside = false;  // has at least one reference
  bool only_outside = false;  // is nothing but references
};

// Remembers what was read, so that one load sees each variable and file once. Lives for one load.
class References {
 public:
  References(const Source& source, Problems& problems) : source_(source), problems_(problems) {}

  // False, with a problem added, when a reference leads nowhere.
  bool expand(std::string_view written, Position position, const std::string& path, Expanded& out);

  // A secret's `KEY_file: PATH`.
  bool read_secret_file(const std::string& file, Position position, const std::string& path, Secret& out);

  // Relative paths start at the configuration file's folder.
  std::string resolve(std::string_view file) const;

 private:
  struct Place {
    Position position;
    const std::string& path;
  };
  struct Failure {
    Rule rule;
    std::string message;
  };
  const Secret* look_up(std::string_view reference, const Place& place);
  using Read = tl::expected<Secret, Failure>;
  Read read(std::string_view reference) const;
  Read read_variable(const std::string& name) const;
  Read read_file(const std::string& file) const;
  bool complain(const Place& place, Rule rule, std::string message);

  const Source& source_;
  Problems& problems_;
  std::map<std::string, Read, std::less<>> known_;  // failures too: a file is not tried twice
  size_t included_ = 0;
};

}  // namespace slosonde::config
