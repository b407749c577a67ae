#include "probe/engine/run_codec.h"

#include <algorithm>
#include <utility>

#include "probe/base/bytes.h"

namespace slosonde::engine {

namespace {

constexpr size_t kMostText = 64 * 1024;
// Of all that follows: bytes of another one cannot be read.
constexpr uint64_t kFormat = 2;

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
  for (const Instant t :
       {stage.limit, stage.report_at, stage.seen_lo, stage.seen_hi, stage.next_start, stage.attempt_start,
        stage.attempt_deadline, stage.last_unshown, stage.second_at, stage.second_lo, stage.second_hi}) {
    out.put(t);
  }
  for (const bool flag : {stage.corrupt, stage.attempt_running, stage.answered, stage.last_valid, stage.last_fault,
                          stage.fault, stage.hop_counted, stage.reordered_counted, stage.awaits_second}) {
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
  for (Instant* const t :
       {&stage.limit, &stage.report_at, &stage.seen_lo, &stage.seen_hi, &stage.next_start, &stage.attempt_start,
        &stage.attempt_deadline, &stage.last_unshown, &stage.second_at, &stage.second_lo, &stage.second_hi}) {
    *t = in.instant();
  }
  for (bool* const flag :
       {&stage.corrupt, &stage.attempt_running, &stage.answered, &stage.last_valid, &stage.last_fault, &stage.fault,
        &stage.hop_counted, &stage.reordered_counted, &stage.awaits_second}) {
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

constexpr uint64_t kMostNames = 4096;

void put_names(ByteWriter& out, const std::vector<std::string>& names) {
  out.put(uint64_t{names.size()});
  for (const std::string& name : names) out.put(name);
}

std::vector<std::string> get_names(ByteReader& in) {
  std::vector<std::string> names;
  for (uint64_t left = in.number(kMostNames); left > 0 && !in.failed(); --left) names.push_back(in.text(kMostText));
  return names;
}

void put(ByteWriter& out, const RunHead& head) {
  out.put(kFormat);
  out.put(head.shape);
  out.put(head.due);
  out.put(head.decided);
  put_names(out, head.open_stages);
  put_names(out, head.open_latencies);
}

std::optional<RunHead> get_head(ByteReader& in) {
  if (in.number() != kFormat) return std::nullopt;
  RunHead head;
  head.shape = in.number();
  head.due = in.instant();
  head.decided = in.flag();
  head.open_stages = get_names(in);
  head.open_latencies = get_names(in);
  if (in.failed()) return std::nullopt;
  return head;
}

RunHead head_of(const Run& run, const TransactionPlan& plan, std::span<const std::string> latencies) {
  RunHead head;
  head.shape = shape_of(plan);
  head.due = run.due;
  head.decided = run.verdict.has_value();
  for (size_t i = 0; i < run.stages.size(); ++i) {
    if (!run.stages[i].decided()) head.open_stages.push_back(plan.stages[i].name);
  }
  for (size_t i = 0; i < run.latency.size(); ++i) {
    if (run.latency[i] != LatencyMark::counted) head.open_latencies.push_back(latencies[i]);
  }
  return head;
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
      put_enum(text, stage.expect);
    }
  }
  return hash(text.bytes());
}

std::string encode(const Run& run, const TransactionPlan& plan, std::span<const std::string> latencies) {
  ByteWriter out;
  put(out, head_of(run, plan, latencies));
  for (const Instant t : {run.started, run.decided, run.close_at}) out.put(t);
  out.put(run.verdict.has_value());
  if (run.verdict) put_enum(out, *run.verdict);
  out.put(run.holds_place);
  out.put(uint64_t{run.finally_at});
  for (const Stage& stage : run.stages) put(out, stage);
  for (const FinalStep& step : run.finally) put(out, step.record);
  put_captures(out, run.captures);
  return out.bytes();
}

std::optional<RunHead> decode_head(std::string_view bytes) {
  ByteReader in(bytes);
  return get_head(in);
}

std::optional<Run> decode(std::string_view bytes, const TransactionPlan& plan, std::span<const std::string> latencies) {
  ByteReader in(bytes);
  const auto head = get_head(in);
  if (!head || head->shape != shape_of(plan)) return std::nullopt;
  Run run;
  run.due = head->due;
  for (Instant* const t : {&run.started, &run.decided, &run.close_at}) *t = in.instant();
  run.verdict = in.maybe([&] { return get_enum<RunVerdict>(in, kRunVerdicts); });
  run.holds_place = in.flag();
  run.finally_at = in.number(plan.finally.size());
  for (size_t i = 0; i < plan.stages.size(); ++i) run.stages.push_back(get_stage(in));
  for (size_t i = 0; i < plan.finally.size(); ++i) run.finally.push_back({.record = get_record(in)});
  run.captures = get_captures(in);
  for (const std::string& definition : latencies) {
    const bool open = std::ranges::find(head->open_latencies, definition) != head->open_latencies.end();
    run.latency.push_back(open ? LatencyMark::open : LatencyMark::counted);
  }
  if (!in.ended_well()) return std::nullopt;
  return run;
}

}  // namespace slosonde::engine
