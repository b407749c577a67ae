#include "tests/simulation/swarm/shrink.h"

#include <algorithm>
#include <optional>

namespace slosonde::swarm {

namespace {

constexpr Time kBefore = 5 * kMinute, kAfter = kMinute;
constexpr size_t kMostLines = 60;

std::optional<Failure> first_failure(const Scenario& scenario) {
  if (scenario.transactions.empty()) return std::nullopt;
  const Outcome outcome = World(scenario).run();
  if (outcome.failures.empty()) return std::nullopt;
  return outcome.failures.front();
}

}  // namespace

Shrunk shrink(const Scenario& scenario) {
  Shrunk shrunk{scenario, {}, {}};
  const auto try_it = [&](Scenario smaller) {
    const auto failure = first_failure(smaller);
    if (!failure) return false;
    shrunk.scenario = std::move(smaller);
    shrunk.failure = *failure;
    return true;
  };
  if (!try_it(scenario)) return shrunk;
  // Spells are drawn anew for another length, so that an earlier end is tried and not reckoned.
  for (Time length = kHour * 6; length < shrunk.scenario.length; length *= 2) {
    Scenario smaller = shrunk.scenario;
    smaller.length = length;
    if (try_it(std::move(smaller))) break;
  }
  for (size_t i = 0; i < kFaults; ++i) {
    Scenario smaller = shrunk.scenario;
    if (std::exchange(smaller.rates[i], 0) > 0) try_it(std::move(smaller));
  }
  for (size_t t = shrunk.scenario.transactions.size(); t-- > 0;) {
    if (shrunk.scenario.transactions.size() > 1) try_it(without_transaction(shrunk.scenario, t));
  }
  for (size_t s = shrunk.scenario.slos.size(); s-- > 0;) {
    Scenario smaller = shrunk.scenario;
    smaller.slos.erase(smaller.slos.begin() + static_cast<std::ptrdiff_t>(s));
    try_it(std::move(smaller));
  }
  World world(shrunk.scenario);
  world.tell(shrunk.failure.transaction, shrunk.failure.at - kBefore, shrunk.failure.at + kAfter, &shrunk.story);
  world.run();
  return shrunk;
}

std::string report(const Scenario& scenario) {
  const Shrunk shrunk = shrink(scenario);
  std::string text = "what is left of it:\n" + describe(shrunk.scenario);
  text += "transaction " + shrunk.scenario.transactions[shrunk.failure.transaction].name() + ", " +
          format_utc(instant_from_unix_ns(shrunk.failure.at)) + ": " + shrunk.failure.text + '\n';
  const size_t from = shrunk.story.size() > kMostLines ? shrunk.story.size() - kMostLines : 0;
  for (size_t i = from; i < shrunk.story.size(); ++i) text += "  " + shrunk.story[i] + '\n';
  text += "again: tests/simulation/run --seed " + std::to_string(scenario.seed) + " --days " +
          std::to_string(scenario.length / kDay) + '\n';
  return text;
}

}  // namespace slosonde::swarm
