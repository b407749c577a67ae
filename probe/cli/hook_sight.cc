#include "probe/cli/hook_sight.h"

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <utility>
#include <vector>

#include "checks/net/curl_driver.h"
#include "checks/net/curl_transfer.h"
#include "checks/net/url.h"
#include "probe/io/hook_proof.h"

namespace slosonde::cli {

namespace asio = boost::asio;

namespace {

constexpr Duration kEvery = std::chrono::seconds(5);
// A stage waits for sight no longer than `settle`: what it waits for must come several times within that.
constexpr int kTimesInSettle = 3;
constexpr Duration kOftenest = std::chrono::milliseconds(250);
// After a break, until it has worked twice: what lies between two arrivals is all that can be vouched for.
constexpr Duration kSoon = std::chrono::milliseconds(1500);
constexpr int kCalm = 2;
constexpr Duration kDeadline = std::chrono::seconds(2);
constexpr size_t kMostAddresses = 16;
constexpr size_t kMostBody = size_t{64} * 1024;

// What the coroutine keeps alive.
struct Looker {
  io::Io& io;
  exporter::WayIn& way_in;
  checks::Url url;
  std::string shown;
  Duration every;
  std::shared_ptr<const config::Mask> mask;
  io::HookProof proof;
  std::shared_ptr<checks::CurlDriver> driver;
  std::unique_ptr<checks::CurlTransfer> transfer;
  checks::CurlRequest request;

  void write_request();
  void pin(std::vector<io::Address> addresses);
  std::string why_not(const Result<long>& status) const;
};

std::string nonce(io::Io& io) {
  std::array<char, 33> text{};
  const uint64_t first = io.random(), second = io.random();
  std::snprintf(text.data(), text.size(), "%016llx%016llx", static_cast<unsigned long long>(first),
                static_cast<unsigned long long>(second));
  return text.data();
}

void Looker::write_request() {
  request.method = "POST";
  request.url = url.text;
  request.body = nonce(io);
  request.headers = {"Content-Type: text/plain"};
  for (const auto& [name, value] : proof.shown_for(*request.body)) request.headers.push_back(name + ": " + value);
  request.until = io.now() + kDeadline;
}

void Looker::pin(std::vector<io::Address> addresses) {
  if (addresses.size() > kMostAddresses) addresses.resize(kMostAddresses);
  request.pinned.clear();
  const bool is_number = addresses.size() == 1 && addresses[0].text == url.host;
  for (const io::Address& one : addresses) {
    if (is_number) break;
    request.pinned += request.pinned.empty() ? "+" + url.host + ":" + std::to_string(url.port) + ":" : ",";
    request.pinned += one.v6 ? "[" + one.text + "]" : one.text;
  }
  request.addresses = std::move(addresses);
}

// Where nothing has arrived.
std::string Looker::why_not(const Result<long>& status) const {
  const std::string to = "POST " + shown + ": ";
  if (!status) return to + mask->apply(status.error().text);
  return to + "it was answered with status " + std::to_string(*status) + ", and did not reach this process";
}

// Posts it, and gives the status of the answer.
asio::awaitable<Result<long>> post(std::shared_ptr<Looker> self) {
  auto found = co_await self->io.resolve(self->url.host, io::IpFamily::any, self->request.until);
  if (!found) co_return fail(found.error());
  self->pin(std::move(*found));
  self->transfer->prepare(self->request, self->io.now());
  auto done = co_await self->driver->perform(*self->transfer);
  if (!done) co_return fail(ErrorCode::cancelled, "cancelled");
  auto answer = self->transfer->finish();
  if (!answer) co_return fail(answer.error());
  co_return Result<long>(answer->status);
}

// False: cancelled.
asio::awaitable<bool> look(std::shared_ptr<Looker> self, exporter::WayIn::State& state) {
  self->write_request();
  self->way_in.expect(*self->request.body);
  auto status = co_await post(self);
  if (!status && status.error().code == ErrorCode::cancelled) co_return false;
  state = self->way_in.ended(self->why_not(status));
  co_return true;
}

asio::awaitable<void> look_again_and_again(std::shared_ptr<Looker> self) {
  int unsure = 0;  // times that it has to work before it is left alone for longer
  for (;;) {
    const Instant begun = self->io.now();
    auto state = exporter::WayIn::State::never_worked;
    try {
      auto looked = co_await look(self, state);
      if (!looked) co_return;
    } catch (const std::exception&) {  // no memory: nobody has looked, and that must not be the last time
      state = self->way_in.ended("POST " + self->shown + ": slosonde had no memory left");
    }
    if (state == exporter::WayIn::State::broken) unsure = kCalm;
    if (state == exporter::WayIn::State::works && unsure > 0) --unsure;
    const Instant next = begun + (unsure > 0 ? std::min(kSoon, self->every) : self->every);
    co_await self->io.sleep_until(next);
    if (self->io.now() < next) co_return;  // woken early: cancelled
  }
}

}  // namespace

std::string way_in_url(std::string_view external_url) {
  external_url = external_url.substr(0, external_url.find('#'));
  const size_t end = std::min(external_url.find('?'), external_url.size());
  std::string_view head = external_url.substr(0, end);
  while (head.ends_with('/')) head.remove_suffix(1);
  return std::string(head).append(exporter::kWayInPath).append(external_url.substr(end));
}

Result<HookSight> HookSight::start(const config::Config& config, io::Io& io, exporter::WayIn& way_in) {
  const auto mask = config.root.mask();
  auto url = checks::parse_url(way_in_url(config.hooks.external_url));
  if (!url) return fail(ErrorCode::bad_config, mask->apply(url.error().text));
  auto driver = checks::CurlDriver::shared(io, url->origin(), {});
  if (!driver) return fail(driver.error());
  checks::ClientSettings settings;
  settings.max_body = kMostBody;
  auto transfer = checks::CurlTransfer::make(settings, io);
  if (!transfer) return fail(transfer.error());
  std::string shown = url->shown(*mask);
  auto looker = std::make_shared<Looker>(Looker{io,
                                                way_in,
                                                std::move(*url),
                                                std::move(shown),
                                                std::clamp(config.probe.settle / kTimesInSettle, kOftenest, kEvery),
                                                mask,
                                                io::HookProof(config.hooks.token, config.hooks.hmac_key),
                                                std::move(*driver),
                                                std::move(*transfer),
                                                {}});
  return HookSight(io::Task(io.executor(), look_again_and_again(std::move(looker))));
}

}  // namespace slosonde::cli
