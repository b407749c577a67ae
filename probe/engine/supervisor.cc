#include "probe/engine/supervisor.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <string>
#include <utility>

namespace slosonde::engine {

namespace asio = boost::asio;

struct Supervisor::State final : checks::WatchSink {
  State(io::Io& world, std::shared_ptr<checks::Watch> kept, size_t number, std::function<void(Input)> to)
      : io(world), watch(std::move(kept)), index(number), feed(std::move(to)) {}

  void evidence(const checks::Evidence& evidence) override {
    if (!stopped) feed(EvidenceSeen{index, evidence});
  }
  void covered(Instant from, Instant to) override {
    if (!stopped) feed(Covered{index, from, to});
  }
  void out_of_sight(const Error& error) override {
    if (!stopped) feed(OutOfSight{index, error});
  }

  io::Io& io;
  std::shared_ptr<checks::Watch> watch;
  size_t index;
  std::function<void(Input)> feed;
  asio::cancellation_signal signal;
  bool running = false;
  bool stopped = false;

  static asio::awaitable<Error> one_turn(State& state);
  static asio::awaitable<void> supervise(std::shared_ptr<State> state);
};

asio::awaitable<Error> Supervisor::State::one_turn(State& state) {
  try {
    auto error = co_await state.watch->watch(state);
    co_return error;
  } catch (const std::exception& thrown) {
    Error error{ErrorCode::internal, std::string("the watch threw: ") + thrown.what()};
    co_return error;
  }
}

asio::awaitable<void> Supervisor::State::supervise(std::shared_ptr<State> state) {
  Duration pause = kFirstPause;
  while (!state->stopped) {
    const Instant begun = state->io.now();
    auto error = co_await one_turn(*state);
    if (state->stopped) co_return;
    if (!error) error = Error{ErrorCode::internal, "the watch ended without saying why"};
    state->out_of_sight(error);
    const Instant ended = state->io.now();
    if (ended - begun >= kSteady) pause = kFirstPause;
    const auto half = static_cast<uint64_t>(pause.count() / 2);
    const Instant again = ended + pause - Duration(state->io.random() % (half + 1));
    pause = std::min(pause * 2, kLongestPause);
    co_await state->io.sleep_until(again);
  }
}

Supervisor::Supervisor(io::Io& io, std::shared_ptr<checks::Watch> watch, size_t index, std::function<void(Input)> feed)
    : state_(std::make_shared<State>(io, std::move(watch), index, std::move(feed))) {}

Supervisor::~Supervisor() {
  try {
    stop();
  } catch (...) {
    // For want of memory: what is left ends with the Io.
  }
}

void Supervisor::start() {
  state_->running = true;
  auto ended = [state = state_](const std::exception_ptr&) { state->running = false; };
  asio::co_spawn(state_->io.executor(), State::supervise(state_),
                 asio::bind_cancellation_slot(state_->signal.slot(), std::move(ended)));
}

void Supervisor::stop() {
  if (state_->stopped) return;
  state_->stopped = true;
  if (!state_->running) return;
  state_->signal.emit(asio::cancellation_type::terminal);
  // From outside the loop Asio posts the cancellation, with a bare pointer to the signal: keep that alive until then.
  asio::post(state_->io.executor(), [kept = state_] {});
}

void Supervisor::goes_by(size_t index) {
  state_->index = index;
}

bool Supervisor::running() const {
  return state_->running;
}

}  // namespace slosonde::engine
