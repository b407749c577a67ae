#include "checks/http.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "checks/http_request.h"
#include "checks/http_settings.h"
#include "checks/net/curl_driver.h"
#include "checks/net/excerpt.h"
#include "checks/net/outcome.h"
#include "checks/net/tls_settings.h"

namespace slosonde::checks {

namespace asio = boost::asio;

namespace {

constexpr size_t kIdleKits = 4;
constexpr size_t kMostAddresses = 16;

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Phases of several hops add up.
void add(Phases& sum, const Phases& more) {
  for (size_t i = 0; i < sum.size(); ++i)
    if (more[i]) sum[i] = sum[i].value_or(Duration(0)) + *more[i];
}

bool sends_something(const std::string& method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

// One use of the check.
class HttpCheck final : public Check {
 public:
  HttpCheck(HttpSettings settings, io::Io& io, std::shared_ptr<CurlDriver> driver)
      : settings_(std::move(settings)), io_(io), driver_(std::move(driver)) {}

  asio::awaitable<CheckResult> run(RunContext& context) override;

 private:
  // What one run asks, and with what; kept for the next one.
  struct Kit {
    HttpRequest request;
    std::unique_ptr<CurlTransfer> transfer;
  };
  // A kit for the time of one run.
  class Borrowed {
   public:
    Borrowed(HttpCheck& check, std::unique_ptr<Kit> kit) : check_(check), kit_(std::move(kit)) {}
    ~Borrowed() {
      if (check_.idle_.size() < kIdleKits) check_.idle_.push_back(std::move(kit_));
    }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    Kit& operator*() { return *kit_; }

   private:
    HttpCheck& check_;
    std::unique_ptr<Kit> kit_;
  };

  Result<std::unique_ptr<Kit>> take();
  asio::awaitable<Result<CurlAnswer>> ask(Kit& kit, Instant until, CheckResult& result);
  const Url& peer(const HttpRequest& request) const;
  bool is_renamed(const HttpRequest& request) const;
  bool has_number(const HttpRequest& request) const;
  asio::awaitable<Result<void>> look_up(HttpRequest& request, Instant until, CheckResult& result);
  void judge(const RunContext& context, const HttpRequest& request, CurlAnswer answer, CheckResult& result) const;
  void fail_in_run(const RunContext& context, const HttpRequest& request, Error error, CheckResult& result) const;

  const HttpSettings settings_;
  io::Io& io_;
  const std::shared_ptr<CurlDriver> driver_;
  std::vector<std::unique_ptr<Kit>> idle_;
};

Result<std::unique_ptr<HttpCheck::Kit>> HttpCheck::take() {
  std::unique_ptr<Kit> kit;
  if (!idle_.empty()) {
    kit = std::move(idle_.back());
    idle_.pop_back();
    return kit;
  }
  auto transfer = CurlTransfer::make(settings_.client, io_);
  if (!transfer) return fail(transfer.error());
  kit = std::make_unique<Kit>();
  kit->transfer = std::move(*transfer);
  return kit;
}

// A captured value of this length may be a token; a shorter one is a number or a name, which messages need.
constexpr size_t kTelling = 12;

// What no message of this run may show. For failures alone: it copies.
config::Mask mask_for(const HttpSettings& settings, const RunContext& context) {
  config::Mask mask = *settings.mask;
  if (context.captures == nullptr) return mask;
  for (const auto& [name, value] : *context.captures)
    if (value.size() >= kTelling) mask.hide(value, "{{captured." + name + "}}");
  return mask;
}

void fail_with(CheckResult& result, const HttpRequest& request, const config::Mask& mask, Error error) {
  result.outcome = outcome_of(error.code);
  if (sends_something(request.curl.method)) result.delivery = delivery_after(error.code);
  error.text = request.curl.method + " " + request.url.shown(mask) + ": " + mask.apply(error.text);
  result.error = std::move(error);
}

// With another name for the certificate, libcurl is told that the host bears that name; the header says the real one.
void rename(const io::TlsSettings& tls, HttpRequest& request) {
  const Url& url = request.url;
  if (tls.server_name.empty() || !url.secure() || tls.server_name == url.host) return;
  const std::string origin = url.origin();
  const bool has_host = std::any_of(request.curl.headers.begin(), request.curl.headers.end(),
                                    [](const std::string& line) { return line.starts_with("Host:"); });
  if (!has_host) {
    request.curl.headers.push_back("Host: " + (url.port == 443 ? url.host : origin.substr(origin.find("//") + 2)));
  }
  const size_t path = url.text.find_first_of("/?#", url.text.find("//") + 2);
  request.curl.url = "https://" + tls.server_name + ":" + std::to_string(url.port) +
                     (path == std::string::npos ? "/" : url.text.substr(path));
}

// Through a proxy, the target's name is the proxy's to resolve.
const Url& HttpCheck::peer(const HttpRequest& request) const {
  return settings_.proxy ? *settings_.proxy : request.url;
}

bool HttpCheck::is_renamed(const HttpRequest& request) const {
  return !settings_.proxy && request.curl.url != request.url.text;
}

// The host is an address itself, and was looked up, perhaps for an earlier run: it stays what it is.
bool HttpCheck::has_number(const HttpRequest& request) const {
  const auto& addresses = request.curl.addresses;
  return addresses.size() == 1 && addresses[0].text == peer(request).host && !is_renamed(request);
}

asio::awaitable<Result<void>> HttpCheck::look_up(HttpRequest& request, Instant until, CheckResult& result) {
  const Url& peer = this->peer(request);
  const Instant begun = io_.now();
  auto found = co_await io_.resolve(peer.host, settings_.family, until);
  if (!found) co_return fail(found.error());
  request.curl.addresses = std::move(*found);
  auto& addresses = request.curl.addresses;
  if (addresses.size() > kMostAddresses) addresses.resize(kMostAddresses);
  request.curl.pinned.clear();
  if (has_number(request)) co_return Result<void>();
  Phases took;
  took[static_cast<size_t>(Phase::resolve)] = io_.now() - begun;
  add(result.phases, took);
  const bool renamed = is_renamed(request);
  std::string& pinned = request.curl.pinned;
  pinned = "+" + (renamed ? settings_.client.tls.server_name : peer.host) + ":" + std::to_string(peer.port) + ":";
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (i > 0) pinned += ",";
    pinned += addresses[i].v6 ? "[" + addresses[i].text + "]" : addresses[i].text;
  }
  co_return Result<void>();
}

asio::awaitable<Result<CurlAnswer>> HttpCheck::ask(Kit& kit, Instant until, CheckResult& result) {
  HttpRequest& request = kit.request;
  rename(settings_.client.tls, request);
  if (has_number(request)) {
    request.curl.pinned.clear();
  } else {
    auto looked_up = co_await look_up(request, until, result);
    if (!looked_up) co_return fail(looked_up.error());
  }
  request.curl.until = until;
  CurlTransfer& one = *kit.transfer;
  one.prepare(request.curl, io_.now());
  auto done = co_await driver_->perform(one);
  if (!done) co_return fail(ErrorCode::cancelled, "cancelled");
  auto answer = one.finish();
  add(result.phases, one.phases());
  if (result.sent == Instant{}) result.sent = one.sent();
  co_return answer;
}

void HttpCheck::judge(const RunContext& context, const HttpRequest& request, CurlAnswer answer,
                      CheckResult& result) const {
  result.received = answer.received;
  Error wrong = settings_.expect.judge(answer, context, *settings_.mask, result.captures);
  const config::Mask mask = wrong ? mask_for(settings_, context) : config::Mask();
  // Once more, for words that hide what the run has captured.
  if (wrong && context.captures != nullptr) wrong = settings_.expect.judge(answer, context, mask, result.captures);
  if (context.polling) result.evidence = std::move(answer.body);
  if (!wrong) {
    result.outcome = Outcome::held;
    if (sends_something(request.curl.method)) result.delivery = Delivery::acked;
    return;
  }
  result.captures.clear();
  const long status = answer.status;
  const bool right_status = settings_.expect.allows(status);
  fail_with(result, request, mask, std::move(wrong));
  const bool refusal = !right_status && status >= 400;
  if (refusal) result.outcome = Outcome::refused;
  if (sends_something(request.curl.method)) {
    result.delivery = right_status ? Delivery::acked : refusal ? Delivery::refused : Delivery::unknown;
  }
  // What a poll is told by a server that works is only not so yet; a server that does not work has told it nothing.
  const bool works = status < 500 && status != 401 && status != 403 && status != 407 && status != 429;
  if (context.polling && works && result.error.code != ErrorCode::too_large) result.outcome = Outcome::not_yet;
}

void HttpCheck::fail_in_run(const RunContext& context, const HttpRequest& request, Error error,
                            CheckResult& result) const {
  fail_with(result, request, mask_for(settings_, context), std::move(error));
}

// What lives across its waits lies in the coroutine's frame, which is allocated for every run: it is kept small.
asio::awaitable<CheckResult> HttpCheck::run(RunContext& context) {
  CheckResult result;
  auto taken = take();
  if (!taken) {
    result.outcome = outcome_of(taken.error().code);
    result.error = taken.error();
    co_return result;
  }
  Borrowed kit(*this, std::move(*taken));
  HttpRequest& request = (*kit).request;
  if (auto first = first_request(settings_, context, request); !first) {
    result.outcome = outcome_of(first.error().code);
    result.error = first.error();
    co_return result;
  }
  for (int hops = 0;; ++hops) {
    auto answer = co_await ask(*kit, context.deadline, result);
    if (!answer) {
      fail_in_run(context, request, std::move(answer.error()), result);
      co_return result;
    }
    if (answer->certificate_expiry) result.certificate_expiry = answer->certificate_expiry;
    if (!is_redirect(answer->status) || settings_.expect.allows(answer->status)) {
      judge(context, request, std::move(*answer), result);
      co_return result;
    }
    if (auto next = next_request(settings_, *answer, hops, request); !next) {
      result.received = answer->received;
      fail_in_run(context, request, std::move(next.error()), result);
      co_return result;
    }
  }
}

}  // namespace

Result<std::unique_ptr<Check>> make_http(const config::Values& settings, io::Io& io) {
  HttpSettings made(settings);
  if (auto readable = check_tls_files(made.client.tls); !readable) return fail(readable.error());
  const std::string& text = settings.text_template("url").source();
  const std::string origin = text.substr(0, text.find_first_of("/?#", text.find("//") + 2));
  auto driver = CurlDriver::shared(io, origin, made.client.tls.ca_file);
  if (!driver) return fail(driver.error());
  return std::make_unique<HttpCheck>(std::move(made), io, std::move(*driver));
}

}  // namespace slosonde::checks
