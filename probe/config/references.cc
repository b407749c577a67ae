#include "probe/config/references.h"

#include <array>
#include <optional>
#include <utility>

#include "probe/config/suggest.h"
#include "probe/config/utf8.h"

namespace slosonde::config {
namespace {

constexpr std::string_view kOpen = "${";

// Editors and `echo` end a file with a newline that belongs to nobody's password.
void trim_newline(std::string& text) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (!text.empty() && text.back() == '\r') text.pop_back();
}

std::string wrong_reference(std::string_view reference) {
  constexpr std::array<std::string_view, 2> kSources = {"env", "file"};
  const size_t colon = reference.find(':');
  const std::string shown = quoted("${" + std::string(reference) + "}");
  if (colon == std::string_view::npos && is_identifier(reference))
    return shown + " does not say where to look; did you mean `${env:" + std::string(reference) +
           "}`? (a text that means `${` itself is written `$${`)";
  const std::string_view source = reference.substr(0, colon == std::string_view::npos ? 0 : colon);
  const std::string_view meant = closest(source, kSources);
  return shown + " is no reference; " +
         (meant.empty() || meant == source
              ? std::string("write `${env:NAME}` or `${file:PATH}`")
              : "did you mean `${" + std::string(meant) + std::string(reference.substr(colon)) + "}`?") +
         " (a text that means `${` itself is written `$${`)";
}

}  // namespace

bool References::complain(const Place& place, Rule rule, std::string message) {
  problems_.add(place.position, place.path, std::move(message), rule);
  return false;
}

bool References::expand(std::string_view written, Position position, const std::string& path, Expanded& out) {
  const Place place{position, path};
  out = {};
  out.only_outside = true;
  while (!written.empty()) {
    const size_t open = written.find(kOpen);
    const bool escaped = open != std::string_view::npos && open > 0 && written[open - 1] == '$';
    const std::string_view before = written.substr(0, open);
    out.text += escaped ? before.substr(0, before.size() - 1) : before;
    if (!before.empty()) out.only_outside = false;
    if (open == std::string_view::npos) break;
    written.remove_prefix(open + kOpen.size());
    if (escaped) {
      out.text += kOpen;
      continue;
    }
    const size_t close = written.find('}');
    if (close == std::string_view::npos)
      return complain(place, Rule::bad_reference,
                      "`${` without its `}`; write `${env:NAME}` or `${file:PATH}`, or `$${` for the text `${`");
    const Secret* value = look_up(written.substr(0, close), place);
    if (value == nullptr) return false;
    out.from_outside = true;
    out.parts.push_back({out.text.size(), value->reveal().size(), "${" + std::string(written.substr(0, close)) + "}"});
    out.text += value->reveal();
    included_ += value->reveal().size();
    if (included_ > kMaxAllIncludedBytes)
      return complain(place, Rule::too_much_included,
                      "all that `${env:…}` and `${file:…}` stand for is over 1MiB together; include less");
    written.remove_prefix(close + 1);
  }
  out.only_outside = out.only_outside && out.from_outside;
  return true;
}

const Secret* References::look_up(std::string_view reference, const Place& place) {
  auto found = known_.find(reference);
  if (found == known_.end()) {
    if (known_.size() >= kMaxReferences) {
      complain(place, Rule::too_much_included,
               "more than 1024 different references; include fewer files and variables");
      return nullptr;
    }
    found = known_.emplace(std::string(reference), read(reference)).first;
  }
  if (found->second) return &*found->second;
  complain(place, found->second.error().rule, found->second.error().message);
  return nullptr;
}

References::Read References::read(std::string_view reference) const {
  if (reference.starts_with("env:")) return read_variable(std::string(reference.substr(4)));
  if (reference.starts_with("file:") && reference.size() > 5) return read_file(std::string(reference.substr(5)));
  return tl::unexpected(Failure{Rule::bad_reference, wrong_reference(reference)});
}

References::Read References::read_variable(const std::string& name) const {
  if (!is_identifier(name))
    return tl::unexpected(
        Failure{Rule::bad_reference,
                quoted(name) + " is no name of a variable; letters, digits and _, not beginning with a digit"});
  std::optional<std::string> value;
  if (source_.environment != nullptr) value = source_.environment(name);
  if (!value)
    return tl::unexpected(Failure{Rule::variable_unset, "the environment variable " + quoted(name) +
                                                            " is not set; set it where slosonde is started"});
  if (value->size() > kMaxIncludedBytes)
    return tl::unexpected(Failure{Rule::too_much_included, "the environment variable " + quoted(name) +
                                                               " is over 64KiB; a value is shorter than that"});
  return Secret(std::move(*value));
}

References::Read References::read_file(const std::string& file) const {
  const std::string where = resolve(file);
  if (source_.read_file == nullptr)
    return tl::unexpected(
        Failure{Rule::file_unreadable, "cannot read " + quoted(where) + ": files are not available here"});
  Result<std::string> text = source_.read_file(where, kMaxIncludedBytes);
  if (!text)
    return tl::unexpected(Failure{Rule::file_unreadable,
                                  text.error().text + "; the file must be readable for slosonde, and at most 64KiB"});
  trim_newline(*text);
  return Secret(std::move(*text));
}

bool References::read_secret_file(const std::string& file, Position position, const std::string& path, Secret& out) {
  Read read = read_file(file);
  if (!read) return complain({position, path}, read.error().rule, read.error().message);
  out = std::move(*read);
  return true;
}

std::string References::resolve(std::string_view file) const {
  if (file.starts_with('/') || source_.folder.empty()) return std::string(file);
  return source_.folder + (source_.folder.ends_with('/') ? "" : "/") + std::string(file);
}

}  // namespace slosonde::config
