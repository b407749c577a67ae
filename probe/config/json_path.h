// The small part of JSONPath that checks use: $, .name, ['name'], [index] (negative: from the end), [*].
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "probe/base/result.h"

namespace slosonde::config {

// Immutable; any thread.
class JsonPath {
 public:
  JsonPath() = default;
  static Result<JsonPath> parse(std::string_view text);

  // Every value the path reaches, in document order (more than one only with [*]); the pointers live as long as root.
  std::vector<const boost::json::value*> find(const boost::json::value& root) const;
  const std::string& source() const { return source_; }

 private:
  struct Step {
    enum class Kind { name, index, all } kind = Kind::name;
    std::string name;
    int64_t index = 0;
  };
  std::string source_;
  std::vector<Step> steps_;
};

}  // namespace slosonde::config
