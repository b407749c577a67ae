#include "probe/engine/witnesses.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "probe/config/network.h"
#include "probe/engine/witness_log.h"

namespace slosonde::engine {

namespace asio = boost::asio;

namespace {

constexpr std::string_view kScheme = "tcp://";
// Should one not have ended by its deadline, which it does.
constexpr Duration kLookAgain = std::chrono::milliseconds(50);

}  // namespace

struct Witnesses::State {
  explicit State(io::Io& world) : io(world) {}

  struct Witness {
    io::Address address;
    uint16_t port = 0;
    bool asked = false;  // and has not answered yet
    asio::cancellation_signal signal;
  };

  io::Io& io;
  std::vector<std::unique_ptr<Witness>> witnesses;
  std::function<void(Input)> feed;
  asio::cancellation_signal signal;
  bool looping = false;
  bool stopped = false;

  void add(std::string_view text);
  bool asking() const {
    return std::any_of(witnesses.begin(), witnesses.end(), [](const auto& one) { return one->asked; });
  }
  static void begin(const std::shared_ptr<State>& state, size_t witness, Instant asked);
  static asio::awaitable<void> ask(std::shared_ptr<State> state, size_t witness, Instant asked);
  static asio::awaitable<void> rounds(std::shared_ptr<State> state);
};

void Witnesses::State::add(std::string_view text) {
  if (text.starts_with(kScheme)) text.remove_prefix(kScheme.size());
  auto made = std::make_unique<Witness>();
  if (const auto parsed = config::parse_address(text)) {
    made->address = {parsed->host, parsed->host.find(':') != std::string::npos};
    made->port = parsed->port;
  }
  witnesses.push_back(std::move(made));
}

// A refusal is an answer: it has come over the network.
asio::awaitable<void> Witnesses::State::ask(std::shared_ptr<State> state, size_t witness, Instant asked) {
  const Witness& one = *state->witnesses[witness];
  auto connected = co_await state->io.connect(one.address, one.port, nullptr, asked + kWitnessDeadline);
  const bool reachable = connected || connected.error().code == ErrorCode::connect_refused;
  const bool known = reachable || !is_own_fault(connected.error().code);
  if (known && !state->stopped) state->feed(WitnessSaid{witness, asked, reachable});
}

void Witnesses::State::begin(const std::shared_ptr<State>& state, size_t witness, Instant asked) {
  Witness& one = *state->witnesses[witness];
  one.asked = true;
  auto ended = [state, &one](const std::exception_ptr&) { one.asked = false; };
  asio::co_spawn(state->io.executor(), ask(state, witness, asked),
                 asio::bind_cancellation_slot(one.signal.slot(), std::move(ended)));
}

asio::awaitable<void> Witnesses::State::rounds(std::shared_ptr<State> state) {
  while (!state->stopped) {
    const Instant asked = state->io.now();
    for (size_t i = 0; i < state->witnesses.size(); ++i) begin(state, i, asked);
    co_await state->io.sleep_until(asked + kWitnessEvery);
    while (state->asking() && !state->stopped) {
      co_await state->io.sleep_until(state->io.now() + kLookAgain);
    }
  }
}

Witnesses::Witnesses(io::Io& io, const std::vector<std::string>& addresses, std::function<void(Input)> feed)
    : state_(std::make_shared<State>(io)) {
  for (const std::string& address : addresses) state_->add(address);
  state_->feed = std::move(feed);
}

Witnesses::~Witnesses() {
  try {
    stop();
  } catch (...) {
    // For want of memory: what is left ends with the Io.
  }
}

void Witnesses::start() {
  if (state_->witnesses.empty()) return;
  state_->looping = true;
  auto ended = [state = state_](const std::exception_ptr&) { state->looping = false; };
  asio::co_spawn(state_->io.executor(), State::rounds(state_),
                 asio::bind_cancellation_slot(state_->signal.slot(), std::move(ended)));
}

void Witnesses::stop() {
  if (std::exchange(state_->stopped, true) || !running()) return;
  state_->signal.emit(asio::cancellation_type::terminal);
  for (const auto& one : state_->witnesses) one->signal.emit(asio::cancellation_type::terminal);
  // From outside the loop Asio posts the cancellation, with a bare pointer to the signal: keep that alive until then.
  asio::post(state_->io.executor(), [kept = state_] {});
}

bool Witnesses::running() const {
  return state_->looping || state_->asking();
}

}  // namespace slosonde::engine
