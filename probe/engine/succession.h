// Two plans of one probe, one after the other: what of the first goes on in the second, and what is told of the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probe/engine/plan.h"

namespace slosonde::engine {

// By index in the plan before: where it goes on in the plan after; none: it ends. A transaction goes on if all of its
// definition is the same, a watch if its kind and settings are. Secrets count by what they are now.
struct Succession {
  std::vector<std::optional<uint32_t>> transactions;
  std::vector<std::optional<size_t>> watches;
  // By index in the plan after: the transaction of the same name before, whether it goes on or begins anew.
  std::vector<std::optional<uint32_t>> namesakes;
};
Succession succession(const Plan& before, const Plan& after);

// For people, one line each: what was added, removed or changed.
struct PlanChange {
  enum class What : uint8_t { probe, transaction, slo, watch, exclusion };
  enum class How : uint8_t { added, removed, changed };
  What what;
  How how;
  std::string name;
  std::string text;  // what of it has changed; may be empty
};
std::string_view name(PlanChange::What what);
std::string_view name(PlanChange::How how);
std::vector<PlanChange> plan_changes(const Plan& before, const Plan& after);

}  // namespace slosonde::engine
