#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <string>

#include "probe/config/builder.h"
#include "probe/config/config.h"
#include "probe/config/declarations.h"
#include "probe/config/sections.h"

namespace slosonde::config {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr const char* kReferencePattern = R"(\$\{(env|file):[^}]+\})";
constexpr const char* kSecretPattern = R"(^(\$\{(env|file):[^}]+\})+$)";
constexpr const char* kDurationPattern = R"(^([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|ms|s|m|h|d)$)";
constexpr const char* kSharePattern = R"(^([0-9]+\.?[0-9]*|\.[0-9]+)%?$)";
constexpr const char* kBytesPattern = R"(^([0-9]+\.?[0-9]*|\.[0-9]+)(B|KiB|MiB|GiB)$)";

value json_of(std::string_view text) {
  return value(boost::json::string_view(text.data(), text.size()));
}

object string_like(const char* pattern) {
  return {{"type", "string"}, {"pattern", pattern}};
}

// Any value may come from the environment or a file.
object or_reference(object direct) {
  return {{"anyOf", array{std::move(direct), string_like(kReferencePattern)}}};
}

value number_of(std::string_view text) {
  int64_t whole = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), whole).ptr == text.data() + text.size()) return whole;
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void put_limits(object& schema, const Key& key, const char* least, const char* most) {
  if (!key.min.empty()) schema[least] = number_of(key.min);
  if (!key.max.empty()) schema[most] = number_of(key.max);
}

object number_schema(const Key& key, const char* type) {
  object schema{{"type", type}};
  put_limits(schema, key, "minimum", "maximum");
  return or_reference(std::move(schema));
}

// YAML reads `3` and `true` as a number and a boolean; as a text they are taken as they stand.
object text_schema(const Key& key) {
  object schema{{"type", array{"string", "number", "boolean"}}};
  if (key.required || key.min == "1") schema["minLength"] = 1;
  if (!key.max.empty()) schema["maxLength"] = number_of(key.max);
  return schema;
}

object list_schema(const Key& key, object item) {
  object list{{"type", "array"}, {"items", item}};
  put_limits(list, key, "minItems", "maxItems");
  return {{"anyOf", array{std::move(item), std::move(list)}}};
}

object map_schema(const Key& key) {
  object schema{{"type", "object"}, {"additionalProperties", object{{"type", array{"string", "number", "boolean"}}}}};
  put_limits(schema, key, "minProperties", "maxProperties");
  return schema;
}

object choice_schema(const Key& key) {
  array choices;
  for (const std::string_view choice : key.choices) choices.push_back(json_of(choice));
  return or_reference({{"enum", std::move(choices)}});
}

class Schema {
 public:
  explicit Schema(std::span<const NamedBlock> kinds) : kinds_(kinds) {}

  object whole() {
    object schema = of_block(root_block());
    object root{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "slosonde configuration"}};
    for (auto& member : schema) root[member.key()] = std::move(member.value());
    object definitions;
    for (const NamedBlock& kind : kinds_) {
      if (kind.check != nullptr) definitions[definition_name(kind, KindKeys::checks)] = of_block(*kind.check);
      if (kind.watch != nullptr) definitions[definition_name(kind, KindKeys::watches)] = of_block(*kind.watch);
    }
    root["$defs"] = std::move(definitions);
    return root;
  }

 private:
  static std::string definition_name(const NamedBlock& kind, KindKeys use) {
    return std::string(use == KindKeys::checks ? "check." : "watch.") + std::string(kind.name);
  }

  object of_block(const Block& block) {
    object properties;
    array required;
    array conditions;
    for (const Key& key : block.keys) {
      object schema = of_key(key);
      describe_key(block, key, schema);
      if (key.type == Type::secret) {
        const std::string file_key = std::string(key.name) + "_file";
        properties[file_key] =
            object{{"type", "string"}, {"description", "A file that holds `" + std::string(key.name) + "`."}};
        if (key.required)
          conditions.push_back(object{{"anyOf", array{object{{"required", array{json_of(key.name)}}},
                                                      object{{"required", array{json_of(file_key)}}}}}});
        conditions.push_back(object{{"not", object{{"required", array{json_of(key.name), json_of(file_key)}}}}});
      } else if (key.required) {
        required.push_back(json_of(key.name));
      }
      properties[key.name] = std::move(schema);
    }
    if (block.kinds != KindKeys::none) put_kinds(block, properties, conditions);
    object schema{{"type", "object"}, {"description", json_of(block.help)}, {"additionalProperties", false}};
    schema["properties"] = std::move(properties);
    if (!required.empty()) schema["required"] = std::move(required);
    if (!conditions.empty()) schema["allOf"] = std::move(conditions);
    return schema;
  }

  // Exactly one kind, and beside the kinds `poll` and `watch` where the block has them.
  void put_kinds(const Block& block, object& properties, array& conditions) {
    array one_of;
    for (const Key& key : block.keys)
      if (key.type == Type::block) one_of.push_back(object{{"required", array{json_of(key.name)}}});
    for (const NamedBlock& kind : kinds_) {
      if ((block.kinds == KindKeys::checks ? kind.check : kind.watch) == nullptr) continue;
      properties[kind.name] = object{{"$ref", "#/$defs/" + definition_name(kind, block.kinds)}};
      one_of.push_back(object{{"required", array{json_of(kind.name)}}});
    }
    if (!one_of.empty()) conditions.push_back(object{{"oneOf", std::move(one_of)}});
  }

  static void describe_key(const Block& block, const Key& key, object& schema) {
    std::string help(key.help);
    if (const std::string range = range_text(key); !range.empty()) help += " (" + range + ")";
    schema["description"] = help;
    if (const std::optional<value> fallback = default_of(block, key)) schema["default"] = *fallback;
  }

  object of_key(const Key& key) {
    switch (key.type) {
      case Type::boolean:
        return or_reference({{"type", "boolean"}});
      case Type::integer:
        return number_schema(key, "integer");
      case Type::number:
        return number_schema(key, "number");
      case Type::share:
        return {{"anyOf", array{object{{"type", "number"}, {"minimum", 0}, {"maximum", 1}}, string_like(kSharePattern),
                                string_like(kReferencePattern)}}};
      case Type::duration:
        return {{"anyOf", array{string_like(kDurationPattern), object{{"const", 0}}, string_like(kReferencePattern)}}};
      case Type::bytes:
        return or_reference(string_like(kBytesPattern));
      case Type::choice:
        return choice_schema(key);
      case Type::secret:
        return string_like(kSecretPattern);
      case Type::url:
        return or_reference(string_like("^https?://"));
      case Type::address:
        return or_reference(string_like("^unix:/|:[0-9]+$"));
      case Type::json_path:
        return or_reference(string_like(R"(^\$)"));
      case Type::json:
        return {};
      case Type::texts:
        return list_schema(key, {{"type", array{"string", "number", "boolean"}}});
      case Type::integers:
        return list_schema(key, or_reference({{"type", "integer"}}));
      case Type::text_map:
      case Type::template_map:
      case Type::json_path_map:
        return map_schema(key);
      case Type::block:
        return of_block(*key.block());
      case Type::blocks: {
        object schema{{"type", "array"}, {"items", of_block(*key.block())}};
        put_limits(schema, key, "minItems", "maxItems");
        return schema;
      }
      default:
        return text_schema(key);
    }
  }

  std::span<const NamedBlock> kinds_;
};

}  // namespace

std::string json_schema(std::span<const NamedBlock> kinds) {
  return boost::json::serialize(Schema(kinds).whole()) + "\n";
}

}  // namespace slosonde::config
