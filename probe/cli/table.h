// Aligned columns for people, with colour where there is a terminal that wants it.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace slosonde::cli {

enum class Tone : uint8_t { plain, good, bad, warning, faint };

struct Cell {
  std::string text;
  Tone tone = Tone::plain;
};

// Widths count characters of UTF-8. Control characters, which may come from a target's answer, are shown as "?".
class Table {
 public:
  // Numbers (of these columns) are aligned to the right.
  explicit Table(std::vector<std::string> heads, std::vector<size_t> right = {});
  void add(std::vector<Cell> row);
  // `indent` spaces before each line; no spaces at the end of a line.
  void print(std::ostream& out, bool colour, size_t indent = 0) const;

 private:
  std::vector<std::string> heads_;
  std::vector<size_t> right_;
  std::vector<std::vector<Cell>> rows_;
};

// `text` in the tone's colour, if `colour`.
std::string toned(std::string_view text, Tone tone, bool colour);

// Whether stdout is a terminal and NO_COLOR is not set (https://no-color.org).
bool wants_colour();

// Three figures at most, for people: "12 ms", "1.25 s", "1m 53s", "2h 5m", "3d 4h".
std::string shown_duration(double seconds);
// As the configuration would have it: "90s", "5m".
std::string shown_setting(double seconds);
// "99.9%", "0.0124%": as many decimals as are not zero, at most four.
std::string shown_share(double share);

}  // namespace slosonde::cli
