// Another configuration for a process that goes on: an SLO's objective, a transaction's settings, or nothing at all.
#include <algorithm>

#include "tests/simulation/swarm/world.h"

namespace slosonde::swarm {

namespace {

// Among these the tiers of alerts are the same.
constexpr std::array<int64_t, 5> kObjectives = {950'000'000, 990'000'000, 995'000'000, 999'000'000, 999'500'000};

}  // namespace

// When nothing is being committed and it can be told the store at once: what a process finds that begins before that is
// not made up here.
void World::reload_later(uint64_t stream) {
  if (ended_) return;
  if (core_ && !draining_ && !committing_ && now_ >= disk_full_until_) {
    reload_ = stream;
  } else {
    at(now_ + kSecond, [this, stream] { reload_later(stream); });
  }
}

// After all that was due has been done.
void World::reload(uint64_t stream) {
  Random random(stream);
  const auto t = static_cast<size_t>(random.between(0, static_cast<int64_t>(scenario_.transactions.size())));
  const auto of_it = [&](const Sent& run) { return run.transaction == t && run.life == life_; };
  const bool begun = std::ranges::any_of(sent_, of_it);
  const bool changes = random.happens(0.4) && begun;
  if (changes) {
    ++scenario_.transactions[t].edition;
    oracle_->cuts(t, now_);
  } else if (random.happens(0.6) && !scenario_.slos.empty()) {
    const auto s = static_cast<size_t>(random.between(0, static_cast<int64_t>(scenario_.slos.size())));
    int64_t& objective = scenario_.slos[s].objective_ppb;
    if (objective >= kObjectives.front()) objective = kObjectives[static_cast<size_t>(random.between(0, 5))];
  }
  oracle_->reloads(now_);
  if (told_) note_all("reloaded");
  plan_ = plan_of(scenario_);
  outputs_.clear();
  core_->go_on_with(instant(now_), plan_, ++epoch_, outputs_);
  for (engine::Output& output : outputs_) std::visit([this](auto& one) { take(one); }, output);
  for (Sent& run : sent_) run.cut = run.cut || (changes && run.transaction == t);
  first_batch_ = true;
  commit(true);
}

}  // namespace slosonde::swarm
