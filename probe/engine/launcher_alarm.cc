#include "probe/engine/launcher_alarm.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

namespace slosonde::engine {

namespace asio = boost::asio;

namespace {

struct Sleep {
  Instant until{};
  asio::cancellation_signal signal;
};

asio::awaitable<void> sleep(io::Io& io, std::shared_ptr<Sleep> kept) {
  co_await io.sleep_until(kept->until);
}

}  // namespace

struct Alarm::State {
  io::Io& io;
  Ring ring;  // empty after the end
  std::shared_ptr<Sleep> sleeping;
  bool posted = false;
};

Alarm::Alarm(io::Io& io, Ring ring) : state_(std::make_shared<State>(State{io, std::move(ring), nullptr, false})) {}

Alarm::~Alarm() {
  state_->ring = nullptr;
  const auto old = std::exchange(state_->sleeping, nullptr);
  if (!old) return;
  try {
    old->signal.emit(asio::cancellation_type::terminal);
    // From outside the loop Asio posts the cancellation, with a bare pointer to the signal: keep that alive until then.
    asio::post(state_->io.executor(), [old] {});
  } catch (...) {
    // For want of memory: what is left ends with the Io.
  }
}

void Alarm::arm(Instant when) {
  if (state_->sleeping && state_->sleeping->until <= when) return;
  const auto old = std::exchange(state_->sleeping, nullptr);
  auto fresh = std::make_shared<Sleep>();
  fresh->until = when;
  state_->sleeping = fresh;
  auto woken = [state = state_, fresh](const std::exception_ptr&) {
    if (state->sleeping != fresh) return;  // an earlier one took its place
    state->sleeping = nullptr;
    const Instant now = state->io.now();
    if (state->ring) state->ring(now > fresh->until ? now - fresh->until : Duration(0));
  };
  asio::co_spawn(state_->io.executor(), sleep(state_->io, fresh),
                 asio::bind_cancellation_slot(fresh->signal.slot(), std::move(woken)));
  if (old) old->signal.emit(asio::cancellation_type::terminal);
}

void Alarm::soon() {
  if (state_->posted) return;
  state_->posted = true;
  asio::post(state_->io.executor(), [state = state_] {
    state->posted = false;
    if (state->ring) state->ring(std::nullopt);
  });
}

}  // namespace slosonde::engine
