#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <utility>

#include "probe/config/builder.h"
#include "probe/config/utf8.h"

namespace slosonde::config {
namespace {

std::string found(const TreeNode& node) {
  switch (node.kind) {
    case TreeNode::Kind::sequence:
      return "a list";
    case TreeNode::Kind::map:
      return "a map";
    default:
      return quoted(node.text);
  }
}

template <class T>
boost::json::value json_of(const T& value) {
  return boost::json::value(value);
}

// How a view shows a value that the file itself holds.
boost::json::value shown_of(const EntryValue& value, const std::string& written) {
  if (const auto* boolean = std::get_if<bool>(&value)) return json_of(*boolean);
  if (const auto* integer = std::get_if<int64_t>(&value)) return json_of(*integer);
  if (const auto* number = std::get_if<double>(&value)) return json_of(*number);
  if (const auto* duration = std::get_if<Duration>(&value)) return json_of(format_duration(*duration));
  return json_of(written);
}

// RFC 8259's grammar of numbers, whose form YAML's plain scalars share.
bool is_json_number(std::string_view text) {
  size_t at = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const size_t from = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - from;
  };
  const size_t first = at;
  const size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

// Nothing when the number has no exact place in 64 bits.
std::optional<boost::json::value> json_number(std::string_view text) {
  const char* end = text.data() + text.size();
  if (text.find_first_of(".eE") == std::string_view::npos) {
    int64_t small = 0;
    if (std::from_chars(text.data(), end, small).ec == std::errc{}) return boost::json::value(small);
    uint64_t large = 0;
    if (std::from_chars(text.data(), end, large).ec == std::errc{}) return boost::json::value(large);
    return std::nullopt;
  }
  double number = 0;
  if (std::from_chars(text.data(), end, number).ec != std::errc{} || !std::isfinite(number)) return std::nullopt;
  return boost::json::value(number);
}

// Bytes from which on a piece of a URL may be a token rather than a word.
constexpr size_t kTelling = 12;

constexpr Key kJsonText{.name = "", .type = Type::text_template, .help = ""};

}  // namespace

void Builder::complain(const Field& field, Rule rule, std::string message) {
  problems_.add(field.node.position, field.path, std::move(message), rule);
}

void Builder::complain_shape(const Field& field, std::string_view expected) {
  if (field.node.kind == TreeNode::Kind::refused) return;
  if (field.node.kind == TreeNode::Kind::null)
    return complain(field, Rule::no_value,
                    "no value; expected " + std::string(expected) + (field.key.required ? "" : ", or remove the key"));
  complain(field, Rule::wrong_type, "expected " + std::string(expected) + "; found " + found(field.node));
}

bool Builder::is_scalar(const Field& field, Type type) {
  if (field.node.kind == TreeNode::Kind::scalar) return true;
  complain_shape(field, describe_item(type));
  return false;
}

bool Builder::expand(const Field& field, Expanded& out) {
  return references_.expand(field.node.text, field.node.position, field.path, out);
}

// What a reference stands for may be secret wherever a kind's settings have it; in the rest of the file it names
// things. Of a URL, scheme, host and port may be shown.
void Builder::hide(const Field& field, Type type, const Expanded& expanded) {
  const bool is_text = type == Type::text || type == Type::text_template || type == Type::texts ||
                       type == Type::text_map || type == Type::template_map || type == Type::regex;
  if (type != Type::url && (!is_text || in_kind_ == 0)) return;
  if (field.key.open) return;
  const std::string_view text = expanded.text;
  const size_t scheme = text.find("://");
  const size_t tail = type != Type::url || scheme == std::string_view::npos ? 0 : text.find_first_of("/?#", scheme + 3);
  if (tail == std::string_view::npos) return;
  for (const Expanded::Part& part : expanded.parts) {
    const size_t end = part.from + part.length;
    if (end <= tail) continue;
    const size_t from = std::max(part.from, tail);
    const std::string_view value = text.substr(from, end - from);
    mask_->hide(value, part.written);
    if (type != Type::url) continue;
    // Messages show the path without the query, and targets repeat pieces of both.
    if (const size_t path = std::min(value.find_first_of("?#"), value.size()); path > 1)
      mask_->hide(value.substr(0, path), part.written);
    for (size_t at = 0; at < value.size();) {
      const size_t next = std::min(value.find_first_of("/?#&=", at), value.size());
      if (next - at >= kTelling) mask_->hide(value.substr(at, next - at), part.written);
      at = next + 1;
    }
  }
}

Builder::Maybe Builder::make(const Field& field) {
  switch (field.key.type) {
    case Type::json:
      return make_json(field);
    case Type::texts:
    case Type::integers:
      return make_list(field, field.key.type);
    case Type::text_map:
    case Type::template_map:
    case Type::json_path_map:
      return make_map(field);
    default:
      return make_scalar(field, field.key.type);
  }
}

Builder::Maybe Builder::make_scalar(const Field& field, Type type) {
  if (!is_scalar(field, type)) return std::nullopt;
  Expanded expanded;
  if (!expand(field, expanded)) return std::nullopt;
  hide(field, type, expanded);
  const std::string written = quoted(field.node.text);
  const Scalar scalar{expanded.text, field.node.plain, expanded.from_outside,
                      expanded.from_outside ? "what " + written + " stands for" : written};
  ReadScalar read = read_scalar(field.key, type, scalar);
  if (!read) {
    complain(field, read.error().rule, std::move(read.error().message));
    return std::nullopt;
  }
  boost::json::value shown = expanded.from_outside ? json_of(field.node.text) : shown_of(*read, field.node.text);
  if (const auto* parsed = std::get_if<Template>(&*read); parsed != nullptr && !parsed->is_constant())
    templates_.push_back({field.path, field.node.position, parsed->placeholders()});
  if (type == Type::path) *read = references_.resolve(expanded.text);
  return Made{std::move(*read), std::move(shown), {}};
}

std::optional<Secret> Builder::make_secret(const Field& field, bool is_file) {
  if (!is_scalar(field, is_file ? Type::path : Type::secret)) return std::nullopt;
  Expanded expanded;
  if (!is_file && field.node.text.find("${") == std::string::npos) {
    complain(field, Rule::secret_in_clear,
             "a secret in clear text; write `${env:NAME}` or `${file:PATH}`, or use " +
                 quoted(std::string(field.key.name) + "_file") + " with a file's path");
    return std::nullopt;
  }
  if (!expand(field, expanded)) return std::nullopt;
  Secret secret;
  if (is_file) {
    if (!references_.read_secret_file(expanded.text, field.node.position, field.path, secret)) return std::nullopt;
  } else if (!expanded.only_outside) {
    complain(field, Rule::secret_in_clear,
             "a secret partly in clear text; the value is `${env:NAME}` or `${file:PATH}` and nothing else");
    return std::nullopt;
  } else {
    secret = Secret(std::move(expanded.text));
  }
  if (secret.empty()) {
    complain(field, Rule::empty_text, "the secret is empty; put it into the file or variable, or remove the key");
    return std::nullopt;
  }
  mask_->hide(secret.reveal(), kSecretShown);
  if (const auto length = check_length(field.key, secret.reveal().size(), "the secret"); !length) {
    complain(field, length.error().rule, length.error().message);
    return std::nullopt;
  }
  return secret;
}

bool Builder::count_fits(const Field& field, size_t count) {
  // The declaration's limits of a list or map are of its number of entries.
  const auto limit = [](std::string_view text, size_t none) {
    size_t value = none;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  const size_t least = limit(field.key.min, 0);
  const size_t most = limit(field.key.max, SIZE_MAX);
  if (count < least) {
    complain(field, Rule::out_of_range,
             count == 0 ? "is empty; at least " + std::string(field.key.min) + (least == 1 ? " entry" : " entries") +
                              " is expected"
                        : std::to_string(count) + " entries are too few; at least " + std::string(field.key.min));
    return false;
  }
  if (count > most) {
    complain(field, Rule::out_of_range,
             std::to_string(count) + " entries are too many; at most " + std::string(field.key.max));
    return false;
  }
  return true;
}

Builder::Maybe Builder::make_list(const Field& field, Type item) {
  const bool is_one = field.node.kind == TreeNode::Kind::scalar;
  if (!is_one && field.node.kind != TreeNode::Kind::sequence) {
    complain_shape(field, describe(item));
    return std::nullopt;
  }
  const size_t count = is_one ? 1 : field.node.items.size();
  bool good = count_fits(field, count);
  std::vector<std::string> texts;
  std::vector<int64_t> integers;
  boost::json::array shown;
  for (size_t i = 0; i < count; ++i) {
    const TreeNode& node = is_one ? field.node : field.node.items[i];
    Maybe made = make_scalar({field.key, node, is_one ? field.path : join_index(field.path, i)}, item);
    if (!made) {
      good = false;
      continue;
    }
    shown.push_back(std::move(made->shown));
    if (item == Type::texts)
      texts.push_back(std::move(std::get<std::string>(made->value)));
    else
      integers.push_back(std::get<int64_t>(made->value));
  }
  if (!good) return std::nullopt;
  if (item == Type::texts) return Made{std::move(texts), std::move(shown), {}};
  return Made{std::move(integers), std::move(shown), {}};
}

// An entry's name, and for one that carries a secret that the file does not hold it. Half of it may stand there
// ("Bearer ${env:TOKEN}"), and what a run has captured is the target's.
bool Builder::check_map_key(const Field& field, const Member& member, const std::string& path) {
  bool good = true;
  if (member.key.find("{{") != std::string::npos) {
    problems_.add(member.key_position, path, "a placeholder in a key; placeholders are filled in in values only",
                  Rule::stray_placeholder);
    good = false;
  }
  const SecretEntries* secrets = field.key.secrets;
  if (secrets == nullptr || !secrets->has(member.key) || member.value.kind != TreeNode::Kind::scalar) return good;
  const std::string& text = member.value.text;
  if (text.empty() || text.find("${env:") != std::string::npos || text.find("${file:") != std::string::npos ||
      text.find("{{") != std::string::npos)
    return good;
  problems_.add(
      member.value.position, path,
      "a secret in clear text; write `${env:NAME}` or `${file:PATH}`, or use " + std::string(secrets->instead),
      Rule::secret_in_clear);
  return false;
}

Builder::Maybe Builder::make_map(const Field& field) {
  if (field.node.kind != TreeNode::Kind::map) {
    complain_shape(field, describe(field.key.type));
    return std::nullopt;
  }
  bool good = count_fits(field, field.node.members.size());
  TextMap texts;
  TemplateMap templates;
  JsonPathMap paths;
  boost::json::object shown;
  std::vector<Position> positions;
  for (const Member& member : field.node.members) {
    positions.push_back(member.key_position);
    const std::string path = join_path(field.path, member.key);
    good &= check_map_key(field, member, path);
    if (field.key.name == "capture") captures_.push_back({path, member.key_position, member.key});
    Maybe made = make_scalar({field.key, member.value, path}, field.key.type);
    if (!made) {
      good = false;
      continue;
    }
    const bool is_secret = field.key.secrets != nullptr && field.key.secrets->has(member.key);
    shown[member.key] = is_secret ? json_of(kSecretShown) : std::move(made->shown);
    if (field.key.type == Type::text_map)
      texts.emplace_back(member.key, std::move(std::get<std::string>(made->value)));
    else if (field.key.type == Type::template_map)
      templates.emplace_back(member.key, std::move(std::get<Template>(made->value)));
    else
      paths.emplace_back(member.key, std::move(std::get<JsonPath>(made->value)));
  }
  if (!good) return std::nullopt;
  if (field.key.type == Type::text_map) return Made{std::move(texts), std::move(shown), std::move(positions)};
  if (field.key.type == Type::template_map) return Made{std::move(templates), std::move(shown), std::move(positions)};
  return Made{std::move(paths), std::move(shown), std::move(positions)};
}

Builder::Maybe Builder::make_json(const Field& field) {
  Made made{boost::json::value(), {}, {}};
  auto& value = std::get<boost::json::value>(made.value);
  if (!json_from(field.node, field.path, value, made.shown)) return std::nullopt;
  return made;
}

bool Builder::json_from(const TreeNode& node, const std::string& path, boost::json::value& value,
                        boost::json::value& shown) {
  bool good = true;
  switch (node.kind) {
    case TreeNode::Kind::refused:
      return false;
    case TreeNode::Kind::null:
      return true;
    case TreeNode::Kind::sequence: {
      auto& items = value.emplace_array();
      auto& shown_items = shown.emplace_array();
      for (size_t i = 0; i < node.items.size(); ++i)
        good &= json_from(node.items[i], join_index(path, i), items.emplace_back(nullptr),
                          shown_items.emplace_back(nullptr));
      return good;
    }
    case TreeNode::Kind::map: {
      auto& object = value.emplace_object();
      auto& shown_object = shown.emplace_object();
      for (const Member& member : node.members) {
        const std::string inner = join_path(path, member.key);
        if (member.key.find("{{") != std::string::npos) {
          problems_.add(member.key_position, inner, "a placeholder in a key; placeholders are filled in in values only",
                        Rule::stray_placeholder);
          good = false;
        }
        good &= json_from(member.value, inner, object[member.key], shown_object[member.key]);
      }
      return good;
    }
    case TreeNode::Kind::scalar:
      break;
  }
  if (node.plain && (node.text == "true" || node.text == "false")) {
    value = shown = node.text == "true";
    return true;
  }
  if (node.plain && is_json_number(node.text)) {
    const std::optional<boost::json::value> number = json_number(node.text);
    if (!number) {
      problems_.add(node.position, path,
                    quoted(node.text) + " does not fit into 64 bits; write it in quotes, as a text",
                    Rule::out_of_range);
      return false;
    }
    value = shown = *number;
    return true;
  }
  Maybe made = make_scalar({kJsonText, node, path}, Type::text_template);
  if (!made) return false;
  value = json_of(std::get<Template>(made->value).source());
  shown = std::move(made->shown);
  return true;
}

Builder::Maybe Builder::make_block(const Field& field, bool& complete) {
  const bool is_list = field.key.type == Type::blocks;
  if (field.node.kind != (is_list ? TreeNode::Kind::sequence : TreeNode::Kind::map)) {
    complain_shape(field, describe(field.key.type));
    return std::nullopt;
  }
  if (!is_list) {
    Values values = read(field.node, *field.key.block(), field.path);
    complete = is_complete(values);
    boost::json::value shown = values.shown();
    return Made{std::move(values), std::move(shown), {}};
  }
  complete = count_fits(field, field.node.items.size());
  std::vector<Values> list;
  boost::json::array shown;
  for (size_t i = 0; i < field.node.items.size(); ++i) {
    const TreeNode& item = field.node.items[i];
    const Field inner{field.key, item, join_index(field.path, i)};
    if (item.kind != TreeNode::Kind::map) {
      complain_shape(inner, describe(Type::block));
      complete = false;
      list.push_back(blank(item, *field.key.block(), inner.path));
      continue;
    }
    list.push_back(read(item, *field.key.block(), inner.path));
    complete &= is_complete(list.back());
    shown.push_back(list.back().shown());
  }
  return Made{std::move(list), std::move(shown), {}};
}

}  // namespace slosonde::config
