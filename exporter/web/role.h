// The sites of the three roles: what each listener serves, to whom.
#pragma once

#include <functional>

#include "exporter/web/basic_auth.h"
#include "exporter/web/commands.h"
#include "exporter/web/hook_registry.h"
#include "exporter/web/options.h"
#include "exporter/web/site.h"
#include "exporter/web/trouble.h"
#include "exporter/web/views.h"
#include "probe/base/secret.h"

namespace slosonde::exporter {

// What a role offers; what is null is not there.
struct RoleParts {
  Views* views = nullptr;
  WebHooks* hooks = nullptr;
  Commands* commands = nullptr;
  Secret token;  // demanded for everything; empty: not
  // A Host that is a name is refused (see names_host_by_address), but for hooks: what those say proves itself, and
  // their senders may know us by any name.
  bool own_host_only = false;
  // Users and passwords, demanded for all but hooks; null: not.
  BasicAuth* users = nullptr;
  // Does work of other threads on the web thread; what it is given after the server's end is not done.
  std::function<void(std::function<void()>)> on_web_thread;
};

// Web thread.
class Role final : public Site {
 public:
  Role(RoleParts parts, const WebLimits& limits, Trouble& trouble);

  Admission admit(const RequestHead& head) override;
  void answer(Request request, Reply reply) override;
  void gave_up(const RequestHead& head, int status) override;
  void turned_away(TurnedAway why) override;

 private:
  bool is_view(const RequestHead& head) const;
  bool is_command(const RequestHead& head) const;
  bool is_hook(const RequestHead& head) const;
  Admission consider(const RequestHead& head);
  // Whether the caller must still be asked who it is, which the head alone cannot tell quickly.
  bool is_stranger(const RequestHead& head) const;
  std::optional<Response> refuse_anonymous(const RequestHead& head) const;
  void log_in(Request request, Reply reply);
  void pass_on(Request request, Reply reply);
  Response mistake(std::string_view what, bool of_hook);
  std::optional<Response> refuse(const RequestHead& head) const;
  Response not_found(const RequestHead& head) const;

  RoleParts parts_;
  const WebLimits& limits_;
  Trouble& trouble_;
};

}  // namespace slosonde::exporter
