#include "probe/engine/run_codec.h"

#include <algorithm>
#include <utility>

#include "probe/base/bytes.h"

namespace slosonde::engine {

namespace {

constexpr size_t kMostText = 64 * 1024;

// FNV-1a: Fowler, Noll, Vo.
uint64_t hash(std::string_view bytes) {
  uint64_t value = 0xCBF29CE484222325;
  for (const char byte : bytes) value = (value ^ static_cast<uint8_t>(byte)) * 0x100000001B3;
  return value;
}

template <class Enum>
void put_enum(ByteWriter& out, Enum value) {
  out.put(static_cast<uint64_t>(value));
}

template <class Enum>
Enum get_enum(ByteReader& in, int count) {
  return static_cast<Enum>(in.number(static_cast<uint64_t>(count) - 1));
}

void put(ByteWriter& out, const Error& error) {
  put_enum(out, error.code);
  out.put(error.text);
}

Error get_error(ByteReader& in) {
  Error error;
  error.code = get_enum<ErrorCode>(in, kErrorCodes);
  error.text = in.text(kMostText);
  return error;
}

void put(ByteWriter& out, const StageRecord& record) {
  out.put(record.verdict.has_value());
  if (record.verdict) put_enum(out, *record.verdict);
  out.put(record.bad);
  for (const auto* instant : {&record.started, &record.seen_lo, &record.seen_hi, &record.decided}) out.put(*instant);
  out.put(record.latency);
  out.put(record.hop);
  out.put(uint64_t{record.attempts});
  for (const auto& phase : record.phases) out.put(phase);
  put_enum(out, record.delivery);
  put(out, record.error);
}

StageRecord get_record(ByteReader& in) {
  const auto instant = [&] { return in.instant(); };
  const auto duration = [&] { return in.duration(); };
  StageRecord record;
  record.verdict = in.maybe([&] { return get_enum<StageVerdict>(in, kStageVerdicts); });
  record.bad = in.flag();
  for (auto* const at : {&record.started, &record.seen_lo, &record.seen_hi, &record.decided}) *at = in.maybe(instant);
  record.latency = in.maybe(duration);
  record.hop = in.maybe(duration);
  record.attempts = static_cast<uint32_t>(in.number(UINT32_MAX));
  for (auto& phase : record.phases) phase = in.maybe(duration);
  record.delivery = get_enum<checks::Delivery>(in, checks::kDeliveries);
  record.error = get_error(in);
  return record;
}

void put(ByteWriter& out, const Stage& stage) {
  put(out, stage.record);
  put_enum(out, stage.report);
  put(out, stage.report_error);
  for (const Instant t : {stage.limit, stage.report_at, stage.seen_lo, stage.seen_hi, stage.next_start,
                          stage.attempt_start, stage.attempt_deadline, stage.last_unshown}) {
    out.put(t);
  }
  for (const bool flag : {stage.corrupt, stage.attempt_running, stage.answered, stage.last_valid, stage.last_fault,
                          stage.fault, stage.hop_counted, stage.reordered_counted}) {
    out.put(flag);
  }
  const std::vector<uint64_t> items = stage.items.kept();
  out.put(uint64_t{items.size()});
  for (const uint64_t item : items) out.put(item);
}

Stage get_stage(ByteReader& in) {
  Stage stage;
  stage.record = get_record(in);
  stage.report = get_enum<Report>(in, kReports);
  stage.report_error = get_error(in);
  for (Instant* const t : {&stage.limit, &stage.report_at, &stage.seen_lo, &stage.seen_hi, &stage.next_start,
                           &stage.attempt_start, &stage.attempt_deadline, &stage.last_unshown}) {
    *t = in.instant();
  }
  for (bool* const flag : {&stage.corrupt, &stage.attempt_running, &stage.answered, &stage.last_valid,
                           &stage.last_fault, &stage.fault, &stage.hop_counted, &stage.reordered_counted}) {
    *flag = in.flag();
  }
  for (uint64_t left = in.number(SeenItems::kMost); left > 0; --left) stage.items.add(in.number());
  return stage;
}

void put_captures(ByteWriter& out, const checks::Captures& captures) {
  out.put(uint64_t{captures.size()});
  for (const auto& [name, value] : captures) {
    out.put(name);
    out.put(value);
  }
}

checks::Captures get_captures(ByteReader& in) {
  checks::Captures captures;
  for (uint64_t left = in.number(checks::kMaxCaptures); left > 0; --left) {
    std::string name = in.text(kMostText);
    captures.insert_or_assign(std::move(name), in.text(checks::kMaxCaptureBytes));
  }
  return captures;
}

}  // namespace

uint64_t shape_of(const TransactionPlan& plan) {
  ByteWriter text;
  for (const auto* list : {&plan.stages, &plan.finally}) {
    text.put(uint64_t{list->size()});
    for (const StagePlan& stage : *list) {
      text.put(stage.name);
      put_enum(text, stage.mode);
      text.put(stage.within);
      text.put(stage.from.has_value());
      text.put(uint64_t{stage.from.value_or(0)});
    }
  }
  return hash(text.bytes());
}

std::string encode(const Run& run, const TransactionPlan& plan, std::span<const std::string> latencies) {
  ByteWriter out;
  out.put(shape_of(plan));
  for (const Instant t : {run.due, run.started, run.decided, run.close_at}) out.put(t);
  out.put(run.verdict.has_value());
  if (run.verdict) put_enum(out, *run.verdict);
  out.put(run.holds_place);
  out.put(uint64_t{run.finally_at});
  for (const Stage& stage : run.stages) put(out, stage);
  for (const FinalStep& step : run.finally) put(out, step.record);
  put_captures(out, run.captures);
  out.put(uint64_t{run.latency.size()});
  for (size_t i = 0; i < run.latency.size(); ++i) {
    out.put(latencies[i]);
    out.put(run.latency[i] == LatencyMark::counted);
  }
  return out.bytes();
}

std::optional<Run> decode(std::string_view bytes, const TransactionPlan& plan, std::span<const std::string> latencies) {
  ByteReader in(bytes);
  if (in.number() != shape_of(plan)) return std::nullopt;
  Run run;
  for (Instant* const t : {&run.due, &run.started, &run.decided, &run.close_at}) *t = in.instant();
  run.verdict = in.maybe([&] { return get_enum<RunVerdict>(in, kRunVerdicts); });
  run.holds_place = in.flag();
  run.finally_at = in.number(plan.finally.size());
  for (size_t i = 0; i < plan.stages.size(); ++i) run.stages.push_back(get_stage(in));
  for (size_t i = 0; i < plan.finally.size(); ++i) run.finally.push_back({.record = get_record(in)});
  run.captures = get_captures(in);
  run.latency.assign(latencies.size(), LatencyMark::counted);
  for (uint64_t left = in.number(kMostText); left > 0 && !in.failed(); --left) {
    const std::string definition = in.text(kMostText);
    const bool counted = in.flag();
    const auto found = std::find(latencies.begin(), latencies.end(), definition);
    if (found == latencies.end() || counted) continue;
    run.latency[static_cast<size_t>(found - latencies.begin())] = LatencyMark::open;
  }
  if (!in.ended_well()) return std::nullopt;
  return run;
}

}  // namespace slosonde::engine
