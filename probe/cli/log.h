// The log of the daemon: one line a state change on stderr, as logfmt or JSON.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "probe/config/config.h"

namespace slosonde::cli {

enum class Level : uint8_t { info, warning, error };

struct Field {
  std::string_view key;
  std::string value;
};

// Any thread. Lines are queued (the last 1,024) and written by a thread of their own: a stderr that nobody reads loses
// the oldest lines, it never stops the caller.
class Log {
 public:
  explicit Log(config::LogFormat format);
  // Writes what is queued, for at most `kLastLines`; the process then ends all the same, see end_of_process().
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// One line without its end, as write() would queue it; `time` in RFC 3339.
std::string log_line(config::LogFormat format, std::string_view time, Level level, std::string_view message,
                     std::initializer_list<Field> fields);

// The process will end with `code` within `kLastLines` seconds, even where stderr blocks. Call before the Log ends.
constexpr unsigned kLastLines_s = 2;
void end_of_process(int code);

}  // namespace slosonde::cli
