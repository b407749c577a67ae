#include <string>

#include "probe/config/network.h"
#include "probe/config/rules.h"

namespace slosonde::config {
namespace {

// A listener binds to an address of this machine; a name may mean another one tomorrow.
void check_address(const Values& listener, Problems& problems) {
  if (!listener.has("address")) return;
  const std::optional<HostPort> address = parse_address(listener.text("address"));
  if (!address || address->is_unix || address->host == "localhost" || is_numeric_host(address->host)) return;
  problems.add(listener.position("address"), listener.path("address"),
               called(listener, "address") +
                   " begins with a name; listen on a numeric address (127.0.0.1, 0.0.0.0, [::]) or localhost",
               Rule::listener_address);
}

// Names would have to be resolved first, and a silent name server is not the network.
void check_witness(const Values& probe, Problems& problems) {
  constexpr std::string_view kScheme = "tcp://";
  const std::vector<std::string>& all = probe.texts("witness");
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string_view text = all[i];
    const bool is_tcp = text.starts_with(kScheme);
    const auto address = is_tcp ? parse_address(text.substr(kScheme.size())) : std::nullopt;
    if (address && !address->is_unix && address->port > 0 && is_numeric_host(address->host)) continue;
    problems.add(probe.position("witness"), join_index(probe.path("witness"), i),
                 "no numeric address with its port; write it as tcp://10.0.0.1:443 or tcp://[fd00::1]:443",
                 Rule::bad_witness);
  }
}

bool same_place(const Values& a, const Values& b) {
  if (!a.has("address") || !b.has("address") || a.text("address") != b.text("address")) return false;
  return !a.text("address").ends_with(":0");  // each takes a free port of its own
}

void check_clashes(const Values& listen, const Values& hooks, const Values& admin, Problems& problems) {
  if (same_place(hooks, listen))
    problems.add(hooks.position("address"), hooks.path("address"),
                 "is the address of `listen`; give hooks their own, or remove the key to receive them on `listen`",
                 Rule::listeners_clash);
  if (same_place(admin, listen) || same_place(admin, hooks))
    problems.add(admin.position("address"), admin.path("address"),
                 "is the address of another listener; commands need their own", Rule::listeners_clash);
}

void check_hooks(const Values& listen, const Values& hooks, bool is_given, Problems& problems) {
  const bool guarded = hooks.has("token") || hooks.has("hmac_key") || !Builder::is_complete(hooks);
  if (hooks.has("address") && !is_local(hooks.text("address")) && !guarded)
    problems.add(hooks.position("address"), hooks.path("address"),
                 "other machines reach this address, and anybody could send; add `token_file` or `hmac_key_file`, or "
                 "listen on 127.0.0.1",
                 Rule::hooks_open);
  if (is_given && !hooks.has("address") && Builder::is_complete(hooks) && listen.has("address") &&
      !is_local(listen.text("address")))
    problems.add(hooks.position(), hooks.path(),
                 "hooks have no place: `listen` is not loopback, so they need an `address` of their own",
                 Rule::hooks_open);
  if (hooks.has("external_url") && !hooks.text_template("external_url").is_constant())
    problems.add(hooks.position("external_url"), hooks.path("external_url"),
                 "holds a placeholder, which is not filled in here; write the whole URL", Rule::hooks_url);
}

void check_admin(const Values& admin, Problems& problems) {
  if (!Builder::is_complete(admin)) return;
  if (admin.has("address") && !is_local(admin.text("address")) && !admin.has("token"))
    problems.add(admin.position("address"), admin.path("address"),
                 "other machines reach this address, and anybody could command the probe; add `token_file`, or listen "
                 "on 127.0.0.1 or a unix socket",
                 Rule::admin_open);
  if (admin.has("token") && !admin.has("address"))
    problems.add(admin.position("token"), admin.path("token"),
                 "has no effect without `address`: no commands are taken; add the address, or remove this",
                 Rule::admin_unused);
}

}  // namespace

void check_probe(const Values& probe, const Source& source, Problems& problems) {
  check_witness(probe, problems);
  if (probe.has("state") && !probe.has("name") && Builder::is_complete(probe))
    problems.add(probe.position("state"), probe.path("state"),
                 "what is kept is of no use to a probe of another name, and a host's name may change; add `name`",
                 Rule::state_needs_name);
  if (probe.has("state") && !probe.has("key") && Builder::is_complete(probe))
    problems.add(
        probe.position("state"), probe.path("state"),
        "what is kept is of no use without `key`: the runs in it would be foreign after a restart; add `key_file`",
        Rule::state_needs_key);
  const bool named = probe.has("name");
  if (!named && !Builder::is_complete(probe)) return;
  const std::string& name = named ? probe.text("name") : source.hostname;
  bool printable = !name.empty();
  for (const char c : name) printable &= static_cast<unsigned char>(c) > 0x20 && c != 0x7F;
  if (printable) return;
  problems.add(probe.position("name"), probe.path("name"),
               named ? "a name without blanks and control characters is expected, as kr-a-1"
                     : "the host has no name to take; give the probe one, as kr-a-1",
               Rule::probe_name);
}

void check_listeners(const Values& root, Problems& problems) {
  if (!root.has("listen") || !root.has("hooks") || !root.has("admin")) return;
  const Values& listen = root.block("listen");
  const Values& hooks = root.block("hooks");
  const Values& admin = root.block("admin");
  for (const Values* listener : {&listen, &hooks, &admin}) check_address(*listener, problems);
  check_clashes(listen, hooks, admin, problems);
  check_hooks(listen, hooks, Builder::is_given(root, "hooks"), problems);
  check_admin(admin, problems);
}

}  // namespace slosonde::config
