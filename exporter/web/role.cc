#include "exporter/web/role.h"

#include <exception>
#include <utility>

#include "exporter/web/host.h"
#include "exporter/web/problem.h"
#include "exporter/web/quote.h"
#include "probe/io/hook_proof.h"

namespace slosonde::exporter {
namespace {

Response wrong_method(const RequestHead& head, const std::string& allowed) {
  Response response = problem(405, quote(head.path) + " takes " + allowed + ", not " + quote(head.method) + ".");
  response.headers.emplace_back("Allow", allowed);
  return response;
}

Response unauthorised(std::string_view detail) {
  Response response = problem(401, detail);
  response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"slosonde\", charset=\"UTF-8\"");
  return response;
}

}  // namespace

Role::Role(RoleParts parts, const WebLimits& limits, Trouble& trouble)
    : parts_(std::move(parts)), limits_(limits), trouble_(trouble) {}

bool Role::is_command(const RequestHead& head) const {
  return parts_.commands && Commands::serves(head);
}

bool Role::is_view(const RequestHead& head) const {
  return parts_.views && !is_command(head) && Views::serves(head.path);
}

bool Role::is_hook(const RequestHead& head) const {
  return parts_.hooks && !is_view(head) && !is_command(head) && (head.method == "POST" || head.method == "PUT");
}

bool Role::is_stranger(const RequestHead& head) const {
  if (parts_.users == nullptr || is_hook(head)) return false;
  const auto credentials = basic_credentials(head);
  return !credentials || !parts_.users->remembers(*credentials);
}

std::optional<Response> Role::refuse_anonymous(const RequestHead& head) const {
  if (basic_credentials(head)) return {};  // answer() looks at them
  return unauthorised("This listener needs a user and a password of its web_config (Authorization: Basic …).");
}

std::optional<Response> Role::refuse(const RequestHead& head) const {
  if (!parts_.token.empty() && !io::bears_token(head.headers, parts_.token)) {
    Response response = problem(401, "This listener needs the token of admin.token_file (Authorization: Bearer …).");
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"slosonde admin\"");
    return response;
  }
  if (parts_.own_host_only && !is_hook(head) && !names_host_by_address(head)) {
    return problem(
        403,
        "Call this listener by its address or as localhost; it has no other name. A proxy before it must send "
        "the address as Host.");
  }
  if (is_command(head)) {
    const std::string_view method = Commands::method_of(head.path);
    if (!method.ends_with(head.method)) return wrong_method(head, std::string(method));
    return parts_.commands->refuse(head);
  }
  if (is_view(head)) {
    // Commands are looked for here first: say where they are.
    if (Commands::serves(head)) return not_found(head);
    if (head.method != "GET" && head.method != "HEAD") return wrong_method(head, "GET, HEAD");
    return {};
  }
  if (parts_.hooks && !is_hook(head) && !parts_.views) return wrong_method(head, "POST, PUT");
  if (!is_hook(head)) return not_found(head);
  return {};
}

Response Role::not_found(const RequestHead& head) const {
  if (Commands::serves(head)) {
    return problem(404, quote(head.path) +
                            " is not served here. Commands are taken on the admin listener alone: set admin: "
                            "{address: …} in the configuration, and call that.");
  }
  return problem(404, "There is no " + quote(head.path) +
                          " here; there are /, /metrics, /-/healthy, /-/ready and /api/v1/{status,slos,transactions,"
                          "runs,runs/<id>,exclusions,config}.");
}

Admission Role::admit(const RequestHead& head) {
  try {
    return consider(head);
  } catch (const std::exception& thrown) {
    return {0, false, mistake(thrown.what(), is_hook(head))};
  }
}

void Role::answer(Request request, Reply reply) {
  const bool of_hook = is_hook(request.head);
  try {
    if (is_stranger(request.head)) return log_in(std::move(request), std::move(reply));
    pass_on(std::move(request), reply);
  } catch (const std::exception& thrown) {
    reply(mistake(thrown.what(), of_hook));
  }
}

Response Role::mistake(std::string_view what, bool of_hook) {
  trouble_.caught(WebThread::web, what);
  if (of_hook) parts_.hooks->broke(HookBreak::exception);
  return problem(500, "slosonde made a mistake of its own here, or has no memory left; its log says more.");
}

Admission Role::consider(const RequestHead& head) {
  if (is_stranger(head)) return {limits_.body_bytes, false, refuse_anonymous(head)};
  Admission admission{limits_.body_bytes, false, refuse(head)};
  if (!admission.refusal && is_hook(head)) return parts_.hooks->admit(head);
  return admission;
}

// A password that has not been right before takes a while, on another thread; the caller waits.
void Role::log_in(Request request, Reply reply) {
  auto credentials = basic_credentials(request.head);
  if (!credentials) return reply(unauthorised("The Authorization header is not well-formed."));
  struct Call {
    Request request;
    Reply reply;
  };
  const auto call = std::make_shared<Call>(Call{std::move(request), std::move(reply)});
  auto go_on = [this, call](BasicAuth::Verdict verdict) {
    if (verdict == BasicAuth::Verdict::wrong)
      return call->reply(unauthorised("No such user has that password in the web_config."));
    if (verdict == BasicAuth::Verdict::too_many) {
      Response busy = problem(503, "Too many passwords wait to be checked; come again.");
      busy.headers.emplace_back("Retry-After", "1");
      return call->reply(std::move(busy));
    }
    try {
      if (auto refusal = refuse(call->request.head)) return call->reply(std::move(*refusal));
      pass_on(std::move(call->request), call->reply);
    } catch (const std::exception& thrown) {
      call->reply(mistake(thrown.what(), false));
    }
  };
  parts_.users->check(std::move(*credentials),
                      [post = parts_.on_web_thread, go_on = std::move(go_on)](BasicAuth::Verdict verdict) mutable {
                        // Moved, for the last copy holds the connection, which ends on its own thread.
                        post([go_on = std::move(go_on), verdict] { go_on(verdict); });
                      });
}

void Role::pass_on(Request request, Reply reply) {
  if (is_command(request.head)) return parts_.commands->answer(request, std::move(reply));
  if (is_hook(request.head)) return reply(parts_.hooks->deliver(std::move(request)));
  auto response = parts_.views ? parts_.views->answer(request.head) : std::nullopt;
  reply(response ? std::move(*response) : not_found(request.head));
}

void Role::gave_up(const RequestHead& head, int status) {
  if (!is_hook(head)) return;
  switch (status) {
    case 408:
      return parts_.hooks->count(HookResult::timeout);
    case 413:
      return parts_.hooks->count(HookResult::too_large);
    case 503:
      parts_.hooks->count(HookResult::overflow);
      return parts_.hooks->broke(HookBreak::bodies);
    default:
      return parts_.hooks->count(HookResult::malformed);
  }
}

void Role::turned_away(TurnedAway why) {
  if (!parts_.hooks) return;
  parts_.hooks->broke(why == TurnedAway::connections ? HookBreak::connections : HookBreak::no_descriptors);
}

}  // namespace slosonde::exporter
