// The one file that includes spdlog: its headers take seconds to compile.
#include "probe/cli/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <utility>

#include "probe/base/time.h"
#include "probe/config/utf8.h"

namespace slosonde::cli {

namespace {

constexpr size_t kQueued = 1024;

std::string_view name_of(Level level) {
  switch (level) {
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "error";
}

void append_escaped(std::string& to, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    to += '\\';
    to += c;
  } else if (c == '\n') {
    to += "\\n";
  } else if (byte < 0x20 || byte == 0x7f) {
    char buffer[8];
    std::snprintf(buffer, sizeof buffer, "\\u%04x", byte);
    to += buffer;
  } else {
    to += c;
  }
}

// Control characters, quotes and backslashes escaped as JSON has them; bytes that are no UTF-8 (a target's answer or a
// file's name may have them) become U+FFFD.
void append_escaped(std::string& to, std::string_view text) {
  while (!text.empty()) {
    const size_t length = config::utf8_length(text);
    if (length == 1)
      append_escaped(to, text[0]);
    else
      to += length == 0 ? "\xEF\xBF\xBD" : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

void append_quoted(std::string& to, std::string_view text) {
  to += '"';
  append_escaped(to, text);
  to += '"';
}

void append_logfmt(std::string& to, std::string_view key, std::string_view value) {
  if (!to.empty()) to += ' ';
  to += key;
  to += '=';
  const auto needs_quotes = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '"' || c == '=' || c == '\\' || byte <= 0x20 || byte >= 0x7f;
  };
  const bool plain = !value.empty() && std::find_if(value.begin(), value.end(), needs_quotes) == value.end();
  if (plain) {
    to += value;
  } else {
    append_quoted(to, value);
  }
}

void append_json(std::string& to, std::string_view key, std::string_view value) {
  to += to.empty() ? '{' : ',';
  append_quoted(to, key);
  to += ':';
  append_quoted(to, value);
}

volatile std::sig_atomic_t exit_code = 0;

}  // namespace

std::string log_line(config::LogFormat format, std::string_view time, Level level, std::string_view message,
                     std::initializer_list<Field> fields) {
  const auto append = format == config::LogFormat::json ? append_json : append_logfmt;
  std::string line;
  append(line, "time", time);
  append(line, "level", name_of(level));
  append(line, "msg", message);
  for (const Field& field : fields) append(line, field.key, field.value);
  if (format == config::LogFormat::json) line += '}';
  return line;
}

class Log::Impl {
 public:
  explicit Impl(config::LogFormat format)
      : format_(format),
        pool_(std::make_shared<spdlog::details::thread_pool>(kQueued, 1)),
        logger_(std::make_shared<spdlog::async_logger>("slosonde", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                                       pool_, spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_pattern("%v");
    logger_->flush_on(spdlog::level::info);
  }

  void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    const Instant now = instant_from_unix_ns(std::chrono::duration_cast<Duration>(wall).count());
    logger_->info(log_line(format_, format_utc(now), level, message, fields));
  }

 private:
  config::LogFormat format_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

Log::Log(config::LogFormat format) : impl_(std::make_unique<Impl>(format)) {}
Log::~Log() = default;

void Log::write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  impl_->write(level, message, fields);
}

void end_of_process(int code) {
  exit_code = code;
  std::signal(SIGALRM, [](int) { _exit(exit_code); });
  // The signals of the daemon are blocked everywhere; this one must come through.
  sigset_t alarm_only;
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &alarm_only, nullptr);
  alarm(kLastLines_s);
}

}  // namespace slosonde::cli
