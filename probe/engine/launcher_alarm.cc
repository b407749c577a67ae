#include "probe/engine/launcher_alarm.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

namespace slosonde::engine {

namespace asio = boost::asio;

struct Alarm::Sleep {
  Instant until{};
  bool ringing = false;  // then `until` is what it is armed for next
  asio::cancellation_signal signal;
};

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

// Sleeps and rings for as long as each ring arms it anew: to begin a coroutine costs more than the sleep.
asio::awaitable<void> Alarm::keep_ringing(std::shared_ptr<State> state, std::shared_ptr<Sleep> own) {
  co_await asio::post(state->io.executor(), asio::use_awaitable);  // never from within arm()
  while (state->sleeping == own && own->until != kNever) {
    co_await state->io.sleep_until(own->until);
    if (state->sleeping != own) co_return;  // an earlier one took its place
    const Instant due = std::exchange(own->until, kNever);
    const Instant now = state->io.now();
    own->ringing = true;
    if (state->ring) state->ring(now > due ? now - due : Duration(0));
    own->ringing = false;
  }
}

void Alarm::arm(Instant when) {
  const auto& sleeping = state_->sleeping;
  if (sleeping && sleeping->until <= when) return;
  if (sleeping && sleeping->ringing) {
    sleeping->until = when;
    return;
  }
  auto fresh = std::make_shared<Sleep>();
  fresh->until = when;
  const auto old = std::exchange(state_->sleeping, fresh);
  sleep(state_, fresh);
  if (old) old->signal.emit(asio::cancellation_type::terminal);
}

void Alarm::sleep(const std::shared_ptr<State>& state, const std::shared_ptr<Sleep>& fresh) {
  auto ended = [state, fresh](const std::exception_ptr& thrown) {
    if (state->sleeping == fresh) state->sleeping = nullptr;
    if (!thrown) return;
    // What a ring throws is for whoever drives the loop; what it has armed counts all the same.
    if (!state->sleeping && state->ring && fresh->until != kNever) {
      state->sleeping = std::make_shared<Sleep>();
      state->sleeping->until = fresh->until;
      sleep(state, state->sleeping);
    }
    std::rethrow_exception(thrown);
  };
  asio::co_spawn(state->io.executor(), keep_ringing(state, fresh),
                 asio::bind_cancellation_slot(fresh->signal.slot(), std::move(ended)));
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
