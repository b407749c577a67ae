#include "tests/unit/store/kept.h"

#include <iterator>
#include <utility>

namespace slosonde::store {

namespace {

using namespace std::chrono_literals;

constexpr Instant kBegin = instant_from_unix_ns(1'769'817'600'000'000'000);

std::string text(const RunKey& key) {
  return "run " + std::to_string(key.stream) + " " + std::to_string(key.epoch) + " " + std::to_string(key.seq);
}

std::string text(const std::string& definition, Duration slot) {
  return "counts " + definition + " " + std::to_string(slot.count()) + " ";
}

std::string number(int64_t block) {
  std::string digits = std::to_string(block);
  return std::string(8 - digits.size(), '0') + digits;
}

}  // namespace

Batch nth_batch(int n) {
  Batch made;
  made.whole = n == 0;
  const std::string sli = "sli " + std::to_string(n % 3);
  const Instant now = kBegin + n * 1s;
  if (n == 0) {
    made.epoch = 42;
    for (int i = 0; i < 3; ++i) made.slis.push_back({"sli " + std::to_string(i), kBegin, kBegin, i * 144min});
  }
  for (const Duration slot : {Duration(10s), Duration(1min)}) {
    made.counts.push_back(
        {sli, slot, 100 + n, std::string(static_cast<size_t>(50 + n), static_cast<char>('a' + n % 26))});
    made.counts.push_back({sli, slot, 99, std::string(20, static_cast<char>('A' + n % 26))});
    if (n % 5 == 4) made.forgotten.push_back({sli, slot, 100 + n - 3});
  }
  made.alerts.push_back({sli, "slo " + sli, "14.4x1h", {n % 2 == 0, now, now, static_cast<uint64_t>(n)}});
  // A run lives for three batches.
  const auto seq = static_cast<uint64_t>(n);
  made.runs.push_back({{7, 42, seq}, "run " + std::string(200, static_cast<char>('0' + n % 10))});
  if (n >= 3) made.runs.push_back({{7, 42, seq - 3}, ""});
  made.schedules.push_back({7, "5s", now});
  made.watches.push_back({"kafka logs", "offset " + std::to_string(n), std::string("\0\1\2", 3)});
  if (n % 4 == 1) {
    made.exclusions.emplace();
    made.exclusions->push_back({"ended", {"a", "b"}, now, now + 2h, now + 5min});
    made.exclusions->push_back({"night " + std::to_string(n), {}, now, now + 2h, std::nullopt});
  }
  if (n % 4 == 2) made.suspensions = {{{"a", now}, {"b", now + 1s}}};
  if (n % 4 == 3) made.suspensions.emplace();
  return made;
}

void Contents::apply(const Batch& batch) {
  if (batch.whole) {
    const auto stays = [](const auto& key) {
      return key.starts_with("counts ") || key.starts_with("sli ") || key == "epoch" || key.starts_with("exclusion ") ||
             key.starts_with("suspension ");
    };
    std::erase_if(rows_, [&](const auto& row) { return !stays(row.first); });
  }
  if (batch.epoch) rows_["epoch"] = std::to_string(*batch.epoch);
  for (const auto& one : batch.slis)
    rows_["sli " + one.definition] = format_utc(one.since) + format_utc(one.used) + format_duration(one.fine);
  for (const auto& one : batch.forgotten) {
    const std::string prefix = text(one.definition, one.slot);
    rows_.erase(rows_.lower_bound(prefix), rows_.lower_bound(prefix + number(one.before_block)));
  }
  for (const auto& one : batch.counts) rows_[text(one.definition, one.slot) + number(one.block)] = one.bytes;
  for (const auto& one : batch.alerts) {
    rows_["alert " + one.definition + "|" + one.slo + "|" + one.tier] =
        std::to_string(one.state.active) + " " + format_utc(one.state.since) + format_utc(one.state.last_change) +
        std::to_string(one.state.fired);
  }
  for (const auto& one : batch.runs) {
    if (one.record.empty()) {
      rows_.erase(text(one.key));
    } else {
      rows_[text(one.key)] = one.record;
    }
  }
  for (const auto& one : batch.schedules) {
    rows_["schedule " + std::to_string(one.stream)] = one.definition + format_utc(one.next_slot);
  }
  if (batch.exclusions) std::erase_if(rows_, [](const auto& row) { return row.first.starts_with("exclusion "); });
  for (const auto& one : batch.exclusions.value_or(std::vector<KeptExclusion>())) {
    std::string& text = rows_["exclusion " + one.name] = format_utc(one.from) + format_utc(one.to);
    if (one.ended) text += " ended " + format_utc(*one.ended);
    for (const std::string& transaction : one.transactions) text += " " + transaction;
  }
  if (batch.suspensions) std::erase_if(rows_, [](const auto& row) { return row.first.starts_with("suspension "); });
  for (const auto& one : batch.suspensions.value_or(std::vector<KeptSuspension>())) {
    rows_["suspension " + one.transaction] = format_utc(one.since);
  }
  for (const auto& one : batch.watches) rows_["watch " + one.definition] = one.position + "|" + one.coverage;
}

Contents Contents::of(const Batch& loaded) {
  Contents made;
  made.apply(loaded);
  return made;
}

std::ostream& operator<<(std::ostream& out, const Contents& contents) {
  for (const auto& [key, value] : contents.rows_) out << "\n  " << key << " = " << value;
  return out;
}

}  // namespace slosonde::store
