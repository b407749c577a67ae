#include "checks/tcp.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checks/net/excerpt.h"
#include "checks/net/outcome.h"
#include "checks/net/tls_settings.h"
#include "probe/config/network.h"

namespace slosonde::checks {

namespace asio = boost::asio;

namespace {

using config::Key;
using config::Type;

constexpr std::array<std::string_view, 3> kFamilies = {"any", "ipv4", "ipv6"};

void needs_something(const config::Values& values, config::Problems& problems) {
  if (values.has("contains") || values.has("regex")) return;
  problems.add(values.position(), values.path(), "nothing is expected; give `contains` or `regex`, or remove `expect`");
}

void needs_host(const config::Values& values, config::Problems& problems) {
  const auto address = config::parse_address(values.text("address"));
  if (!address || !address->is_unix) return;
  problems.add(values.position("address"), values.path("address"),
               "`" + values.text("address") + "` is no TCP address; write host:port or [v6]:port");
}

constexpr std::array<Key, 2> kExpectKeys = {{
    {.name = "contains", .type = Type::texts, .help = "Texts that must all come.", .max = "32"},
    {.name = "regex", .type = Type::regex, .help = "A pattern (RE2) that must be found in what comes."},
}};
constexpr config::Block kExpect{.name = "tcp.expect",
                                .help = "What must come. The check ends as soon as it has come.",
                                .keys = kExpectKeys,
                                .rule = needs_something};

constexpr std::array<Key, 6> kKeys = {{
    {.name = "address", .type = Type::address, .help = "Where to connect: host:port.", .required = true},
    {.name = "tls",
     .type = Type::block,
     .help = "Speak TLS, and how. `tls: {}` does with all defaults.",
     .block = tls_block},
    {.name = "send", .type = Type::text_template, .help = "What to send. Default: nothing."},
    {.name = "expect",
     .type = Type::block,
     .help = "What must come. Default: nothing.",
     .block = [] { return &kExpect; }},
    {.name = "max_bytes",
     .type = Type::bytes,
     .help = "An answer that has not matched within this size fails.",
     .fallback = "64KiB",
     .min = "1B",
     .max = "1MiB"},
    {.name = "ip",
     .type = Type::choice,
     .help = "Which addresses of the host are tried.",
     .fallback = "any",
     .choices = kFamilies},
}};
constexpr config::Block kBlock{
    .name = "tcp", .help = "Connects, if wanted with TLS, sends and expects bytes.", .keys = kKeys, .rule = needs_host};

io::IpFamily family_of(const std::string& text) {
  if (text == "ipv4") return io::IpFamily::v4;
  return text == "ipv6" ? io::IpFamily::v6 : io::IpFamily::any;
}

void put(CheckResult& result, Phase phase, Duration took) {
  result.phases[static_cast<size_t>(phase)] = std::max(took, Duration(0));
}

class TcpCheck final : public Check {
 public:
  TcpCheck(const config::Values& settings, io::Io& io);

  asio::awaitable<CheckResult> run(RunContext& context) override;

 private:
  using Streamed = Result<std::unique_ptr<io::Stream>>;

  asio::awaitable<Streamed> connect(Instant until, CheckResult& result);
  asio::awaitable<Result<void>> listen(io::Stream& stream, Instant until, CheckResult& result);
  bool expects_something() const { return pattern_ || !contains_.empty(); }
  std::optional<std::string> missing(const std::string& got) const;

  io::Io& io_;
  const std::string address_;
  const config::HostPort place_;
  const io::IpFamily family_;
  std::optional<io::TlsSettings> tls_;
  const config::Template send_;
  std::vector<std::string> contains_;
  std::unique_ptr<const RE2> pattern_;
  const size_t max_bytes_;
};

TcpCheck::TcpCheck(const config::Values& settings, io::Io& io)
    : io_(io),
      address_(settings.text("address")),
      place_(config::parse_address(address_).value_or(config::HostPort{})),
      family_(family_of(settings.text("ip"))),
      send_(settings.text_template("send")),
      max_bytes_(settings.bytes("max_bytes")) {
  if (settings.has("tls")) {
    tls_ = tls_settings(settings.block("tls"));
    if (tls_->server_name.empty()) tls_->server_name = place_.host;
  }
  if (!settings.has("expect")) return;
  const config::Values& expect = settings.block("expect");
  contains_ = expect.texts("contains");
  if (expect.has("regex")) pattern_ = std::make_unique<const RE2>(expect.text("regex"), RE2::Quiet);
}

// What has not come yet, as a sentence.
std::optional<std::string> TcpCheck::missing(const std::string& got) const {
  for (const std::string& wanted : contains_)
    if (got.find(wanted) == std::string::npos) return excerpt(wanted);
  if (pattern_ && !RE2::PartialMatch(got, *pattern_)) return "a match of " + excerpt(pattern_->pattern());
  return std::nullopt;
}

// Address by address, until one lets us in.
asio::awaitable<TcpCheck::Streamed> TcpCheck::connect(Instant until, CheckResult& result) {
  const Instant begun = io_.now();
  auto found = co_await io_.resolve(place_.host, family_, until);
  if (!found) co_return fail(found.error());
  if (found->size() != 1 || (*found)[0].text != place_.host) put(result, Phase::resolve, io_.now() - begun);
  const io::TlsSettings* tls = tls_ ? &*tls_ : nullptr;
  Error last;
  for (size_t i = 0; i < found->size(); ++i) {
    // What is left is shared by those that are left: one that does not answer must not cost the others their turn.
    const Instant now = io_.now();
    const Instant share = now + (until - now) / static_cast<int>(found->size() - i);
    const io::Address address = (*found)[i];
    auto stream = co_await io_.connect(address, place_.port, tls, share);
    if (stream) {
      put(result, Phase::connect, (*stream)->connect_took());
      if (tls) put(result, Phase::tls, (*stream)->tls_took());
      co_return std::move(*stream);
    }
    last = stream.error();
    if (last.code == ErrorCode::cancelled || is_own_fault(last.code)) break;
  }
  co_return fail(std::move(last));
}

asio::awaitable<Result<void>> TcpCheck::listen(io::Stream& stream, Instant until, CheckResult& result) {
  std::string& got = result.evidence;
  // All that came is searched after each read: large reads and a small max_bytes bound that to a few milliseconds.
  std::array<char, 16 * 1024> space{};
  const Instant begun = io_.now();
  Instant first{};
  while (const auto lacking = missing(got)) {
    const auto came = [&] { return "expected " + *lacking + "; what came is " + excerpt(got); };
    if (got.size() >= max_bytes_) {
      co_return fail(ErrorCode::too_large,
                     "no match within max_bytes, " + std::to_string(max_bytes_) + " bytes: " + came());
    }
    const std::span<char> rest(space.data(), std::min(space.size(), max_bytes_ - got.size()));
    auto read = co_await stream.read(rest, until);
    if (!read && read.error().code == ErrorCode::timeout) {
      co_return fail(ErrorCode::timeout, "connected, but the answer was not complete before the deadline: " + came());
    }
    if (!read) co_return fail(read.error());
    if (*read == 0) co_return fail(ErrorCode::wrong_body, "the peer closed the connection: " + came());
    result.received = std::max(io_.now() - stream.waited(), result.sent);
    if (first == Instant{}) {
      first = result.received;
      put(result, Phase::wait, first - begun);
    }
    put(result, Phase::receive, result.received - first);
    got.append(rest.data(), *read);
  }
  co_return Result<void>();
}

asio::awaitable<CheckResult> TcpCheck::run(RunContext& context) {
  CheckResult result;
  const Instant until = context.deadline;
  const std::string text = send_.render(context);
  const auto fail_with = [&](const Error& error) {
    result.outcome = outcome_of(error.code);
    if (!text.empty()) result.delivery = delivery_after(error.code);
    if (context.polling && error.code == ErrorCode::wrong_body) result.outcome = Outcome::not_yet;
    result.error = {error.code, "tcp " + address_ + ": " + error.text};
  };
  auto stream = co_await connect(until, result);
  if (!stream) {
    fail_with(stream.error());
    co_return result;
  }
  result.certificate_expiry = (*stream)->certificate_expiry();
  result.sent = result.received = io_.now();
  if (!text.empty()) {
    auto sent = co_await (*stream)->write(text, until);
    if (!sent) {
      fail_with(sent.error());
      co_return result;
    }
    put(result, Phase::send, io_.now() - result.sent);
  }
  io::Stream& open = **stream;
  auto heard = co_await listen(open, until, result);
  if (!heard) {
    fail_with(heard.error());
    co_return result;
  }
  result.outcome = Outcome::held;
  if (!text.empty()) result.delivery = expects_something() ? Delivery::acked : Delivery::unknown;
  co_return result;
}

}  // namespace

const config::Block& tcp_block() {
  return kBlock;
}

Result<std::unique_ptr<Check>> make_tcp(const config::Values& settings, io::Io& io) {
  if (settings.has("tls")) {
    if (auto readable = check_tls_files(tls_settings(settings.block("tls"))); !readable) return fail(readable.error());
  }
  return std::make_unique<TcpCheck>(settings, io);
}

}  // namespace slosonde::checks
