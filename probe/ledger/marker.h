// The marker: the token a run carries through the pipeline, found again by scanning any text.
//
//   sonde1-<stream>-<epoch>-<seq>-<tag>      50 characters: letters, digits and hyphens
//
// Fields have fixed widths and are in base32 (RFC 4648's alphabet in lower case: a…z 2…7). The alphabet has no 1, so
// that no field can hold the beginning of another marker; fixed widths need no delimiter behind. stream is 40 bits of
// probe and transaction, epoch 48 bits, seq 40 bits; tag is 70 bits of HMAC-SHA-256 over all that stands before it: a
// forged or damaged marker is accepted with probability 2^-70.
//
// Read case-insensitively, with hyphens encoded and lines wrapped (mangled.h). Anything else done to it makes it not
// found, never another run's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/base/secret.h"
#include "probe/ledger/mac.h"

namespace slosonde::ledger {

constexpr size_t kMarkerLength = 50;
constexpr uint64_t kMostStream = (uint64_t{1} << 40) - 1;
constexpr uint64_t kMostEpoch = (uint64_t{1} << 48) - 1;
constexpr uint64_t kMostSeq = (uint64_t{1} << 40) - 1;

// Which run of which transaction of which probe.
struct MarkerId {
  uint64_t stream = 0;
  uint64_t epoch = 0;
  uint64_t seq = 0;
  friend auto operator<=>(const MarkerId&, const MarkerId&) = default;
};

struct MarkerHit {
  MarkerId id;           // as written; means nothing unless genuine
  bool genuine = false;  // the tag is of our key
};

// What a text holds, in its order. Reuse one for many texts: its memory stays (bounded, see scan()).
struct Findings {
  std::vector<MarkerHit> markers;
  std::vector<std::string> payloads;  // what follows "sondep-", in lower case; shorter when cut off or damaged

  // Whether `payload` (as MarkerCodec::payload made it) is among them. O(log n) after the first call.
  bool has_payload(std::string_view payload);

 private:
  friend class MarkerCodec;
  bool sorted_ = false;
  size_t doubtful_until_ = 0;  // the last marker is not genuine, and ends here; else 0
};

// What a run is known by outside: disjoint parts of one digest.
struct RunTokens {
  std::string marker;
  std::array<uint8_t, 16> trace{};
  std::array<uint8_t, 6> span{};

  // W3C traceparent (version 00, sampled). The parent is the run's root span (step 0), or that of one of its stages.
  std::string traceparent(uint16_t step) const;
};

// Makes and recognises the tokens of one key. One thread at a time; owns a copy of nothing but the keyed context.
class MarkerCodec {
 public:
  // The key must not be empty (mac.h).
  explicit MarkerCodec(const Secret& key) : mac_(key) {}

  // 40 bits that stand for a probe's transaction; `salt` tells two apart whose bits are the same.
  uint64_t stream(std::string_view probe, std::string_view transaction, unsigned salt = 0) const;

  // Numbers beyond their fields' bits are cut down to them. One HMAC.
  RunTokens tokens(const MarkerId& id) const;
  std::string marker(const MarkerId& id) const { return tokens(id).marker; }

  // Of a text that is one genuine marker and nothing else.
  std::optional<MarkerId> read(std::string_view marker) const;

  // The body a run carries: "sondep-" and 26 characters derived from the key, so that damage shows without anything
  // having been stored.
  std::string payload(const MarkerId& id) const;

  // Finds markers and payloads anywhere in `text`. O(n); one HMAC for each thing of a marker's form. `found` is
  // cleared first, and given back its memory when the text before was a monstrous one.
  void scan(std::string_view text, Findings& found) const;

 private:
  void scan_marker(std::string_view text, size_t& at, Findings& found) const;
  static void scan_payload(std::string_view text, size_t& at, Findings& found);
  std::string tag(std::string_view body) const;

  Mac mac_;
};

}  // namespace slosonde::ledger
