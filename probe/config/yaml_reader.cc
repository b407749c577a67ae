#include "probe/config/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <istream>
#include <set>
#include <streambuf>
#include <string>
#include <utility>
#include <vector>

#include "probe/config/config.h"
#include "probe/config/utf8.h"

namespace slosonde::config {
namespace {

constexpr size_t kMaxNodes = 32'768;

// Reads from the text in place; the standard string stream would copy it.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    // A get area is declared writable, but nothing here writes to it.
    char* begin = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    setg(begin, begin, begin + text.size());
  }
};

// Thrown through yaml-cpp to end its parse at once.
struct Stop {};

// yaml-cpp counts columns in bytes; editors count characters.
class Positions {
 public:
  explicit Positions(std::string_view text) : text_(text) {
    starts_.push_back(0);
    for (size_t i = 0; i < text.size(); ++i)
      if (text[i] == '\n') starts_.push_back(i + 1);
  }

  Position of(const YAML::Mark& mark) {
    if (mark.is_null() || mark.line < 0) return {1, 1};
    const size_t line = std::min(static_cast<size_t>(mark.line), starts_.size() - 1);
    return at(line, static_cast<size_t>(std::max(mark.column, 0)));
  }

  Position of(size_t offset) {
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
    const size_t line = static_cast<size_t>(next - starts_.begin()) - 1;
    return at(line, offset - starts_[line]);
  }

 private:
  // Counts on from the place asked for last: events come in order, and a line may be the whole file.
  Position at(size_t line, size_t bytes) {
    const std::string_view rest = text_.substr(starts_[line]);
    bytes = std::min(bytes, rest.size());
    if (line != line_ || bytes < bytes_) {
      line_ = line;
      bytes_ = characters_ = 0;
    }
    characters_ += characters(rest.substr(bytes_, bytes - bytes_));
    bytes_ = bytes;
    return {static_cast<int>(line) + 1, static_cast<int>(characters_) + 1};
  }

  std::string_view text_;
  std::vector<size_t> starts_;
  size_t line_ = 0;
  size_t bytes_ = 0;
  size_t characters_ = 0;
};

// Builds the tree. The stack holds the collections that are open.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(Positions& positions, Problems& problems) : positions_(positions), problems_(problems) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ == 0) return;
    problems_.add(positions_.of(mark), "",
                  "a second YAML document, or text after the end of the first; the file holds one document",
                  Rule::second_document);
    throw Stop{};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(begin(mark, "?", anchor)); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    refuse(mark, "an alias (`*name`); write the value out where it is used", Rule::alias);
    TreeNode node = begin(mark, "?", YAML::NullAnchor);
    node.kind = TreeNode::Kind::refused;
    add(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    TreeNode node = begin(mark, tag, anchor);
    if (node.kind != TreeNode::Kind::refused) node.kind = TreeNode::Kind::scalar;
    node.plain = tag == "?";
    node.text = value;
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, TreeNode::Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, TreeNode::Kind::map);
  }
  void OnMapEnd() override { close(); }

  std::optional<TreeNode> take() { return std::move(root_); }

 private:
  struct Frame {
    TreeNode node;
    TreeNode::Kind shape = TreeNode::Kind::map;  // the node itself may be refused, and must still take its children
    bool has_key = false;
    bool keep = true;  // false: the value of a key that was refused
    std::string key;
    Position key_position;
    std::set<std::string, std::less<>> seen;
  };

  void refuse(const YAML::Mark& mark, const char* message, Rule rule) {
    problems_.add(positions_.of(mark), path(), message, rule);
  }

  TreeNode begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    TreeNode node;
    node.position = positions_.of(mark);
    if (++nodes_ > kMaxNodes) {
      refuse(mark, "more than 32768 values; a configuration is smaller than that", Rule::too_many_values);
      throw Stop{};
    }
    if (anchor != YAML::NullAnchor) {
      refuse(mark, "an anchor (`&name`); write the value out where it is used", Rule::anchor);
      node.kind = TreeNode::Kind::refused;
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      refuse(mark, "a tag (`!name`); values have the type that their key declares", Rule::tag);
      node.kind = TreeNode::Kind::refused;
    }
    return node;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, TreeNode::Kind kind) {
    Frame frame;
    frame.node = begin(mark, tag, anchor);
    frame.shape = kind;
    if (frame.node.kind != TreeNode::Kind::refused) frame.node.kind = kind;
    if (stack_.size() == static_cast<size_t>(kMaxDepth)) {
      problems_.add(frame.node.position, "", "nested deeper than 32 levels; a configuration is flatter than that",
                    Rule::too_deep);
      throw Stop{};
    }
    stack_.push_back(std::move(frame));
  }

  void close() {
    TreeNode node = std::move(stack_.back().node);
    stack_.pop_back();
    add(std::move(node));
  }

  void add(TreeNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.shape == TreeNode::Kind::sequence) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.has_key) {
      add_key(frame, node);
    } else {
      frame.has_key = false;
      if (node.kind == TreeNode::Kind::null) node.position = frame.key_position;
      if (frame.keep) frame.node.members.push_back({std::move(frame.key), frame.key_position, std::move(node)});
    }
  }

  void add_key(Frame& frame, const TreeNode& node) {
    frame.keep = node.kind == TreeNode::Kind::scalar;
    frame.key = node.text;
    frame.key_position = node.position;
    if (node.kind == TreeNode::Kind::refused) {
      // Complained about already.
    } else if (!frame.keep && is_placeholder(frame.node, node)) {
      frame.node.kind = TreeNode::Kind::refused;
      problems_.add(frame.node.position, path(),
                    "`{{` begins a map, and a map within it; write placeholders in quotes: \"{{marker}}\"",
                    Rule::key_not_text);
    } else if (!frame.keep) {
      problems_.add(node.position, path(), "a key that is not a text; write `key: value`", Rule::key_not_text);
    } else if (frame.key == "<<" && node.plain) {
      frame.keep = false;
      problems_.add(node.position, path(), "a merge key (`<<`); write the keys out where they are used",
                    Rule::merge_key);
    } else if (!frame.seen.insert(frame.key).second) {
      frame.keep = false;
      problems_.add(node.position, path(), "key " + quoted(frame.key) + " stands here twice; keep one of them",
                    Rule::duplicate_key);
    }
    frame.has_key = true;
  }

  // {{…}} without quotes.
  static bool is_placeholder(const TreeNode& map, const TreeNode& key) {
    return key.kind == TreeNode::Kind::map && key.position.line == map.position.line &&
           key.position.column == map.position.column + 1;
  }

  // Of what is being read: the open collections, and within each where we are.
  std::string path() const {
    std::string path;
    for (const Frame& frame : stack_) {
      if (frame.shape == TreeNode::Kind::sequence)
        path += '[' + std::to_string(frame.node.items.size()) + ']';
      else if (frame.has_key)
        path += (path.empty() ? "" : ".") + frame.key;
    }
    return path;
  }

  Positions& positions_;
  Problems& problems_;
  std::vector<Frame> stack_;
  std::optional<TreeNode> root_;
  size_t nodes_ = 0;
  int documents_ = 0;
};

// yaml-cpp takes U+0004 for the end of the file and a NUL for a hint of UTF-16, so such bytes are refused before it
// sees them. Byte order marks were removed by the caller.
bool is_clean(std::string_view text, Positions& positions, Problems& problems) {
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text.substr(i));
    if (length == 0) {
      problems.add(positions.of(i), "", "not UTF-8; save the file as UTF-8", Rule::not_utf8);
      return false;
    }
    const char c = text[i];
    const bool is_line_end = c == '\n' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n');
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && !is_line_end) || c == 0x7F) {
      problems.add(positions.of(i), "",
                   c == '\r'
                       ? std::string("a carriage return alone; end lines with a line feed")
                       : "control character " + quoted(text.substr(i, 1)) + "; in double quotes it is written \\x..",
                   Rule::control_character);
      return false;
    }
    i += length;
  }
  return true;
}

// Quotes that go on beyond their line: most likely the closing one was forgotten. Read only as far as that takes.
struct OpenQuotes {
  std::optional<size_t> first;  // where the first text in quotes begins that does not end on its line
  std::optional<size_t> never;  // where one begins that never ends; yaml-cpp takes the end of the file for its end
};

class QuoteReader {
 public:
  explicit QuoteReader(std::string_view text) : text_(text) {}

  OpenQuotes read() {
    while (at_ < text_.size() && !found_.never) {
      const char c = text_[at_];
      if (c == '\n') {
        fresh_ = true;
        ++at_;
      } else if (c == '#' && (at_ == 0 || is_blank(text_[at_ - 1]))) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (fresh_ && (c == '"' || c == '\'')) {
        skip_quoted(c);
      } else if (fresh_ && (c == '|' || c == '>')) {
        skip_block();
      } else {
        begin_value(c);
        ++at_;
      }
    }
    return found_;
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  // Whether a value may begin after `c`: quotes within a word are part of it.
  void begin_value(char c) {
    const bool before_blank = at_ + 1 >= text_.size() || is_blank(text_[at_ + 1]);
    if (c == '[' || c == '{' || c == ',' || ((c == ':' || c == '-' || c == '?') && before_blank))
      fresh_ = true;
    else if (!is_blank(c))
      fresh_ = false;
  }

  void skip_quoted(char quote) {
    const size_t begin = at_++;
    fresh_ = false;
    bool one_line = true;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') one_line = false;
      if (quote == '"' && c == '\\') {
        ++at_;
      } else if (c == quote) {
        if (quote == '"' || at_ + 1 >= text_.size() || text_[at_ + 1] != quote) break;
        ++at_;  // '' is one
      }
    }
    if (at_ >= text_.size()) found_.never = begin;
    ++at_;
    if (!one_line && !found_.first) found_.first = begin;
  }

  // A text after `|` or `>`: all following lines that are indented deeper than this one, and empty ones.
  void skip_block() {
    const size_t line = text_.rfind('\n', at_) == std::string_view::npos ? 0 : text_.rfind('\n', at_) + 1;
    const size_t indent = std::min(text_.find_first_not_of(" -", line), at_) - line;
    at_ = std::min(text_.find('\n', at_), text_.size());
    while (at_ < text_.size()) {
      const size_t first = text_.find_first_not_of(' ', at_ + 1);
      if (first != std::string_view::npos && text_[first] != '\n' && first - at_ - 1 <= indent) return;
      at_ = first == std::string_view::npos ? text_.size() : std::min(text_.find('\n', first), text_.size());
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  bool fresh_ = true;  // a value or key may begin here
  OpenQuotes found_;
};

// `key:value` instead of `key: value`, in this line (from 1) or the last one before it that says anything. Such a line
// is a text to YAML, and it is the next one that does not fit.
std::optional<std::string> glued_pair(std::string_view text, int line) {
  std::vector<std::string_view> lines;
  for (size_t at = 0; lines.size() < static_cast<size_t>(line) && at <= text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  const auto said = [](std::string_view one) {
    const size_t first = one.find_first_not_of(" -");
    return first == std::string_view::npos ? std::string_view() : one.substr(first);
  };
  const auto is_glued = [](std::string_view one) {
    const size_t colon = one.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
    return colon != 0 && colon != std::string_view::npos && one[colon] == ':' && colon + 1 < one.size() &&
           std::string_view(" /\r").find(one[colon + 1]) == std::string_view::npos;
  };
  int looked_at = 0;
  for (auto one = lines.rbegin(); one != lines.rend() && looked_at < 2; ++one) {
    const std::string_view words = said(*one);
    if (words.empty() || words.starts_with('#')) continue;
    if (is_glued(words)) return std::string(words.substr(0, words.find_first_of(" \r")));
    ++looked_at;
  }
  return std::nullopt;
}

// yaml-cpp's own words, without the position it puts in front.
std::string syntax_message(const YAML::Exception& error, std::string_view text, int line) {
  if (const auto pair = glued_pair(text, line)) {
    return "not YAML: " + error.msg + "; after the colon of " + quoted(*pair) + " there must be a space";
  }
  return "not YAML: " + error.msg + "; check indentation, quotes and brackets here";
}

constexpr std::string_view kUnclosed = "not YAML: the quote that opens here is never closed; close it on its line";

void complain_of_syntax(std::string_view text, const YAML::Exception& error, Positions& positions, Problems& problems) {
  const Position at = positions.of(error.mark);
  const OpenQuotes quotes = QuoteReader(text).read();
  const std::optional<size_t> quote = quotes.first ? quotes.first : quotes.never;
  const Position opened = quote ? positions.of(*quote) : at;
  if (!quote || opened.line >= at.line) {
    problems.add(at, "", syntax_message(error, text, at.line), Rule::not_yaml);
  } else if (!quotes.first) {
    problems.add(opened, "", std::string(kUnclosed), Rule::not_yaml);
  } else {
    problems.add(opened, "",
                 "not YAML: the quote that opens here is not closed on its line, and in line " +
                     std::to_string(at.line) + " nothing fits any more (" + error.msg + "); close it on its line",
                 Rule::not_yaml);
  }
}

}  // namespace

const TreeNode* TreeNode::find(std::string_view key) const {
  for (const Member& member : members)
    if (member.key == key) return &member.value;
  return nullptr;
}

std::optional<TreeNode> read_yaml(std::string_view text, Problems& problems) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Positions positions(text);
  if (!is_clean(text, positions, problems)) return std::nullopt;

  TreeBuilder builder(positions, problems);
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    complain_of_syntax(text, error, positions, problems);
    return std::nullopt;
  } catch (const std::exception& error) {
    problems.add({1, 1}, "", std::string("not YAML: ") + error.what(), Rule::not_yaml);
    return std::nullopt;
  }
  if (const OpenQuotes quotes = QuoteReader(text).read(); quotes.never) {
    problems.add(positions.of(*quotes.never), "", std::string(kUnclosed), Rule::not_yaml);
    return std::nullopt;
  }
  if (std::optional<TreeNode> root = builder.take()) return root;
  return TreeNode{};
}

}  // namespace slosonde::config
