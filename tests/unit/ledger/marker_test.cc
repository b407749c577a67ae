#include "probe/ledger/marker.h"

#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <regex>
#include <set>

#include "probe/ledger/base32.h"

namespace slosonde::ledger {
namespace {

const Secret kKey("a key for tests");
constexpr MarkerId kId{0x12'3456'789a, 0x0000'018f'1234'5678, 77};

TEST(Marker, IsOneWordOfLettersDigitsAndHyphensOfAFixedLength) {
  const MarkerCodec codec(kKey);
  for (const MarkerId& id : {kId, MarkerId{0, 0, 0}, MarkerId{kMostStream, kMostEpoch, kMostSeq}}) {
    const std::string marker = codec.marker(id);
    EXPECT_EQ(marker.size(), kMarkerLength);
    EXPECT_TRUE(std::regex_match(marker, std::regex("sonde1-[a-z2-7]{8}-[a-z2-7]{10}-[a-z2-7]{8}-[a-z2-7]{14}")))
        << marker;
    EXPECT_EQ(codec.read(marker), id);
  }
}

// The tag by another way: OpenSSL's one-shot HMAC, and base32 by long division.
TEST(Marker, TagIsHmacSha256OverAllThatStandsBeforeIt) {
  const std::string marker = MarkerCodec(kKey).marker(kId);
  const std::string text = "m" + marker.substr(0, marker.size() - 14);
  unsigned char digest[32];
  unsigned length = 0;
  HMAC(EVP_sha256(), kKey.reveal().data(), static_cast<int>(kKey.reveal().size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &length);
  std::string bits;
  for (const unsigned char byte : digest) {
    for (int i = 7; i >= 0; --i) bits += byte >> i & 1 ? '1' : '0';
  }
  std::string tag;
  for (size_t i = 0; i < 14; ++i)
    tag += "abcdefghijklmnopqrstuvwxyz234567"[std::stoi(bits.substr(i * 5, 5), nullptr, 2)];
  EXPECT_EQ(marker.substr(marker.size() - 14), tag);
}

TEST(Marker, EveryChangedCharacterIsRefused) {
  const MarkerCodec codec(kKey);
  const std::string marker = codec.marker(kId);
  Findings found;
  for (size_t at = 0; at < marker.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = marker;
      changed[at] = static_cast<char>(value);
      // Another case is the same marker.
      const bool same = std::tolower(value) == marker[at];
      codec.scan(changed, found);
      const bool genuine = std::any_of(found.markers.begin(), found.markers.end(), [](auto& h) { return h.genuine; });
      EXPECT_EQ(genuine, same) << changed;
    }
  }
}

TEST(Marker, TwoCharactersExchangedAreRefused) {
  const MarkerCodec codec(kKey);
  const std::string marker = codec.marker(kId);
  for (size_t i = 0; i < marker.size(); ++i) {
    for (size_t j = i + 1; j < marker.size(); ++j) {
      std::string changed = marker;
      std::swap(changed[i], changed[j]);
      EXPECT_EQ(codec.read(changed).has_value(), changed == marker);
    }
  }
}

TEST(Marker, ARemovedOrAddedCharacterIsRefused) {
  const MarkerCodec codec(kKey);
  const std::string marker = codec.marker(kId);
  Findings found;
  for (size_t at = 0; at < marker.size(); ++at) {
    std::string changed = marker;
    changed.erase(at, 1);
    codec.scan(changed, found);
    EXPECT_TRUE(found.markers.empty() || !found.markers[0].genuine) << changed;
    if (at == 0) continue;
    changed = marker;
    changed.insert(at, 1, 'a');
    if (changed.starts_with(marker)) continue;  // added behind it
    codec.scan(changed, found);
    EXPECT_TRUE(found.markers.empty() || !found.markers[0].genuine) << changed;
  }
}

TEST(Marker, AnotherKeysIsFoundAndForeign) {
  const std::string marker = MarkerCodec(Secret("another key")).marker(kId);
  Findings found;
  MarkerCodec(kKey).scan(marker, found);
  ASSERT_EQ(found.markers.size(), 1u);
  EXPECT_FALSE(found.markers[0].genuine);
}

TEST(Marker, StreamsTellProbesAndTransactionsApart) {
  const MarkerCodec codec(kKey);
  const std::set<uint64_t> streams = {codec.stream("ab", "c"), codec.stream("a", "bc"), codec.stream("abc", ""),
                                      codec.stream("", "abc"), codec.stream("ab", "c", 1)};
  EXPECT_EQ(streams.size(), 5u);
  for (const uint64_t stream : streams) EXPECT_LE(stream, kMostStream);
  EXPECT_EQ(codec.stream("ab", "c"), MarkerCodec(kKey).stream("ab", "c"));
}

TEST(Marker, PayloadIsDerivedAndDamageShows) {
  const MarkerCodec codec(kKey);
  const std::string payload = codec.payload(kId);
  EXPECT_TRUE(std::regex_match(payload, std::regex("sondep-[a-z2-7]{26}"))) << payload;
  EXPECT_EQ(payload, MarkerCodec(kKey).payload(kId));
  EXPECT_NE(payload, codec.payload({kId.stream, kId.epoch, kId.seq + 1}));
  Findings found;
  codec.scan("body=" + payload + ";", found);
  EXPECT_TRUE(found.has_payload(payload));
  for (size_t at = 7; at < payload.size(); ++at) {
    std::string changed = payload;
    changed[at] = changed[at] == 'q' ? 'z' : 'q';
    codec.scan(changed, found);
    EXPECT_EQ(found.payloads.size(), 1u);
    EXPECT_FALSE(found.has_payload(payload));
  }
  codec.scan(payload.substr(0, 20), found);  // cut off
  EXPECT_EQ(found.payloads.size(), 1u);
  EXPECT_FALSE(found.has_payload(payload));
  codec.scan("no payload here", found);
  EXPECT_TRUE(found.payloads.empty());
  EXPECT_FALSE(found.has_payload(payload));
}

TEST(Marker, ManyPayloadsAreAllFound) {
  const MarkerCodec codec(kKey);
  std::string text;
  for (uint64_t seq = 0; seq < 500; ++seq) text += codec.payload({1, 2, seq});
  Findings found;
  codec.scan(text, found);
  EXPECT_EQ(found.payloads.size(), 500u);
  for (uint64_t seq = 0; seq < 500; ++seq) EXPECT_TRUE(found.has_payload(codec.payload({1, 2, seq})));
  EXPECT_FALSE(found.has_payload(codec.payload({1, 2, 500})));
}

TEST(Marker, TraceparentIsW3cAndStagesShareTheTrace) {
  const MarkerCodec codec(kKey);
  const RunTokens tokens = codec.tokens(kId);
  EXPECT_EQ(tokens.marker, codec.marker(kId));
  const std::string root = tokens.traceparent(0), first = tokens.traceparent(1), second = tokens.traceparent(2);
  const std::regex form("00-[0-9a-f]{32}-[0-9a-f]{16}-01");
  for (const std::string& one : {root, first, second}) {
    EXPECT_TRUE(std::regex_match(one, form)) << one;
    EXPECT_EQ(one.substr(3, 32), root.substr(3, 32));
  }
  EXPECT_EQ(std::set<std::string>({root.substr(36, 16), first.substr(36, 16), second.substr(36, 16)}).size(), 3u);
  EXPECT_NE(codec.tokens({1, 2, 3}).traceparent(0).substr(3, 32), root.substr(3, 32));
}

TEST(Marker, FindingsGiveBackTheMemoryOfAMonstrousText) {
  const MarkerCodec codec(kKey);
  std::string text;
  for (uint64_t seq = 0; seq < 5000; ++seq) text += codec.marker({1, 2, seq});
  Findings found;
  codec.scan(text, found);
  EXPECT_EQ(found.markers.size(), 5000u);
  codec.scan("", found);
  EXPECT_LE(found.markers.capacity(), 1024u);
}

TEST(Base32, ReadsBackWhatItWrote) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{31}, uint64_t{32}, kMostEpoch, kMostStream}) {
    std::string text;
    append_base32(text, value, 10);
    EXPECT_EQ(text.size(), 10u);
    EXPECT_EQ(read_base32(text), value);
  }
  EXPECT_FALSE(read_base32("abc1"));
  EXPECT_FALSE(read_base32("ABC"));
  EXPECT_FALSE(read_base32("aaaaaaaaaaaaa"));  // more than 60 bits
}

}  // namespace
}  // namespace slosonde::ledger
