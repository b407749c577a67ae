// From the tree to Values: a block of the file read by its declaration. Private to this folder.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/config/block.h"
#include "probe/config/entry.h"
#include "probe/config/mask.h"
#include "probe/config/node.h"
#include "probe/config/references.h"
#include "probe/config/scalars.h"
#include "probe/config/values.h"

namespace slosonde::config {

std::string join_path(std::string_view parent, std::string_view key);
std::string join_index(std::string_view parent, size_t index);

// A template of the file, by the path of its value.
struct TemplateUse {
  std::string path;
  Position position;
  std::vector<std::string> placeholders;
};

// One entry of a key named `capture`.
struct CaptureUse {
  std::string path;  // of the entry
  Position position;
  std::string name;
};

// Lives for one load.
class Builder {
 public:
  Builder(const Source& source, std::span<const NamedBlock> kinds, Problems& problems)
      : references_(source, problems), kinds_(kinds), problems_(problems) {
    problems_.hide_with(mask_);
  }

  // All that could be read; what could not be is absent, with a problem added.
  Values read(const TreeNode& node, const Block& block, const std::string& path);

  // What read() came across, in the order of reading.
  const std::vector<TemplateUse>& templates() const { return templates_; }
  const std::vector<CaptureUse>& captures() const { return captures_; }

  // Whether every key was well-formed, in the blocks below too.
  static bool is_complete(const Values& values);
  // Whether the file itself gives a well-formed value.
  static bool is_given(const Values& values, std::string_view key);
  // A text as it is written in the file.
  static std::string written(const Values& values, std::string_view key);
  // Of an entry's key of a map.
  static Position key_position(const Values& values, std::string_view map, size_t index);
  // Kinds among the keys of a block that takes them, in the order of the file.
  static std::vector<std::string> kinds_of(const Values& values);

 private:
  // One value of the file on its way.
  struct Field {
    const Key& key;
    const TreeNode& node;
    std::string path;
  };
  struct Made {
    EntryValue value;
    boost::json::value shown;
    std::vector<Position> key_positions;
  };
  using Maybe = std::optional<Made>;

  // builder.cc: the keys of a block
  struct Names;
  void read_key(const Key& key, const TreeNode& node, Values::Data& data, Names& names);
  void read_secret_key(const Key& key, const TreeNode& node, Values::Data& data, Names& names);
  void read_members(const TreeNode& node, const Block& block, Values::Data& data, Names& names);
  bool read_kind(const Member& member, const Block& block, Values::Data& data);
  void report_unknown(const Member& member, Values::Data& data, Names& names);
  void report_not_offered(const Member& member, const Block& block, Values::Data& data);
  void report_missing(const Block& block, Values::Data& data, const Names& names);
  void fill_default(const Key& key, Values::Data& data);

  // builder_values.cc: one value
  Maybe make(const Field& field);
  Maybe make_scalar(const Field& field, Type type);
  Maybe make_list(const Field& field, Type item);
  Maybe make_map(const Field& field);
  bool check_map_key(const Field& field, const Member& member, const std::string& path);
  Maybe make_json(const Field& field);
  Maybe make_block(const Field& field, bool& complete);
  Values blank(const TreeNode& node, const Block& block, const std::string& path) const;
  std::optional<Secret> make_secret(const Field& field, bool is_file);
  bool json_from(const TreeNode& node, const std::string& path, boost::json::value& value, boost::json::value& shown);
  bool expand(const Field& field, Expanded& out);
  void hide(const Field& field, Type type, const Expanded& expanded);
  bool is_scalar(const Field& field, Type type);
  bool count_fits(const Field& field, size_t count);
  void complain(const Field& field, Rule rule, std::string message);
  void complain_shape(const Field& field, std::string_view expected);

  References references_;
  std::span<const NamedBlock> kinds_;
  Problems& problems_;
  std::shared_ptr<Mask> mask_ = std::make_shared<Mask>();
  int in_kind_ = 0;  // how many kinds' settings are being read, one within the other
  std::vector<TemplateUse> templates_;
  std::vector<CaptureUse> captures_;
};

}  // namespace slosonde::config
