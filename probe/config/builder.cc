#include "probe/config/builder.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <utility>

#include "probe/config/suggest.h"
#include "probe/config/utf8.h"
#include "probe/config/yaml_reader.h"

namespace slosonde::config {
namespace {

constexpr std::string_view kFileSuffix = "_file";

const Block* offered(const NamedBlock& kind, const Block& block) {
  if (block.kinds == KindKeys::checks) return kind.check;
  return block.kinds == KindKeys::watches ? kind.watch : nullptr;
}

// A fallback is one text in the declaration; types of one text take it as it stands, others as YAML.
TreeNode fallback_node(const Key& key) {
  TreeNode node;
  node.kind = TreeNode::Kind::scalar;
  node.text = key.fallback;
  const bool is_yaml = key.type == Type::json || key.type == Type::texts || key.type == Type::integers ||
                       key.type == Type::text_map || key.type == Type::template_map ||
                       key.type == Type::json_path_map || key.type == Type::block || key.type == Type::blocks;
  if (!is_yaml) return node;
  Problems problems;
  std::optional<TreeNode> read = read_yaml(key.fallback, problems);
  if (!read) {
    std::fprintf(stderr, "slosonde: a mistake in slosonde: the default of key '%s' is not YAML\n",
                 std::string(key.name).c_str());
    std::abort();
  }
  return std::move(*read);
}

}  // namespace

// What was seen of the keys of one block.
struct Builder::Names {
  const TreeNode& node;
  std::vector<std::string_view> allowed;
  std::set<std::string, std::less<>> seen;   // keys of the block that the file has, well-formed or not
  std::set<std::string, std::less<>> meant;  // keys that a misspelt one surely means
};

std::string join_path(std::string_view parent, std::string_view key) {
  std::string path(parent);
  if (!path.empty()) path += '.';
  return path + std::string(key);
}

std::string join_index(std::string_view parent, size_t index) {
  return std::string(parent) + '[' + std::to_string(index) + ']';
}

bool Builder::is_complete(const Values& values) {
  return values.data_->complete;
}

bool Builder::is_given(const Values& values, std::string_view key) {
  const Entry* entry = values.data_->find(key);
  return entry != nullptr && entry->given;
}

std::string Builder::written(const Values& values, std::string_view key) {
  const Entry* entry = values.data_->find(key);
  const auto* text = entry == nullptr ? nullptr : entry->shown.if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

Position Builder::key_position(const Values& values, std::string_view map, size_t index) {
  const Entry* entry = values.data_->find(map);
  return entry == nullptr || index >= entry->key_positions.size() ? values.position(map) : entry->key_positions[index];
}

// Keeps the place of an entry that could not be read.
Values Builder::blank(const TreeNode& node, const Block& block, const std::string& path) const {
  auto data = std::make_shared<Values::Data>();
  data->block = &block;
  data->mask = mask_;
  data->position = node.position;
  data->path = path;
  data->complete = false;
  Values values;
  values.data_ = std::move(data);
  return values;
}

std::vector<std::string> Builder::kinds_of(const Values& values) {
  std::vector<std::string> kinds;
  for (const Entry& entry : values.data_->entries) {
    const auto& keys = values.data_->block->keys;
    if (std::none_of(keys.begin(), keys.end(), [&](const Key& key) { return key.name == entry.key; }))
      kinds.push_back(entry.key);
  }
  return kinds;
}

Values Builder::read(const TreeNode& node, const Block& block, const std::string& path) {
  auto data = std::make_shared<Values::Data>();
  data->block = &block;
  data->mask = mask_;
  data->position = node.position;
  data->path = path;

  std::vector<std::string> file_keys;
  for (const Key& key : block.keys)
    if (key.type == Type::secret) file_keys.push_back(std::string(key.name) + std::string(kFileSuffix));
  Names names{node, {}, {}, {}};
  for (const Key& key : block.keys) names.allowed.push_back(key.name);
  names.allowed.insert(names.allowed.end(), file_keys.begin(), file_keys.end());
  for (const NamedBlock& kind : kinds_)
    if (offered(kind, block) != nullptr) names.allowed.push_back(kind.name);

  for (const Key& key : block.keys) {
    if (key.type == Type::secret)
      read_secret_key(key, node, *data, names);
    else if (const TreeNode* value = node.find(key.name))
      read_key(key, *value, *data, names);
    if (!names.seen.contains(key.name) && !key.fallback.empty()) fill_default(key, *data);
  }
  read_members(node, block, *data, names);
  report_missing(block, *data, names);
  data->fingerprint = fingerprint_of(data->entries);

  Values values;
  values.data_ = data;
  if (block.rule != nullptr && data->complete) {
    const size_t before = problems_.count();
    block.rule(values, problems_);
    if (problems_.count() != before) data->complete = false;
  }
  return values;
}

void Builder::read_key(const Key& key, const TreeNode& node, Values::Data& data, Names& names) {
  names.seen.insert(std::string(key.name));
  const Field field{key, node, join_path(data.path, key.name)};
  bool complete = true;
  Maybe made = key.type == Type::block || key.type == Type::blocks ? make_block(field, complete) : make(field);
  if (!made || !complete) data.complete = false;
  if (made)
    data.entries.push_back({std::string(key.name), key.type, node.position, true, std::move(made->value),
                            std::move(made->key_positions), std::move(made->shown)});
}

void Builder::read_secret_key(const Key& key, const TreeNode& node, Values::Data& data, Names& names) {
  const std::string file_key = std::string(key.name) + std::string(kFileSuffix);
  const TreeNode* written = node.find(key.name);
  const TreeNode* file = node.find(file_key);
  if (written == nullptr && file == nullptr) return;
  names.seen.insert(std::string(key.name));
  const TreeNode& used = written != nullptr ? *written : *file;
  const Field field{key, used, join_path(data.path, written != nullptr ? key.name : file_key)};
  if (written != nullptr && file != nullptr) {
    complain({key, *file, join_path(data.path, file_key)}, Rule::secret_twice,
             quoted(key.name) + " and " + quoted(file_key) + " both give the secret; keep one of them");
    data.complete = false;
  }
  std::optional<Secret> secret = make_secret(field, written == nullptr);
  if (!secret) {
    data.complete = false;
    return;
  }
  data.entries.push_back(
      {std::string(key.name), key.type, used.position, true, std::move(*secret), {}, boost::json::value(kSecretShown)});
}

// Members that are no key of the block: kinds, where the block takes them, and mistakes.
void Builder::read_members(const TreeNode& node, const Block& block, Values::Data& data, Names& names) {
  for (const Member& member : node.members) {
    const bool is_key = std::any_of(block.keys.begin(), block.keys.end(), [&](const Key& key) {
      return key.name == member.key ||
             (key.type == Type::secret && std::string(key.name) + std::string(kFileSuffix) == member.key);
    });
    if (!is_key && !read_kind(member, block, data)) report_unknown(member, data, names);
  }
}

void Builder::report_unknown(const Member& member, Values::Data& data, Names& names) {
  names.meant.emplace(closest(member.key, names.allowed));
  problems_.add(member.key_position, data.path,
                "unknown key " + quoted(member.key) + "; " + suggestion(member.key, names.allowed), Rule::unknown_key);
  data.complete = false;
}

// False when there is no such kind.
bool Builder::read_kind(const Member& member, const Block& block, Values::Data& data) {
  const auto kind = std::find_if(kinds_.begin(), kinds_.end(), [&](const auto& k) { return k.name == member.key; });
  if (block.kinds == KindKeys::none || kind == kinds_.end()) return false;
  const Block* settings = offered(*kind, block);
  if (settings == nullptr) {
    report_not_offered(member, block, data);
    return true;
  }
  const std::string path = join_path(data.path, member.key);
  const Key key{.name = kind->name, .type = Type::block, .help = {}};
  if (member.value.kind != TreeNode::Kind::map) {
    complain_shape({key, member.value, path}, describe(Type::block));
    data.complete = false;
    return true;
  }
  ++in_kind_;
  Values values = read(member.value, *settings, path);
  --in_kind_;
  if (!is_complete(values)) data.complete = false;
  boost::json::value shown = values.shown();
  data.entries.push_back(
      {member.key, Type::block, member.value.position, true, std::move(values), {}, std::move(shown)});
  return true;
}

void Builder::report_not_offered(const Member& member, const Block& block, Values::Data& data) {
  const bool wants_check = block.kinds == KindKeys::checks;
  std::vector<std::string_view> others;
  for (const NamedBlock& other : kinds_)
    if (offered(other, block) != nullptr) others.push_back(other.name);
  problems_.add(member.key_position, join_path(data.path, member.key),
                quoted(member.key) +
                    (wants_check ? " can only be watched; write `watch: {" + member.key + ": …}`, or use one of "
                                 : " cannot be watched; write it under the stage or `poll`, or use one of ") +
                    listed(others),
                wants_check ? Rule::kind_not_check : Rule::kind_not_watch);
  data.complete = false;
}

void Builder::report_missing(const Block& block, Values::Data& data, const Names& names) {
  for (const Key& key : block.keys) {
    if (!key.required || names.seen.contains(key.name) || !key.fallback.empty()) continue;
    data.complete = false;
    if (names.meant.contains(key.name)) continue;  // the misspelt key was reported with this one's name
    std::string message = "missing key " + quoted(key.name);
    if (key.type == Type::secret) message += " (or " + quoted(std::string(key.name) + std::string(kFileSuffix)) + ")";
    message += "; expected " + std::string(describe(key.type));
    if (!key.help.empty()) message += ": " + std::string(key.help);
    problems_.add(data.position, data.path, std::move(message), Rule::missing_key);
  }
}

void Builder::fill_default(const Key& key, Values::Data& data) {
  const TreeNode node = fallback_node(key);
  const Field field{key, node, join_path(data.path, key.name)};
  bool complete = true;
  TreeNode placed = node;
  placed.position = data.position;
  const Field at_block{key, placed, field.path};
  Maybe made = key.type == Type::block || key.type == Type::blocks ? make_block(at_block, complete) : make(at_block);
  if (!made || !complete) {
    data.complete = false;
    if (!made) return;
  }
  data.entries.push_back({std::string(key.name), key.type, data.position, false, std::move(made->value),
                          std::move(made->key_positions), std::move(made->shown)});
}

}  // namespace slosonde::config
