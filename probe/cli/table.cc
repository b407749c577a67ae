#include "probe/cli/table.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <utility>

#include "probe/base/time.h"

namespace slosonde::cli {

namespace {

size_t width_of(std::string_view text) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins));
}

std::string harmless(std::string text) {
  const auto controls = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  std::replace_if(text.begin(), text.end(), controls, '?');
  return text;
}

std::string_view code_of(Tone tone) {
  switch (tone) {
    case Tone::good:
      return "\x1b[32m";
    case Tone::bad:
      return "\x1b[31m";
    case Tone::warning:
      return "\x1b[33m";
    case Tone::faint:
      return "\x1b[2m";
    case Tone::plain:
      break;
  }
  return "";
}

std::string printed(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

// "1m 53s": two units, the second left out where it is 0.
std::string two_units(long long amount, long long parts, const char* unit, const char* part) {
  std::string text = std::to_string(amount) + unit;
  if (parts > 0) text += " " + std::to_string(parts) + part;
  return text;
}

}  // namespace

Table::Table(std::vector<std::string> heads, std::vector<size_t> right)
    : heads_(std::move(heads)), right_(std::move(right)) {}

void Table::add(std::vector<Cell> row) {
  row.resize(heads_.size());
  for (Cell& cell : row) cell.text = harmless(std::move(cell.text));
  rows_.push_back(std::move(row));
}

void Table::print(std::ostream& out, bool colour, size_t indent) const {
  std::vector<size_t> widths;
  widths.reserve(heads_.size());
  for (const auto& head : heads_) widths.push_back(width_of(head));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i].text));
  }
  const auto print_row = [&](const std::vector<Cell>& row) {
    std::string line(indent, ' ');
    size_t owed = 0;  // spaces that are written only if something follows
    for (size_t i = 0; i < row.size(); ++i) {
      const size_t space = widths[i] - width_of(row[i].text);
      const bool to_the_right = std::find(right_.begin(), right_.end(), i) != right_.end();
      if (to_the_right) owed += space;
      if (!row[i].text.empty()) {
        line.append(owed, ' ');
        line += toned(row[i].text, row[i].tone, colour);
        owed = 0;
      }
      owed += to_the_right ? 2 : space + 2;
    }
    out << line << '\n';
  };
  std::vector<Cell> heads;
  heads.reserve(heads_.size());
  for (const auto& head : heads_) heads.push_back({head, Tone::faint});
  print_row(heads);
  for (const auto& row : rows_) print_row(row);
}

std::string toned(std::string_view text, Tone tone, bool colour) {
  if (!colour || tone == Tone::plain) return std::string(text);
  return std::string(code_of(tone)) + std::string(text) + "\x1b[0m";
}

bool wants_colour() {
  const char* refused = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) != 0 && (refused == nullptr || *refused == '\0');
}

std::string shown_duration(double seconds) {
  if (!std::isfinite(seconds)) return "∞";
  if (seconds < 0) return "-" + shown_duration(-seconds);
  if (seconds == 0) return "0 ms";
  if (seconds < 0.9995) return printed("%.3g ms", seconds * 1e3);
  if (seconds < 59.95) return printed("%.3g s", seconds);
  const auto whole = std::llround(seconds);
  if (whole < 3600) return two_units(whole / 60, whole % 60, "m", "s");
  const long long minutes = std::llround(seconds / 60);
  if (minutes < 24 * 60) return two_units(minutes / 60, minutes % 60, "h", "m");
  const long long hours = std::llround(seconds / 3600);
  return two_units(hours / 24, hours % 24, "d", "h");
}

std::string shown_setting(double seconds) {
  return format_duration(Duration(std::llround(seconds * 1e9)));
}

std::string shown_share(double share) {
  std::string text = printed("%.4f", share * 100);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  if (text == "-0") text = "0";
  return text + "%";
}

}  // namespace slosonde::cli
