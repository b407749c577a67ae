#include "probe/engine/suspensions.h"

#include <algorithm>
#include <utility>

namespace slosonde::engine {

bool Suspensions::set(uint32_t transaction, bool suspended, Instant now) {
  std::optional<Instant>& since = since_[transaction];
  if (since.has_value() == suspended) return false;
  since = suspended ? std::optional(now) : std::nullopt;
  changed_ = true;
  return true;
}

void Suspensions::forget_absent() {
  changed_ = changed_ || !absent_.empty();
  absent_.clear();
}

void Suspensions::restore(const store::Batch& kept) {
  if (kept.suspensions) add(*kept.suspensions);
}

void Suspensions::take_over(const Suspensions& before) {
  add(before.kept());
  changed_ = true;
}

void Suspensions::add(const std::vector<store::KeptSuspension>& all) {
  for (const store::KeptSuspension& one : all) {
    const auto is_it = [&](const TransactionPlan& transaction) { return transaction.name == one.transaction; };
    const auto found = std::find_if(plan_.transactions.begin(), plan_.transactions.end(), is_it);
    if (found != plan_.transactions.end()) {
      since_[static_cast<size_t>(found - plan_.transactions.begin())] = one.since;
    } else if (absent_.size() < kMostAbsent) {
      absent_.push_back(one);
    }
  }
}

std::vector<store::KeptSuspension> Suspensions::kept() const {
  std::vector<store::KeptSuspension> made = absent_;
  for (size_t t = 0; t < since_.size(); ++t) {
    if (since_[t]) made.push_back({plan_.transactions[t].name, *since_[t]});
  }
  return made;
}

void Suspensions::take_changes(bool whole, store::Batch& batch) {
  if (std::exchange(changed_, false) || whole) batch.suspensions = kept();
}

}  // namespace slosonde::engine
