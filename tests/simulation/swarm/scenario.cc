#include "tests/simulation/swarm/scenario.h"

#include <algorithm>
#include <iterator>

#include "tests/simulation/random.h"

namespace slosonde::swarm {

namespace {

using simulation::Random;

constexpr double kMostRunsADay = 18'000;

struct FaultRange {
  std::string_view name;
  double most;    // in a fairly healthy world
  double exists;  // probability that a world has it at all
};
constexpr std::array<FaultRange, kFaults> kRanges = {{
    {"refused", 0.01, 0.5},       {"slow", 0.01, 0.5},     {"hanging", 0.004, 0.4},   {"lost", 0.01, 0.5},
    {"slow_delivery", 0.02, 0.5}, {"corrupt", 0.004, 0.4}, {"overtaking", 0.01, 0.3}, {"duplicate", 0.02, 0.4},
    {"redelivered", 0.02, 0.4},   {"unwanted", 0.02, 0.6}, {"target_down", 2, 0.5},   {"swallowing", 2, 0.4},
    {"place_gone", 4, 0.6},       {"strangers", 20, 0.3},  {"own_fault", 0.003, 0.4}, {"hook_down", 6, 0.6},
    {"late_loop", 12, 0.5},       {"frozen", 2, 0.5},      {"crash", 3, 0.6},         {"clean_stop", 1, 0.4},
    {"wall_step", 0.5, 0.4},      {"full_disk", 0.7, 0.4}, {"grain", 0.3, 0.5},       {"starved", 30, 0.4},
    {"suspended", 1, 0.3},        {"excluded", 2, 0.4},    {"reloaded", 2, 0.4},
}};

template <size_t n>
Time one_of(Random& random, const std::array<Time, n>& values) {
  return values[static_cast<size_t>(random.between(0, n))];
}

StageTerms act(Random& random, Time after) {
  StageTerms stage;
  stage.within = after + random.between(1, 10) * 500 * kMillisecond;
  return stage;
}

StageTerms poll(Random& random, Time after) {
  StageTerms stage;
  stage.mode = Mode::polled;
  stage.poll_every = random.between(1, 8) * 500 * kMillisecond;
  stage.poll_timeout = random.between(1, 4) * 500 * kMillisecond;
  stage.within = after + random.between(4, 40) * kSecond;
  return stage;
}

// Only where no other stage looks at the same place: its evidence would be a copy too many.
void expect_more(Random& random, TransactionTerms& made) {
  for (StageTerms& stage : made.stages) {
    const auto looks_there = [&](const StageTerms& one) {
      return one.mode == Mode::watched && one.watch == stage.watch;
    };
    if (stage.mode != Mode::watched || std::ranges::count_if(made.stages, looks_there) > 1) continue;
    const double drawn = random.share();
    if (drawn < 0.5) stage.expected = drawn < 0.25 ? Expected::exactly_one : Expected::none;
  }
}

TransactionTerms transaction(Random& random, uint32_t number, size_t watches) {
  TransactionTerms made;
  made.number = number;
  made.every = one_of<8>(
      random, {5 * kSecond, 10 * kSecond, 15 * kSecond, 30 * kSecond, kMinute, kMinute, 2 * kMinute, 5 * kMinute});
  Time after = 0;
  const auto add = [&](StageTerms stage) {
    after = stage.within;
    made.stages.push_back(stage);
  };
  if (random.happens(0.1)) {
    add(poll(random, 0));  // a health check that is asked until it holds
  } else {
    add(act(random, 0));
    if (random.happens(0.2)) add(act(random, after));
    if (random.happens(0.2)) add(poll(random, after));
  }
  for (int n = static_cast<int>(random.between(0, 3)); n > 0; --n) {
    StageTerms stage;
    stage.mode = Mode::watched;
    stage.within = after + random.between(5, 60) * kSecond;
    stage.watch = static_cast<size_t>(random.between(0, static_cast<int64_t>(watches)));
    add(stage);
  }
  expect_more(random, made);
  const auto enough = static_cast<uint32_t>(after / made.every + 2);
  made.max_in_flight = random.happens(0.15) ? std::max<uint32_t>(1, enough / 2) : enough;
  made.linger = random.happens(0.5) ? 0 : kMinute;
  return made;
}

void add_slos(Random& random, Scenario& scenario, size_t transaction) {
  const std::vector<StageTerms>& stages = scenario.transactions[transaction].stages;
  SloTerms slo;
  slo.transaction = transaction;
  const auto vary = [&] {
    constexpr std::array<int64_t, 6> kObjectives = {900'000'000, 950'000'000, 990'000'000,
                                                    995'000'000, 999'000'000, 999'500'000};
    slo.objective_ppb = kObjectives[static_cast<size_t>(random.between(0, 6))];
    slo.window = one_of<4>(random, {kDay, 7 * kDay, 30 * kDay, 30 * kDay});
    slo.min_bad = static_cast<uint32_t>(random.between(1, 4));
    scenario.slos.push_back(slo);
  };
  if (random.happens(0.6)) vary();
  if (random.happens(0.4)) {
    slo.stage = static_cast<int>(random.between(0, static_cast<int64_t>(stages.size())));
    vary();
    if (random.happens(0.3)) vary();  // another objective and window for the same SLI
  }
  if (random.happens(0.4)) {
    const auto stage = static_cast<size_t>(random.between(0, static_cast<int64_t>(stages.size())));
    if (stages[stage].mode == Mode::polled || stages[stage].expected != Expected::some) return;
    slo.stage = static_cast<int>(stage);
    slo.faster_than = std::max(kSecond / 2, stages[stage].within / random.between(2, 6));
    vary();
  }
}

}  // namespace

std::string_view name(Fault fault) {
  return kRanges[static_cast<size_t>(fault)].name;
}

Scenario draw(uint64_t seed, Time length) {
  Random random(seed * 0x9e3779b97f4a7c15 + 1);
  Scenario scenario;
  scenario.seed = seed;
  scenario.length = length;
  scenario.settle = random.between(1, 11) * kMinute;
  scenario.max_lateness = random.between(1, 11) * 200 * kMillisecond;
  scenario.commit_every = one_of<3>(random, {kMinute, 6 * kMinute, 11 * kMinute});
  const int64_t watches = random.between(1, 4);
  for (int64_t w = 0; w < watches; ++w) {
    scenario.watches.push_back({random.happens(0.6), random.happens(0.5), random.between(2, 15) * kSecond});
  }
  const int64_t transactions = random.happens(0.5) ? random.between(1, 5) : random.between(1, 21);
  double runs_a_day = 0;
  for (uint32_t t = 0; t < static_cast<uint32_t>(transactions); ++t) {
    TransactionTerms made = transaction(random, t, scenario.watches.size());
    const double more = static_cast<double>(kDay) / static_cast<double>(made.every);
    if (runs_a_day + more > kMostRunsADay) continue;
    runs_a_day += more;
    scenario.transactions.push_back(std::move(made));
    if (scenario.slos.size() < 9) add_slos(random, scenario, scenario.transactions.size() - 1);
  }
  const double badness = random.happens(0.3) ? 5 : 1;
  for (size_t i = 0; i < kFaults; ++i) {
    const double drawn = random.share() * kRanges[i].most * badness;
    const bool exists = random.happens(kRanges[i].exists);
    scenario.rates[i] = exists ? std::min(drawn, kRanges[i].most < 1 ? 0.5 : 40.0) : 0;
  }
  scenario.keeps_state = !random.happens(0.15);
  return scenario;
}

Scenario without_transaction(Scenario scenario, size_t index) {
  scenario.transactions.erase(scenario.transactions.begin() + static_cast<std::ptrdiff_t>(index));
  std::erase_if(scenario.slos, [&](const SloTerms& slo) { return slo.transaction == index; });
  for (SloTerms& slo : scenario.slos) {
    if (slo.transaction > index) --slo.transaction;
  }
  return scenario;
}

std::shared_ptr<const engine::Plan> plan_of(const Scenario& scenario) {
  auto plan = std::make_shared<engine::Plan>();
  plan->probe = "swarm";
  plan->key = Secret("the swarm's key");
  plan->settle = Duration(scenario.settle);
  plan->max_lateness = Duration(scenario.max_lateness);
  for (size_t w = 0; w < scenario.watches.size(); ++w) {
    const std::string name = "w" + std::to_string(w);
    plan->watches.push_back({name, scenario.watches[w].reads_back ? "kafka" : "webhook", name});
  }
  for (const TransactionTerms& from : scenario.transactions) {
    engine::TransactionPlan made;
    made.name = from.name();
    made.every = Duration(from.every);
    made.max_in_flight = from.max_in_flight;
    made.linger = Duration(from.linger);
    for (size_t i = 0; i < from.stages.size(); ++i) {
      const StageTerms& one = from.stages[i];
      engine::StagePlan stage;
      stage.name = "s" + std::to_string(i);
      stage.mode = static_cast<engine::StageMode>(one.mode);
      stage.within = Duration(one.within);
      stage.poll_every = Duration(one.poll_every);
      stage.poll_timeout = Duration(one.poll_timeout);
      stage.watch = one.watch;
      stage.definition = "edition " + std::to_string(from.edition);
      stage.expect = static_cast<engine::Expectation>(one.expected);
      made.stages.push_back(std::move(stage));
    }
    plan->transactions.push_back(std::move(made));
  }
  for (size_t s = 0; s < scenario.slos.size(); ++s) {
    const SloTerms& from = scenario.slos[s];
    engine::SloPlan slo;
    slo.name = "slo" + std::to_string(s);
    slo.objective_ppb = from.objective_ppb;
    slo.window = Duration(from.window);
    slo.transaction = from.transaction;
    if (from.stage >= 0) slo.stage = static_cast<size_t>(from.stage);
    if (from.faster_than > 0) slo.faster_than = Duration(from.faster_than);
    slo.min_bad = from.min_bad;
    plan->slos.push_back(std::move(slo));
  }
  return plan;
}

std::string describe(const Scenario& scenario) {
  const auto time = [](Time t) { return format_duration(Duration(t)); };
  std::string text = "seed " + std::to_string(scenario.seed) + ", " + time(scenario.length) + ", settle " +
                     time(scenario.settle) + ", max_lateness " + time(scenario.max_lateness) +
                     (scenario.keeps_state ? "\n" : ", no state is kept\n");
  for (const TransactionTerms& one : scenario.transactions) {
    text += "  " + one.name() + " every " + time(one.every) + ", at most " + std::to_string(one.max_in_flight) +
            " in flight, linger " + time(one.linger) + ':';
    for (const StageTerms& stage : one.stages) {
      text += stage.mode == Mode::done ? " done" : stage.mode == Mode::polled ? " polled" : " watched";
      if (stage.mode == Mode::watched) text += " at w" + std::to_string(stage.watch);
      if (stage.expected != Expected::some) text += stage.expected == Expected::none ? ", never" : ", once";
      text += " within " + time(stage.within) + ';';
    }
    text += '\n';
  }
  for (size_t s = 0; s < scenario.slos.size(); ++s) {
    const SloTerms& slo = scenario.slos[s];
    text += "  slo" + std::to_string(s) + " of " + scenario.transactions[slo.transaction].name() +
            (slo.stage < 0 ? "" : " stage " + std::to_string(slo.stage)) +
            (slo.faster_than > 0 ? " faster than " + time(slo.faster_than) : "") + ", " +
            std::to_string(slo.objective_ppb) + " ppb over " + time(slo.window) + '\n';
  }
  text += "  faults:";
  for (size_t i = 0; i < kFaults; ++i) {
    if (scenario.rates[i] > 0) text += ' ' + std::string(kRanges[i].name) + ' ' + std::to_string(scenario.rates[i]);
  }
  return text + '\n';
}

}  // namespace slosonde::swarm
