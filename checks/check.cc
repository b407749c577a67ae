#include "checks/check.h"

namespace slosonde::checks {

namespace {

constexpr std::array<std::string_view, kPhases> kPhaseNames = {"resolve", "connect", "tls", "send", "wait", "receive"};
constexpr std::string_view kCaptured = "captured.";

}  // namespace

std::string_view name(Phase phase) {
  return kPhaseNames[static_cast<size_t>(phase)];
}

std::optional<std::string_view> RunContext::variable(std::string_view name) const {
  if (name == "marker") return marker;
  if (name == "traceparent") return traceparent;
  if (name == "payload") return payload;
  if (name == "transaction") return transaction;
  if (name == "stage") return stage;
  if (name == "probe") return probe;
  if (name == "region") return region;
  if (name == "zone") return zone;
  if (name == "seq") return number_ = std::to_string(seq);
  if (name == "due_unix_ms") return number_ = std::to_string(unix_ns(due) / 1'000'000);
  if (name.starts_with(kCaptured) && captures) {
    const auto found = captures->find(name.substr(kCaptured.size()));
    if (found != captures->end()) return found->second;
  }
  return std::nullopt;
}

}  // namespace slosonde::checks
