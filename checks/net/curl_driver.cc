#include "checks/net/curl_driver.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "probe/io/arrival.h"
#include "probe/io/readiness.h"

namespace slosonde::checks {

namespace asio = boost::asio;

namespace {

constexpr size_t kShards = 8;
constexpr int kEventsATurn = 64;
constexpr int kTurnsWhenLate = 64;
constexpr long kKeptConnections = 64;
constexpr Duration kPauseAfterTrouble = std::chrono::milliseconds(100);

bool libcurl_is_ready() {
  static std::once_flag once;
  static CURLcode code = CURLE_FAILED_INIT;
  std::call_once(once, [] { code = curl_global_init(CURL_GLOBAL_DEFAULT); });
  return code == CURLE_OK;
}

}  // namespace

// Kept alive by its two coroutines, which may end a moment after the driver.
struct CurlDriver::State : std::enable_shared_from_this<State> {
  explicit State(io::Io& world) : io(world) {}
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<void> open();
  void close();
  void start(CurlTransfer& transfer);
  void forget(CurlTransfer& transfer);
  void strike_out(CurlTransfer& transfer);
  void end(CurlTransfer& transfer, CURLcode code);
  void act(curl_socket_t number, int what);
  int watch(int operation, curl_socket_t number, int what) const;
  int take_socket_events();
  void hand_over_what_is_done();
  void hand_over_what_has_trouble();
  void give_up_what_is_over(Instant now);
  void tick();
  void arm();
  Instant next() const { return std::min(due, earliest); }

  static int on_socket(CURL* easy, curl_socket_t number, int what, void* self, void* known);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);
  static asio::awaitable<void> pump(std::shared_ptr<State> state);
  static asio::awaitable<void> ring_at(std::shared_ptr<State> state, Instant when);

  io::Io& io;
  CURLM* multi = nullptr;
  int events = -1;
  bool closed = false;
  bool quiet = false;                      // a transfer is being given up: no clock, no timers
  bool trouble = false;                    // a transfer cannot go on by our own fault
  std::vector<CurlTransfer*> under_way;    // each knows its place
  Instant earliest = kNever;               // no deadline of those under way is before it
  Instant due = kNever;                    // when libcurl wants to be called
  Instant armed = kNever;                  // when the ticker calls; may be earlier, never later
  std::optional<Instant> came;             // what a socket has to say, when that is not just now
  std::optional<io::Readiness> readiness;  // of `events`
  io::Task pumping, ticking;               // ended by close()
};

CurlDriver::State::~State() {
  quiet = true;
  if (multi) curl_multi_cleanup(multi);
  readiness.reset();
  if (events >= 0) ::close(events);
}

Result<void> CurlDriver::State::open() {
  if (!libcurl_is_ready()) return fail(ErrorCode::no_memory, "libcurl does not start");
  events = epoll_create1(EPOLL_CLOEXEC);
  if (events < 0) return fail(error_from_errno(errno, "an epoll descriptor for HTTP"));
  multi = curl_multi_init();
  if (!multi) return fail(ErrorCode::no_memory, "no memory for HTTP requests");
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kKeptConnections);
  readiness.emplace(io.executor(), events);
  pumping = io::Task(io.executor(), pump(shared_from_this()));
  return {};
}

void CurlDriver::State::close() {
  closed = true;
  pumping = io::Task();
  ticking = io::Task();
}

int CurlDriver::State::on_socket(CURL* easy, curl_socket_t number, int what, void* self, void* known) {
  State& state = *static_cast<State*>(self);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(state.events, EPOLL_CTL_DEL, number, nullptr);
    return 0;
  }
  CurlTransfer* transfer = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
  if (state.watch(known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, number, what) != 0) {
    // An answer that says so would end all transfers of the handle.
    if (transfer) transfer->trouble_ = error_from_errno(errno, "watching the connection");
    state.trouble = true;
    return 0;
  }
  if (!known) curl_multi_assign(state.multi, number, &state);
  if (what == CURL_POLL_IN && !state.quiet && transfer) transfer->waiting_ = state.io.now();
  return 0;
}

int CurlDriver::State::watch(int operation, curl_socket_t number, int what) const {
  epoll_event wanted{};
  if (what & CURL_POLL_IN) wanted.events |= EPOLLIN;
  if (what & CURL_POLL_OUT) wanted.events |= EPOLLOUT;
  wanted.data.fd = number;
  return epoll_ctl(events, operation, number, &wanted);
}

int CurlDriver::State::on_timer(CURLM* /*multi*/, long timeout_ms, void* self) {
  State& state = *static_cast<State*>(self);
  if (state.quiet) return 0;
  // Called back within the very millisecond, libcurl finds that a request's timeout is not over yet, and forgets it.
  state.due = timeout_ms < 0 ? kNever : state.io.now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

void CurlDriver::State::act(curl_socket_t number, int what) {
  int running = 0;
  curl_multi_socket_action(multi, number, what, &running);
}

void CurlDriver::State::hand_over_what_is_done() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;  // gone with the handle
    CurlTransfer* transfer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    curl_multi_remove_handle(multi, easy);
    end(*transfer, code);
  }
  if (trouble) hand_over_what_has_trouble();
}

void CurlDriver::State::hand_over_what_has_trouble() {
  trouble = false;
  for (size_t i = under_way.size(); i-- > 0;) {
    CurlTransfer& transfer = *under_way[i];
    if (!transfer.trouble_) continue;
    forget(transfer);
    end(transfer, CURLE_ABORTED_BY_CALLBACK);
  }
}

// The place it leaves is taken by the last one.
void CurlDriver::State::strike_out(CurlTransfer& transfer) {
  under_way[transfer.place_] = under_way.back();
  under_way[transfer.place_]->place_ = transfer.place_;
  under_way.pop_back();
}

// After libcurl has let go of it.
void CurlDriver::State::end(CurlTransfer& transfer, CURLcode code) {
  strike_out(transfer);
  transfer.code_ = code;
  transfer.done_ = true;
  transfer.ended_ = std::max(came.value_or(io.now()), transfer.begun_);
  transfer.bell_.ring();
}

void CurlDriver::State::start(CurlTransfer& transfer) {
  const CURLMcode code = curl_multi_add_handle(multi, transfer.easy_);
  if (code != CURLM_OK) {
    transfer.trouble_ = {code == CURLM_OUT_OF_MEMORY ? ErrorCode::no_memory : ErrorCode::internal,
                         std::string("libcurl does not take the request: ") + curl_multi_strerror(code)};
    transfer.done_ = true;
    transfer.bell_.ring();
    return;
  }
  transfer.place_ = under_way.size();
  under_way.push_back(&transfer);
  earliest = std::min(earliest, transfer.until_);
  // libcurl asks to be called at once; that opens the connection.
  if (due <= io.now()) {
    due = kNever;
    act(CURL_SOCKET_TIMEOUT, 0);
    // On the same machine the connection stands by now: the request goes out in this turn, without another wake-up.
    take_socket_events();
  }
  arm();
}

// Closes its connection.
void CurlDriver::State::forget(CurlTransfer& transfer) {
  quiet = true;
  curl_multi_remove_handle(multi, transfer.easy_);
  quiet = false;
}

void CurlDriver::State::give_up_what_is_over(Instant now) {
  earliest = kNever;
  for (size_t i = under_way.size(); i-- > 0;) {
    CurlTransfer& transfer = *under_way[i];
    if (transfer.until_ > now) {
      earliest = std::min(earliest, transfer.until_);
      continue;
    }
    forget(transfer);
    end(transfer, CURLE_OPERATION_TIMEDOUT);
  }
}

// A timer that is already set for earlier is left: it costs less to ring for nothing than to be set for every request.
void CurlDriver::State::arm() {
  if (closed || next() == kNever || armed <= next()) return;
  armed = next();
  ticking = io::Task(io.executor(), ring_at(shared_from_this(), armed));
}

asio::awaitable<void> CurlDriver::State::ring_at(std::shared_ptr<State> state, Instant when) {
  while (true) {
    co_await state->io.sleep_until(when);
    // Another ticker may have taken over while this one was about to wake.
    if (state->closed || state->armed != when) co_return;
    state->tick();
    when = state->armed = state->next();
    if (when == kNever) co_return;
  }
}

// What has come is taken in before anything is given up: we may be the ones who are late.
void CurlDriver::State::tick() {
  const Instant now = io.now();
  if (earliest <= now) {
    for (int turn = 0; turn < kTurnsWhenLate && take_socket_events() > 0; ++turn) {
    }
    give_up_what_is_over(now);
  }
  if (due <= now) {
    due = kNever;
    act(CURL_SOCKET_TIMEOUT, 0);
    hand_over_what_is_done();
  }
}

// Says how many sockets had something.
int CurlDriver::State::take_socket_events() {
  std::array<epoll_event, kEventsATurn> ready{};
  const int count = epoll_wait(events, ready.data(), kEventsATurn, 0);
  const bool late = count > 0 && earliest <= io.now();
  for (int i = 0; i < count; ++i) {
    const epoll_event& one = ready[static_cast<size_t>(i)];
    int what = 0;
    if (one.events & EPOLLIN) what |= CURL_CSELECT_IN;
    if (one.events & EPOLLOUT) what |= CURL_CSELECT_OUT;
    if (one.events & (EPOLLERR | EPOLLHUP)) what |= CURL_CSELECT_ERR;
    if (late) came = io.now() - io::since_last_arrival(one.data.fd);
    act(one.data.fd, what);
    if (late) hand_over_what_is_done();
  }
  came.reset();
  hand_over_what_is_done();
  return count;
}

asio::awaitable<void> CurlDriver::State::pump(std::shared_ptr<State> state) {
  while (!state->closed) {
    auto ready = co_await state->readiness->wait();
    if (state->closed) co_return;
    if (ready) {
      state->take_socket_events();
      state->arm();
      continue;
    }
    if (ready.error().code == ErrorCode::cancelled) co_return;
    const Instant again = state->io.now() + kPauseAfterTrouble;
    co_await state->io.sleep_until(again);
  }
}

// Takes the transfer back when the coroutine ends in the middle of it.
struct CurlDriver::Guard {
  Guard(std::shared_ptr<State> with, CurlTransfer& of) : state(std::move(with)), transfer(of) {}
  ~Guard() {
    if (transfer.done_) return;
    state->forget(transfer);
    state->strike_out(transfer);
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  std::shared_ptr<State> state;
  CurlTransfer& transfer;
};

CurlDriver::CurlDriver(std::shared_ptr<State> state) : state_(std::move(state)) {}

CurlDriver::~CurlDriver() {
  state_->close();
}

Result<std::shared_ptr<CurlDriver>> CurlDriver::shared(io::Io& io, std::string_view origin, std::string_view ca_file) {
  const size_t shard = std::hash<std::string_view>()(origin) % kShards;
  const std::string key = "http " + std::to_string(shard) + " " + std::string(ca_file);
  Error trouble;
  const auto make = [&]() -> std::shared_ptr<CurlDriver> {
    auto state = std::make_shared<State>(io);
    if (auto opened = state->open(); !opened) {
      trouble = opened.error();
      return nullptr;
    }
    return std::shared_ptr<CurlDriver>(new CurlDriver(std::move(state)));
  };
  auto driver = io.shared<CurlDriver>(key, make);
  if (!driver) return fail(std::move(trouble));
  return driver;
}

asio::awaitable<bool> CurlDriver::perform(CurlTransfer& transfer) {
  const Guard guard(state_, transfer);
  state_->start(transfer);
  auto rung = co_await transfer.bell_.wait();
  co_return rung;
}

}  // namespace slosonde::checks
