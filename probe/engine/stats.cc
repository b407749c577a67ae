#include "probe/engine/stats.h"

#include <algorithm>
#include <utility>

#include "probe/engine/histogram.h"
#include "probe/slo/history.h"

namespace slosonde::engine {

namespace {

constexpr Duration kPercentilesEvery = std::chrono::seconds(5);

// What stages and limits make of a stage's histograms.
StageStats empty_stats(const TransactionPlan& transaction, size_t index) {
  const StagePlan& stage = transaction.stages[index];
  Duration limit = stage.within;
  for (std::optional<size_t> from = stage.from; from; from = transaction.stages[*from].from) {
    limit += transaction.stages[*from].within;
  }
  StageStats made;
  made.latency = empty_histogram(latency_edges(limit));
  made.hop = empty_histogram(made.latency.edges);
  const Edges phases = phase_edges(stage.mode == StageMode::polled ? stage.poll_timeout : stage.within);
  for (Histogram& phase : made.phases) phase = empty_histogram(phases);
  return made;
}

// What was wrong with the first stage that was bad.
std::string what_was_wrong(const StagePlan& plan, const StageRecord& record) {
  const std::string stage = "stage \"" + plan.name + "\" ";
  switch (record.verdict.value_or(StageVerdict::lost)) {
    case StageVerdict::failed:
      return stage + "failed (" + std::string(name(record.error.code)) + "): " + record.error.text;
    case StageVerdict::corrupt:
      return stage + "was seen with another payload than was sent";
    case StageVerdict::late:
      return stage + "was seen only after its limit of " + format_duration(plan.within);
    default:
      return stage + "was not seen within " + format_duration(plan.within);
  }
}

// "after 63 bad runs in 2m6s"
std::string how_long(const BadSpell& spell, Instant now) {
  const auto lasted = std::chrono::ceil<std::chrono::seconds>(now - spell.since);
  return "after " + std::to_string(spell.runs) + (spell.runs == 1 ? " bad run in " : " bad runs in ") +
         format_duration(lasted);
}

void append_percentiles(std::vector<Percentile>& out, Duration window, const slo::Quantiles& quantiles) {
  for (size_t i = 0; i < slo::kPercents.size(); ++i) {
    const auto& at = quantiles.at[i];
    if (!at) continue;
    const double percentile = slo::kPercents[i] / 100.0;
    out.push_back({percentile, window, Bound::point, at->point});
    if (at->lower) out.push_back({percentile, window, Bound::lower, *at->lower});
    if (at->upper) out.push_back({percentile, window, Bound::upper, *at->upper});
  }
}

}  // namespace

Stats::Stats(const Plan& plan)
    : plan_(plan), tallies_(plan.transactions.size()), start_lateness_(empty_histogram(lateness_edges())) {
  for (size_t t = 0; t < tallies_.size(); ++t) {
    const TransactionPlan& transaction = plan.transactions[t];
    tallies_[t].stages.resize(transaction.stages.size());
    for (size_t i = 0; i < transaction.stages.size(); ++i) {
      tallies_[t].stages[i].shown = empty_stats(transaction, i);
    }
  }
}

void Stats::take_over(Stats& before) {
  start_lateness_ = std::move(before.start_lateness_);
  percentiles_at_ = before.percentiles_at_;
}

void Stats::take_over(uint32_t transaction, Stats& before, uint32_t was, bool same) {
  if (!same) return count_on(transaction, before, was);
  tallies_[transaction] = std::exchange(before.tallies_[was], Tally{});
}

void Stats::count_on(uint32_t transaction, const Stats& before, uint32_t was) {
  Tally& tally = tallies_[transaction];
  const Tally& old = before.tallies_[was];
  tally.shown = old.shown;
  tally.told = old.told;
  const auto& stages = plan_.transactions[transaction].stages;
  const auto& old_stages = before.plan_.transactions[was].stages;
  for (size_t i = 0; i < stages.size(); ++i) {
    const auto same = [&](const StagePlan& one) { return one.name == stages[i].name; };
    const auto found = std::find_if(old_stages.begin(), old_stages.end(), same);
    if (found == old_stages.end()) continue;
    StageStats& stats = tally.stages[i].shown;
    const StageStats& from = old.stages[static_cast<size_t>(found - old_stages.begin())].shown;
    stats.verdicts = from.verdicts;
    stats.failures = from.failures;
    stats.sightings = from.sightings;
    // Of other limits they have other buckets.
    const auto count_on = [](Histogram& histogram, const Histogram& counted) {
      if (*histogram.edges == *counted.edges) histogram = counted;
    };
    count_on(stats.latency, from.latency);
    count_on(stats.hop, from.hop);
    for (size_t p = 0; p < stats.phases.size(); ++p) count_on(stats.phases[p], from.phases[p]);
  }
}

void Stats::sighted(uint32_t transaction, size_t stage, Sighting kind) {
  ++tallies_[transaction].stages[stage].shown.sightings[static_cast<size_t>(kind)];
}

void Stats::attempt(const RunId& run, size_t stage, const checks::CheckResult& result) {
  StageStats& stats = tally(run, stage).shown;
  for (size_t p = 0; p < result.phases.size(); ++p) {
    if (result.phases[p]) stats.phases[p].observe(seconds(*result.phases[p]));
  }
  if (result.certificate_expiry) stats.certificate_expiry = result.certificate_expiry;
}

void Stats::hopped(const Run& run, size_t stage) {
  tally(run.id, stage).shown.hop.observe(seconds(*run.stages[stage].record.hop));
}

// Once the verdict is final: late or lost is known.
void Stats::stage_final(const Run& run, size_t i) {
  const StageRecord& record = run.stages[i].record;
  StageTally& tally = this->tally(run.id, i);
  StageStats& stats = tally.shown;
  ++stats.verdicts[static_cast<size_t>(*record.verdict)];
  if (*record.verdict == StageVerdict::failed) ++stats.failures[static_cast<size_t>(record.error.code)];
  // What must not appear has no latency, whether it has appeared or not.
  if (plan_.transactions[run.id.transaction].stages[i].expect == Expectation::none) return;
  switch (*record.verdict) {
    case StageVerdict::on_time:
    case StageVerdict::late:
    case StageVerdict::corrupt:
      stats.latency.observe(seconds(*record.latency));
      tally.samples.add_seen(*record.decided, *record.latency);
      tally.new_samples = true;
      break;
    case StageVerdict::failed:
    case StageVerdict::lost: {
      const Instant limit = run.stages[i].limit;
      const Duration within = plan_.transactions[run.id.transaction].stages[i].within;
      stats.latency.observe_infinite();
      tally.samples.add_censored(*record.decided, limit == kNever ? within : limit - run.due);
      tally.new_samples = true;
      break;
    }
    case StageVerdict::skipped:
    case StageVerdict::unseen:
      break;
  }
}

// A line when a transaction turns bad, for each further reason, and when it is good again; none for a healthy run.
std::optional<Stats::Turn> Stats::run_decided(const Run& run) {
  Tally& tally = tallies_[run.id.transaction];
  ++tally.shown.verdicts[static_cast<size_t>(*run.verdict)];
  tally.shown.last_verdict = run.verdict;
  if (run.verdict == RunVerdict::good) {
    tally.shown.last_good = run.decided;
    tally.told.clear();
    const auto spell = std::exchange(tally.shown.bad_spell, std::nullopt);
    if (!spell) return std::nullopt;
    return Turn{Turn::Kind::good, how_long(*spell, run.decided)};
  }
  if (run.verdict != RunVerdict::bad) return std::nullopt;
  tally.shown.last_bad = run.decided;
  return another_bad(tally, run);
}

std::optional<Stats::Turn> Stats::another_bad(Tally& tally, const Run& run) {
  const auto bad = std::find_if(run.stages.begin(), run.stages.end(), [](const Stage& s) { return s.record.bad; });
  const auto index = static_cast<size_t>(bad - run.stages.begin());
  const StageRecord& record = bad->record;
  const bool first = !tally.shown.bad_spell;
  if (first) tally.shown.bad_spell = BadSpell{run.decided, 0, {}};
  BadSpell& spell = *tally.shown.bad_spell;
  ++spell.runs;
  spell.what = what_was_wrong(plan_.transactions[run.id.transaction].stages[index], record);
  const bool fresh = tally.told.emplace(index, record.verdict.value_or(StageVerdict::lost), record.error.code).second;
  if (!fresh) return std::nullopt;
  return Turn{first ? Turn::Kind::bad : Turn::Kind::otherwise, spell.what};
}

void Stats::missed(uint32_t transaction, uint64_t count, bool excluded) {
  const RunVerdict verdict = excluded ? RunVerdict::excluded : RunVerdict::missed;
  tallies_[transaction].shown.verdicts[static_cast<size_t>(verdict)] += count;
}

void Stats::dropped(uint32_t transaction, bool excluded) {
  const RunVerdict verdict = excluded ? RunVerdict::excluded : RunVerdict::probe_fault;
  ++tallies_[transaction].shown.verdicts[static_cast<size_t>(verdict)];
}

void Stats::renew_percentiles(Instant now) {
  if (now - percentiles_at_ < kPercentilesEvery) return;
  percentiles_at_ = now;
  std::vector<uint32_t> scratch;
  for (Tally& tally : tallies_) {
    for (StageTally& stage : tally.stages) {
      // With nothing new the windows still move on, and empty in the end.
      if (!stage.new_samples && now - stage.percentiles_at < slo::kFineSlot) continue;
      stage.new_samples = false;
      stage.percentiles_at = now;
      if (stage.samples.size() == 0 && stage.shown.percentiles.empty()) continue;
      stage.samples.advance(now);
      stage.shown.percentiles.clear();
      for (const Duration window : slo::kQuantileWindows) {
        append_percentiles(stage.shown.percentiles, window, stage.samples.quantiles(window, now, scratch));
      }
    }
  }
}

TransactionStats Stats::of(uint32_t transaction) const {
  const Tally& tally = tallies_[transaction];
  TransactionStats stats = tally.shown;
  stats.stages.reserve(tally.stages.size());
  for (const StageTally& stage : tally.stages) stats.stages.push_back(stage.shown);
  return stats;
}

}  // namespace slosonde::engine
