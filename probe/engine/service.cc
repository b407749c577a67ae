#include "probe/engine/service.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <utility>

#include "probe/base/wall_step.h"
#include "probe/engine/acknowledgements.h"
#include "probe/engine/held_up.h"
#include "probe/engine/launcher.h"
#include "probe/engine/launcher_alarm.h"
#include "probe/engine/supervisor.h"
#include "probe/engine/witnesses.h"

namespace slosonde::engine {

namespace {

constexpr uint64_t kMostEpoch = (uint64_t{1} << 48) - 1;
constexpr Duration kTick = std::chrono::seconds(1);          // a snapshot at least this often
constexpr Duration kSoon = std::chrono::milliseconds(200);   // and this long after a change, while somebody reads them
constexpr Duration kStopPatience = std::chrono::seconds(2);  // for cancelled checks and watches to end
// Where the loop comes late to what is due, what has arrived meanwhile is taken in before anything is judged: Asio asks
// the kernel only when its queue has come round, and libcurl's and librdkafka's descriptors take a round more to become
// results.
constexpr Duration kLate = std::chrono::milliseconds(2);
constexpr int kRoundsWhenLate = 3;

const std::shared_ptr<const std::vector<double>>& lag_edges() {
  static const auto edges = std::make_shared<const std::vector<double>>(
      std::vector<double>{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10});
  return edges;
}

// What a command holds of the inbox's room.
size_t bytes_of(const Command& command) {
  size_t bytes = sizeof(Command) + sizeof(std::function<void()>) + 64;
  if (const auto* order = std::get_if<ExclusionOrder>(&command)) {
    bytes += order->name.size();
    for (const std::string& one : order->transactions) bytes += sizeof one + one.size();
  } else if (const auto* end = std::get_if<EndExclusion>(&command)) {
    bytes += end->name.size();
  } else if (const auto* suspend = std::get_if<Suspend>(&command)) {
    bytes += suspend->transaction.size();
  }
  return bytes;
}

}  // namespace

class Service::Impl : public std::enable_shared_from_this<Service::Impl> {
 public:
  Impl(io::Io& io, Equipment equipment, ServiceOptions options)
      : io_(io),
        equipment_(std::move(equipment)),
        options_(std::move(options)),
        started_(io.now()),
        core_(equipment_.plan, core_options()),
        keeper_(make_keeper()),
        launcher_(io, equipment_, [this](Input input) { take(std::move(input)); }),
        alarm_(io, [this](std::optional<Duration> late) { ring(late); }),
        wall_offset_(io.wall_offset()),
        held_up_(io) {
    lag_.edges = lag_edges();
    lag_.counts.assign(lag_edges()->size() + 1, 0);
    for (size_t i = 0; i < equipment_.watches.size(); ++i) supervisors_.push_back(supervisor(i));
    witnesses_ = make_witnesses();
    config_.loaded = started_;
    publish(started_);
  }

  void start() {
    for (const auto& supervisor : supervisors_) supervisor->start();
    witnesses_->start();
    alarm_.soon();
  }

  void drain(Duration grace, std::function<void()> done) {
    if (done) done_ = std::move(done);
    if (drain_until_) {
      drain_until_ = io_.now();
    } else {
      drain_until_ = io_.now() + grace;
      take(Drain{});
    }
    alarm_.soon();
  }

  void go_on_with(Equipment next, std::function<void(Result<Changes>)> done) {
    if (drain_until_) return done(fail(ErrorCode::busy, "the probe is stopping"));
    if (next_) return done(fail(ErrorCode::busy, "another plan is about to be carried out"));
    next_.emplace(std::move(next), std::move(done));
    alarm_.soon();
  }

  void reload_failed() {
    config_.reload_succeeded = false;
    publish(io_.now());
  }

  const Equipment& equipment() const { return equipment_; }

  std::shared_ptr<const Snapshot> snapshot() const {
    wanted_.store(true, std::memory_order_relaxed);
    const std::lock_guard lock(mutex_);
    return snapshot_;
  }

  bool post_trigger(const std::string& transaction, const std::function<void(Result<std::string>)>& started) {
    const size_t bytes = transaction.size() + sizeof(std::function<void()>) + 64;
    return io_.inbox().post(bytes, [self = weak_from_this(), transaction, started] {
      if (const auto alive = self.lock()) {
        alive->trigger(transaction, started);
      } else {
        started(fail(ErrorCode::busy, "the probe is stopping"));
      }
    });
  }

  bool post_command(const Command& command, const std::function<void(Result<void>)>& done) {
    return io_.inbox().post(bytes_of(command), [self = weak_from_this(), command, done] {
      const auto alive = self.lock();
      // The last commit is over by then: what was taken on now would be acknowledged, and gone.
      if (!alive || alive->stopping_) return done(fail(ErrorCode::busy, "the probe is stopping"));
      const Result<void> taken = alive->core_.command(alive->io_.now(), command);
      if (!taken) return done(taken);
      alive->acknowledge(done);
    });
  }

 private:
  struct Waiting {
    uint32_t transaction;
    std::function<void(Result<std::string>)> started;
    std::optional<RunId> run;
  };

  CoreOptions core_options() {
    CoreOptions made;
    made.start = started_;
    // Milliseconds since 1970: new at every start, and later ones are greater. Where the clock was set back since, past
    // the last one by chance: two probes begun with copies of one file must not meet.
    uint64_t epoch = static_cast<uint64_t>(unix_ns(started_) / 1'000'000);
    if (options_.state) {
      made.kept = &options_.state->kept;
      made.clock_stepped = options_.state->clock_stepped;
      const uint64_t last = made.kept->epoch.value_or(0);
      if (epoch <= last) epoch = last + 1 + io_.random() % (1 << 20);
    }
    made.epoch = epoch_ = epoch & kMostEpoch;
    made.schedule = options_.schedule;
    return made;
  }

  // Milliseconds since 1970, and greater than the one before.
  uint64_t next_epoch(Instant now) {
    const uint64_t epoch = static_cast<uint64_t>(unix_ns(now) / 1'000'000) & kMostEpoch;
    epoch_ = epoch > epoch_ ? epoch : (epoch_ + 1 + io_.random() % (1 << 20)) & kMostEpoch;
    return epoch_;
  }

  // Whatever a kind says of a failure goes into records, logs and views from here.
  void hide_secrets(Error& error) const { error.text = equipment_.mask->apply(error.text); }

  std::unique_ptr<StateKeeper> make_keeper() {
    if (!options_.state) return nullptr;
    return std::make_unique<StateKeeper>(core_, *equipment_.plan, equipment_.watches, std::move(*options_.state));
  }

  // Anything that checks, watches and commands report: into the core at once, judged in the next turn.
  void take(Input input) {
    const Instant now = io_.now();
    note_held_up(now);
    if (equipment_.mask) {
      if (auto* done = std::get_if<CheckDone>(&input)) hide_secrets(done->result.error);
      if (auto* blind = std::get_if<OutOfSight>(&input)) hide_secrets(blind->error);
    }
    core_.feed(now, std::move(input));
    alarm_.soon();
  }

  void trigger(const std::string& name, const std::function<void(Result<std::string>)>& started) {
    const auto& all = equipment_.plan->transactions;
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    if (found == all.end()) {
      std::string known;
      for (const auto& one : all) known += (known.empty() ? "" : ", ") + one.name;
      return started(fail(ErrorCode::bad_config, "no transaction is named \"" + name + "\"; there are: " + known));
    }
    if (drain_until_) return started(fail(ErrorCode::busy, "the probe is stopping and starts no more runs"));
    const auto index = static_cast<uint32_t>(found - all.begin());
    waiting_.push_back({index, started, std::nullopt});
    take(Trigger{index});
  }

  // Once it is in the snapshot and the state file: what is said to be done must survive a kill.
  void acknowledge(const std::function<void(Result<void>)>& done) {
    acknowledgements_.wait(io_.now(), done);
    if (keeper_) keeper_->hurry();
    alarm_.soon();
  }

  void acknowledge_what_is_done() {
    acknowledgements_.tell(
        [this](Instant taken) { return taken <= published_ && (!keeper_ || stopping_ || keeper_->settled(taken)); });
  }

  void ring(std::optional<Duration> late) {
    if (late) {
      lag_.observe(seconds(*late));
      held_up_.came_round(io_.now());
    }
    try {
      turn();
    } catch (...) {
      wake_at(io_.now() + kTick);  // for want of memory, say: whoever drives the loop tells of it, and we go on
      throw;
    }
  }

  void turn() {
    if (stopped_) return;
    // What other threads have posted comes first: it may be evidence.
    io_.inbox().drain();
    const Instant now = io_.now();
    if (now - core_.next_due() > kLate && rounds_ < kRoundsWhenLate) {
      ++rounds_;
      return alarm_.soon();
    }
    rounds_ = 0;
    note_wall_clock();
    note_held_up(now);
    if (core_.ready() != snapshot_->ready) changed_ = true;
    const size_t asked = waiting_.size();
    outputs_.clear();
    core_.advance(now, outputs_);
    for (Output& output : outputs_) std::visit([this](auto& order) { carry_out(order); }, output);
    if (keeper_ && !stopping_) keeper_->turn(now, [this](const Notice& one) { carry_out(one); });
    if (asked > 0 || !acknowledgements_.empty() || now - published_ >= freshness()) publish(now);
    answer_triggers(asked);
    acknowledge_what_is_done();
    if (next_) carry_on(now);
    if (drain_until_ && see_to_the_end(now)) return;
    arm(now);
  }

  // Between two turns of the core: nothing is half done.
  void carry_on(Instant now) {
    Changes changes = plan_changes(*equipment_.plan, *next_->first.plan);
    auto [next, done] = *std::exchange(next_, std::nullopt);
    if (drain_until_) return done(fail(ErrorCode::busy, "the probe is stopping"));
    change_over(now, std::move(next));
    publish(now);
    alarm_.soon();
    done(std::move(changes));
  }

  // All or nothing, and what was given up cannot be taken back: where memory gives out half way, the process ends here.
  // Begun again, it goes on from its state.
  void change_over(Instant now, Equipment next) noexcept {
    outputs_.clear();
    const Succession kept = core_.go_on_with(now, next.plan, next_epoch(now), outputs_);
    launcher_.go_on_with(next, kept, outputs_);
    for (Output& output : outputs_) {
      if (const auto* notice = std::get_if<Notice>(&output)) carry_out(*notice);
    }
    std::vector<std::unique_ptr<Supervisor>> supervisors(next.watches.size());
    for (size_t w = 0; w < supervisors_.size(); ++w) {
      const auto goes_on = kept.watches[w];
      if (!goes_on) continue;
      next.watches[*goes_on] = equipment_.watches[w];
      supervisors[*goes_on] = std::move(supervisors_[w]);
      supervisors[*goes_on]->goes_by(*goes_on);
    }
    supervisors_ = std::move(supervisors);  // those that are left stop
    const bool same_witnesses = next.plan->witnesses == equipment_.plan->witnesses;
    equipment_ = std::move(next);
    if (!same_witnesses) {
      witnesses_ = make_witnesses();
      witnesses_->start();
    }
    for (size_t w = 0; w < supervisors_.size(); ++w) {
      if (supervisors_[w]) continue;
      supervisors_[w] = supervisor(w);
      supervisors_[w]->start();
    }
    if (keeper_) keeper_->go_on_with(*equipment_.plan, equipment_.watches);
    config_ = {now, true, equipment_.shown};
  }

  std::unique_ptr<Supervisor> supervisor(size_t watch) {
    return std::make_unique<Supervisor>(io_, equipment_.watches[watch], watch,
                                        [this](Input input) { take(std::move(input)); });
  }

  std::unique_ptr<Witnesses> make_witnesses() {
    return std::make_unique<Witnesses>(io_, equipment_.plan->witnesses,
                                       [this](Input input) { take(std::move(input)); });
  }

  void arm(Instant now) {
    Instant when = std::min(core_.next_due(), published_ + freshness());
    if (drain_until_) when = std::min(when, stopping_ ? now + std::chrono::milliseconds(10) : *drain_until_);
    if (keeper_ && !stopping_) when = std::min(when, keeper_->next_due());
    if (!acknowledgements_.empty()) when = std::min(when, now + std::chrono::milliseconds(10));
    wake_at(std::max(when, now));
  }

  void wake_at(Instant when) {
    alarm_.arm(when);
    held_up_.expects(when);
  }

  // Most snapshots are read by nobody: while nobody reads, one a second will do.
  Duration freshness() const { return changed_ && wanted_.load(std::memory_order_relaxed) ? kSoon : kTick; }

  void note_wall_clock() {
    const Duration offset = io_.wall_offset();
    if (std::abs((offset - wall_offset_).count()) <= kWallStep.count()) return;
    wall_offset_ = offset;
    core_.feed(io_.now(), WallStep{offset});
  }

  // Before what it may explain is judged.
  void note_held_up(Instant now) {
    if (auto starved = held_up_.look(now)) core_.feed(now, *starved);
  }

  void carry_out(StartCheck& order) { launcher_.start(std::move(order)); }
  void carry_out(CancelCheck& order) { launcher_.cancel(order); }
  void carry_out(RunStarted& run) {
    if (run.origin != Origin::triggered) return;
    const auto waits = [&](const Waiting& one) { return !one.run && one.transaction == run.run.transaction; };
    const auto found = std::find_if(waiting_.begin(), waiting_.end(), waits);
    if (found != waiting_.end()) found->run = run.run;
  }
  void carry_out(RunClosed&) { changed_ = true; }
  void carry_out(const Notice& notice) {
    changed_ = true;
    if (options_.on_notice) options_.on_notice(notice);
  }

  // Those that were asked for before the core was advanced have started by now, or will not.
  void answer_triggers(size_t asked) {
    if (asked == 0) return;
    const std::vector<Waiting> done(std::make_move_iterator(waiting_.begin()),
                                    std::make_move_iterator(waiting_.begin() + static_cast<ptrdiff_t>(asked)));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(asked));
    const auto shown = snapshot_;
    for (const Waiting& one : done) {
      const auto is_it = [&](const auto& run) { return one.run && run->id == *one.run; };
      const auto found = std::find_if(shown->runs.begin(), shown->runs.end(), is_it);
      if (found != shown->runs.end()) {
        one.started((*found)->marker);
      } else {
        one.started(
            fail(ErrorCode::busy, "the transaction has as many triggered runs in flight as it may; try again later"));
      }
    }
  }

  void tell_of_dropped_clean_up() {
    for (const auto& [transaction, steps] : launcher_.take_dropped()) {
      carry_out({Notice::Kind::clean_up_dropped, transaction,
                 std::to_string(steps) + (steps == 1 ? " clean-up step was" : " clean-up steps were") +
                     " not begun (busy): the transaction has its share of the checks in flight already; what its "
                     "runs have created there is left behind"});
    }
  }

  void publish(Instant now) {
    tell_of_dropped_clean_up();
    published_ = now;
    changed_ = false;
    wanted_.store(false, std::memory_order_relaxed);
    auto fresh = core_.snapshot(now);
    if (keeper_) fresh->state = keeper_->status();
    fresh->config = config_;
    fresh->loop_lag = lag_;
    fresh->inbox_dropped = io_.inbox().dropped();
    fresh->clean_up_dropped = launcher_.dropped();
    {
      const std::lock_guard lock(mutex_);
      snapshot_ = std::move(fresh);
    }
    if (options_.on_snapshot && !stopped_) options_.on_snapshot();
  }

  // True once everything has stopped and `done` was called.
  bool see_to_the_end(Instant now) {
    if (!stopping_) {
      if (core_.in_flight() > 0 && now < *drain_until_) return false;
      stopping_ = now;
      // Before anything is cancelled: runs in flight go on in the next process.
      if (keeper_) keeper_->finish(now, [this](const Notice& one) { carry_out(one); });
      launcher_.cancel_all();
      for (const auto& supervisor : supervisors_) supervisor->stop();
      witnesses_->stop();
    }
    const auto runs_on = [](const auto& supervisor) { return supervisor->running(); };
    const bool busy = launcher_.in_flight() > 0 || witnesses_->running() ||
                      std::any_of(supervisors_.begin(), supervisors_.end(), runs_on);
    if (busy && now < *stopping_ + kStopPatience) return false;
    stopped_ = true;
    publish(now);
    if (const auto done = std::exchange(done_, nullptr)) done();
    return true;
  }

  io::Io& io_;
  Equipment equipment_;
  ServiceOptions options_;
  Instant started_;
  uint64_t epoch_ = 0;
  Core core_;
  std::unique_ptr<StateKeeper> keeper_;
  Launcher launcher_;
  std::vector<std::unique_ptr<Supervisor>> supervisors_;
  std::unique_ptr<Witnesses> witnesses_;
  Alarm alarm_;
  Duration wall_offset_;
  HeldUp held_up_;
  Histogram lag_;
  ConfigStatus config_;
  std::optional<std::pair<Equipment, std::function<void(Result<Changes>)>>> next_;  // to be carried out
  Outputs outputs_;
  Acknowledgements acknowledgements_;  // of commands that are carried out
  std::vector<Waiting> waiting_;       // triggers that await their run
  int rounds_ = 0;
  bool changed_ = false;
  Instant published_{};
  std::optional<Instant> drain_until_, stopping_;
  bool stopped_ = false;
  std::function<void()> done_;

  mutable std::atomic<bool> wanted_{false};  // somebody has read the last one
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_;
};

Service::Service(io::Io& io, Equipment equipment, ServiceOptions options)
    : impl_(std::make_shared<Impl>(io, std::move(equipment), std::move(options))) {}

Service::~Service() = default;

void Service::start() {
  impl_->start();
}

void Service::drain(Duration grace, std::function<void()> done) {
  impl_->drain(grace, std::move(done));
}

std::shared_ptr<const Snapshot> Service::snapshot() const {
  return impl_->snapshot();
}

void Service::go_on_with(Equipment next, std::function<void(Result<Changes>)> done) {
  impl_->go_on_with(std::move(next), std::move(done));
}

void Service::reload_failed() {
  impl_->reload_failed();
}

const Equipment& Service::equipment() const {
  return impl_->equipment();
}

void Service::command(const Command& command, const std::function<void(Result<void>)>& done) {
  if (!impl_->post_command(command, done)) done(fail(ErrorCode::busy, "the probe's inbox is full; try again later"));
}

void Service::trigger(const std::string& transaction, const std::function<void(Result<std::string>)>& started) {
  if (!impl_->post_trigger(transaction, started)) {
    started(fail(ErrorCode::busy, "the probe's inbox is full; try again later"));
  }
}

}  // namespace slosonde::engine
