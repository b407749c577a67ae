// What people should hear of the web server besides its answers: calls of webhooks that were refused, and mistakes of
// ours that were caught.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "probe/base/time.h"

namespace slosonde::exporter {

// A line for the log: what happened, and a sentence. Any thread; must not block.
using Warn = std::function<void(std::string_view what, std::string text)>;

// Calls of one webhook path that were refused for want of a right proof.
struct RefusedCalls {
  std::string path;  // empty: none that a watch listens on
  uint64_t count = 0;
  Instant last{};
  std::string why;  // the last one's
};

enum class WebThread : uint8_t { web, engine };

// Any thread. Nothing throws.
class Trouble {
 public:
  Trouble(std::function<Instant()> now, Warn warn, prometheus::Registry& registry);

  // `path` is one that a watch listens on (there are only so many), or empty for any other.
  void refused(const std::string& path, int status, std::string_view why) noexcept;
  // An exception that was caught in the loop of one of our threads.
  void caught(WebThread thread, std::string_view what) noexcept;

  std::vector<RefusedCalls> refused() const;

 private:
  static constexpr Duration kPause = std::chrono::minutes(1);  // between two lines about one thing

  struct Told {
    Instant at{};
    uint64_t unsaid = 0;
    bool ever = false;
    // How many there were since the last line, this one among them; 0: it is too soon for a line.
    uint64_t due(Instant now);
  };
  struct Path {
    RefusedCalls calls;
    Told told;
  };

  const std::function<Instant()> now_;
  const Warn warn_;
  std::array<prometheus::Counter*, 2> caught_{};
  mutable std::mutex mutex_;  // of the two below
  std::map<std::string, Path, std::less<>> paths_;
  std::array<Told, 2> told_;
};

}  // namespace slosonde::exporter
