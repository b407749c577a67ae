// The sites of the three roles: what each listener serves, to whom.
#pragma once

#include <functional>

#include "exporter/web/commands.h"
#include "exporter/web/hook_registry.h"
#include "exporter/web/options.h"
#include "exporter/web/site.h"
#include "exporter/web/views.h"
#include "probe/base/secret.h"

namespace slosonde::exporter {

// What a role offers; what is null is not there.
struct RoleParts {
  Views* views = nullptr;
  WebHooks* hooks = nullptr;
  Commands* commands = nullptr;
  Secret token;                // demanded for everything; empty: not
  bool own_host_only = false;  // a Host that is a name is refused (see names_host_by_address)
};

// Web thread.
class Role final : public Site {
 public:
  Role(RoleParts parts, const WebLimits& limits);

  Admission admit(const RequestHead& head) override;
  void answer(Request request, Reply reply) override;
  void gave_up(const RequestHead& head, int status) override;

 private:
  bool is_view(const RequestHead& head) const;
  bool is_command(const RequestHead& head) const;
  bool is_hook(const RequestHead& head) const;
  std::optional<Response> refuse(const RequestHead& head) const;
  Response not_found(const RequestHead& head) const;

  RoleParts parts_;
  const WebLimits& limits_;
};

}  // namespace slosonde::exporter
