#include "tests/simulation/swarm/world.h"

#include <algorithm>
#include <utility>

namespace slosonde::swarm {

namespace {

constexpr Time kStart = 1'767'603'600 * kSecond;
constexpr Time kReadEvery = 61 * kMinute;
constexpr Time kSettleEvery = 5 * kMinute;
constexpr Time kRunForgotten = 3 * kHour;
constexpr Time kLeastStep = 500 * kMillisecond;
constexpr size_t kClosedRunsKept = 3;

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

SloReading reading_of(const engine::SloStatus& slo) {
  const auto window = [](const engine::WindowStatus& one) {
    return WindowReading{one.window.count(),
                         one.good,
                         one.bad,
                         one.unjudged.blind,
                         one.unjudged.probe_fault,
                         one.unjudged.missed,
                         one.unjudged.excluded_unjudged(),
                         one.unjudged.excluded_good,
                         one.unjudged.excluded_bad,
                         one.burn_rate.value_or(-1),
                         one.coverage.value_or(-1)};
  };
  SloReading reading;
  reading.period = window(slo.period);
  // The oracle knows the tiers; the alert on coverage and its window are another's.
  for (const auto& one : slo.windows) {
    const auto looks_at = [&](const engine::AlertStatus& alert) {
      return alert.factor > 0 && (alert.long_window == one.window || alert.short_window == one.window);
    };
    if (std::any_of(slo.alerts.begin(), slo.alerts.end(), looks_at)) reading.windows.push_back(window(one));
  }
  reading.budget = slo.budget_remaining.value_or(-1e9);
  reading.budget_observed = slo.budget_remaining_observed.value_or(-1e9);
  for (const auto& one : slo.alerts) {
    if (one.factor > 0)
      reading.alerts.push_back({one.long_window.count(), one.active, one.since ? unix_ns(*one.since) : 0});
  }
  return reading;
}

}  // namespace

World::World(const Scenario& scenario)
    : scenario_(scenario),
      start_(kStart),
      end_(kStart + scenario.length),
      now_(kStart),
      plan_(plan_of(scenario)),
      codec_(plan_->key),
      other_codec_(Secret("somebody else's key")),
      oracle_(std::make_unique<Oracle>(scenario_, kStart)),
      random_(mix(scenario.seed + 0x5eed)),
      kept_positions_(scenario.watches.size()),
      down_until_(scenario.transactions.size()),
      swallowing_until_(scenario.transactions.size()),
      places_(scenario.watches.size()) {
  for (Place& place : places_) place.covered = start_;
  plan_faults();
}

uint64_t World::seed_of(uint64_t a, uint64_t b, uint64_t c) const {
  return mix(mix(mix(scenario_.seed + a * 0x9e3779b97f4a7c15) + b) + c);
}

void World::happen() {
  const Happenings::Happening next = happenings_.pop();
  if (next.life == Happenings::kAnyLife || (core_ && next.life == life_)) next.what();
}

Outcome World::run() {
  begin_process();
  at(now_ + kReadEvery, [this] { read_later(); });
  Time settle_at = now_ + kSettleEvery;
  const double grain = scenario_.rate(Fault::grain);
  while (true) {
    Time next = happenings_.next();
    if (core_) next = std::min(next, unix_ns(core_->next_due()));
    if (!ended_ && next >= end_ && core_) {
      ended_ = true;
      end_ = now_;
      feed(engine::Drain{});
      if (!draining_) oracle_->drains(now_ + 1);
    }
    if (ended_ && next > end_ + 3 * kHour && !committing_) break;
    if (held_until_ > now_) {
      next = std::max(now_ + 1, held_until_);  // everything is done when that is over
    } else if (grain > 0 && random_.happens(grain)) {
      next += random_.between(0, 5 * kMillisecond);
    }
    next = std::max(now_ + 1, next);
    const bool held = held_until_ >= next;
    while (happenings_.next() <= next) {
      now_ = held ? next : std::max(now_, happenings_.next());
      const Time before = now_;
      happen();
      if (now_ != before) next += now_ - before;  // the clock was set
      if (!held && held_until_ > now_) break;
    }
    if (held_until_ > now_ && !held) continue;
    now_ = std::max(now_, next);
    if (core_) turn(held);
    settle_at = std::min(settle_at, now_ + kSettleEvery);  // the clock may have been set back
    if (now_ < settle_at) continue;
    settle_at = now_ + kSettleEvery;
    oracle_->settle();
    while (!sent_.empty() && (sent_.front().due < now_ - kRunForgotten || sent_.front().due > now_ + kHour)) {
      by_marker_.erase(sent_.front().marker);
      sent_.pop_front();
    }
    if (!oracle_->failures().empty() || !outcome_.failures.empty()) break;
  }
  if (core_ && oracle_->failures().empty() && outcome_.failures.empty()) {
    commit(true);
    oracle_->finish();
  }
  take_outcome();
  outcome_.digest = digest_;
  return std::move(outcome_);
}

void World::begin_process() {
  ++life_;
  ++outcome_.processes;
  const bool stepped = scenario_.keeps_state && std::abs(clock_offset_ - kept_offset_) > kLeastStep;
  follow_clock();
  if (told_) note_all(std::string("a process begins") + (stepped ? ", by another clock" : ""));
  if (!scenario_.keeps_state && life_ > 1) forget();
  kept_ = journal_.all();
  engine::CoreOptions options;
  options.start = instant(now_);
  options.epoch = ++epoch_;
  options.kept_runs = kClosedRunsKept;
  if (scenario_.keeps_state) options.kept = &kept_;
  options.clock_stepped = stepped;
  core_ = std::make_unique<engine::Core>(plan_, options);
  kept_ = {};
  oracle_->life_begins(now_, stepped);
  first_batch_ = true;
  committing_ = draining_ = false;
  held_until_ = 0;
  for (size_t w = 0; w < places_.size(); ++w) {
    Place& place = places_[w];
    place.connected = false;
    if (stepped || life_ == 1) {
      place.log.clear();
      kept_positions_[w] = {now_, next_item_};
    }
    const Time takes = random_.happens(0.1) ? random_.between(0, kMinute) : random_.between(kMillisecond, 2 * kSecond);
    soon(takes, [this, w] { connect(w); });
  }
  turn(false);
  // A first commit soon: a process that ends before it has left nothing.
  commit(life_ == 1);
  commit_later();
}

// No state is kept: it all begins with the new process, for the oracle as well.
void World::forget() {
  oracle_->settle();
  take_outcome();
  auto heard = std::move(oracle_->on_judged);
  oracle_ = std::make_unique<Oracle>(scenario_, now_);
  oracle_->on_judged = std::move(heard);
  for (Position& position : kept_positions_) position = {};
}

// What the oracle has found so far.
void World::take_outcome() {
  const std::vector<Failure>& failures = oracle_->failures();
  outcome_.failures.insert(outcome_.failures.end(), failures.begin(), failures.end());
  outcome_.runs += oracle_->runs();
  outcome_.readings += oracle_->readings();
  digest(oracle_->digest());
  for (size_t i = 0; i < kRunVerdicts; ++i) outcome_.verdicts[i] += oracle_->verdicts(static_cast<RunVerdict>(i));
  for (size_t i = 0; i < 7; ++i) outcome_.stages[i] += oracle_->stages(static_cast<Verdict>(i));
}

void World::commit_later() {
  soon(scenario_.commit_every, [this] {
    commit_wanted_ = true;
    commit_later();
  });
}

// Nothing is left of it but the journal.
void World::end_process(Time down_for) {
  if (!core_ || ended_) return;
  if (told_) note_all("the process ends, for " + format_duration(Duration(down_for)));
  core_.reset();
  reload_.reset();
  if (!scenario_.keeps_state) oracle_->committed(now_);
  oracle_->life_ends();
  held_until_ = 0;
  at(now_ + down_for, [this] {
    if (!core_) begin_process();
  });
}

void World::stop_cleanly() {
  if (!core_ || draining_ || ended_) return;
  draining_ = true;
  feed(engine::Drain{});
  oracle_->drains(now_);
  const Time grace = random_.between(0, 30 * kSecond);
  soon(grace, [this, down_for = random_.heavy(kSecond, 10 * kMinute)] {
    if (now_ >= disk_full_until_) commit_wanted_ = true;
    soon(kSecond, [this, down_for] { end_process(down_for); });
  });
}

void World::turn(bool held) {
  oracle_->turn(now_, held);
  outputs_.clear();
  core_->advance(instant(now_), outputs_);
  for (engine::Output& output : outputs_) std::visit([this](auto& one) { take(one); }, output);
  if (reload_) reload(*std::exchange(reload_, std::nullopt));
  if (std::exchange(commit_wanted_, false)) commit(false);
  if (std::exchange(read_wanted_, false)) read();
}

void World::take(engine::StartCheck& check) {
  auto found = by_marker_.find(check.marker);
  if (found == by_marker_.end()) {
    Sent made;
    made.id = next_run_++;
    made.transaction = check.run.transaction;
    made.due = unix_ns(check.due);
    made.marker = check.marker;
    made.payload = check.payload;
    made.life = life_;
    made.number = oracle_->started(made.transaction, made.due, now_);
    sent_.push_back(std::move(made));
    found = by_marker_.emplace(sent_.back().marker, sent_.back().id).first;
  }
  Sent* const run = sent(found->second);
  if (!run) return;
  digest(static_cast<uint64_t>(now_) ^ check.stage);
  if (RunFacts* const known = facts(*run)) {
    known->attempts.push_back({check.stage, oracle_->life(), now_, false, Answer::failed, 0, 0});
  }
  if (told_) note(*run, "stage " + std::to_string(check.stage) + " starts");
  ++run->outstanding;
  if (check.polling) {
    poll(*run, check);
  } else {
    ask(*run, check);
  }
}

void World::take(engine::RunClosed& closed) {
  const auto found = by_marker_.find(closed.run->marker);
  if (found == by_marker_.end()) return;
  Sent* const run = sent(found->second);
  RunFacts* const known = run ? facts(*run) : nullptr;
  if (!known) return;
  Closed shown;
  shown.life = oracle_->life();
  shown.turn = now_;
  shown.verdict = static_cast<RunVerdict>(*closed.run->verdict);
  shown.decided = unix_ns(*closed.run->decided);
  for (const engine::StageRecord& stage : closed.run->stages) {
    shown.stages.push_back(static_cast<Verdict>(*stage.verdict));
    shown.stage_decided.push_back(unix_ns(*stage.decided));
  }
  for (const StageTerms& stage : scenario_.transactions[run->transaction].stages) {
    if (stage.mode != Mode::watched) continue;
    const Place& place = places_[stage.watch];
    if (place.sight == Sight::place_gone || place.gone_until >= run->due) known->pipeline_whole = false;
  }
  if (told_) note(*run, "closed, verdict " + std::to_string(static_cast<int>(shown.verdict)));
  known->closed.push_back(std::move(shown));
}

void World::take(engine::Notice& notice) {
  digest(static_cast<uint64_t>(notice.kind) + static_cast<uint64_t>(now_));
  if (notice.kind == engine::Notice::Kind::alert_fired) ++outcome_.alerts;
}

// One batch at a time, as the store's thread takes them. A full disk holds it until there is room again.
void World::commit(bool at_once) {
  if (!core_ || (committing_ && !at_once)) return;
  if (!scenario_.keeps_state) return oracle_->committed(now_);
  const Time cut = now_;
  std::vector<Position> positions;
  for (const Place& place : places_) {
    positions.push_back({place.covered, place.next < place.log.size() ? place.log[place.next].number : next_item_});
  }
  const auto batch = std::make_shared<const store::Batch>(core_->take_changes(std::exchange(first_batch_, false)));
  bounded("to be committed", batch->runs.size(), 2 * most_open());  // open ones, and closed ones that are kept yet
  auto through = [this, cut, batch, positions = std::move(positions), offset = process_offset_] {
    journal_.commit(*batch);
    kept_positions_ = positions;
    kept_offset_ = offset;
    oracle_->committed(cut);
    if (told_) note_all("committed: " + format_utc(instant(cut)));
    bounded("kept", journal_.runs(), most_open());
    committing_ = false;
  };
  if (at_once) return through();
  committing_ = true;
  const Time takes =
      random_.happens(0.05) ? random_.between(kSecond, 20 * kSecond) : random_.between(kMillisecond, 30 * kMillisecond);
  const Time room = std::max<Time>(0, disk_full_until_ - now_);
  soon(room + takes, std::move(through));
}

// Law: what is kept of runs is bounded by how long one can stay open; also when nothing could be committed for hours.
size_t World::most_open() const {
  size_t most = 0;
  for (const TransactionTerms& one : scenario_.transactions) {
    const Time longest = one.stages.back().within + scenario_.settle + one.linger + 2 * kMinute;
    most += static_cast<size_t>(longest / one.every) + 2;
  }
  return most;
}

void World::bounded(const char* where, size_t runs, size_t most) {
  if (runs <= most) return;
  oracle_->fail(now_, 0, std::to_string(runs) + " runs are " + where + ", and no more than " + std::to_string(most));
}

void World::read_later() {
  read_wanted_ = true;
  at(now_ + kReadEvery, [this] { read_later(); });
}

void World::read() {
  const auto view = core_->snapshot(instant(now_));
  bounded("shown", view->runs.size(), most_open() + kClosedRunsKept * scenario_.transactions.size());
  std::vector<SloReading> slos;
  for (const engine::SloStatus& slo : view->slos) {
    slos.push_back(reading_of(slo));
    digest(slo.period.good * 31 + slo.period.bad);
  }
  oracle_->shown(now_, std::move(slos));
}

World::Sent* World::sent(uint64_t id) {
  if (sent_.empty() || id < sent_.front().id || id - sent_.front().id >= sent_.size()) return nullptr;
  return &sent_[id - sent_.front().id];
}

void World::spoil(const Sent& run) {
  if (RunFacts* const known = facts(run)) known->pipeline_whole = false;
}

void World::tell(size_t transaction, Time from, Time to, std::vector<std::string>* lines) {
  told_transaction_ = transaction;
  told_from_ = from;
  told_to_ = to;
  told_ = lines;
  oracle_->on_judged = [this](const RunFacts& run, const std::string& text) {
    if (run.transaction != told_transaction_ || run.due < told_from_ || run.due > told_to_) return;
    told_->push_back(format_utc(instant(run.due)) + "  the oracle says:" + text);
  };
}

void World::note_all(const std::string& text) {
  if (!told_ || now_ < told_from_ || now_ > told_to_ + kHour) return;
  told_->push_back(format_utc(instant(now_)) + " " + text);
}

void World::note(const Sent& run, const std::string& text) {
  if (!told_ || run.transaction != told_transaction_ || run.due < told_from_ || run.due > told_to_) return;
  told_->push_back(format_utc(instant(run.due)) + " +" + format_duration(Duration(now_ - run.due)) + ' ' + text);
}

}  // namespace slosonde::swarm
