#include "probe/io/task.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "probe/io/boot_clock.h"

namespace slosonde::io {

namespace asio = boost::asio;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

struct Task::State {
  asio::any_io_executor executor;
  asio::cancellation_signal signal;
  bool running = true;
};

Task::Task(const asio::any_io_executor& executor, asio::awaitable<void> work) : state_(std::make_shared<State>()) {
  state_->executor = executor;
  auto ended = [state = state_](const std::exception_ptr&) { state->running = false; };
  asio::co_spawn(executor, std::move(work), asio::bind_cancellation_slot(state_->signal.slot(), std::move(ended)));
}

Task::~Task() {
  // Emitting may run the coroutine to its end, and that may come back here.
  const auto state = std::exchange(state_, nullptr);
  if (!state || !state->running) return;
  try {
    state->signal.emit(asio::cancellation_type::terminal);
    // From outside the loop Asio posts the cancellation, with a bare pointer to the signal: keep that alive until then,
    // for the coroutine may end by itself before.
    asio::post(state->executor, [state] {});
  } catch (...) {
    // For want of memory: what is left ends with the loop.
  }
}

Task::Task(Task&&) noexcept = default;

Task& Task::operator=(Task&& other) noexcept {
  const Task old = std::move(*this);  // cancelled at the end
  state_ = std::move(other.state_);
  return *this;
}

bool Task::running() const {
  return state_ && state_->running;
}

struct Bell::State {
  explicit State(const asio::any_io_executor& executor) : timer(executor, BootClock::time_point::max()) {}
  BootTimer timer;
  bool rung = false;
};

Bell::Bell(const asio::any_io_executor& executor) : state_(std::make_unique<State>(executor)) {}
Bell::~Bell() = default;
Bell::Bell(Bell&&) noexcept = default;
Bell& Bell::operator=(Bell&&) noexcept = default;

void Bell::ring() {
  if (std::exchange(state_->rung, true)) return;
  state_->timer.cancel();
}

asio::awaitable<bool> Bell::wait() {
  while (!state_->rung) {
    auto [ended] = co_await state_->timer.async_wait(kTuple);
    if (ended && !state_->rung) co_return false;
  }
  state_->rung = false;
  co_return true;
}

}  // namespace slosonde::io
