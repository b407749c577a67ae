// What real systems do to a text on its way. A marker in it is found, or not found; never is another one accepted.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <functional>
#include <string>

#include "probe/ledger/marker.h"

namespace slosonde::ledger {
namespace {

struct Mangling : testing::Test {
  const MarkerCodec codec{Secret("a key for tests")};
  const MarkerId id{123'456'789, 987'654'321, 4711};
  const std::string marker = codec.marker(id);

  std::vector<MarkerId> genuine(std::string_view text) const {
    Findings found;
    codec.scan(text, found);
    std::vector<MarkerId> ids;
    for (const MarkerHit& hit : found.markers) {
      if (hit.genuine) ids.push_back(hit.id);
    }
    return ids;
  }
  bool finds(std::string_view text) const { return genuine(text) == std::vector{id}; }

  static std::string replace_all(std::string text, std::string_view what, std::string_view with) {
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
      text.replace(at, what.size(), with);
    }
    return text;
  }
  static std::string mapped(std::string text, int (*change)(int)) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [&](unsigned char c) { return static_cast<char>(change(c)); });
    return text;
  }
};

TEST_F(Mangling, Plain) {
  EXPECT_TRUE(finds(marker));
  EXPECT_TRUE(finds("login failed " + marker + " for user x"));
  EXPECT_TRUE(finds("\"" + marker + "\""));
}

TEST_F(Mangling, AnotherCase) {
  EXPECT_TRUE(finds(mapped(marker, std::toupper)));
  std::string mixed = marker;
  for (size_t i = 0; i < mixed.size(); i += 2) mixed[i] = static_cast<char>(std::toupper(mixed[i]));
  EXPECT_TRUE(finds(mixed));
}

TEST_F(Mangling, JsonInJsonInJson) {
  EXPECT_TRUE(finds(R"({"message":"login failed )" + marker + R"("})"));
  EXPECT_TRUE(finds(R"("{\"message\":\"login failed )" + marker + R"(\\n\"}")"));
  EXPECT_TRUE(finds(R"("{\\\"a\\\":\\\")" + marker + R"(\\\"}")"));
  EXPECT_TRUE(finds("\"\\n" + marker + "\\n\""));
  EXPECT_TRUE(finds("\"" + replace_all(marker, "-", "\\u002d") + "\""));
  EXPECT_TRUE(finds("\"" + replace_all(marker, "-", "\\u002D") + "\""));
}

TEST_F(Mangling, UrlEncodingOnceAndTwice) {
  EXPECT_TRUE(finds("https://x/?q=" + marker + "&n=1"));
  EXPECT_TRUE(finds("q=%22" + replace_all(marker, "-", "%2D") + "%22"));
  EXPECT_TRUE(finds("q=%22" + replace_all(marker, "-", "%2d") + "%22"));
  EXPECT_TRUE(finds(replace_all(marker, "-", "%252D")));
  EXPECT_TRUE(finds("a%3D" + marker + "%0A"));
}

TEST_F(Mangling, Html) {
  EXPECT_TRUE(finds("<b>" + marker + "</b>"));
  EXPECT_TRUE(finds("&quot;" + replace_all(marker, "-", "&#45;") + "&quot;"));
  EXPECT_TRUE(finds(replace_all(marker, "-", "&#x2D;")));
}

TEST_F(Mangling, WrappedAtAnyPlace) {
  for (const std::string_view at_end :
       {"\n", "\r\n", "\r\n ", "\n\t", "=\r\n", "=\n", "\\n", "\\r\\n", "\\\\n", "%0A", "%0D%0A", "\n          "}) {
    for (size_t at = 1; at < marker.size(); ++at) {
      std::string text = marker;
      text.insert(at, at_end);
      EXPECT_TRUE(finds(text)) << text;
    }
  }
  EXPECT_TRUE(finds(replace_all(marker, "-", "=2D")));
}

TEST_F(Mangling, WrappedTooOftenIsNotFound) {
  std::string text;
  for (const char c : marker) text += std::string(1, c) + "\r\n";
  EXPECT_TRUE(genuine(text).empty());
}

TEST_F(Mangling, TruncatedIsNotFound) {
  for (size_t length = 0; length < marker.size(); ++length) {
    EXPECT_TRUE(genuine(marker.substr(0, length)).empty());
    EXPECT_TRUE(genuine(marker.substr(0, length) + "...").empty());
    EXPECT_TRUE(genuine(marker.substr(0, length) + "\xE2\x80\xA6").empty());
    EXPECT_TRUE(length == 0 || genuine(marker.substr(length)).empty());
  }
}

TEST_F(Mangling, Neighbours) {
  for (const std::string_view neighbour : {"a", "s", "so", "sonde", "sonde1", "sonde1-", "z", "7", "-", "_", "%", "%2",
                                           "\\", "\\u00", "&", "=", "\n", "\xff", "\xc3"}) {
    EXPECT_TRUE(finds(std::string(neighbour) + marker)) << neighbour;
    EXPECT_TRUE(finds(marker + std::string(neighbour))) << neighbour;
  }
  using std::string_literals::operator""s;
  EXPECT_TRUE(finds("\0"s + marker + "\0"s));
}

TEST_F(Mangling, ConcatenatedAndAfterATruncatedOne) {
  const MarkerId other{1, 2, 3};
  const std::string second = codec.marker(other);
  EXPECT_EQ(genuine(marker + second), (std::vector{id, other}));
  EXPECT_EQ(genuine(marker + marker), (std::vector{id, id}));
  for (size_t length = 0; length < marker.size(); ++length) {
    EXPECT_EQ(genuine(marker.substr(0, length) + second), std::vector{other}) << length;
  }
}

TEST_F(Mangling, PiecesOfTwoMarkersNeverMakeAThird) {
  const std::string second = codec.marker({id.stream, id.epoch, id.seq + 1});
  for (size_t cut = 1; cut < marker.size(); ++cut) {
    const std::string mixed = marker.substr(0, cut) + second.substr(cut);
    const auto ids = genuine(mixed);
    if (mixed == marker || mixed == second) continue;
    EXPECT_TRUE(ids.empty()) << mixed;
  }
}

TEST_F(Mangling, RandomDamageIsNeverAnotherMarker) {
  uint64_t state = 7;
  const auto random = [&](size_t n) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return static_cast<size_t>(state >> 33) % n;
  };
  for (int i = 0; i < 50'000; ++i) {
    std::string text = "before " + marker + " after " + marker;
    for (size_t n = 1 + random(4); n > 0; --n) {
      const size_t at = random(text.size());
      switch (random(4)) {
        case 0:
          text[at] = static_cast<char>(text[at] ^ (1 << random(8)));
          break;
        case 1:
          text.erase(at, 1 + random(3));
          break;
        case 2:
          text.insert(at, 1, static_cast<char>(random(256)));
          break;
        default:
          text = text.substr(at) + text.substr(0, at);
          break;
      }
    }
    for (const MarkerId& found : genuine(text)) EXPECT_EQ(found, id) << text;
  }
}

TEST_F(Mangling, TextsMadeToBeSlowAreReadInTimeProportionalToTheirLength) {
  // Counted, not timed: a reader skips a bounded number of bytes, so no text makes a byte be read more than some
  // hundred times. Here we only see that the worst ones come to an end and hide nothing.
  const auto repeated = [](std::string_view piece, size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += piece;
    return text;
  };
  for (const std::string_view piece : {"s", "S", "sonde", "sonde1-", "sonde1-aaaaaaaa-aaaaaaaaaa-aaaaaaaa-", "s\n",
                                       "\n", "s\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", "sondep-", "%2d", "\\\\\\\\\\",
                                       "sonde1-ssssssss-ssssssssss-ssssssss-sssssssssssss"}) {
    EXPECT_EQ(genuine(repeated(piece, 300'000) + " " + marker), std::vector{id}) << piece;
  }
}

}  // namespace
}  // namespace slosonde::ledger
