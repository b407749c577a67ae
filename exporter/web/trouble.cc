#include "exporter/web/trouble.h"

#include <utility>

namespace slosonde::exporter {
namespace {

std::string times(uint64_t count) {
  return count == 1 ? std::string("Once") : std::to_string(count) + " times since the last such line";
}

}  // namespace

Trouble::Trouble(std::function<Instant()> now, Warn warn, prometheus::Registry& registry)
    : now_(std::move(now)), warn_(std::move(warn)) {
  auto& family = prometheus::BuildCounter()
                     .Name("slosonde_exceptions_total")
                     .Help("Mistakes of slosonde's own, or a want of memory, that were caught in a thread's loop.")
                     .Register(registry);
  caught_ = {&family.Add({{"thread", "web"}}), &family.Add({{"thread", "engine"}})};
}

uint64_t Trouble::Told::due(Instant now) {
  ++unsaid;
  if (ever && now - at < kPause) return 0;
  ever = true;
  at = now;
  return std::exchange(unsaid, 0);
}

void Trouble::refused(const std::string& path, int status, std::string_view why) noexcept {
  try {
    const Instant now = now_();
    uint64_t unsaid = 0;
    {
      const std::lock_guard lock(mutex_);
      Path& one = paths_[path];
      one.calls.path = path;
      ++one.calls.count;
      one.calls.last = now;
      one.calls.why = why;
      unsaid = one.told.due(now);
    }
    if (unsaid == 0 || !warn_) return;
    warn_("webhook refused", times(unsaid) + ", a call" + (path.empty() ? "" : " of " + path) + " was answered with " +
                                 std::to_string(status) + ": " + std::string(why));
  } catch (...) {  // for want of memory: the request's own counter tells of it all the same
  }
}

void Trouble::caught(WebThread thread, std::string_view what) noexcept {
  try {
    const auto index = static_cast<size_t>(thread);
    caught_[index]->Increment();
    uint64_t unsaid = 0;
    {
      const std::lock_guard lock(mutex_);
      unsaid = told_[index].due(now_());
    }
    if (unsaid == 0 || !warn_) return;
    warn_("exception caught", times(unsaid) + ", the " + (thread == WebThread::web ? "web" : "engine") +
                                  " thread went on after: " + std::string(what));
  } catch (...) {  // for want of memory: counted, not said
  }
}

std::vector<RefusedCalls> Trouble::refused() const {
  std::vector<RefusedCalls> all;
  const std::lock_guard lock(mutex_);
  all.reserve(paths_.size());
  for (const auto& [path, one] : paths_) all.push_back(one.calls);
  return all;
}

}  // namespace slosonde::exporter
