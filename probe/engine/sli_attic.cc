#include "probe/engine/sli_attic.h"

#include <algorithm>
#include <set>

#include "probe/slo/history.h"

namespace slosonde::engine {

void SliAttic::put(const store::Batch& counts, Instant now, const InUse& in_use) {
  std::set<std::string, std::less<>> fresh;
  for (const store::KeptSli& sli : counts.slis) fresh.insert(sli.definition);
  const auto replaced = [&](const auto& one) { return fresh.contains(one.definition) || in_use(one.definition); };
  std::erase_if(kept_.slis, replaced);
  std::erase_if(kept_.counts, replaced);
  for (const store::KeptSli& sli : counts.slis) {
    if (!in_use(sli.definition)) kept_.slis.push_back(sli);
  }
  for (store::KeptSli& sli : kept_.slis) sli.used = std::min(sli.used, now);
  const auto later = [](const store::KeptSli& a, const store::KeptSli& b) { return a.used > b.used; };
  std::stable_sort(kept_.slis.begin(), kept_.slis.end(), later);
  if (kept_.slis.size() > kMost) kept_.slis.resize(kMost);
  std::set<std::string, std::less<>> stay;
  for (const store::KeptSli& sli : kept_.slis) stay.insert(sli.definition);
  std::erase_if(kept_.counts, [&](const store::KeptCounts& one) { return !stay.contains(one.definition); });
  for (const store::KeptCounts& one : counts.counts) {
    if (fresh.contains(one.definition) && stay.contains(one.definition)) kept_.counts.push_back(one);
  }
}

void SliAttic::add_to(store::Batch& batch) const {
  batch.slis.insert(batch.slis.end(), kept_.slis.begin(), kept_.slis.end());
  batch.counts.insert(batch.counts.end(), kept_.counts.begin(), kept_.counts.end());
  for (const store::KeptSli& sli : kept_.slis) {
    for (const Duration slot : {slo::kFineSlot, slo::kCoarseSlot}) {
      batch.forgotten.push_back({sli.definition, slot, INT64_MAX});
    }
  }
}

}  // namespace slosonde::engine
