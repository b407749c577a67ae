// Transactions that start no runs, because somebody has said so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probe/base/time.h"
#include "probe/engine/plan.h"
#include "probe/store/batch.h"

namespace slosonde::engine {

// By the transaction's index in the plan. Survives a restart: who has forgotten a suspension must be told of it, and
// not find it gone. Engine thread.
class Suspensions {
 public:
  static constexpr size_t kMostAbsent = 1000;

  // `plan` outlives it.
  explicit Suspensions(const Plan& plan) : plan_(plan), since_(plan.transactions.size()) {}

  // Whether that changes anything. A second suspension keeps the first one's time.
  bool set(uint32_t transaction, bool suspended, Instant now);
  // Those of transactions that no plan has now come back with them; this ends them.
  void forget_absent();
  std::optional<Instant> since(uint32_t transaction) const { return since_[transaction]; }

  void restore(const store::Batch& kept);
  void take_changes(bool whole, store::Batch& batch);
  // Goes on with those of another plan, by the transactions' names.
  void take_over(const Suspensions& before);

 private:
  std::vector<store::KeptSuspension> kept() const;
  void add(const std::vector<store::KeptSuspension>& all);

  const Plan& plan_;
  std::vector<std::optional<Instant>> since_;
  std::vector<store::KeptSuspension> absent_;  // of transactions that the plan has not, at most kMostAbsent
  bool changed_ = false;                       // since it was last taken
};

}  // namespace slosonde::engine
