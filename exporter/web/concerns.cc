// What somebody should know before believing that all is well: at the head of the page, in /api/v1/status and in
// `slosonde status`.
#include <algorithm>
#include <chrono>

#include "exporter/web/api.h"

namespace slosonde::exporter {
namespace {

constexpr Duration kRecent = std::chrono::minutes(10);  // a refused call that is older is history

std::string for_so_long(Duration span) {
  return format_duration(std::chrono::ceil<std::chrono::seconds>(std::max(span, Duration::zero())));
}

std::string counted(uint64_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

void bad_transactions(const engine::Snapshot& snapshot, std::vector<std::string>& out) {
  for (size_t i = 0; i < snapshot.transactions.size() && i < snapshot.plan->transactions.size(); ++i) {
    const auto& spell = snapshot.transactions[i].bad_spell;
    if (!spell) continue;
    out.push_back(snapshot.plan->transactions[i].name + " has been bad for " + for_so_long(snapshot.at - spell->since) +
                  " (" + counted(spell->runs, "run") + "): " + spell->what);
  }
}

void suspended(const engine::Snapshot& snapshot, std::vector<std::string>& out) {
  for (size_t i = 0; i < snapshot.transactions.size() && i < snapshot.plan->transactions.size(); ++i) {
    const auto& since = snapshot.transactions[i].suspended_since;
    if (!since) continue;
    out.push_back("The transaction " + snapshot.plan->transactions[i].name + " is suspended since " +
                  format_utc(*since + snapshot.wall_offset) + ": its slots are missed until it is resumed.");
  }
}

void active_exclusions(const engine::Snapshot& snapshot, std::vector<std::string>& out) {
  for (const engine::ExclusionStatus& one : snapshot.exclusions) {
    if (!one.active || !one.next) continue;
    out.push_back("The exclusion " + one.name + " is active until " + format_utc(one.next->to) +
                  ": what it covers counts in no SLI and not in coverage.");
  }
}

void silent_witnesses(const engine::Snapshot& snapshot, std::vector<std::string>& out) {
  if (snapshot.witnesses.empty()) return;
  const auto failed = [](const std::optional<bool>& one) { return one == false; };
  if (snapshot.silent_since) {
    out.push_back("No witness has answered since " + format_utc(*snapshot.silent_since + snapshot.wall_offset) +
                  ": our own network is down, and what cannot be reached is our fault.");
  } else if (std::ranges::all_of(snapshot.witnesses, failed)) {
    out.emplace_back("No witness has ever answered: what cannot be reached is taken to be down itself.");
  }
}

// An alert that nobody could deliver to us looks like one that never came.
void refused_calls(const HooksView& hooks, Instant now, std::vector<std::string>& out) {
  for (const RefusedCalls& one : hooks.refused) {
    if (one.path.empty() || now - one.last > kRecent) continue;
    out.push_back(counted(one.count, "call") + " of the webhook " + one.path + (one.count == 1 ? " was" : " were") +
                  " refused, the last one " + for_so_long(now - one.last) + " ago: " + one.why);
  }
}

void broken_way_in(const engine::Snapshot& snapshot, const HooksView& hooks, std::vector<std::string>& out) {
  if (!hooks.way_in) return;
  if (hooks.way_in->has_worked) {
    out.push_back("Webhooks are out of our sight since " + format_utc(hooks.way_in->worked_at + snapshot.wall_offset) +
                  ": the way in from outside is broken: " + hooks.way_in->why + ".");
  } else {
    out.push_back("The way in from outside has never worked, and excuses nothing: " + hooks.way_in->why + ".");
  }
}

void lost_state(const engine::Snapshot& snapshot, std::vector<std::string>& out) {
  if (!snapshot.state) return;
  if (!snapshot.state->writable)
    out.push_back("What is to survive a restart cannot be written: " + snapshot.state->error);
  if (snapshot.state->moved_aside > 0)
    out.push_back("A damaged state file was moved aside, and what it had counted is not in these figures: " +
                  snapshot.state->last_aside);
}

}  // namespace

std::vector<std::string> concerns_of(const engine::Snapshot& snapshot, const HooksView& hooks, Instant now) {
  std::vector<std::string> out;
  silent_witnesses(snapshot, out);
  bad_transactions(snapshot, out);
  refused_calls(hooks, now, out);
  broken_way_in(snapshot, hooks, out);
  suspended(snapshot, out);
  active_exclusions(snapshot, out);
  lost_state(snapshot, out);
  if (snapshot.config && !snapshot.config->reload_succeeded)
    out.emplace_back(
        "The configuration could not be reloaded, and the one before goes on: the file as it is would keep the probe "
        "from starting again. `slosonde validate` says what is wrong with it.");
  return out;
}

}  // namespace slosonde::exporter
