// What a webhook's body says, piece by piece. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "checks/watch.h"

namespace slosonde::checks {

enum class HookFormat : uint8_t { any, alertmanager, json, text };
std::optional<HookFormat> hook_format(std::string_view name);  // "auto", "alertmanager", "json", "text"

struct HookPiece {
  std::string_view text;  // JSON is written anew, so that no escape hides a marker; valid during the call
  uint64_t item = 0;
  EvidencePhase phase = EvidencePhase::none;
};

// Hands over each piece and says whether the body was of the format. One that is not is handed over whole, as text:
// a marker in it is a marker all the same.
//
// alertmanager: each alert by itself, with its status as the phase. The item is the alert (fingerprint, or its labels,
//   and startsAt): the repeated, regrouped or resolved notification of the same alert is the same item; another alert,
//   or the same one firing anew, is another.
// json: each element of an array, else the whole. The item is its content.
// text: the whole, as bytes of any kind. The item is its content.
// any: by what it looks like.
//
// Bounded by the body's size: nesting beyond 32 levels counts as text.
bool split_hook(HookFormat format, std::string_view body, const std::function<void(const HookPiece&)>& take);

}  // namespace slosonde::checks
