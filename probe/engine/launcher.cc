#include "probe/engine/launcher.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace slosonde::engine {

namespace asio = boost::asio;

namespace {

using Key = std::tuple<RunId, bool, uint32_t, uint32_t>;

template <class Order>
Key key_of(const Order& order) {
  return {order.run, order.finally, order.stage, order.attempt};
}

std::string what(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

checks::CheckResult own_fault(ErrorCode code, std::string text) {
  checks::CheckResult result;
  result.outcome = checks::Outcome::probe_fault;
  result.error = Error{code, std::move(text)};
  return result;
}

}  // namespace

std::vector<size_t> shares_of(const Plan& plan, size_t total) {
  constexpr size_t kBesides = 16;
  size_t sum = 0;
  std::vector<size_t> wanted;
  wanted.reserve(plan.transactions.size());
  for (const TransactionPlan& transaction : plan.transactions) {
    wanted.push_back(std::min<size_t>(transaction.max_in_flight, total) + kBesides);
    sum += wanted.back();
  }
  for (size_t& share : wanted) share = std::max<size_t>(1, total * share / sum);
  return wanted;
}

// One check under way: what its coroutine looks at, and the handle to cancel it.
struct Launcher::Flight {
  Flight(io::Io& io, StartCheck given, std::shared_ptr<checks::Check> carried_out)
      : order(std::move(given)), check(std::move(carried_out)), context(io) {}

  StartCheck order;
  std::shared_ptr<checks::Check> check;
  std::shared_ptr<const Plan> plan;          // the context's names are views of it
  std::shared_ptr<const config::Mask> mask;  // of the secrets it was made with
  checks::RunContext context;
  asio::cancellation_signal signal;
  bool cancelled = false;
};

// Outlives the launcher while coroutines are still to end.
struct Launcher::Flights {
  explicit Flights(size_t transactions) : open_of(transactions) {}

  std::map<Key, std::shared_ptr<Flight>> open;
  std::vector<size_t> open_of;                  // how many, by transaction
  std::set<std::shared_ptr<Flight>> forgotten;  // of plans before this one
  Feed feed;                                    // empty once the launcher is gone
};

Launcher::Launcher(io::Io& io, const Equipment& equipment, Feed feed, size_t max_in_flight)
    : io_(io),
      plan_(equipment.plan),
      checks_(equipment.checks),
      finally_(equipment.finally),
      mask_(equipment.mask),
      max_in_flight_(max_in_flight),
      shares_(shares_of(*equipment.plan, max_in_flight)),
      flights_(std::make_shared<Flights>(equipment.plan->transactions.size())) {
  flights_->feed = std::move(feed);
}

Launcher::~Launcher() {
  flights_->feed = nullptr;
  try {
    cancel_all();
  } catch (...) {
    // For want of memory: what is left ends with the Io.
  }
}

size_t Launcher::in_flight() const {
  return flights_->open.size() + flights_->forgotten.size();
}

void Launcher::go_on_with(const Equipment& equipment, const Succession& kept, Outputs& last) {
  for (Output& one : last) {
    if (const auto* order = std::get_if<CancelCheck>(&one)) cancel(*order);  // which ends it later on
    if (auto* order = std::get_if<StartCheck>(&one)) (void)begin(*order);
  }
  plan_ = equipment.plan;
  checks_ = equipment.checks;
  finally_ = equipment.finally;
  mask_ = equipment.mask;
  shares_ = shares_of(*plan_, max_in_flight_);
  flights_->open_of.assign(plan_->transactions.size(), 0);
  for (const auto& [key, flight] : std::exchange(flights_->open, {})) {
    StartCheck& order = flight->order;
    if (const auto goes_on = kept.transactions[order.run.transaction]) {
      order.run.transaction = *goes_on;
      ++flights_->open_of[*goes_on];
      flights_->open.emplace(key_of(order), flight);
    } else {
      flights_->forgotten.insert(flight);
    }
  }
}

std::shared_ptr<checks::Check> Launcher::check_for(const StartCheck& order) const {
  const auto& all = order.finally ? finally_ : checks_;
  if (order.run.transaction >= all.size() || order.stage >= all[order.run.transaction].size()) return nullptr;
  return all[order.run.transaction][order.stage];
}

void Launcher::start(StartCheck order) {
  if (auto refused = begin(order)) {
    flights_->feed(CheckDone{order.run, order.finally, order.stage, order.attempt, *std::move(refused)});
  }
}

std::optional<checks::CheckResult> Launcher::begin(StartCheck& order) {
  auto check = check_for(order);
  if (!check) return own_fault(ErrorCode::internal, "the stage has no check to carry out");
  size_t& open_of_it = flights_->open_of[order.run.transaction];
  if (open_of_it >= shares_[order.run.transaction] || in_flight() >= max_in_flight_) {
    if (order.finally) {
      ++dropped_[plan_->transactions[order.run.transaction].name];
      ++all_dropped_;
    }
    return own_fault(ErrorCode::busy, std::to_string(open_of_it) +
                                          " checks of this transaction are in flight already, which is its share " +
                                          "of all that one process takes; probe less often or shorten the limits");
  }

  auto flight = std::make_shared<Flight>(io_, std::move(order), std::move(check));
  const StartCheck& kept = flight->order;
  const TransactionPlan& transaction = plan_->transactions[kept.run.transaction];
  flight->plan = plan_;
  flight->mask = mask_;
  checks::RunContext& context = flight->context;
  context.transaction = transaction.name;
  context.stage = (kept.finally ? transaction.finally : transaction.stages)[kept.stage].name;
  context.probe = plan_->probe;
  context.region = plan_->region;
  context.zone = plan_->zone;
  context.marker = kept.marker;
  context.traceparent = kept.traceparent;
  context.payload = kept.payload;
  context.seq = kept.run.seq;
  context.due = kept.due;
  context.deadline = kept.deadline;
  context.attempt = kept.attempt;
  context.polling = kept.polling;
  context.captures = &kept.captures;
  ++open_of_it;
  flights_->open.emplace(key_of(kept), flight);

  auto ended = [flights = flights_, flight](const std::exception_ptr& thrown, checks::CheckResult result) {
    if (flights->forgotten.erase(flight) > 0) return;
    const StartCheck& done = flight->order;
    flights->open.erase(key_of(done));
    --flights->open_of[done.run.transaction];
    // A cancelled coroutine may be ended by Asio's own exception at its next wait; that is how it should go.
    if (thrown && flight->cancelled) result = own_fault(ErrorCode::cancelled, "cancelled");
    if (thrown && !flight->cancelled) {
      result = own_fault(ErrorCode::internal, "the check threw: " + what(thrown));
    }
    if (flight->mask) result.error.text = flight->mask->apply(result.error.text);
    if (flights->feed) {
      flights->feed(CheckDone{done.run, done.finally, done.stage, done.attempt, std::move(result)});
    }
  };
  asio::co_spawn(io_.executor(), flight->check->run(context),
                 asio::bind_cancellation_slot(flight->signal.slot(), std::move(ended)));
  return std::nullopt;
}

void Launcher::cancel(const CancelCheck& order) {
  const auto found = flights_->open.find(key_of(order));
  if (found == flights_->open.end()) return;
  const auto flight = found->second;  // it may end, and leave the map, while it is told
  flight->cancelled = true;
  flight->signal.emit(asio::cancellation_type::terminal);
}

void Launcher::cancel_all() {
  std::vector<std::shared_ptr<Flight>> all;
  all.reserve(in_flight());
  for (const auto& [key, flight] : flights_->open) all.push_back(flight);
  all.insert(all.end(), flights_->forgotten.begin(), flights_->forgotten.end());
  for (const auto& flight : all) {
    flight->cancelled = true;
    flight->signal.emit(asio::cancellation_type::terminal);
  }
  // From outside the loop Asio posts the cancellation, with a bare pointer to the signal: keep that alive until then.
  asio::post(io_.executor(), [all = std::move(all)] {});
}

}  // namespace slosonde::engine
