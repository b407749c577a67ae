// The values of one block of the file, checked against its declaration: every required key is there, defaults are
// filled in, types and ranges hold. Asking for a key that the block does not declare, or as another type, is a
// programming error and ends the process. A key that is declared, but was not given and has no default, reads as empty
// where its type can be empty (texts, templates, secrets, lists, maps, JSON null); for the others ask has() first.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/base/secret.h"
#include "probe/base/time.h"
#include "probe/config/block.h"
#include "probe/config/json_path.h"
#include "probe/config/template.h"

namespace slosonde::config {

class Mask;
struct Entry;  // one key's value; values.cc

// Immutable and cheap to copy (shares its entries); any thread.
class Values {
 public:
  Values();
  ~Values();
  Values(const Values&);
  Values(Values&&) noexcept;
  Values& operator=(const Values&);
  Values& operator=(Values&&) noexcept;

  const Block& block_declaration() const;
  bool has(std::string_view key) const;  // given in the file, or filled in by a default

  const std::string& text(std::string_view key) const;  // text, choice, url without placeholders, address, path, regex
  const Template& text_template(std::string_view key) const;  // text_template, url
  const Secret& secret(std::string_view key) const;
  bool boolean(std::string_view key) const;
  int64_t integer(std::string_view key) const;
  double number(std::string_view key) const;
  int64_t share_ppb(std::string_view key) const;  // parts per billion, exact: 99.9% is 999'000'000
  Duration duration(std::string_view key) const;
  uint64_t bytes(std::string_view key) const;
  const JsonPath& json_path(std::string_view key) const;
  const boost::json::value& json(std::string_view key) const;
  const std::vector<std::string>& texts(std::string_view key) const;
  const std::vector<int64_t>& integers(std::string_view key) const;
  const std::vector<std::pair<std::string, std::string>>& text_map(std::string_view key) const;
  const std::vector<std::pair<std::string, Template>>& template_map(std::string_view key) const;
  const std::vector<std::pair<std::string, JsonPath>>& json_path_map(std::string_view key) const;
  const Values& block(std::string_view key) const;
  const std::vector<Values>& blocks(std::string_view key) const;

  Position position() const;                      // of the block
  Position position(std::string_view key) const;  // of the key's value; of the block when not given in the file
  std::string path() const;                       // transactions[0].stages[1]
  std::string path(std::string_view key) const;

  // The block as JSON for views: defaults filled in, secrets as "<secret>".
  boost::json::value shown() const;
  // Equal for blocks with equal values (secrets included, as a hash): the key under which watches and handles are
  // shared.
  std::string fingerprint() const;
  // Hides the secrets of the whole file from what is shown. Complete once the file is loaded; never null.
  const std::shared_ptr<const Mask>& mask() const;

 private:
  friend class Builder;  // builder.h: the parser's side
  struct Data;

  const Entry* entry(std::string_view key) const;
  template <class T>
  const T& as(std::string_view key) const;
  template <class T>
  const T& as_or_empty(std::string_view key) const;

  std::shared_ptr<const Data> data_;
};

}  // namespace slosonde::config
