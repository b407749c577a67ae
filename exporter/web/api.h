// The JSON views of /api/v1. Times are RFC 3339 in UTC by the wall clock; durations are numbers of seconds; what is not
// known is null; a number that is infinite is the text "+Inf".
//
//   status        {"probe", "region", "zone", "version", "now", "snapshot_at", "snapshot_age_seconds", "started",
//                 "healthy", "ready", "draining", "why" (texts: what is not as it should be), "runs_in_flight",
//                 "wall_clock_steps", "inbox_dropped", "hooks": {"url", "listening_since"},
//                 "watches": [{"name", "kind", "state", "error": {"code", "text"}, "covered_to",
//                 "refused": {"count", "last", "why"}}]}
//   slos          as in the contract: {"slos": [{"name", "objective", "window_seconds", "good", "bad", "unjudged":
//                 {"blind", "probe_fault", "missed", "excluded"}, "coverage", "budget_remaining", "burn_rates":
//                 {"5m": …}, "alerts": [{"tier", "kind": "burn" | "coverage", "severity", "factor",
//                 "long_window_seconds", "short_window_seconds", "min_bad", "fires_at" (so many failures in the long
//                 window, at the configured rate), "bad" (in the long window), "active", "waits_for_min_bad" (it burns
//                 in both windows, and too little has failed yet for it to fire), "since"}], "since"}]} Further
//                 "excluded": {"good", "bad", "unjudged"} (what the excluded ones would have been), "sli" and
//                 "sli_with_excluded" (shares of good events), "coverages": {"5m": …}.
//   exclusions    {"exclusions": [{"name", "source": "configuration" | "api", "transactions" (none: all), "weekly":
//                 {"days", "from", "to", "time_zone"} or null, "start", "end" (the present one's, or the next one's),
//                 "active", "over", "ended_early"}]}
//   transactions  {"transactions": [{"name", "every_seconds", "max_in_flight", "in_flight", "next_due", "verdicts":
//                 {"good": …}, "suspended_since", "last_verdict", "last_good", "last_bad", "bad_spell": null or
//                 {"since", "runs", "what"}, "stages": [{"name", "mode", "within_seconds", "from", "watch", "expect":
//                 "some|exactly_one|none", "observer", "poll_every_seconds", "verdicts", "failures" (those that
//                 happened), "sightings", "percentiles":
//                 [{"percentile", "window", "point", "lower", "upper"}], "certificate_expiry"}]}]}
//   runs          {"runs": [<run>…]}, newest first; ?transaction=NAME&verdict=V&limit=N (default 50, at most 1000)
//   runs/<id>     <run>: {"id", "transaction", "origin", "state": "in_flight" | "decided" | "closed", "verdict",
//   "would_be" (of an
//                 excluded one: its verdict but for that), "due",
//                 "started", "decided", "traceparent", "trace_id", "captures" (names alone: values may be secrets),
//                 "stages": [<step>…], "finally": [<step>…]}
//                 <step>: {"name", "mode", "within_seconds", "verdict", "judged", "bad", "started", "seen": {"from",
//                 "to"}, "latency_seconds", "hop_seconds", "decided", "attempts", "delivery": "acked|refused|unknown"
//                 or null, "phases": {"connect": …}, "error"} "judged" is "good" or "bad" as soon as that is decided.
//                 Of a stage that was not seen in time "verdict" stays null until the run closes: only then is it known
//                 whether it came late or was lost.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/web/request.h"
#include "exporter/web/trouble.h"
#include "exporter/web/way_in.h"
#include "probe/base/time.h"
#include "probe/engine/snapshot.h"

namespace slosonde::exporter {

// What the snapshot says, against the clock: whether the engine turns.
struct Health {
  bool healthy = false, ready = false;
  Duration age{};                // of the snapshot
  std::vector<std::string> why;  // a sentence for each reason why not
};
constexpr Duration kStuckAfter = std::chrono::seconds(10);
Health health_of(const engine::Snapshot* snapshot, Instant now);

struct HooksView {
  std::string url;
  std::optional<Instant> listening_since;
  std::vector<RefusedCalls> refused;
  std::optional<WayInTrouble> way_in = {};  // none: it works, or nobody looks
};

// A sentence for each thing that is not as it should be, though the probe is healthy and ready.
std::vector<std::string> concerns_of(const engine::Snapshot& snapshot, const HooksView& hooks, Instant now);

boost::json::value status_view(const engine::Snapshot& snapshot, Instant now, std::string_view version,
                               const HooksView& hooks);
boost::json::value slos_view(const engine::Snapshot& snapshot);
// One that is declared, and all of them.
boost::json::object exclusion_view(const engine::ExclusionStatus& exclusion);
boost::json::value exclusions_view(const engine::Snapshot& snapshot);
boost::json::value transactions_view(const engine::Snapshot& snapshot);
boost::json::value run_view(const engine::Snapshot& snapshot, const engine::RunRecord& run);

// By due, the latest first; those of all transactions together. They live as long as the snapshot.
std::vector<const engine::RunRecord*> newest_runs(const engine::Snapshot& snapshot, size_t most,
                                                  const std::function<bool(const engine::RunRecord&)>& wanted = {});

// /api/v1/runs with its parameters, and /api/v1/runs/<id>; problems for what cannot be meant or found.
Response runs_answer(const engine::Snapshot& snapshot, std::string_view query);
Response run_answer(const engine::Snapshot& snapshot, std::string_view id);

}  // namespace slosonde::exporter
