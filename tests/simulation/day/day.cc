#include "tests/simulation/day/day.h"

#include <algorithm>
#include <utility>

namespace slosonde::day {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Instant kBegin = instant_from_unix_ns(1'700'000'000'000'000'000);
constexpr Duration kLook = seconds(10);  // at what it says; far fewer runs are closed meanwhile than it keeps

// What SQLite itself says of the file, on a copy: it is to be found as it was left.
std::string integrity(const store::FaultyFiles& files) {
  store::FaultyFiles copy;
  files.copy_to(copy);
  sqlite3* file = nullptr;
  std::string text = "it cannot be opened";
  if (sqlite3_open_v2("/state.db", &file, SQLITE_OPEN_READWRITE, copy.name()) == SQLITE_OK) {
    const auto take = [](void* out, int, char** values, char**) {
      *static_cast<std::string*>(out) = values[0] == nullptr ? "" : values[0];
      return 0;
    };
    const char* const ask = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA integrity_check";
    if (sqlite3_exec(file, ask, take, &text, nullptr) != SQLITE_OK) text = sqlite3_errmsg(file);
  }
  sqlite3_close(file);
  return text;
}

}  // namespace

Day::Day(const Terms& terms)
    : terms_(terms),
      pipeline_(terms),
      ledger_(terms, pipeline_),
      now_(kBegin),
      end_(kBegin + terms.length),
      orders_(terms.plan->transactions.size()),
      sectors_(terms.seed) {}

void Day::fail(const std::string& text) {
  if (outcome_.failure.empty()) outcome_.failure = text;
}

void Day::plan(Fault fault, const std::function<void(Random&)>& what) {
  Random random(terms_.seed * 0x9e3779b97f4a7c15 + 1000 + static_cast<uint64_t>(fault));
  const double hours = slosonde::seconds(terms_.length) / 3600;
  const auto times = static_cast<int>(terms_.rate(fault) * hours + random.share());
  for (int n = 0; n < times; ++n) {
    const Duration when(random.between(0, terms_.length.count()));
    happenings_.emplace(kBegin + when, [what, stream = random.bits()] {
      Random own(stream);
      what(own);
    });
  }
}

void Day::plan_all() {
  const auto one_of = [](Random& random, size_t n) { return random.bits() % n; };
  const auto spell = [](Random& random) { return Duration(random.heavy(5'000'000'000, 1'200'000'000'000)); };
  plan(Fault::target_down, [=, this](Random& random) {
    const size_t t = one_of(random, terms_.plan->transactions.size());
    pipeline_.target_down(t, now_ + spell(random));
  });
  for (const Fault fault : {Fault::place_gone, Fault::out_of_sight}) {
    plan(fault, [=, this](Random& random) {
      const size_t place = one_of(random, terms_.places.size());
      pipeline_.lose_sight(place, now_, now_ + spell(random), fault == Fault::out_of_sight);
    });
  }
  plan(Fault::disk_full, [=, this](Random& random) { disk_fails(store::Fault::full, 1, spell(random)); });
  plan(Fault::disk_held,
       [=, this](Random& random) { disk_fails(store::Fault::held, random.between(1, 9), spell(random)); });
  for (const Fault fault : {Fault::killed, Fault::power_cut}) {
    plan(fault, [=, this](Random& random) {
      if (random.happens(0.5)) die_in_a_commit(random.between(1, 40));
      end_process(fault == Fault::power_cut, random);
    });
  }
  plan(Fault::stopped, [this](Random& random) {
    const Duration grace = random.happens(0.5) ? Duration() : Duration(random.between(1, 30) * seconds(1));
    stop_process(grace, Duration(random.heavy(200'000'000, 600'000'000'000)));
  });
  plan(Fault::wall_step, [this](Random& random) {
    const Duration by(random.between(2'000'000'000, 3'600'000'000'000));
    set_clock(random.happens(0.5) ? by : -by);
  });
  plan(Fault::suspended, [=, this](Random& random) {
    const size_t t = one_of(random, terms_.plan->transactions.size());
    suspend(t, true);
    happenings_.emplace(now_ + spell(random), [this, t] { suspend(t, false); });
  });
}

Outcome Day::run() {
  plan_all();
  begin_process();
  while (outcome_.failure.empty()) {
    const auto next = happenings_.begin();
    if (next == happenings_.end() || next->first >= end_) break;
    pass_to(next->first);
    const auto what = std::move(next->second);
    happenings_.erase(next);
    if (outcome_.failure.empty()) what();
  }
  // To the end; then once more from the file, for what the last process has kept.
  pass_to(end_);
  if (!process_) begin_process();
  stop_process(Duration(), seconds(1));
  now_ += seconds(1);
  if (outcome_.failure.empty()) begin_process();
  pass_to(now_ + terms_.plan->settle + minutes(2));
  if (process_) ledger_.total(*process_->said(), process_->line());
  stop_process(Duration(), seconds(1));
  fail(ledger_.failure());
  outcome_.runs = pipeline_.all().size();
  outcome_.judged = ledger_.judged();
  outcome_.exact = ledger_.exact();
  outcome_.carried = ledger_.carried();
  outcome_.verdicts = ledger_.verdicts();
  outcome_.digest = ledger_.digest();
  outcome_.processes = static_cast<uint64_t>(processes_);
  return outcome_;
}

void Day::begin_process() {
  if (!outcome_.failure.empty() || process_) return;
  auto begun = Process::begin(terms_, pipeline_, files_, machine_, now_, processes_);
  if (!begun) return fail("process " + std::to_string(processes_) + ": " + begun.error().text);
  ++processes_;
  process_ = std::move(*begun);
  ledger_.begins(*process_->said(), process_->line(), process_->found_nothing(), process_->clock_was_set());
  process_->service().start();
  fail(ledger_.failure());
}

void Day::look() {
  if (stopped_) return;  // what was cancelled at the end has been judged since, and is kept by nobody
  ledger_.look(*process_->said(), process_->line());
  if (process_->hangs()) fail("the writer hangs");
  fail(ledger_.failure());
}

void Day::pass_to(Instant when) {
  while (now_ < when && outcome_.failure.empty()) {
    now_ = process_ ? std::min(when, now_ + kLook) : when;
    if (!process_) continue;
    process_->run_until(now_);
    look();
  }
}

void Day::buried(Duration down) {
  process_.reset();
  stopped_ = false;
  disk_fails_ = disk_is_full_ = false;
  ++disk_;
  for (uint64_t& order : orders_) ++order;  // none of them is acknowledged any more
  happenings_.emplace(now_ + down, [this] { begin_process(); });
}

void Day::end_process(bool power_cut, Random& random) {
  if (!process_) return;
  pass_to(now_ + milliseconds(random.between(1, 3000)));
  const auto said = process_->said();
  outcome_.commits += said->state->commits;
  outcome_.failed_commits += said->state->failures;
  ledger_.ends(*said, process_->line());
  fail(ledger_.failure());
  ++outcome_.cuts;
  outcome_.cuts_in_commits += files_.dead() ? 1 : 0;
  if (!files_.dead()) process_->disk_changes(0, store::Fault::power_cut);
  const Duration down = random.happens(0.6) ? Duration(random.between(50'000'000, 5'000'000'000))
                                            : Duration(random.heavy(5'000'000'000, 1'200'000'000'000));
  buried(down);
  if (power_cut) {
    files_.come_back(sectors_);
    // Of another boot's clock nothing is known: where it was set, none but the same boot tells.
    if (machine_.clock == Duration()) ++machine_.boot;
  } else {
    files_.heal();  // all that was written is there, though it may not be on the disk yet
  }
  check_the_file();
}

void Day::stop_process(Duration grace, Duration down) {
  if (!process_ || !outcome_.failure.empty()) return;
  if (disk_fails_ && !disk_is_full_) process_->disk_changes(0, store::Fault::none);  // it would wait for the disk
  pass_to(now_ + milliseconds(1));
  process_->service().drain(grace, [this] { stopped_ = true; });
  for (const Instant latest = now_ + grace + minutes(1); !stopped_ && now_ < latest && outcome_.failure.empty();) {
    pass_to(now_ + milliseconds(500));
  }
  if (!stopped_) fail("the probe does not stop");
  const auto said = process_->said();
  if (process_->told_of_its_end() == said->state->writable) fail("the last commit failed, and nobody is told, or not");
  outcome_.commits += said->state->commits;
  outcome_.failed_commits += said->state->failures;
  ledger_.ends(*said, process_->line());
  fail(ledger_.failure());
  buried(down);
  files_.heal();
  check_the_file();
}

// Somewhere in the next commits the disk does nothing any more; until then it all goes on.
void Day::die_in_a_commit(int64_t operation) {
  if (!process_) return;
  process_->disk_changes(operation, store::Fault::power_cut);
  disk_fails_ = true;
  ++disk_;
  const Instant latest = now_ + 5 * terms_.commit_every;
  while (!files_.dead() && now_ < latest && outcome_.failure.empty()) pass_to(now_ + milliseconds(100));
}

void Day::disk_fails(store::Fault fault, int64_t operation, Duration length) {
  if (!process_ || disk_fails_) return;
  process_->disk_changes(operation, fault);
  disk_fails_ = true;
  disk_is_full_ = fault == store::Fault::full;
  outcome_.held += fault == store::Fault::held ? 1 : 0;
  happenings_.emplace(now_ + length, [this, change = ++disk_] {
    if (disk_ != change) return;
    disk_fails_ = disk_is_full_ = false;
    if (process_) process_->disk_changes(0, store::Fault::none);
  });
}

void Day::suspend(size_t transaction, bool on) {
  if (!process_) {
    if (!on) happenings_.emplace(now_ + minutes(1), [this, transaction] { suspend(transaction, false); });
    return;
  }
  ledger_.ordered(transaction);
  const Instant taken = process_->io().now();
  const auto done = [this, transaction, on, taken, order = ++orders_[transaction]](const Result<void>& carried_out) {
    if (!carried_out || orders_[transaction] != order) return;
    ++outcome_.acknowledged;
    ledger_.acknowledged(*process_->said(), transaction, on, taken, disk_is_full_);
  };
  process_->service().command(engine::Suspend{terms_.plan->transactions[transaction].name, on}, done);
}

void Day::set_clock(Duration by) {
  machine_.clock += by;
  if (process_) process_->io().step_wall_clock(by);
}

void Day::check_the_file() {
  if (!files_.exists("/state.db")) return;
  if (const std::string text = integrity(files_); text != "ok") fail("the file is damaged: " + text);
}

}  // namespace slosonde::day
