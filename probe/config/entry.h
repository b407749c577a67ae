// What Values is made of. Private to this folder.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "probe/base/secret.h"
#include "probe/base/time.h"
#include "probe/config/block.h"
#include "probe/config/json_path.h"
#include "probe/config/mask.h"
#include "probe/config/template.h"
#include "probe/config/values.h"

namespace slosonde::config {

struct Share {
  int64_t ppb;
};
struct Bytes {
  uint64_t count;
};

using TextMap = std::vector<std::pair<std::string, std::string>>;
using TemplateMap = std::vector<std::pair<std::string, Template>>;
using JsonPathMap = std::vector<std::pair<std::string, JsonPath>>;

using EntryValue = std::variant<std::string, Template, Secret, bool, int64_t, double, Share, Duration, Bytes, JsonPath,
                                boost::json::value, std::vector<std::string>, std::vector<int64_t>, TextMap,
                                TemplateMap, JsonPathMap, Values, std::vector<Values>>;

struct Entry {
  std::string key;
  Type type = Type::text;
  Position position;  // of the value; meaningless unless given
  bool given = false;
  EntryValue value;
  std::vector<Position> key_positions;  // of a map's entries
  boost::json::value shown;             // for views: as it was written where it came from outside, never a secret
};

struct Values::Data {
  const Block* block = nullptr;
  Position position;
  std::string path;
  std::vector<Entry> entries;
  bool complete = true;  // every key was well-formed, in the blocks below too
  std::string fingerprint;
  std::shared_ptr<const Mask> mask;  // of the whole file

  const Entry* find(std::string_view key) const;
};

// The fingerprint of entries: HMAC-SHA-256 over their keys, types and values, as hexadecimal digits.
std::string fingerprint_of(const std::vector<Entry>& entries);

}  // namespace slosonde::config
