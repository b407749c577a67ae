// Random plans, edited at random while runs are in flight, before a pipeline that never fails: every slot that came due
// has exactly one verdict, every run of a transaction that stayed as it was is good, and those of others are good or
// probe faults, never bad.
#include <map>
#include <random>
#include <set>

#include "tests/unit/engine/core_rig.h"

namespace slosonde::engine {
namespace {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t below(uint64_t n) { return engine_() % n; }
  bool one_in(uint64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

// A plan is drawn from these: names with a version each, so that what is unchanged is the same down to its definition.
struct Draft {
  struct Transaction {
    int version = 0;
    Duration every{};
    int watches = 0;
    bool polls = false, cleans_up = false;
  };
  std::map<std::string, Transaction> transactions;
  int watch_version[3] = {0, 0, 0};
  bool slos = true;

  Plan plan(Random& random) const {
    std::vector<TransactionPlan> list;
    std::map<int, size_t> index;  // of the watches in use
    std::vector<WatchPlan> watches;
    for (const auto& [name, draft] : transactions) {
      TransactionPlan t;
      t.name = name;
      t.every = draft.every;
      t.max_in_flight = 40;
      t.linger = 5s;
      t.stages = {act("in", 2s)};
      t.stages[0].definition = "http " + std::to_string(draft.version);
      for (int w = 0; w < draft.watches; ++w) {
        const auto [at, is_new] = index.try_emplace(w, watches.size());
        const std::string definition = "kafka " + std::to_string(w) + "." + std::to_string(watch_version[w]);
        if (is_new) watches.push_back({"topic " + std::to_string(w), "kafka", definition});
        t.stages.push_back(watched("seen-" + std::to_string(w), 20s, at->second));
        t.stages.back().definition = definition;
      }
      if (draft.polls) t.stages.push_back(polled("polled", 30s, 1s, 500ms));
      if (draft.cleans_up) t.finally = {act("remove", 1s)};
      list.push_back(std::move(t));
    }
    for (size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[random.below(i)]);
    Plan made = plan_of(std::move(list));
    made.watches = std::move(watches);
    for (size_t i = 0; slos && i < made.transactions.size(); ++i) {
      made.slos.push_back(slo_of("slo " + made.transactions[i].name, i));
      made.slos.push_back(slo_of("fast " + made.transactions[i].name, i, std::nullopt, 25s));
    }
    return made;
  }

  void edit(Random& random) {
    constexpr const char* kNames[] = {"a", "b", "c", "d"};
    const std::string name = kNames[random.below(4)];
    const auto found = transactions.find(name);
    if (found == transactions.end() || random.one_in(5)) {
      if (found != transactions.end() && transactions.size() > 1) {
        transactions.erase(found);
        return;
      }
      Transaction fresh;
      fresh.version = static_cast<int>(random.below(1'000'000));
      fresh.every = std::chrono::seconds(2 + random.below(9));
      fresh.watches = static_cast<int>(random.below(4));
      fresh.polls = random.one_in(3);
      fresh.cleans_up = random.one_in(3);
      transactions[name] = fresh;
      return;
    }
    switch (random.below(5)) {
      case 0:
        ++watch_version[random.below(3)];
        break;
      case 1:
        slos = !slos;
        break;
      case 2:
        found->second.every = std::chrono::seconds(2 + random.below(9));
        break;
      case 3:
        ++found->second.version;
        break;
      default:
        break;  // another order at most
    }
  }
};

class World {
 public:
  explicit World(uint64_t seed) : random_(seed), rig_(first()) {}

  void live() {
    begin_versions(nullptr);
    for (int reloads = 0; reloads < 25; ++reloads) {
      pass(std::chrono::milliseconds(100 + random_.below(25'000)));
      reload();
    }
    pass(5s);
    rig_.no_more();
    for (const auto& [name, version] : versions_) ends_[name] = version.next;
    pass(10min);
    check_counts();
    EXPECT_EQ(rig_.core.in_flight(), 0U);
    EXPECT_GT(good_, 10U);
  }

 private:
  struct Arrival {
    StartCheck check;
    bool evidence;
    std::string watch;  // its definition
  };
  struct Version {
    Instant first{};  // its first slot
    Instant next{};   // as last seen
    Duration every{};
    uint64_t counted = 0;  // verdicts before it began
  };

  Plan first() {
    draft_.edit(random_);
    draft_.edit(random_);
    return draft_.plan(random_);
  }

  void pass(Duration span) {
    const Instant end = rig_.now + span;
    while (true) {
      take_orders();
      const Instant next = coming_.empty() ? kNever : coming_.begin()->first;
      const Instant due = std::min(next, rig_.core.next_due());
      if (due > end) break;
      rig_.to(due);
      take_orders();
      note_slots();
      if (coming_.empty() || coming_.begin()->first > rig_.now) continue;
      const Arrival one = coming_.begin()->second;
      coming_.erase(coming_.begin());
      deliver(one);
    }
    rig_.to(end);
    take_orders();
    note_slots();
  }

  void take_orders() {
    for (const StartCheck& check : rig_.checks) {
      const TransactionPlan& plan = rig_.plan->transactions[check.run.transaction];
      at(check.polling ? 300ms : 900ms, {check, false, {}});
      if (check.finally || check.stage != 0) continue;
      for (const StagePlan& stage : plan.stages) {
        if (stage.mode == StageMode::watched) at(15s, {check, true, stage.definition});
      }
    }
    rig_.checks.clear();
    for (const auto& run : rig_.closed) {
      ASSERT_TRUE(seen_.insert(run->marker).second) << "closed twice: " << run->marker;
      const std::string& name = rig_.plan->transactions[run->id.transaction].name;
      if (run->verdict == RunVerdict::good) ++good_;
      ASSERT_TRUE(run->verdict == RunVerdict::good || (cutting_ && run->verdict == RunVerdict::probe_fault))
          << name << " due " << unix_ns(run->due) << " is " << engine::name(*run->verdict);
    }
    rig_.closed.clear();
  }
  void at(Duration most, Arrival one) {
    const auto delay = Duration(static_cast<int64_t>(random_.below(static_cast<uint64_t>(most.count()))));
    coming_.emplace(rig_.now + delay, std::move(one));
  }

  void deliver(const Arrival& one) {
    if (!one.evidence) {
      const std::string text = one.check.polling ? one.check.marker : std::string();
      return rig_.answer(one.check, checks::Outcome::held, rig_.now, {}, text);
    }
    for (size_t w = 0; w < rig_.plan->watches.size(); ++w) {
      if (rig_.plan->watches[w].definition == one.watch) rig_.arrive(w, one.check.marker, items_++, rig_.now);
    }
  }

  void reload() {
    for (uint64_t n = random_.below(4); n > 0; --n) draft_.edit(random_);
    Plan next = draft_.plan(random_);
    const auto before = rig_.plan;
    // Those that end are looked at under the old plan: the rig hands over what was said of them with the new one.
    cutting_ = true;
    take_orders();
    const Succession kept = [&] {
      const auto old = rig_.plan;
      Succession made = rig_.reload(std::move(next));
      for (auto& run : rig_.closed) {
        const bool good = run->verdict == RunVerdict::good;
        EXPECT_TRUE(good || run->verdict == RunVerdict::probe_fault) << engine::name(*run->verdict);
        EXPECT_TRUE(seen_.insert(run->marker).second);
      }
      rig_.closed.clear();
      return made;
    }();
    cutting_ = false;
    std::multimap<Instant, Arrival> coming;
    for (auto& [when, one] : coming_) {
      const auto goes_on = kept.transactions[one.check.run.transaction];
      if (!goes_on) continue;
      one.check.run.transaction = *goes_on;
      coming.emplace(when, one);
    }
    coming_ = std::move(coming);
    std::erase_if(rig_.checks, [](const StartCheck& check) { return check.finally; });  // of runs that were cut
    begin_versions(&kept);
  }

  uint64_t verdicts(uint32_t t) {
    uint64_t sum = 0;
    const auto shown = rig_.view();
    for (const uint64_t n : shown->transactions[t].verdicts) sum += n;
    return sum;
  }

  // A version that ends has a verdict for each of its slots; one that begins has none yet.
  void begin_versions(const Succession* kept) {
    std::map<std::string, Version> now;
    for (uint32_t t = 0; t < rig_.plan->transactions.size(); ++t) {
      const TransactionPlan& plan = rig_.plan->transactions[t];
      const Instant next = rig_.view()->transactions[t].next_due;
      ASSERT_NE(next, kNever) << plan.name << " has no slots";
      const auto was = kept != nullptr ? kept->namesakes[t] : std::nullopt;
      const auto old = versions_.find(plan.name);
      if (was && kept->transactions[*was]) {
        ASSERT_EQ(next, old->second.next) << plan.name << ": its slots have moved";
        now[plan.name] = old->second;
        continue;
      }
      if (was) expect_whole(plan.name, old->second, verdicts(t));
      now[plan.name] = {next, next, plan.every, verdicts(t)};
      if (was && plan.every == old->second.every) {
        ASSERT_EQ(next, old->second.next) << plan.name << ": the same grid";
      }
    }
    versions_ = std::move(now);
  }

  void note_slots() {
    for (uint32_t t = 0; t < rig_.plan->transactions.size(); ++t) {
      const Instant next = rig_.view()->transactions[t].next_due;
      if (next != kNever) versions_[rig_.plan->transactions[t].name].next = next;
    }
  }

  void check_counts() {
    for (uint32_t t = 0; t < rig_.plan->transactions.size(); ++t) {
      const std::string& name = rig_.plan->transactions[t].name;
      Version version = versions_[name];
      version.next = ends_[name];
      expect_whole(name, version, verdicts(t));
    }
  }

  static void expect_whole(const std::string& name, const Version& version, uint64_t verdicts) {
    const auto slots = static_cast<uint64_t>((version.next - version.first) / version.every);
    EXPECT_EQ(verdicts - version.counted, slots) << name << ": each slot has one verdict";
  }

  Random random_;
  Draft draft_;
  Rig rig_;
  std::multimap<Instant, Arrival> coming_;
  std::set<std::string> seen_;
  std::map<std::string, Version> versions_;
  std::map<std::string, Instant> ends_;
  uint64_t items_ = 1, good_ = 0;
  bool cutting_ = false;
};

TEST(CoreReloadProperty, EverySlotHasOneVerdictAndNoReloadMakesOneBad) {
  for (uint64_t seed = 1; seed <= 60 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World(seed).live();
  }
}

}  // namespace
}  // namespace slosonde::engine
