#include "tests/simulation/day/terms.h"

#include <algorithm>

#include "tests/simulation/random.h"

namespace slosonde::day {

namespace {

using simulation::Random;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Range {
  const char* name;
  double exists;  // in how many days
  double most;
};

constexpr std::array<Range, kFaults> kRanges = {{{"refused", 0.7, 0.05},
                                                 {"hanging", 0.5, 0.03},
                                                 {"slow", 0.5, 0.05},
                                                 {"lost", 0.7, 0.05},
                                                 {"late", 0.6, 0.05},
                                                 {"doubled", 0.5, 0.1},
                                                 {"poll refused", 0.3, 0.05},
                                                 {"target down", 0.5, 3},
                                                 {"place gone", 0.5, 3},
                                                 {"out of sight", 0.5, 3},
                                                 {"disk full", 0.6, 4},
                                                 {"disk held", 0.6, 6},
                                                 {"killed", 0.9, 16},
                                                 {"power cut", 0.9, 16},
                                                 {"stopped", 0.6, 6},
                                                 {"wall step", 0.3, 1.5},
                                                 {"suspended", 0.5, 6}}};

template <size_t N>
Duration one_of(Random& random, const Duration (&choices)[N]) {
  return choices[random.bits() % N];
}

engine::StagePlan act(Random& random) {
  engine::StagePlan stage;
  stage.within = random.between(4, 20) * milliseconds(100);
  return stage;
}

engine::StagePlan poll(Random& random, Duration after) {
  engine::StagePlan stage;
  stage.mode = engine::StageMode::polled;
  stage.poll_every = random.between(1, 5) * milliseconds(500);
  stage.poll_timeout = random.between(2, 4) * milliseconds(500);
  stage.within = after + random.between(6, 30) * seconds(1);
  return stage;
}

engine::StagePlan look(Random& random, Duration after, size_t place) {
  engine::StagePlan stage;
  stage.mode = engine::StageMode::watched;
  stage.within = after + random.between(4, 40) * seconds(1);
  stage.watch = place;
  return stage;
}

engine::TransactionPlan transaction(Random& random, size_t number, size_t places) {
  engine::TransactionPlan made;
  made.name = "t" + std::to_string(number);
  made.every = one_of(random, {seconds(4), seconds(7), seconds(10), seconds(20), seconds(60)});
  made.stages.push_back(act(random));
  if (random.happens(0.4)) made.stages.push_back(poll(random, made.stages.back().within));
  // Each at another place: one copy is evidence for all stages that look there.
  const uint64_t first = random.bits();
  for (uint64_t n = std::min<uint64_t>(places, random.bits() % 3); n > 0; --n) {
    made.stages.push_back(look(random, made.stages.back().within, (first + n) % places));
  }
  for (size_t s = 0; s < made.stages.size(); ++s) made.stages[s].name = "s" + std::to_string(s);
  const auto enough = static_cast<unsigned>(made.stages.back().within / made.every + 2);
  made.max_in_flight = random.happens(0.15) ? std::max(1U, enough / 2) : enough;
  made.linger = random.happens(0.5) ? Duration() : Duration(seconds(20));
  return made;
}

void add_slos(Random& random, engine::Plan& plan, size_t t) {
  engine::SloPlan slo;
  slo.objective_ppb = 990'000'000;
  slo.window = std::chrono::hours(24 * 30);
  slo.transaction = t;
  const auto add = [&] {
    slo.name = "slo" + std::to_string(plan.slos.size());
    plan.slos.push_back(slo);
  };
  add();
  if (!random.happens(0.5)) return;
  slo.stage = plan.transactions[t].stages.size() - 1;
  add();
  if (plan.transactions[t].stages.back().mode == engine::StageMode::polled) return;
  slo.faster_than = plan.transactions[t].stages.back().within / 2;
  add();
}

}  // namespace

std::string_view name(Fault fault) {
  return kRanges[static_cast<size_t>(fault)].name;
}

Terms draw(uint64_t seed, Duration length) {
  Random random(seed * 0x9e3779b97f4a7c15 + 77);
  Terms terms;
  terms.seed = seed;
  terms.length = length;
  terms.commit_every = one_of(random, {milliseconds(250), seconds(1), seconds(1), seconds(5)});
  engine::Plan plan;
  plan.probe = "day";
  plan.zone = "a";
  plan.key = Secret("the key of a day, and of no other");
  plan.settle = random.between(10, 120) * seconds(1);
  plan.max_lateness = seconds(1);
  for (auto n = random.between(1, 4); n > 0; --n) {
    terms.places.push_back({random.happens(0.6), random.happens(0.5), random.between(2, 10) * milliseconds(200)});
    const std::string name = "place" + std::to_string(plan.watches.size());
    plan.watches.push_back({name, terms.places.back().reads_back ? "topic" : "hook", name});
  }
  for (auto n = random.between(1, 5); n > 0; --n) {
    plan.transactions.push_back(transaction(random, plan.transactions.size(), plan.watches.size()));
    add_slos(random, plan, plan.transactions.size() - 1);
  }
  terms.plan = std::make_shared<const engine::Plan>(std::move(plan));
  for (size_t i = 0; i < kFaults; ++i) {
    const double drawn = random.share() * kRanges[i].most;
    terms.rates[i] = random.happens(kRanges[i].exists) ? drawn : 0;
  }
  return terms;
}

std::string describe(const Terms& terms) {
  std::string text = "seed " + std::to_string(terms.seed) + ", " + format_duration(terms.length) + ", commits every " +
                     format_duration(terms.commit_every) + ", settle " + format_duration(terms.plan->settle) + '\n';
  for (const engine::TransactionPlan& one : terms.plan->transactions) {
    text += "  " + one.name + " every " + format_duration(one.every) + ", at most " +
            std::to_string(one.max_in_flight) + " in flight:";
    for (const engine::StagePlan& stage : one.stages) {
      using engine::StageMode;
      text += stage.mode == StageMode::done ? " done" : stage.mode == StageMode::polled ? " polled" : " watched";
      if (stage.mode == StageMode::watched) text += " at place" + std::to_string(stage.watch);
      text += " within " + format_duration(stage.within) + ';';
    }
    text += '\n';
  }
  text += "  faults:";
  for (size_t i = 0; i < kFaults; ++i) {
    if (terms.rates[i] > 0) text += ' ' + std::string(kRanges[i].name) + ' ' + std::to_string(terms.rates[i]);
  }
  return text + '\n';
}

}  // namespace slosonde::day
