#include "tests/simulation/day/pipeline.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "probe/engine/supervisor.h"

namespace slosonde::day {

namespace {

using checks::CheckResult;
using checks::Outcome;
using engine::StageMode;
using simulation::Random;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The supervisor's longest pause, and then some: a place that can be seen again is not looked at sooner.
constexpr Duration kBackInSight = engine::kLongestPause + seconds(5);

CheckResult result_of(Outcome outcome, Instant sent, Instant received, ErrorCode code = ErrorCode::none) {
  CheckResult result;
  result.outcome = outcome;
  result.sent = sent;
  result.received = received;
  if (code != ErrorCode::none) result.error = {code, "as the day has it"};
  return result;
}

bool within(const std::vector<Spell>& spells, Instant t) {
  return std::ranges::any_of(spells, [&](const Spell& one) { return one.from <= t && t < one.to; });
}

bool touched(const std::vector<Spell>& spells, Instant from, Instant to) {
  return std::ranges::any_of(spells, [&](const Spell& one) { return one.from <= to && one.to + kBackInSight >= from; });
}

}  // namespace

// How one process sees one place.
class Pipeline::Eye final : public checks::Watch {
 public:
  Eye(const Line& line, Place& place, const PlaceTerms& terms) : line_(line), place_(place), terms_(terms) {}

  boost::asio::awaitable<Error> watch(checks::WatchSink& sink) override {
    if (!terms_.reads_back || !to_) to_ = line_.now();
    for (;;) {
      const Instant now = line_.now();
      if (within(place_.gone, now)) co_return Error{ErrorCode::connect_refused, "the place is gone"};
      if (within(place_.hidden, now)) co_return Error{ErrorCode::no_descriptors, "no descriptors to see it with"};
      look(sink, now);
      const Instant next = line_.io.now() + terms_.looks;
      co_await line_.io.sleep_until(next);
    }
  }

  std::string position() const override {
    return terms_.reads_back && to_ ? std::to_string(unix_ns(*to_)) : std::string();
  }
  void resume_from(std::string_view position) override {
    int64_t ns = 0;
    if (std::from_chars(position.data(), position.data() + position.size(), ns).ec == std::errc()) {
      to_ = instant_from_unix_ns(ns);
    }
  }

 private:
  void look(checks::WatchSink& sink, Instant now) {
    const auto end = place_.items.upper_bound(now);
    for (auto it = place_.items.upper_bound(*to_); it != end; ++it) {
      const auto& [arrival, item] = *it;
      const Instant lo = terms_.exact ? arrival : *to_, hi = terms_.exact ? arrival : now;
      sink.evidence({item.text, item.number, line_.of(lo), line_.of(hi), checks::EvidencePhase::none});
    }
    sink.covered(line_.of(*to_), line_.of(now));
    to_ = now;
  }

  Line line_;
  Place& place_;
  PlaceTerms terms_;
  std::optional<Instant> to_;  // all that arrived up to then has been handed over
};

Pipeline::Pipeline(const Terms& terms)
    : terms_(terms), places_(terms.places.size()), down_until_(terms.plan->transactions.size()) {}

engine::Equipment Pipeline::equipment(const Line& line) {
  engine::Equipment made;
  made.plan = terms_.plan;
  const auto& transactions = terms_.plan->transactions;
  for (uint32_t t = 0; t < transactions.size(); ++t) {
    made.checks.emplace_back();
    made.finally.emplace_back();
    for (uint32_t s = 0; s < transactions[t].stages.size(); ++s) {
      const StageMode mode = transactions[t].stages[s].mode;
      std::shared_ptr<checks::Check> check;
      if (mode == StageMode::done) {
        check = std::make_shared<engine::TestCheck>(
            [this, line, t](checks::RunContext& context) { return send(line, context, t); });
      } else if (mode == StageMode::polled) {
        check = std::make_shared<engine::TestCheck>(
            [this, line, s](checks::RunContext& context) { return poll(line, context, s); });
      }
      made.checks.back().push_back(std::move(check));
    }
  }
  for (size_t p = 0; p < places_.size(); ++p) {
    made.watches.push_back(std::make_shared<Eye>(line, places_[p], terms_.places[p]));
  }
  return made;
}

Random Pipeline::random_of(std::string_view marker, uint64_t salt) const {
  uint64_t hash = terms_.seed * 0x9e3779b97f4a7c15 + salt;
  for (const char c : marker) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return Random(hash);
}

Sent& Pipeline::take(const Line& line, const checks::RunContext& context, uint32_t transaction) {
  const auto [at, fresh] = sent_.try_emplace(std::string(context.marker));
  if (!fresh) complaint_ = "the marker " + at->first + " was sent twice";
  Sent& run = at->second;
  run.transaction = transaction;
  run.due = context.due;
  run.offset = line.offset;
  run.life = line.life;
  run.arrives.resize(terms_.plan->transactions[transaction].stages.size());
  return run;
}

io::Awaitable<CheckResult> Pipeline::send(Line line, checks::RunContext& context, uint32_t transaction) {
  Random random = random_of(context.marker, 1);
  Sent& run = take(line, context, transaction);
  const Instant asked = line.io.now(), limit = context.deadline;
  const bool down = line.now() < down_until_[transaction];
  if (down || random.happens(terms_.rate(Fault::refused))) {
    run.broken = run.spoilt = true;
    const Instant answers = asked + milliseconds(random.between(1, 100));
    co_await line.io.sleep_until(answers);
    if (line.io.now() >= answers) run.answered = line.now();
    auto refused = result_of(Outcome::refused, asked, line.io.now(), ErrorCode::connect_refused);
    co_return refused;
  }
  Duration takes(random.heavy(2'000'000, 300'000'000));
  if (random.happens(terms_.rate(Fault::slow))) takes = random.between(5, 15) * (limit - asked) / 10;
  const bool hangs = random.happens(terms_.rate(Fault::hanging));
  if (hangs) takes = std::chrono::hours(1);
  run.broken = asked + takes > limit;
  run.spoilt = asked + takes >= limit;
  pass_on(run, context.marker, line.now() + std::min<Duration>(takes, limit - asked));
  const Instant answers = asked + takes;
  co_await line.io.sleep_until(answers);
  auto held = result_of(Outcome::held, asked, line.io.now());
  if (line.io.now() >= answers) {
    run.answered = line.now();
  } else {
    held = result_of(Outcome::probe_fault, asked, line.io.now(), ErrorCode::cancelled);
  }
  co_return held;
}

io::Awaitable<CheckResult> Pipeline::poll(Line line, checks::RunContext& context, uint32_t stage) {
  Random random = random_of(context.marker, 1000 + context.attempt);
  const Instant asked = line.io.now();
  const Instant answers = asked + milliseconds(random.between(2, 200));
  co_await line.io.sleep_until(answers);
  auto result = result_of(Outcome::not_yet, asked, line.io.now(), ErrorCode::no_marker);
  Sent* const run = find(context.marker);
  if (run == nullptr) {
    complaint_ = "a poll asks for what was never sent: " + std::string(context.marker);
  } else if (random.happens(terms_.rate(Fault::poll_refused))) {
    run->spoilt = true;
    result = result_of(Outcome::refused, asked, line.io.now(), ErrorCode::connect_refused);
  } else if (run->arrives[stage] && *run->arrives[stage] <= line.now()) {
    result = result_of(Outcome::held, asked, line.io.now());
    result.evidence = context.marker;
  }
  co_return result;
}

// From the way in to every place that is looked at, one after the other.
void Pipeline::pass_on(Sent& run, std::string_view marker, Instant accepted) {
  Random random = random_of(marker, 2);
  const auto& stages = terms_.plan->transactions[run.transaction].stages;
  const bool lost = random.happens(terms_.rate(Fault::lost)), late = random.happens(terms_.rate(Fault::late));
  const auto at = static_cast<size_t>(random.between(1, static_cast<int64_t>(stages.size()) + 1));
  Instant arrival = accepted;
  for (size_t s = 1; s < stages.size(); ++s) {
    const engine::StagePlan& stage = stages[s];
    const Instant limit = run.limit(stage);
    if (lost && s >= at) {
      run.broken = run.spoilt = true;
      continue;
    }
    arrival += Duration(random.heavy(20'000'000, 3'000'000'000));
    if (late && s == at) arrival = std::max(arrival, limit - seconds(3)) + milliseconds(random.between(0, 9000));
    run.arrives[s] = arrival;
    const bool polled = stage.mode == StageMode::polled;
    const Duration grain = polled ? stage.poll_every + stage.poll_timeout : terms_.places[stage.watch].looks;
    run.broken = run.broken || arrival > limit;
    run.spoilt = run.spoilt || arrival + (polled ? grain : Duration()) >= limit;
    run.unseen = run.unseen || arrival + grain >= limit;  // perhaps: across its limit nobody can say
    if (polled) continue;
    put(stage.watch, arrival, "an incident of " + std::string(marker));
    if (random.happens(terms_.rate(Fault::doubled))) {
      put(stage.watch, arrival + milliseconds(random.between(1, 3000)), std::string(marker));
    }
  }
}

void Pipeline::put(size_t place, Instant arrival, std::string text) {
  places_[place].items.emplace(arrival, Item{std::move(text), ++items_});
}

void Pipeline::lose_sight(size_t place, Instant from, Instant until, bool ours) {
  (ours ? places_[place].hidden : places_[place].gone).push_back({from, until});
}

Sent* Pipeline::find(std::string_view marker) {
  const auto found = sent_.find(marker);
  return found == sent_.end() ? nullptr : &found->second;
}

bool Pipeline::failed(size_t place, Instant from, Instant to) const {
  return touched(places_[place].gone, from, to);
}

bool Pipeline::disturbed(size_t place, Instant from, Instant to) const {
  return failed(place, from, to) || touched(places_[place].hidden, from, to);
}

}  // namespace slosonde::day
