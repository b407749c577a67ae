#include "probe/config/values.h"

#include <array>
#include <boost/json/value.hpp>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "probe/config/builder.h"
#include "probe/config/entry.h"

namespace slosonde::config {
namespace {

constexpr Block kNoBlock{"", "", {}};

[[noreturn]] void misuse(const Values& values, std::string_view key, const char* what) {
  std::fprintf(stderr, "slosonde: a mistake in slosonde: key '%.*s' of block '%s' %s\n", static_cast<int>(key.size()),
               key.data(), std::string(values.block_declaration().name).c_str(), what);
  std::abort();
}

bool is_declared(const Block& block, std::string_view key) {
  for (const Key& declared : block.keys)
    if (declared.name == key) return true;
  return block.kinds != KindKeys::none;
}

}  // namespace

const Entry* Values::Data::find(std::string_view key) const {
  for (const Entry& entry : entries)
    if (entry.key == key) return &entry;
  return nullptr;
}

Values::Values() {
  static const std::shared_ptr<const Data> kEmpty = [] {
    Data data;
    data.block = &kNoBlock;
    data.mask = std::make_shared<const Mask>();
    return std::make_shared<const Data>(std::move(data));
  }();
  data_ = kEmpty;
}
Values::~Values() = default;
Values::Values(const Values&) = default;
Values& Values::operator=(const Values&) = default;
// A moved-from one would have nothing to point at, so moving copies the pointer.
Values::Values(Values&& other) noexcept {
  data_ = other.data_;
}
Values& Values::operator=(Values&& other) noexcept {
  data_ = other.data_;
  return *this;
}

const Entry* Values::entry(std::string_view key) const {
  const Entry* entry = data_->find(key);
  if (entry == nullptr && !is_declared(*data_->block, key)) misuse(*this, key, "is not declared");
  return entry;
}

template <class T>
const T& Values::as(std::string_view key) const {
  const Entry* found = entry(key);
  if (found == nullptr) misuse(*this, key, "was not given; ask has() first");
  const T* value = std::get_if<T>(&found->value);
  if (value == nullptr) misuse(*this, key, "is of another type");
  return *value;
}

template <class T>
const T& Values::as_or_empty(std::string_view key) const {
  static const T kEmpty{};
  return entry(key) == nullptr ? kEmpty : as<T>(key);
}

const Block& Values::block_declaration() const {
  return *data_->block;
}

bool Values::has(std::string_view key) const {
  return entry(key) != nullptr;
}

const std::string& Values::text(std::string_view key) const {
  const Entry* found = entry(key);
  if (found != nullptr && found->type == Type::url) return std::get<Template>(found->value).source();
  return as_or_empty<std::string>(key);
}
const Template& Values::text_template(std::string_view key) const {
  return as_or_empty<Template>(key);
}
const Secret& Values::secret(std::string_view key) const {
  return as_or_empty<Secret>(key);
}
bool Values::boolean(std::string_view key) const {
  return as<bool>(key);
}
int64_t Values::integer(std::string_view key) const {
  return as<int64_t>(key);
}
double Values::number(std::string_view key) const {
  return as<double>(key);
}
int64_t Values::share_ppb(std::string_view key) const {
  return as<Share>(key).ppb;
}
Duration Values::duration(std::string_view key) const {
  return as<Duration>(key);
}
uint64_t Values::bytes(std::string_view key) const {
  return as<Bytes>(key).count;
}
const JsonPath& Values::json_path(std::string_view key) const {
  return as<JsonPath>(key);
}
const boost::json::value& Values::json(std::string_view key) const {
  return as_or_empty<boost::json::value>(key);
}
const std::vector<std::string>& Values::texts(std::string_view key) const {
  return as_or_empty<std::vector<std::string>>(key);
}
const std::vector<int64_t>& Values::integers(std::string_view key) const {
  return as_or_empty<std::vector<int64_t>>(key);
}
const TextMap& Values::text_map(std::string_view key) const {
  return as_or_empty<TextMap>(key);
}
const TemplateMap& Values::template_map(std::string_view key) const {
  return as_or_empty<TemplateMap>(key);
}
const JsonPathMap& Values::json_path_map(std::string_view key) const {
  return as_or_empty<JsonPathMap>(key);
}
const Values& Values::block(std::string_view key) const {
  return as<Values>(key);
}
const std::vector<Values>& Values::blocks(std::string_view key) const {
  return as_or_empty<std::vector<Values>>(key);
}

Position Values::position() const {
  return data_->position;
}
Position Values::position(std::string_view key) const {
  const Entry* found = entry(key);
  return found != nullptr && found->given ? found->position : data_->position;
}
std::string Values::path() const {
  return data_->path;
}
std::string Values::path(std::string_view key) const {
  return join_path(data_->path, key);
}

boost::json::value Values::shown() const {
  boost::json::object object;
  for (const Entry& entry : data_->entries) object[entry.key] = entry.shown;
  return object;
}

std::string Values::fingerprint() const {
  return data_->fingerprint;
}
const std::shared_ptr<const Mask>& Values::mask() const {
  return data_->mask;
}

}  // namespace slosonde::config
