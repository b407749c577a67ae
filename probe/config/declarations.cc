#include "probe/config/declarations.h"

#include "probe/config/builder.h"

namespace slosonde::config {
namespace {

// What the limits are of, where that is not the value itself.
std::string_view counted(Type type) {
  switch (type) {
    case Type::text:
    case Type::text_template:
    case Type::secret:
      return " bytes";
    case Type::texts:
    case Type::integers:
    case Type::text_map:
    case Type::template_map:
    case Type::json_path_map:
    case Type::blocks:
      return " entries";
    default:
      return "";
  }
}

}  // namespace

std::string range_text(const Key& key) {
  if (key.type == Type::address) return {};
  const std::string unit(counted(key.type));
  if (key.min.empty() && key.max.empty()) return {};
  if (key.max.empty()) return "at least " + std::string(key.min) + unit;
  if (key.min.empty()) return "at most " + std::string(key.max) + unit;
  return std::string(key.min) + " to " + std::string(key.max) + unit;
}

std::optional<boost::json::value> default_of(const Block& block, const Key& key) {
  if (key.fallback.empty() || key.type == Type::block) return std::nullopt;
  // The loader itself fills it in: into an empty block, whose missing keys are of no concern here.
  const Source nothing;
  Problems unheard;
  TreeNode empty;
  empty.kind = TreeNode::Kind::map;
  Builder builder(nothing, {}, unheard);
  const Values values = builder.read(empty, block, "");
  const boost::json::value shown = values.shown();
  const auto* found = shown.as_object().if_contains(key.name);
  return found == nullptr ? std::nullopt : std::optional<boost::json::value>(*found);
}

}  // namespace slosonde::config
