#include "checks/webhook.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "checks/webhook_body.h"
#include "probe/io/hook_proof.h"

namespace slosonde::checks {
namespace {

using config::Key;
using config::Type;
using std::chrono::milliseconds;

constexpr Duration kTick = milliseconds(250);
// So many questions without an answer: the listener is held up. Where the whole process stood still it is one.
constexpr int kUnanswered = 8;
// After a break the sight must have held for so long before anything is covered again: a flood breaks it at every turn.
constexpr Duration kCalm = std::chrono::seconds(1);

constexpr std::array<std::string_view, 4> kFormats = {"auto", "alertmanager", "json", "text"};

const std::array<Key, 4> kKeys = {{
    {.name = "path", .type = Type::text, .help = "Where it listens, below the address of `hooks`.", .required = true},
    {.name = "format",
     .type = Type::choice,
     .help = "What is sent: alertmanager reads firing and resolved for each alert, json each element of an array.",
     .fallback = "auto",
     .choices = kFormats},
    {.name = "token",
     .type = Type::secret,
     .help = "A bearer token that senders must show here, besides what `hooks` asks of all."},
    {.name = "hmac_key",
     .type = Type::secret,
     .help = "A key with which senders may sign the body instead (X-Slosonde-Signature or X-Hub-Signature-256)."},
}};

void rule(const config::Values& settings, config::Problems& problems) {
  const std::string& path = settings.text("path");
  if (path.starts_with('/') && path.find_first_of("?# \t\r\n") == std::string::npos) return;
  problems.add(
      settings.position("path"), settings.path("path"),
      "`" + path + "` is no path; write one that begins with /, without blanks, ? and #, such as /hooks/alert");
}

// What a running watch knows. Engine thread; the inbox's tasks hold it weakly.
class Listening : public std::enable_shared_from_this<Listening> {
 public:
  Listening(std::string path, HookFormat format, io::Io& io, io::HookRegistry& hooks)
      : path_(std::move(path)), format_(format), io_(io), hooks_(hooks) {}

  void begin(WatchSink& sink) {
    sink_ = &sink;
    told_ = false;
    unanswered_ = 0;
    from_ = answered_ = io_.now();
    if (hooks_.listening_since()) sink.covered(from_, from_);
  }
  void end() { sink_ = nullptr; }

  void take(const io::HookRequest& request);
  void tick(io::HookRegistration& registration);

 private:
  void vouched(const io::HookSight& sight);
  void blind(Instant until, ErrorCode code, const std::string& why);

  const std::string path_;
  const HookFormat format_;
  io::Io& io_;
  io::HookRegistry& hooks_;
  WatchSink* sink_ = nullptr;  // null: nobody watches
  Instant from_{};             // covered up to here
  Instant answered_{};         // when the listener last answered
  int unanswered_ = 0;         // questions since
  bool told_ = false;          // that it is out of sight
};

void Listening::take(const io::HookRequest& request) {
  if (sink_ == nullptr) return;
  split_hook(format_, request.body, [&](const HookPiece& piece) {
    Evidence evidence;
    evidence.text = piece.text;
    evidence.item = piece.item;
    evidence.phase = piece.phase;
    evidence.seen_lo = request.not_before;
    evidence.seen_hi = request.received;
    evidence.may_be_again = true;
    sink_->evidence(evidence);
  });
}

void Listening::tick(io::HookRegistration& registration) {
  const Instant now = io_.now();
  if (!hooks_.listening_since()) {
    answered_ = now;
    unanswered_ = 0;
    return blind(now, ErrorCode::io_failed, "nothing listens on " + hooks_.url() + " at the moment");
  }
  // Nothing is claimed meanwhile, so nothing more is lost by this than the news that nobody looks.
  if (++unanswered_ > kUnanswered)
    blind(from_, ErrorCode::busy,
          "the listener on " + hooks_.url() + " is held up and has taken nothing in for " +
              format_duration(std::chrono::floor<std::chrono::seconds>(now - answered_)));
  registration.ask([weak = weak_from_this()](const io::HookSight& sight) {
    if (const auto self = weak.lock()) self->vouched(sight);
  });
}

void Listening::vouched(const io::HookSight& sight) {
  if (sink_ == nullptr) return;
  answered_ = io_.now();
  unanswered_ = 0;
  if (sight.from > from_) {
    const bool known = static_cast<bool>(sight.broken);
    blind(sight.from, known ? sight.broken.code : ErrorCode::io_failed,
          known ? sight.broken.text : "the listener on " + hooks_.url() + " had to begin anew");
  }
  if (sight.until <= from_ || (told_ && sight.until - sight.from < kCalm)) return;
  sink_->covered(from_, sight.until);
  from_ = sight.until;
  told_ = false;
}

void Listening::blind(Instant until, ErrorCode code, const std::string& why) {
  from_ = until;
  if (std::exchange(told_, true)) return;
  if (sink_ != nullptr) sink_->out_of_sight({code, "webhook " + path_ + ": " + why});
}

class WebhookWatch final : public Watch {
 public:
  WebhookWatch(io::Io& io, std::shared_ptr<Listening> listening, std::unique_ptr<io::HookRegistration> registration)
      : io_(io), listening_(std::move(listening)), registration_(std::move(registration)) {}

  boost::asio::awaitable<Error> watch(WatchSink& sink) override;

 private:
  // Ends the hand-over with the coroutine, however that ends.
  struct Session {
    Session(Listening& to, WatchSink& sink) : listening(to) { listening.begin(sink); }
    ~Session() { listening.end(); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    Listening& listening;
  };

  io::Io& io_;
  std::shared_ptr<Listening> listening_;
  std::unique_ptr<io::HookRegistration> registration_;
};

boost::asio::awaitable<Error> WebhookWatch::watch(WatchSink& sink) {
  const Session session(*listening_, sink);
  for (;;) {
    const Instant next = io_.now() + kTick;
    listening_->tick(*registration_);
    co_await io_.sleep_until(next);
    if (io_.now() < next) break;  // woken early: cancelled
  }
  Error error{ErrorCode::cancelled, "the webhook watch was stopped"};
  co_return error;
}

}  // namespace

const config::Block& webhook_block() {
  static const config::Block block{.name = "webhook watch",
                                   .help = "Takes what the pipeline sends to a path of the probe's own.",
                                   .keys = kKeys,
                                   .rule = rule};
  return block;
}

Result<std::unique_ptr<Watch>> make_webhook(const config::Values& settings, io::Io& io) {
  const std::string& path = settings.text("path");
  io::HookRegistry* hooks = io.hooks();
  if (hooks == nullptr)
    return fail(ErrorCode::bad_config,
                "nothing listens for the webhook " + path + "; add hooks: {address: \"127.0.0.1:9466\"}");
  auto listening =
      std::make_shared<Listening>(path, hook_format(settings.text("format")).value_or(HookFormat::any), io, *hooks);
  io::HookRegistry::Authorise authorise;
  auto proof = std::make_shared<const io::HookProof>(settings.secret("token"), settings.secret("hmac_key"));
  if (proof->demanded()) {
    authorise = [proof](const io::HookRequest& request) -> Result<void> {
      if (proof->holds(request.headers, request.body)) return {};
      return fail(ErrorCode::unauthorised, "The webhook " + request.path + " asks for " + proof->ways() +
                                               ", and this request's is missing or wrong.");
    };
  }
  auto registration =
      hooks->listen(path, std::move(authorise), [weak = std::weak_ptr(listening)](const io::HookRequest& request) {
        if (const auto self = weak.lock()) self->take(request);
      });
  if (!registration) return fail(std::move(registration).error());
  return std::make_unique<WebhookWatch>(io, std::move(listening), std::move(*registration));
}

}  // namespace slosonde::checks
