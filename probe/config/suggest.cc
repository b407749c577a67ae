#include "probe/config/suggest.h"

#include <algorithm>

#include "probe/base/ascii.h"

namespace slosonde::config {
namespace {

bool same(char a, char b) {
  return ascii_lower(a) == ascii_lower(b);
}

// Optimal string alignment distance, whatever the case; bounded by the lengths, which the caller has limited.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> now(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

}  // namespace

std::string_view closest(std::string_view word, std::span<const std::string_view> candidates) {
  constexpr size_t kLongest = 64;
  if (word.empty() || word.size() > kLongest) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const size_t longer = std::max(candidate.size(), word.size());
    if (longer > kLongest || longer - std::min(candidate.size(), word.size()) >= best_distance) continue;
    const size_t far = distance(word, candidate);
    if (far < best_distance && far < candidate.size()) {
      best = candidate;
      best_distance = far;
    }
  }
  return best;
}

std::string listed(std::span<const std::string_view> candidates) {
  constexpr size_t kMost = 30;
  std::string all;
  for (size_t i = 0; i < candidates.size() && i < kMost; ++i) {
    if (i > 0) all += ", ";
    all += candidates[i];
  }
  if (candidates.size() > kMost) all += ", …";
  return all;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  if (const std::string_view best = closest(word, candidates); !best.empty())
    return "did you mean `" + std::string(best) + "`?";
  if (candidates.empty()) return "there is none to choose from";
  if (candidates.size() == 1) return "expected `" + std::string(candidates[0]) + "`";
  return "expected one of " + listed(candidates);
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  return suggestion(word, views);
}

}  // namespace slosonde::config
