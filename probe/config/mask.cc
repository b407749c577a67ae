#include "probe/config/mask.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace slosonde::config {
namespace {

constexpr size_t kShort = 6;         // bytes; a shorter value may be a part of any word
constexpr size_t kFewestBase64 = 4;  // characters; fewer may be a part of any word
constexpr size_t kLongestBase64 = 4096;

bool is_word(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_base64(char c) {
  return is_word(c) || c == '+' || c == '/' || c == '-' || c == '_' || c == '=';
}

std::string replaced(std::string_view text, std::string_view which, std::string_view with) {
  std::string made;
  for (const char c : text) {
    if (which.find(c) != std::string_view::npos) made += with;
    made += c;
  }
  return made;
}

// As a URL carries it (RFC 3986, 2.1).
std::string in_url(std::string_view text, const char* escape) {
  std::string made;
  for (const char c : text) {
    if (is_word(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      made += c;
      continue;
    }
    std::array<char, 4> code{};
    std::snprintf(code.data(), code.size(), escape, static_cast<unsigned char>(c));
    made += code.data();
  }
  return made;
}

std::string in_html(std::string_view text) {
  std::string made;
  for (const char c : text) {
    if (c == '&')
      made += "&amp;";
    else if (c == '<')
      made += "&lt;";
    else if (c == '>')
      made += "&gt;";
    else if (c == '"')
      made += "&quot;";
    else
      made += c;
  }
  return made;
}

// The characters of base64 that only `text` decides, where `before` bytes (0 to 2) stand in front of it in its group.
std::string in_base64(std::string_view text, size_t before, bool for_urls) {
  const std::string_view digits = for_urls ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                                           : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string made;
  const size_t bits = 8 * (before + text.size());
  for (size_t at = (8 * before + 5) / 6 * 6; at + 6 <= bits; at += 6) {
    unsigned value = 0;
    for (size_t bit = at; bit < at + 6; ++bit) {
      const auto byte = static_cast<unsigned char>(text[bit / 8 - before]);
      value = value << 1 | (byte >> (7 - bit % 8) & 1U);
    }
    made += digits[value];
  }
  return made;
}

// Where in `text` a beginning of `wanted` stands at the very end: the text was cut off. npos: nowhere.
size_t cut_off(std::string_view text, std::string_view wanted, size_t from) {
  if (wanted.size() <= kShort) return std::string_view::npos;
  if (text.size() >= wanted.size()) from = std::max(from, text.size() - wanted.size() + 1);
  for (size_t at = text.find(wanted[0], from); at != std::string_view::npos; at = text.find(wanted[0], at + 1)) {
    if (text.size() - at < kShort) break;
    if (wanted.starts_with(text.substr(at))) return at;
  }
  return std::string_view::npos;
}

}  // namespace

void Mask::add(std::string_view text, std::string_view shown, Reach reach) {
  if (text.empty()) return;
  const auto same = [&](const Hidden& other) { return other.text.reveal() == text; };
  if (std::any_of(hidden_.begin(), hidden_.end(), same)) return;
  const auto shorter = [&](const Hidden& other) { return other.text.reveal().size() < text.size(); };
  const auto place = std::find_if(hidden_.begin(), hidden_.end(), shorter);
  hidden_.insert(place, Hidden{Secret(std::string(text)), std::string(shown), reach});
}

void Mask::hide_forms(std::string_view value, std::string_view shown, Reach reach) {
  const std::string in_json = replaced(value, "\"\\", "\\");
  for (const std::string& form : {std::string(value), in_json, replaced(in_json, "/", "\\"), in_url(value, "%%%02X"),
                                  in_url(value, "%%%02x"), in_html(value)})
    add(form, shown, reach);
  if (value.size() > kLongestBase64) return;
  for (size_t before = 0; before < 3; ++before) {
    for (const bool for_urls : {false, true}) {
      const std::string form = in_base64(value, before, for_urls);
      if (form.size() >= kFewestBase64) add(form, shown, Reach::base64_run);
    }
  }
}

void Mask::hide(std::string_view value, std::string_view shown) {
  const auto hide_one = [&](std::string_view one) {
    hide_forms(one, shown, one.size() < kShort ? Reach::alone : Reach::anywhere);
  };
  hide_one(value);
  if (value.find('\n') == std::string_view::npos) return;
  while (!value.empty()) {
    const size_t end = std::min(value.find('\n'), value.size());
    std::string_view line = value.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    // Short lines are brackets and the like, and no secret.
    if (line.size() >= kShort) hide_one(line);
    value.remove_prefix(std::min(end + 1, value.size()));
  }
}

// The first match from `from` on that begins before `before`; of those at one place the longest.
Mask::Match Mask::next(std::string_view text, size_t from, size_t before) const {
  Match best{before, 0, nullptr};
  for (const Hidden& hidden : hidden_) {
    const std::string_view wanted = hidden.text.reveal();
    for (size_t at = text.find(wanted, from); at < best.from; at = text.find(wanted, at + 1)) {
      size_t begin = at, end = at + wanted.size();
      const bool joined = (begin > 0 && is_word(text[begin - 1])) || (end < text.size() && is_word(text[end]));
      if (hidden.reach == Reach::alone && joined) continue;
      if (hidden.reach == Reach::base64_run) {
        while (begin > from && is_base64(text[begin - 1])) --begin;
        while (end < text.size() && is_base64(text[end])) ++end;
      }
      best = {begin, end - begin, &hidden};
      break;
    }
    if (const size_t at = cut_off(text, wanted, from); at < best.from) best = {at, text.size() - at, &hidden};
  }
  return best;
}

Mask::Part Mask::apply(std::string_view text, size_t most) const {
  most = std::min(most, text.size());
  Part part;
  while (part.taken < most) {
    const Match match = next(text, part.taken, most);
    part.text += text.substr(part.taken, match.from - part.taken);
    part.taken = match.from + match.length;
    if (match.hidden == nullptr) break;
    part.text += match.hidden->shown;
  }
  return part;
}

}  // namespace slosonde::config
