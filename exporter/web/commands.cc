#include "exporter/web/commands.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <mutex>
#include <utility>

#include "exporter/web/json_parts.h"
#include "exporter/web/orders.h"
#include "exporter/web/problem.h"
#include "exporter/web/quote.h"

namespace slosonde::exporter {

namespace asio = boost::asio;
namespace json = boost::json;

// The way back from the engine thread, for as long as there is a web thread.
struct Commands::Bridge {
  std::mutex mutex;
  asio::io_context* context = nullptr;

  void post(std::function<void()> task) {
    const std::lock_guard lock(mutex);
    if (context) asio::post(*context, std::move(task));
  }
};

namespace {

constexpr std::string_view kTrigger = "/api/v1/trigger";
constexpr std::string_view kReload = "/-/reload";

// A command under way: the first of the engine's answer and the deadline replies. Web thread.
struct Pending {
  Pending(asio::io_context& context, Reply to) : timer(context), reply(std::move(to)) {}
  asio::steady_timer timer;
  Reply reply;

  void finish(Response response) {
    if (!reply) return;
    timer.cancel();
    std::exchange(reply, nullptr)(std::move(response));
  }
};

// A function of its own, not inlined: g++ 12 otherwise warns of bounds it has imagined.
[[gnu::noinline]] tl::unexpected<Error> wrong_body(std::string_view why) {
  std::string text(why);
  text.append("; send {\"transaction\": \"<name>\"}.");
  return fail(ErrorCode::malformed, std::move(text));
}

Result<std::string> transaction_of(const std::string& body) {
  boost::system::error_code code;
  json::parse_options options;
  options.max_depth = 4;
  const json::value value = json::parse(body, code, {}, options);
  if (code) return wrong_body("The body is no JSON (" + code.message() + ")");
  if (!value.is_object()) return wrong_body("The body is no JSON object");
  for (const auto& member : value.get_object()) {
    if (member.key() != "transaction") return wrong_body("There is no parameter " + quote(member.key()));
  }
  const json::value* name = value.get_object().if_contains("transaction");
  if (!name || !name->is_string()) return wrong_body("The transaction's name is missing");
  return std::string(name->get_string().c_str(), name->get_string().size());
}

Response started_answer(const Result<std::string>& started) {
  if (started) {
    json::object body{{"run", *started}, {"url", "/api/v1/runs/" + *started}};
    return json_answer(body, 202);
  }
  switch (started.error().code) {
    case ErrorCode::bad_config:
      return problem(404, started.error().text);
    case ErrorCode::busy:
    case ErrorCode::cancelled:
      return problem(503, started.error().text);
    default:
      return problem(500, started.error().text);
  }
}

bool is_one_exclusion(std::string_view path) {
  return path.starts_with(kExclusions) && path.size() > kExclusions.size() && path[kExclusions.size()] == '/';
}

Response refusal(const Error& error) {
  switch (error.code) {
    case ErrorCode::malformed:
      return problem(400, error.text);
    case ErrorCode::bad_config:
      return problem(404, error.text);
    case ErrorCode::rejected:
      return problem(409, error.text);
    case ErrorCode::busy:
    case ErrorCode::cancelled:
      return problem(503, error.text);
    default:
      return problem(500, error.text);
  }
}

Response declared_answer(const Result<void>& done) {
  return done ? json_answer(json::object{{"url", kExclusions}}, 201) : refusal(done.error());
}

Response done_answer(const Result<void>& done) {
  return done ? json_answer(json::object{{"done", true}}) : refusal(done.error());
}

Response reload_answer(const ReloadOutcome& outcome) {
  if (!outcome.error) {
    json::array changes;
    for (const std::string& one : outcome.lines) changes.push_back(json_text(one));
    return json_answer(json::object{{"changes", std::move(changes)}});
  }
  const int status = outcome.error.code == ErrorCode::busy         ? 409
                     : outcome.error.code == ErrorCode::bad_config ? 422
                                                                   : 503;
  return problem(status, outcome.error.text, outcome.lines);
}

}  // namespace

Commands::Commands(asio::io_context& context, const WebOptions& options, const WebSources& sources)
    : options_(options), sources_(sources), bridge_(std::make_shared<Bridge>()) {
  bridge_->context = &context;
}

Commands::~Commands() {
  stop();
}

void Commands::stop() {
  const std::lock_guard lock(bridge_->mutex);
  bridge_->context = nullptr;
}

bool Commands::serves(const RequestHead& head) {
  const std::string_view path = head.path;
  if (path == kExclusions) return head.method != "GET" && head.method != "HEAD";
  return path == kTrigger || path == kReload || path == kSuspend || path == kResume || is_one_exclusion(path);
}

std::string_view Commands::method_of(std::string_view path) {
  return is_one_exclusion(path) ? "DELETE" : path == kExclusions ? "GET, HEAD, POST" : "POST";
}

std::optional<Response> Commands::refuse(const RequestHead& head) const {
  // A browser sends JSON to another site only after asking, and nobody here says yes to that.
  const std::string* type = head.header("content-type");
  const bool has_body = head.path == kTrigger || head.path == kExclusions;
  if (!has_body) {
    // It has no body, and so a browser asks nobody before it sends it; but it says from where.
    if (head.header("origin") && head.header("sec-fetch-site") == nullptr)
      return problem(403, "Commands are not taken from pages of other sites.");
  } else if (!type || !type->starts_with("application/json")) {
    return problem(415, "Commands are JSON: send Content-Type: application/json.");
  }
  const std::string* site = head.header("sec-fetch-site");
  if (site && *site != "same-origin" && *site != "none") {
    return problem(403, "Commands are not taken from pages of other sites.");
  }
  return {};
}

template <class Outcome, class Start>
void Commands::await(Duration patience, Reply reply, Response (*answer)(const Outcome&), Start start) {
  asio::io_context* context = nullptr;
  {
    const std::lock_guard lock(bridge_->mutex);
    context = bridge_->context;
  }
  if (!context) return reply(problem(503, "The probe is stopping."));
  const auto pending = std::make_shared<Pending>(*context, std::move(reply));
  pending->timer.expires_after(patience);
  pending->timer.async_wait([pending](const boost::system::error_code& code) {
    if (!code) {
      pending->finish(problem(503, "The engine has not taken the command in time; it may yet. See /-/healthy."));
    }
  });
  // Weak: the engine's copy must not keep the timer beyond its context.
  start([bridge = bridge_, weak = std::weak_ptr(pending), answer](Outcome outcome) {
    bridge->post([weak, answer, outcome = std::move(outcome)] {
      if (const auto alive = weak.lock()) alive->finish(answer(outcome));
    });
  });
}

void Commands::answer(const Request& request, Reply reply) {
  if (request.head.path == kReload) {
    return await<ReloadOutcome>(options_.limits.reload, std::move(reply), reload_answer,
                                [&](auto done) { sources_.reload(std::move(done)); });
  }
  if (request.head.path == kExclusions)
    return carry_out(exclusion_order(request.body), std::move(reply), declared_answer);
  if (is_one_exclusion(request.head.path))
    return carry_out(end_order(request.head.path), std::move(reply), done_answer);
  if (request.head.path != kTrigger) return carry_out(suspend_order(request.head), std::move(reply), done_answer);
  const auto transaction = transaction_of(request.body);
  if (!transaction) return reply(problem(400, transaction.error().text));
  await<Result<std::string>>(options_.limits.trigger, std::move(reply), started_answer,
                             [&](auto done) { sources_.trigger(*transaction, std::move(done)); });
}

template <class Order>
void Commands::carry_out(Result<Order> order, Reply reply, Response (*answer)(const Result<void>&)) {
  if (!order) return reply(refusal(order.error()));
  await<Result<void>>(options_.limits.trigger, std::move(reply), answer,
                      [&](auto done) { sources_.command(std::move(*order), std::move(done)); });
}

}  // namespace slosonde::exporter
