#include "checks/webhook_body.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace slosonde::checks {
namespace {

struct Piece {
  std::string text;
  uint64_t item;
  EvidencePhase phase;
};

std::vector<Piece> split(HookFormat format, std::string_view body, bool fits = true) {
  std::vector<Piece> pieces;
  const bool said = split_hook(format, body, [&](const HookPiece& piece) {
    pieces.push_back({std::string(piece.text), piece.item, piece.phase});
  });
  EXPECT_EQ(said, fits) << body.substr(0, 100);
  return pieces;
}

std::string alert(const std::string& status, const std::string& fingerprint, const std::string& starts,
                  const std::string& summary) {
  std::string text = R"({"labels":{"alertname":"A"},"status":")";
  text.append(status).append(R"(","annotations":{"summary":")").append(summary);
  text.append(R"("},"startsAt":")").append(starts).append(R"(","fingerprint":")").append(fingerprint);
  return text.append("\"}");
}

std::string notification(const std::vector<std::string>& alerts, const std::string& status = "firing") {
  std::string list;
  for (const auto& one : alerts) list += (list.empty() ? "" : ",") + one;
  std::string text = R"({"version":"4","receiver":"r","status":")";
  return text.append(status).append(R"(","alerts":[)").append(list).append("]}");
}

TEST(WebhookBody, EachAlertIsAPieceWithItsOwnPhase) {
  const std::string body =
      notification({alert("firing", "f1", "t1", "sonde1-a"), alert("resolved", "f2", "t2", "sonde1-b")});
  for (const HookFormat format : {HookFormat::alertmanager, HookFormat::any}) {
    const auto pieces = split(format, body);
    ASSERT_EQ(pieces.size(), 2U);
    EXPECT_EQ(pieces[0].phase, EvidencePhase::firing);
    EXPECT_NE(pieces[0].text.find("sonde1-a"), std::string::npos);
    EXPECT_EQ(pieces[0].text.find("sonde1-b"), std::string::npos);
    EXPECT_EQ(pieces[1].phase, EvidencePhase::resolved);
    EXPECT_NE(pieces[0].item, pieces[1].item);
  }
}

TEST(WebhookBody, TheSameAlertIsTheSameItemHoweverItIsToldAgain) {
  const uint64_t first = split(HookFormat::alertmanager, notification({alert("firing", "f1", "t1", "x")}))[0].item;
  const auto regrouped =
      split(HookFormat::alertmanager,
            notification({alert("firing", "f0", "t0", "y"), alert("firing", "f1", "t1", "changed")}));
  EXPECT_EQ(regrouped[1].item, first);
  EXPECT_EQ(split(HookFormat::alertmanager, notification({alert("resolved", "f1", "t1", "x")}, "resolved"))[0].item,
            first);
  EXPECT_NE(split(HookFormat::alertmanager, notification({alert("firing", "f1", "t9", "x")}))[0].item, first)
      << "firing anew";
  EXPECT_NE(split(HookFormat::alertmanager, notification({alert("firing", "f2", "t1", "x")}))[0].item, first);
}

TEST(WebhookBody, AnAlertWithoutAFingerprintIsKnownByItsLabels) {
  const auto one = [](const char* label) {
    return std::string(R"({"alerts":[{"status":"firing","startsAt":"t","labels":{"id":")") + label + R"("}}]})";
  };
  const uint64_t a = split(HookFormat::alertmanager, one("a"))[0].item;
  EXPECT_EQ(split(HookFormat::alertmanager, one("a"))[0].item, a);
  EXPECT_NE(split(HookFormat::alertmanager, one("b"))[0].item, a);
}

TEST(WebhookBody, JsonIsWrittenAnewSoThatNoEscapeHidesAnything) {
  const auto pieces = split(HookFormat::json, R"({"m": "sonde1\u002dabc", "p": "a\/b"})");
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].text, R"({"m":"sonde1-abc","p":"a/b"})");
  EXPECT_EQ(pieces[0].item, split(HookFormat::json, R"({"m":"sonde1-abc","p":"a/b"})")[0].item);
}

TEST(WebhookBody, AnArrayIsManyPieces) {
  for (const HookFormat format : {HookFormat::json, HookFormat::any}) {
    const auto pieces = split(format, R"([{"a":1}, "two", {"a":1}])");
    ASSERT_EQ(pieces.size(), 3U);
    EXPECT_EQ(pieces[1].text, "\"two\"");
    EXPECT_EQ(pieces[0].item, pieces[2].item);
    EXPECT_NE(pieces[0].item, pieces[1].item);
  }
}

TEST(WebhookBody, WhatIsNotOfTheFormatIsHandedOverWholeAndSaidToBeOdd) {
  const std::string odd = "{\"alerts\": [sonde1-a";
  for (const HookFormat format : {HookFormat::alertmanager, HookFormat::json}) {
    const auto pieces = split(format, odd, false);
    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_EQ(pieces[0].text, odd);
  }
  EXPECT_EQ(split(HookFormat::alertmanager, R"({"alerts":[]})", false).size(), 1U);
  EXPECT_EQ(split(HookFormat::alertmanager, R"({"alerts":[1,2]})", false).size(), 1U);
  EXPECT_EQ(split(HookFormat::any, odd)[0].text, odd);
}

TEST(WebhookBody, TextIsBytes) {
  const std::string bytes("\xff\xfe sonde1-a \x00 {", 14);
  EXPECT_EQ(split(HookFormat::text, bytes)[0].text, bytes);
  EXPECT_EQ(split(HookFormat::text, R"({"alerts":[{}]})").size(), 1U);
  EXPECT_EQ(split(HookFormat::text, "")[0].text, "");
  EXPECT_NE(split(HookFormat::text, "a")[0].item, split(HookFormat::text, "b")[0].item);
}

TEST(WebhookBody, InvalidUtf8WithinAnAlertDoesNotHideIt) {
  const auto pieces = split(HookFormat::alertmanager, notification({alert("firing", "f", "t", "\xc3( sonde1-a \xff")}));
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].phase, EvidencePhase::firing);
  EXPECT_NE(pieces[0].text.find("sonde1-a"), std::string::npos);
}

TEST(WebhookBody, TenThousandAlertsAreTenThousandItems) {
  std::vector<std::string> alerts;
  for (int i = 0; i < 10000; ++i) alerts.push_back(alert("firing", "f" + std::to_string(i), "t", "x"));
  std::set<uint64_t> items;
  for (const Piece& piece : split(HookFormat::any, notification(alerts))) items.insert(piece.item);
  EXPECT_EQ(items.size(), 10000U);
}

TEST(WebhookBody, DeepNestingIsTextNotAStackOverflow) {
  const std::string deep(1000000, '[');
  EXPECT_EQ(split(HookFormat::any, deep)[0].text.size(), deep.size());
  EXPECT_EQ(split(HookFormat::json, deep, false).size(), 1U);
}

}  // namespace
}  // namespace slosonde::checks
