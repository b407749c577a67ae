#include "demo/alert.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

#include "demo/record.h"

namespace slosonde::demo {

namespace {

using std::chrono::milliseconds;

constexpr int kMaxSending = 256;
constexpr Duration kPatience = std::chrono::seconds(5);
// Pauses before the next attempt; after the last one the alert is given up.
constexpr std::array<milliseconds, 4> kPauses = {milliseconds(200), milliseconds(500), milliseconds(1000),
                                                 milliseconds(0)};

}  // namespace

Alert::Alert(boost::asio::io_context& io, Faults& faults, Counts& counts, std::optional<HttpTarget> target,
             Secret token)
    : io_(io),
      target_(std::move(target)),
      token_(std::move(token)),
      passage_(io, Stage::alert, faults, counts, [this](const std::string& incident) { notify(incident); }) {}

void Alert::take(std::string incident) {
  passage_.take(std::move(incident));
}

void Alert::notify(const std::string& incident) {
  auto alert = alert_from_incident(incident);
  StageCounts& counts = passage_.counts();
  if (!alert) {
    ++counts.malformed;
  } else if (!target_) {
    ++counts.failed;
  } else if (sending_ >= kMaxSending) {
    ++counts.overflowed;
  } else {
    boost::asio::co_spawn(io_, deliver(std::move(*alert)), boost::asio::detached);
  }
}

boost::asio::awaitable<void> Alert::deliver(std::string alert) {
  ++sending_;
  bool delivered = false;
  boost::asio::steady_timer timer(io_);
  const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
  for (const milliseconds pause : kPauses) {
    auto status = co_await http_post(*target_, token_, alert, kPatience);
    delivered = status && *status / 100 == 2;
    if (delivered || pause == milliseconds(0)) break;
    timer.expires_after(pause);
    auto [ended] = co_await timer.async_wait(token);
    if (ended) break;
  }
  if (!delivered) ++passage_.counts().failed;
  --sending_;
}

}  // namespace slosonde::demo
