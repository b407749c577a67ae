#include "probe/ledger/marker.h"

#include <algorithm>
#include <array>
#include <span>

#include "probe/ledger/base32.h"
#include "probe/ledger/mangled.h"

namespace slosonde::ledger {

namespace {

constexpr std::string_view kPrefix = "sonde1-";
constexpr std::string_view kPayloadPrefix = "sondep-";
constexpr std::string_view kCommon = "sonde";  // of both
constexpr unsigned kStreamWidth = 8, kEpochWidth = 10, kSeqWidth = 8, kTagWidth = 14, kPayloadWidth = 26;
constexpr size_t kBodyLength = kMarkerLength - kTagWidth;
constexpr size_t kKeptFindings = 1024;  // entries whose memory is kept from text to text

// What the key is used for; each its own domain.
constexpr char kTagDomain = 'm', kPayloadDomain = 'p', kStreamDomain = 'h';
// Of a digest in the tag's domain: the tag is in the first 9 bytes, then come the trace and the span.
constexpr size_t kTraceAt = 10, kSpanAt = 26;

void append_body(std::string& out, const MarkerId& id) {
  out += kPrefix;
  append_base32(out, id.stream & kMostStream, kStreamWidth);
  out += '-';
  append_base32(out, id.epoch & kMostEpoch, kEpochWidth);
  out += '-';
  append_base32(out, id.seq & kMostSeq, kSeqWidth);
  out += '-';
}

std::string body_of(const MarkerId& id) {
  std::string body;
  body.reserve(kMarkerLength);
  append_body(body, id);
  return body;
}

void append_hex(std::string& out, std::span<const uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const uint8_t byte : bytes) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

template <class Item>
void clear_bounded(std::vector<Item>& items) {
  items.clear();
  if (items.capacity() > kKeptFindings) items.shrink_to_fit();
}

}  // namespace

bool Findings::has_payload(std::string_view payload) {
  if (!sorted_) {
    std::sort(payloads.begin(), payloads.end());
    sorted_ = true;
  }
  if (!payload.starts_with(kPayloadPrefix)) return false;
  payload.remove_prefix(kPayloadPrefix.size());
  return std::binary_search(payloads.begin(), payloads.end(), payload, std::less<>());
}

uint64_t MarkerCodec::stream(std::string_view probe, std::string_view transaction, unsigned salt) const {
  // Lengths keep ("ab", "c") apart from ("a", "bc").
  std::string text = std::to_string(salt) + ':' + std::to_string(probe.size()) + ':';
  text.append(probe).append(transaction);
  const Digest digest = mac_.of(kStreamDomain, text);
  uint64_t value = 0;
  for (size_t i = 0; i < 5; ++i) value = value << 8 | digest[i];
  return value;
}

std::string MarkerCodec::tag(std::string_view body) const {
  std::string text;
  append_base32(text, mac_.of(kTagDomain, body), kTagWidth);
  return text;
}

RunTokens MarkerCodec::tokens(const MarkerId& id) const {
  RunTokens made;
  made.marker = body_of(id);
  const Digest digest = mac_.of(kTagDomain, made.marker);
  append_base32(made.marker, digest, kTagWidth);
  std::copy_n(digest.begin() + kTraceAt, made.trace.size(), made.trace.begin());
  std::copy_n(digest.begin() + kSpanAt, made.span.size(), made.span.begin());
  return made;
}

// "00-<trace>-<span>-01". Only spans of one trace must differ: the step, counted from 1, is the end of it.
std::string RunTokens::traceparent(uint16_t step) const {
  std::string text = "00-";
  text.reserve(55);
  append_hex(text, trace);
  text += '-';
  append_hex(text, span);
  const auto number = static_cast<uint16_t>(step + 1);
  append_hex(text, std::array{static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number & 255)});
  text += "-01";
  return text;
}

std::string MarkerCodec::payload(const MarkerId& id) const {
  std::string text(kPayloadPrefix);
  append_base32(text, mac_.of(kPayloadDomain, body_of(id)), kPayloadWidth);
  return text;
}

std::optional<MarkerId> MarkerCodec::read(std::string_view marker) const {
  if (marker.size() != kMarkerLength) return std::nullopt;
  Findings found;
  scan(marker, found);
  if (found.markers.size() != 1 || !found.markers[0].genuine) return std::nullopt;
  return found.markers[0].id;
}

void MarkerCodec::scan(std::string_view text, Findings& found) const {
  clear_bounded(found.markers);
  clear_bounded(found.payloads);
  found.sorted_ = false;
  found.doubtful_until_ = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if ((text[at] | 0x20) != 's') continue;
    MangledReader reader(text, at);
    size_t matched = 0;
    while (matched < kCommon.size() && reader.next() == kCommon[matched]) ++matched;
    if (matched < kCommon.size()) continue;
    const char which = reader.next();
    if (which == kPrefix[5]) scan_marker(text, at, found);
    if (which == kPayloadPrefix[5]) scan_payload(text, at, found);
  }
}

// `at` is where the token begins; moved to its last byte when it is genuine. Else it may be one cut off, and the next
// may begin within it: then that is the one.
void MarkerCodec::scan_marker(std::string_view text, size_t& at, Findings& found) const {
  MangledReader reader(text, at);
  std::array<char, kMarkerLength> read{};
  for (char& c : read) {
    c = reader.next();
    if (c == 0) return;
  }
  const std::string_view token(read.data(), read.size());
  const auto field = [&](size_t begin, unsigned width) { return read_base32(token.substr(begin, width)); };
  constexpr size_t stream_at = kPrefix.size(), epoch_at = stream_at + kStreamWidth + 1,
                   seq_at = epoch_at + kEpochWidth + 1, tag_at = seq_at + kSeqWidth + 1;
  static_assert(tag_at == kBodyLength);
  const auto stream = field(stream_at, kStreamWidth), epoch = field(epoch_at, kEpochWidth),
             seq = field(seq_at, kSeqWidth);
  const std::string_view tag_text = token.substr(tag_at);
  const bool hyphens =
      token[stream_at - 1] == '-' && token[epoch_at - 1] == '-' && token[seq_at - 1] == '-' && token[tag_at - 1] == '-';
  if (!hyphens || !stream || !epoch || !seq || !std::all_of(tag_text.begin(), tag_text.end(), is_base32)) return;
  const bool genuine = tag(token.substr(0, tag_at)) == tag_text;
  if (found.doubtful_until_ > at) found.markers.pop_back();
  found.markers.push_back({{*stream, *epoch, *seq}, genuine});
  found.doubtful_until_ = genuine ? 0 : reader.at();
  if (genuine) at = reader.at() - 1;
}

void MarkerCodec::scan_payload(std::string_view text, size_t& at, Findings& found) {
  MangledReader reader(text, at);
  for (size_t i = 0; i < kPayloadPrefix.size(); ++i) {
    if (reader.next() != kPayloadPrefix[i]) return;
  }
  std::string token;
  at = reader.at() - 1;
  while (token.size() < kPayloadWidth) {
    const char c = reader.next();
    if (!is_base32(c)) break;
    token += c;
    at = reader.at() - 1;
  }
  found.payloads.push_back(std::move(token));
}

}  // namespace slosonde::ledger
