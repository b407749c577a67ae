// One text of the file to one typed value. Pure.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "probe/config/block.h"
#include "probe/config/entry.h"

namespace slosonde::config {

struct Mistake {
  Rule rule;
  std::string message;
};

// A text to be read, with its references replaced.
struct Scalar {
  std::string_view text;
  bool plain = true;     // without quotes
  bool outside = false;  // came from the environment or a file: must not be shown
  std::string shown;     // how messages call it: `text`, or "what `${env:NAME}` stands for"
};

using ReadScalar = tl::expected<EntryValue, Mistake>;

// For every type that is one text, and for one item of the lists and maps. Secrets and paths come as they are.
ReadScalar read_scalar(const Key& key, Type type, const Scalar& scalar);

// Length limits (`min`, `max`) of a secret; the message never shows it.
tl::expected<void, Mistake> check_length(const Key& key, size_t length, const std::string& shown);

// "a whole number", for messages and the reference page.
std::string_view describe(Type type);
// The same for one entry of a list or map; other types as describe().
std::string_view describe_item(Type type);

}  // namespace slosonde::config
