// How a part of the configuration file is declared: once, for the parser, the errors, the JSON Schema and the
// reference page.
//
// A Block lists its keys; defaults and ranges are written as they would stand in the file, so that one text serves the
// parser and the documentation. Blocks are constants with static storage; Values made from one point back at it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/config/rule.h"

namespace slosonde::config {

class Mask;
class Values;
class Problems;
struct Block;

enum class Type : uint8_t {
  text,           // any text
  text_template,  // text with {{placeholders}}, see template.h
  secret,         // `KEY: ${env:NAME}` / `${file:PATH}`, or `KEY_file: PATH`; never written in the file itself
  boolean,        // true | false
  integer,        // a whole number
  number,         // a finite decimal number
  share,          // 99.9% or 0.999
  duration,       // 500ms, 5s, 30d: always with its unit
  bytes,          // 64KiB, 10MiB: always with its unit (B KiB MiB GiB)
  choice,         // one of `choices`
  url,            // http:// or https:// with a host; may hold {{placeholders}} after the host
  address,        // host:port, [v6]:port, or unix:/path
  path,           // a file's path; relative ones are relative to the configuration file's folder
  regex,          // RE2 syntax, compiled when loaded
  json_path,      // $.a.b[0], parsed when loaded
  json,           // any YAML value, kept as JSON; its texts may hold {{placeholders}}
  texts,          // a list of texts (a single text counts as a list of one)
  integers,       // a list of whole numbers (a single one counts as a list of one)
  text_map,       // key: text
  template_map,   // key: text with {{placeholders}}
  json_path_map,  // key: json path
  block,          // one block, declared by `block`
  blocks,         // a list of blocks, declared by `block`
};

// The entries of a map that carry secrets, such as the header Authorization: they are not written in the file itself,
// and views show none of them, wherever they came from.
struct SecretEntries {
  bool (*has)(std::string_view name);
  std::string_view instead;  // which keys take them otherwise: "`bearer` or `basic`"
};

struct Key {
  std::string_view name;
  Type type = Type::text;
  std::string_view help;  // one sentence, for the reference page and the schema
  bool required = false;
  std::string_view fallback = {};  // the default, as it would be written; empty: none
  // The smallest and largest value allowed, as written; empty: no limit. Of lists and maps the number of entries, of
  // texts and secrets the length in bytes, of an address the port (from 1 unless said otherwise).
  std::string_view min = {};
  std::string_view max = {};
  std::span<const std::string_view> choices = {};
  const Block* (*block)() = nullptr;
  const SecretEntries* secrets = nullptr;  // of a map
  // What a reference stands for here may be shown, within the settings of a kind too: a host's name, say.
  bool open = false;
};

// Whether a block also takes the kinds as keys, each with the kind's own block.
enum class KindKeys : uint8_t { none, checks, watches };

struct Block {
  std::string_view name;  // as the reference page heads it
  std::string_view help;
  std::span<const Key> keys;
  // Rules beyond single keys (this needs that, these exclude each other). Called only when every key was well-formed.
  void (*rule)(const Values&, Problems&) = nullptr;
  KindKeys kinds = KindKeys::none;
};

// A kind of check or watch as the loader needs to know it; main projects the catalog of checks onto these.
struct NamedBlock {
  std::string_view name;         // "http": the key under a stage, `poll:` or `watch:`
  const Block* check = nullptr;  // null: not offered as a check
  const Block* watch = nullptr;  // null: not offered as a watch
};

// 1-based; column counts characters, as editors do.
struct Position {
  int line = 0;
  int column = 0;
};

struct Problem {
  Position position;
  std::string path;     // transactions[0].stages[1].within
  std::string message;  // what is wrong; what would be right
  Rule rule = Rule::block_rule;
};

// Collects every mistake of a file.
class Problems {
 public:
  // Nothing that `mask` hides is in any message added from now on.
  void hide_with(std::shared_ptr<const Mask> mask) { mask_ = std::move(mask); }
  void add(Position position, std::string path, std::string message, Rule rule = Rule::block_rule);
  bool empty() const { return problems_.empty(); }
  size_t count() const { return problems_.size() + left_out_ - (left_out_ > 0 ? 1 : 0); }  // left out ones too
  // In file order; the count is bounded (the first kMax), one more at the end then says how many were left out.
  const std::vector<Problem>& list() const { return problems_; }
  // "file:line:column: path: message", one a line.
  std::string text(std::string_view file) const;

  static constexpr size_t kMax = 100;

 private:
  std::shared_ptr<const Mask> mask_;
  std::vector<Problem> problems_;
  size_t left_out_ = 0;
};

}  // namespace slosonde::config
