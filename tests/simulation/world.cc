#include "tests/simulation/world.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace slosonde::simulation {

namespace {

constexpr uint64_t kEpoch = 1'000'001;
constexpr size_t kTopic = 0, kHook = 1;
constexpr Time kHandOver = 2 * kMillisecond;  // from its stamp to the core, at most
constexpr Time kReadEvery = 7 * kMinute;
constexpr Time kLag = 5 * kMillisecond;

Duration duration(Time t) {
  return Duration(t);
}

}  // namespace

World::World(uint64_t seed, Time length)
    : random_(seed), start_(1'767'603'600 * kSecond + random_.between(0, kHour)), end_(start_ + length), now_(start_) {
  draw();
  make_plan();
  engine::CoreOptions options;
  options.start = instant(start_);
  options.epoch = kEpoch;
  core_ = std::make_unique<engine::Core>(plan_, options);
  codec_ = std::make_unique<ledger::MarkerCodec>(plan_->key);
  stranger_codec_ = std::make_unique<ledger::MarkerCodec>(Secret("somebody else's key"));
  facts_.start = start_;
  facts_.drained = end_;
  facts_.watches.resize(2);
  facts_.first_due.assign(terms_.transactions.size(), 0);
  last_seq_.assign(terms_.transactions.size(), 0);
  topic_covered_ = start_;
  exact_topic_ = random_.happens(0.3);
  plan_faults();
}

void World::draw() {
  // Most worlds are fairly healthy, some are not.
  const double badness = random_.happens(0.3) ? 5 : 1;
  const auto up_to = [&](double most) { return random_.share() * most * badness; };
  troubles_ = {.refused = up_to(0.01),
               .hanging = up_to(0.004),
               .own_fault = up_to(0.002),
               .slow = up_to(0.02),
               .log_lost = up_to(0.01),
               .alert_lost = up_to(0.01),
               .duplicate = up_to(0.02),
               .redelivered = up_to(0.02),
               .corrupt = up_to(0.005),
               .mangled = random_.share(),
               .damaged = up_to(0.002),
               .overtaking = up_to(0.01),
               .gaps_a_day = up_to(6),
               .stalls_a_day = up_to(20),
               .outages_a_day = up_to(3),
               .strangers_an_hour = up_to(60)};
}

double World::budget(size_t slo) const {
  return 1 - static_cast<double>(plan_->slos[slo].objective_ppb) / 1e9;
}

void World::make_plan() {
  terms_.settle = 10 * kMinute;
  terms_.max_lateness = kSecond;
  terms_.transactions = {
      {5 * kSecond, 11, kMinute, {{false, 2 * kSecond, 0}, {true, 30 * kSecond, kTopic}, {true, kMinute, kHook}}},
      {15 * kSecond, 2, 0, {{false, 2 * kSecond, 0}}}};
  terms_.slos = {{0, 2, 0}, {0, 1, 0}, {0, -1, 0}, {0, 1, 13 * kSecond}, {1, -1, 0}};

  auto plan = std::make_shared<engine::Plan>();
  plan->probe = "simulated";
  plan->key = Secret("the simulation's key");
  plan->settle = duration(terms_.settle);
  plan->max_lateness = duration(terms_.max_lateness);
  plan->watches = {{"topic", "kafka"}, {"hook", "webhook"}};
  const std::vector<std::vector<std::string>> names = {{"ingest", "incident", "alert"}, {"up"}};
  for (size_t t = 0; t < terms_.transactions.size(); ++t) {
    const TransactionTerms& terms = terms_.transactions[t];
    engine::TransactionPlan made;
    made.name = t == 0 ? "log-to-alert" : "console";
    made.every = duration(terms.every);
    made.max_in_flight = static_cast<unsigned>(terms.max_in_flight);
    made.linger = duration(terms.linger);
    for (size_t i = 0; i < terms.stages.size(); ++i) {
      engine::StagePlan stage;
      stage.name = names[t][i];
      stage.mode = terms.stages[i].watched ? engine::StageMode::watched : engine::StageMode::done;
      stage.within = duration(terms.stages[i].within);
      stage.watch = terms.stages[i].watch;
      made.stages.push_back(std::move(stage));
    }
    plan->transactions.push_back(std::move(made));
  }
  const std::vector<int64_t> objectives = {999'000'000, 990'000'000, 995'000'000, 950'000'000, 999'000'000};
  for (size_t s = 0; s < terms_.slos.size(); ++s) {
    engine::SloPlan slo;
    slo.name = "slo-" + std::to_string(s);
    slo.objective_ppb = objectives[s];
    slo.window = std::chrono::hours(s == 2 ? 24 : 24 * 30);
    slo.transaction = terms_.slos[s].transaction;
    if (terms_.slos[s].stage >= 0) slo.stage = static_cast<size_t>(terms_.slos[s].stage);
    if (terms_.slos[s].faster_than > 0) slo.faster_than = duration(terms_.slos[s].faster_than);
    plan->slos.push_back(std::move(slo));
  }
  plan_ = std::move(plan);
}

void World::plan_faults() {
  const double days = static_cast<double>(end_ - start_) / static_cast<double>(24 * kHour);
  const auto times = [&](double a_day) { return static_cast<int>(a_day * days + random_.share()); };
  const auto some_time = [&] { return random_.between(start_ + kMinute, end_); };
  for (int n = times(troubles_.gaps_a_day); n > 0; --n) {
    const size_t watch = random_.happens(0.6) ? kTopic : kHook;
    Gap gap;
    gap.sight = watch == kTopic && random_.happens(0.6) ? Sight::place_gone : Sight::own_fault;
    gap.forgotten = random_.happens(watch == kTopic ? 0.2 : 0.7);
    gap.read_back_later = random_.happens(0.4);
    gap.exact = random_.happens(0.5);
    const Time length = random_.heavy(5 * kSecond, 25 * kMinute);
    at(some_time(), [this, watch, gap, length] { begin_gap(watch, gap, length); });
  }
  for (int n = times(troubles_.stalls_a_day); n > 0; --n) {
    const Time begin = some_time();
    const Time most = random_.happens(0.5) ? 90 * kSecond : 2 * kSecond;
    stalls_.emplace_back(begin, begin + random_.between(kMillisecond, most));
  }
  std::sort(stalls_.begin(), stalls_.end());
  for (int n = times(troubles_.outages_a_day); n > 0; --n) {
    const Time length = random_.heavy(20 * kSecond, 20 * kMinute);
    // The way in is shut, or it takes everything and nothing comes of it.
    Time& until = random_.happens(0.5) ? outage_until_ : swallowed_until_;
    at(some_time(), [this, length, &until] { until = std::max(until, now_ + length); });
  }
  at(start_ + 1, [this] { poll_topic(); });
  at(start_ + 2, [this] { cover_hook(); });
  if (troubles_.strangers_an_hour > 0) at(start_ + kMinute, [this] { stranger(); });
  at(start_ + kReadEvery, [this] { read_windows(); });
}

void World::at(Time when, std::function<void()> what) {
  happenings_.push({std::max(when, now_ + 1), order_++, std::move(what)});
}

Result World::run() {
  bool draining = false;
  while (true) {
    Time next = unix_ns(core_->next_due());
    if (!happenings_.empty()) next = std::min(next, happenings_.top().at);
    if (draining && next > end_ + terms_.settle + 10 * kMinute) break;  // all that was open is closed by then
    while (next_stall_ < stalls_.size() && stalls_[next_stall_].second <= next) ++next_stall_;
    const bool stalls = next_stall_ < stalls_.size() && stalls_[next_stall_].first <= next;
    if (stalls) {
      next = stalls_[next_stall_++].second;  // held up: everything is done when it is over
    } else if (random_.happens(0.3)) {
      next += random_.between(0, kLag);  // the loop's own grain: several things are taken in before a turn
    }
    const bool ends = !draining && next >= end_;
    if (ends) next = end_;
    next = std::max(now_ + 1, next);
    while (!happenings_.empty() && happenings_.top().at <= next) {
      now_ = stalls ? next : std::max(now_, happenings_.top().at);
      const auto what = happenings_.top().what;
      happenings_.pop();
      what();
    }
    now_ = next;
    if (ends) feed(engine::Drain{});
    draining = draining || ends;
    turn();
    if (std::exchange(read_after_turn_, false)) read_now();
  }
  finish();
  return std::move(result_);
}

void World::turn() {
  if (!facts_.turns.empty() && facts_.turns.back() == now_) std::abort();  // the oracle counts on one turn an instant
  facts_.turns.push_back(now_);
  outputs_.clear();
  core_->advance(instant(now_), outputs_);
  for (engine::Output& output : outputs_) {
    write_down(output);
    std::visit([this](auto& one) { take(one); }, output);
  }
}

// What a process sends out, so that two runs of the same seed can be compared.
void World::write_down(const engine::Output& output) {
  uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  add(std::to_string(output.index()) + ' ' + std::to_string(now_));
  if (const auto* check = std::get_if<engine::StartCheck>(&output)) {
    add(check->marker + check->traceparent + check->payload + std::to_string(check->stage));
  } else if (const auto* notice = std::get_if<engine::Notice>(&output)) {
    add(notice->subject + notice->text);
  } else if (const auto* closed = std::get_if<engine::RunClosed>(&output)) {
    add(closed->run->marker);
    for (const auto& stage : closed->run->stages) {
      add(std::to_string(static_cast<int>(*stage.verdict)) + std::to_string(unix_ns(*stage.decided)) +
          std::to_string(stage.latency.value_or(Duration(-1)).count()) + stage.error.text);
    }
  }
  result_.serialised += std::to_string(hash) + '\n';
}

void World::take(engine::StartCheck& check) {
  const uint32_t t = check.run.transaction;
  if (facts_.first_due[t] == 0) facts_.first_due[t] = unix_ns(check.due);
  last_seq_[t] = check.run.seq;
  ++result_.runs;
  ingest(check);
}

// The log's way in, or the console: one request.
void World::ingest(const engine::StartCheck& check) {
  const Sent sent{check.run.transaction, check.run.seq, check.marker, check.payload};
  if (sent.transaction == 0) sent_.push_back(sent);
  const bool outage = now_ < outage_until_;
  if (random_.happens(troubles_.own_fault))
    return answer(check, random_.between(10'000, kMillisecond), Answer::own_fault);
  if (outage || random_.happens(troubles_.refused)) {
    return answer(check, random_.between(100'000, 30 * kMillisecond), Answer::failed);
  }
  const bool hangs = random_.happens(troubles_.hanging);
  Time takes = random_.heavy(2 * kMillisecond, kMinute);
  if (random_.happens(troubles_.slow)) takes = random_.between(kSecond, 3 * kSecond);
  const Time limit = unix_ns(check.deadline) - now_;
  if (!hangs && takes <= limit) {
    answer(check, takes, Answer::held);
  } else if (!hangs || random_.happens(0.7)) {
    // The check's own timer; now and then it comes too late for the grace.
    answer(check, limit + random_.between(0, random_.happens(0.1) ? 60 * kMillisecond : 10 * kMillisecond),
           Answer::failed);
  }
  if (sent.transaction == 0 && (!hangs || random_.happens(0.5))) pass_on(sent, now_ + takes / 2);
}

void World::answer(const engine::StartCheck& check, Time after, Answer answer) {
  const Time sent = now_ + 1'000;
  at(now_ + after, [this, run = check.run, sent, answer, attempt = check.attempt] {
    const Time received = now_;
    at(now_ + random_.between(1, kHandOver), [this, run, sent, received, answer, attempt] {
      checks::CheckResult result;
      result.sent = instant(sent);
      result.received = instant(received);
      switch (answer) {
        case Answer::held:
          result.outcome = checks::Outcome::held;
          break;
        case Answer::failed:
          result.outcome = checks::Outcome::unreachable;
          result.error = {ErrorCode::connect_refused, "refused"};
          break;
        case Answer::own_fault:
          result.outcome = checks::Outcome::probe_fault;
          result.error = {ErrorCode::no_descriptors, "no descriptors"};
          break;
      }
      facts_.results.push_back({run.transaction, run.seq, sent, received, now_, answer});
      feed(engine::CheckDone{run, false, 0, attempt, std::move(result)});
    });
  });
}

// From the way in to the topic of incidents and to the hook.
void World::pass_on(const Sent& sent, Time accepted) {
  if (now_ < swallowed_until_ || random_.happens(troubles_.log_lost)) return;
  Time incident = accepted + random_.heavy(30 * kMillisecond, 20 * kMinute);
  if (random_.happens(troubles_.slow)) incident = accepted + random_.between(kSecond, 90 * kSecond);
  const auto into_topic = [&](Item item) {
    const auto place = std::upper_bound(topic_.begin(), topic_.end(), item.arrival,
                                        [](Time t, const Item& one) { return t < one.arrival; });
    topic_.insert(place, std::move(item));
  };
  Item item = item_of(sent, kTopic, incident);
  if (random_.happens(troubles_.redelivered)) {
    Item again = item;
    again.arrival += random_.heavy(kMillisecond, 5 * kMinute);
    into_topic(std::move(again));
  }
  into_topic(std::move(item));
  for (int n = 0; random_.happens(troubles_.duplicate) && n < 8; ++n) {
    into_topic(item_of(sent, kTopic, incident + random_.heavy(kMillisecond, 5 * kMinute)));
  }
  if (random_.happens(troubles_.alert_lost)) return;
  Time alert = incident + random_.heavy(50 * kMillisecond, 20 * kMinute);
  if (random_.happens(troubles_.overtaking)) alert = accepted + random_.between(1, kSecond);
  for (int n = 0; n == 0 || (random_.happens(troubles_.duplicate) && n < 8); ++n) {
    const Time when = n == 0 ? alert : alert + random_.heavy(kSecond, 5 * kMinute);
    at(when, [this, item = item_of(sent, kHook, when)] { arrive_at_hook(item); });
  }
}

World::Item World::item_of(const Sent& sent, size_t watch, Time arrival) {
  Item item;
  item.arrival = arrival;
  item.fact.watch = watch;
  item.fact.transaction = sent.transaction;
  item.fact.seq = sent.seq;
  item.fact.item = next_item_++;
  item.fact.corrupt = random_.happens(troubles_.corrupt);
  std::string payload = random_.happens(0.5) ? sent.payload : "";
  if (item.fact.corrupt) {
    payload = sent.payload;
    payload.back() = payload.back() == 'a' ? 'b' : 'a';
  }
  std::string marker = random_.happens(troubles_.mangled) ? mangle(sent.marker) : sent.marker;
  if (random_.happens(troubles_.damaged)) {
    marker = sent.marker;
    if (random_.happens(0.5)) {
      marker.resize(30);
    } else {
      marker[10] = '!';
    }
    item.fact.owner = Owner::unreadable;
  }
  item.text = "{\"message\":\"login failed " + marker + "\",\"body\":\"" + payload + "\"}";
  return item;
}

std::string World::mangle(std::string text) {
  switch (random_.between(0, 4)) {
    case 0:
      for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      return text;
    case 1:
      for (size_t i = 0; (i = text.find('-', i)) != std::string::npos;) text.replace(i, 1, "%2D");
      return text;
    case 2:
      return text.insert(static_cast<size_t>(random_.between(1, 49)), "\r\n ");
    default:
      return text + " " + text;
  }
}

// Markers that are not of an open run: another probe's, another start's, one never sent, an old one again.
void World::stranger() {
  at(now_ +
         random_.between(1, static_cast<int64_t>(2.0 * static_cast<double>(kHour) / troubles_.strangers_an_hour) + 2),
     [this] { stranger(); });
  Item item;
  item.arrival = now_;
  item.fact.watch = random_.happens(0.5) ? kTopic : kHook;
  item.fact.item = next_item_++;
  const uint64_t stream = codec_->stream("simulated", "log-to-alert");
  std::string marker;
  switch (random_.between(0, 4)) {
    case 0:
      item.fact.owner = Owner::other_key;
      marker =
          random_.happens(0.5) ? stranger_codec_->marker({stream, kEpoch, 1}) : codec_->marker({stream ^ 1, kEpoch, 1});
      break;
    case 1:
      item.fact.owner = Owner::other_epoch;
      marker = codec_->marker({stream, kEpoch - 1, 1});
      break;
    case 2:
      item.fact.owner = Owner::never_sent;
      marker = codec_->marker({stream, kEpoch, last_seq_[0] + 100'000});
      break;
    default: {
      if (sent_.empty()) return;
      const Sent& old = sent_[static_cast<size_t>(random_.between(0, static_cast<int64_t>(sent_.size())))];
      item.fact.seq = old.seq;
      marker = old.marker;
      break;
    }
  }
  item.text = "something with " + marker + " in it";
  if (item.fact.watch == kHook) return arrive_at_hook(std::move(item));
  topic_.push_back(std::move(item));
  std::stable_sort(topic_.begin(), topic_.end(), [](const Item& a, const Item& b) { return a.arrival < b.arrival; });
}

void World::read_windows() {
  at(now_ + kReadEvery, [this] { read_windows(); });
  read_after_turn_ = true;
}

void World::read_now() {
  const auto view = core_->snapshot(instant(now_));
  for (size_t s = 0; s < view->slos.size(); ++s) {
    const engine::SloStatus& slo = view->slos[s];
    std::vector<engine::WindowStatus> windows = slo.windows;
    windows.push_back(slo.period);
    for (const engine::WindowStatus& one : windows) {
      const engine::UnjudgedCounts& unjudged = one.unjudged;
      result_.windows.push_back({now_,
                                 s,
                                 one.window.count(),
                                 {one.good, one.bad, unjudged.blind, unjudged.probe_fault, unjudged.missed},
                                 one.burn_rate.value_or(-1)});
      result_.serialised += std::to_string(one.good) + ' ' + std::to_string(one.bad) + ' ' +
                            std::to_string(unjudged.missed + unjudged.blind) + '\n';
    }
  }
}

void World::finish() {
  if (core_->in_flight() > 0) std::abort();
  const auto view = core_->snapshot(instant(now_));
  const auto list = [](const auto& counts) { return std::vector<uint64_t>(counts.begin(), counts.end()); };
  for (const engine::TransactionStats& transaction : view->transactions) {
    TransactionCounts counts;
    counts.runs = list(transaction.verdicts);
    for (const engine::StageStats& stage : transaction.stages) {
      counts.stages.push_back({list(stage.verdicts), list(stage.sightings), stage.latency.count(), stage.hop.count(),
                               stage.latency.sum, stage.hop.sum});
      for (const engine::Percentile& one : stage.percentiles) result_.serialised += std::to_string(one.seconds) + '\n';
      for (const uint64_t count : stage.latency.counts) result_.serialised += std::to_string(count) + ' ';
      result_.serialised += std::to_string(stage.latency.sum) + ' ' + std::to_string(stage.hop.sum) + '\n';
    }
    result_.transactions.push_back(std::move(counts));
  }
  for (const engine::SloStatus& slo : view->slos) {
    const engine::UnjudgedCounts& unjudged = slo.unjudged_total;
    result_.slos.push_back({slo.good_total, slo.bad_total, unjudged.blind, unjudged.probe_fault, unjudged.missed});
  }
}

}  // namespace slosonde::simulation
