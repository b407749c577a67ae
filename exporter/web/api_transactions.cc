// /api/v1/transactions
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <utility>

#include "exporter/web/api.h"
#include "exporter/web/json_parts.h"

namespace slosonde::exporter {

namespace json = boost::json;

namespace {

// Counts by the names of their closed set.
template <class Enum, size_t N>
json::object counts_view(const std::array<uint64_t, N>& counts) {
  json::object view;
  for (size_t i = 0; i < N; ++i) view[name(static_cast<Enum>(i))] = counts[i];
  return view;
}

json::object failures_view(const std::array<uint64_t, kErrorCodes>& failures) {
  json::object view;
  for (size_t i = 0; i < failures.size(); ++i) {
    if (failures[i] != 0) view[name(static_cast<ErrorCode>(i))] = failures[i];
  }
  return view;
}

json::array percentiles_view(const std::vector<engine::Percentile>& percentiles) {
  std::map<std::pair<Duration, double>, json::object> rows;
  for (const engine::Percentile& one : percentiles) {
    json::object& row = rows[{one.window, one.percentile}];
    if (row.empty()) {
      row = {{"percentile", one.percentile},
             {"window", format_duration(one.window)},
             {"point", nullptr},
             {"lower", nullptr},
             {"upper", nullptr}};
    }
    const char* bound = one.bound == engine::Bound::point   ? "point"
                        : one.bound == engine::Bound::lower ? "lower"
                                                            : "upper";
    row[bound] = json_number(one.seconds);
  }
  json::array view;
  for (auto& [key, row] : rows) view.push_back(std::move(row));
  return view;
}

json::object stage_view(const engine::Plan& plan, const engine::TransactionPlan& transaction,
                        const engine::StagePlan& stage, const engine::StageStats& stats) {
  json::object view{{"name", json_text(stage.name)},
                    {"mode", mode_name(stage.mode)},
                    {"within_seconds", exact_seconds(stage.within)},
                    {"from", nullptr},
                    {"watch", nullptr},
                    {"expect", nullptr},
                    {"observer", nullptr},
                    {"poll_every_seconds", nullptr},
                    {"verdicts", counts_view<engine::StageVerdict>(stats.verdicts)},
                    {"failures", failures_view(stats.failures)},
                    {"sightings", counts_view<engine::Sighting>(stats.sightings)},
                    {"percentiles", percentiles_view(stats.percentiles)},
                    {"certificate_expiry", json_time(stats.certificate_expiry, Duration::zero())}};
  if (stage.from && *stage.from < transaction.stages.size()) {
    view["from"] = json_text(transaction.stages[*stage.from].name);
  }
  if (stage.mode == engine::StageMode::watched && stage.watch < plan.watches.size()) {
    view["watch"] = json_text(plan.watches[stage.watch].name);
    view["expect"] = engine::name(stage.expect);
    view["observer"] = stage.observer;
  }
  if (stage.mode == engine::StageMode::polled) view["poll_every_seconds"] = exact_seconds(stage.poll_every);
  return view;
}

// Null: its last judged run was good.
json::value bad_spell_view(const std::optional<engine::BadSpell>& spell, Duration wall) {
  if (!spell) return nullptr;
  return json::object{
      {"since", json_time(spell->since, wall)}, {"runs", spell->runs}, {"what", json_text(spell->what)}};
}

json::object transaction_view(const engine::Snapshot& snapshot, size_t index) {
  const engine::TransactionPlan& plan = snapshot.plan->transactions[index];
  const engine::TransactionStats& stats = snapshot.transactions[index];
  const Duration wall = snapshot.wall_offset;
  json::array stages;
  for (size_t s = 0; s < plan.stages.size() && s < stats.stages.size(); ++s) {
    stages.push_back(stage_view(*snapshot.plan, plan, plan.stages[s], stats.stages[s]));
  }
  json::object view{
      {"name", json_text(plan.name)},
      {"every_seconds", exact_seconds(plan.every)},
      {"max_in_flight", plan.max_in_flight},
      {"in_flight", stats.in_flight},
      {"suspended_since", json_time(stats.suspended_since, wall)},
      {"next_due", plan.every > Duration::zero() ? json_time(stats.next_due, wall) : json::value(nullptr)},
      {"verdicts", counts_view<engine::RunVerdict>(stats.verdicts)},
      {"last_verdict", nullptr},
      {"last_good", json_time(stats.last_good, wall)},
      {"last_bad", json_time(stats.last_bad, wall)},
      {"bad_spell", bad_spell_view(stats.bad_spell, wall)},
      {"stages", stages}};
  if (stats.last_verdict) view["last_verdict"] = name(*stats.last_verdict);
  return view;
}

}  // namespace

json::value transactions_view(const engine::Snapshot& snapshot) {
  json::array transactions;
  for (size_t t = 0; t < snapshot.transactions.size() && t < snapshot.plan->transactions.size(); ++t) {
    transactions.push_back(transaction_view(snapshot, t));
  }
  return json::object{{"transactions", transactions}};
}

}  // namespace slosonde::exporter
