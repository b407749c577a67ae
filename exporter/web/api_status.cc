// /api/v1/status, and what /-/healthy and /-/ready say.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>

#include "exporter/web/api.h"
#include "exporter/web/json_parts.h"

namespace slosonde::exporter {

namespace json = boost::json;

namespace {

std::string in_seconds(Duration duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", exact_seconds(duration));
  return text;
}

void explain_not_ready(const engine::Snapshot& snapshot, Health& health) {
  bool named = false;
  for (size_t i = 0; i < snapshot.watches.size() && i < snapshot.plan->watches.size(); ++i) {
    if (snapshot.watches[i].state != engine::WatchState::starting) continue;
    health.why.push_back("The watch " + snapshot.plan->watches[i].name + " has not reported yet.");
    named = true;
  }
  if (!named) health.why.emplace_back("The engine is starting.");
}

json::array witnesses_view(const engine::Snapshot& snapshot) {
  json::array all;
  for (size_t i = 0; i < snapshot.witnesses.size() && i < snapshot.plan->witnesses.size(); ++i) {
    const std::optional<bool>& answers = snapshot.witnesses[i];
    all.push_back(json::object{{"address", json_text(snapshot.plan->witnesses[i])},
                               {"reachable", answers ? json::value(*answers) : json::value(nullptr)}});
  }
  return all;
}

// Calls of a webhook watch's path that were refused since the probe began; null: none, or no webhook.
json::value refused_view(const engine::WatchPlan& watch, const HooksView& hooks, Duration wall) {
  for (const RefusedCalls& one : hooks.refused) {
    if (watch.kind != "webhook" || one.path.empty() || watch.name != "webhook " + one.path) continue;
    return json::object{{"count", one.count}, {"last", json_time(one.last, wall)}, {"why", json_text(one.why)}};
  }
  return nullptr;
}

// Null: the configuration names no state file.
json::value state_view(const std::optional<engine::StateStatus>& state, Duration wall) {
  if (!state) return nullptr;
  return json::object{
      {"path", json_text(state->path)},
      {"writable", state->writable},
      {"error", state->error.empty() ? json::value(nullptr) : json_text(state->error)},
      {"committed_to", json_time(state->committed_to, wall)},
      {"commits", state->commits},
      {"failures", state->failures},
      {"moved_aside", state->moved_aside},
      {"last_moved_aside", state->last_aside.empty() ? json::value(nullptr) : json_text(state->last_aside)}};
}

json::array active_exclusions(const engine::Snapshot& snapshot) {
  json::array active;
  for (const auto& one : snapshot.exclusions) {
    if (one.active) active.push_back(exclusion_view(one));
  }
  return active;
}

}  // namespace

Health health_of(const engine::Snapshot* snapshot, Instant now) {
  Health health;
  if (!snapshot) {
    health.why.emplace_back("The engine has not started yet.");
    return health;
  }
  health.age = std::max(now - snapshot->at, Duration::zero());
  health.healthy = health.age <= kStuckAfter;
  if (!health.healthy) {
    health.why.push_back("The engine has not turned for " + in_seconds(health.age) +
                         "; what is shown is as old as that.");
  }
  if (!snapshot->ready) explain_not_ready(*snapshot, health);
  if (snapshot->draining) health.why.emplace_back("The probe is stopping: it starts no more runs.");
  health.ready = health.healthy && snapshot->ready && !snapshot->draining;
  return health;
}

json::value status_view(const engine::Snapshot& snapshot, Instant now, std::string_view version,
                        const HooksView& hooks) {
  const Health health = health_of(&snapshot, now);
  const Duration wall = snapshot.wall_offset;
  uint64_t in_flight = 0;
  for (const auto& transaction : snapshot.transactions) in_flight += transaction.in_flight;
  json::array why;
  for (const std::string& one : health.why) why.push_back(json_text(one));
  for (const std::string& one : concerns_of(snapshot, hooks, now)) why.push_back(json_text(one));
  json::array watches;
  for (size_t i = 0; i < snapshot.watches.size() && i < snapshot.plan->watches.size(); ++i) {
    const engine::WatchStatus& watch = snapshot.watches[i];
    watches.push_back(json::object{{"name", json_text(snapshot.plan->watches[i].name)},
                                   {"kind", json_text(snapshot.plan->watches[i].kind)},
                                   {"state", name(watch.state)},
                                   {"error", json_error(watch.error)},
                                   {"covered_to", json_time(watch.covered_to, wall)},
                                   {"refused", refused_view(snapshot.plan->watches[i], hooks, wall)}});
  }
  return json::object{{"probe", json_text(snapshot.plan->probe)},
                      {"region", json_text(snapshot.plan->region)},
                      {"zone", json_text(snapshot.plan->zone)},
                      {"version", version},
                      {"now", json_time(now, wall)},
                      {"snapshot_at", json_time(snapshot.at, wall)},
                      {"snapshot_age_seconds", exact_seconds(health.age)},
                      {"started", json_time(snapshot.started, wall)},
                      {"healthy", health.healthy},
                      {"ready", health.ready},
                      {"draining", snapshot.draining},
                      {"why", why},
                      {"runs_in_flight", in_flight},
                      {"wall_clock_steps", snapshot.wall_steps},
                      {"inbox_dropped", snapshot.inbox_dropped},
                      {"state", state_view(snapshot.state, wall)},
                      {"hooks", json::object{{"url", json_text(hooks.url)},
                                             {"listening_since", json_time(hooks.listening_since, wall)}}},
                      {"exclusions", active_exclusions(snapshot)},
                      {"witnesses", witnesses_view(snapshot)},
                      {"watches", watches}};
}

}  // namespace slosonde::exporter
