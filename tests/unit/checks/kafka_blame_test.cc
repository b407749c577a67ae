#include "checks/kafka_blame.h"

#include <gtest/gtest.h>

namespace slosonde::checks {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): tests read better with 5s than without

const Instant kZero{};
const Error kSilence{ErrorCode::timeout, "no answer within 1500ms"};
const Error kUnauthorised{ErrorCode::rejected, "not for you"};
const Error kLost{ErrorCode::busy, "no longer there"};
const Error kTooLong{ErrorCode::busy, "too long"};

std::string hides(const KafkaBlame& blame, Instant now, const Error& trouble = {}, const Error& skipped = {}) {
  return blame.what_hides(now, trouble, skipped).text;
}

TEST(KafkaBlame, AnAnswerMayTakeFiveSeconds) {
  KafkaBlame blame("here");
  EXPECT_EQ(hides(blame, kZero + 1h), "") << "nothing was asked";
  blame.asked(kZero);
  EXPECT_EQ(hides(blame, kZero + 5s), "");
  EXPECT_EQ(hides(blame, kZero + 5s + 1ns), "here: no answer from the brokers for 5s");
  EXPECT_EQ(blame.what_hides(kZero + 6s, {}, {}).code, ErrorCode::timeout);
  blame.answered({});
  EXPECT_EQ(hides(blame, kZero + 1h), "");
}

TEST(KafkaBlame, WhatTheQuestionCameToCountsUntilOneIsAnswered) {
  KafkaBlame blame("here");
  blame.asked(kZero);
  blame.answered(kUnauthorised);
  EXPECT_EQ(hides(blame, kZero), "not for you");
  blame.asked(kZero + 1s);
  EXPECT_EQ(hides(blame, kZero + 1s), "not for you");
  blame.answered({});
  EXPECT_EQ(hides(blame, kZero + 1s), "");
  blame.failed(kLost);
  EXPECT_EQ(hides(blame, kZero + 1s), "no longer there");
}

TEST(KafkaBlame, WhoeverAwakesWaitsAnewForTheAnswer) {
  KafkaBlame blame("here");
  blame.asked(kZero);
  blame.awoke(kZero + 1min);
  EXPECT_EQ(hides(blame, kZero + 1min), "");
  EXPECT_EQ(hides(blame, kZero + 1min + 5s), "");
  EXPECT_EQ(hides(blame, kZero + 1min + 5s + 1ns), "here: no answer from the brokers for 5s") << "that is theirs";
}

TEST(KafkaBlame, SilenceInWhichWeStoodStillIsNone) {
  KafkaBlame blame("here");
  blame.asked(kZero);
  blame.awoke(kZero + 1min);
  blame.answered(kSilence);
  EXPECT_EQ(hides(blame, kZero + 1min), "");
  blame.asked(kZero + 1min);
  blame.answered(kSilence);
  EXPECT_EQ(hides(blame, kZero + 1min + 1s), kSilence.text) << "of a question since then it is theirs";
  blame.asked(kZero + 2min);
  blame.awoke(kZero + 3min);
  blame.answered(kSilence);
  EXPECT_EQ(hides(blame, kZero + 3min), kSilence.text) << "as it was before";
  blame.asked(kZero + 3min);
  blame.awoke(kZero + 4min);
  blame.answered({});
  EXPECT_EQ(hides(blame, kZero + 4min), "") << "an answer is one whenever it is read";
}

TEST(KafkaBlame, AwakeWithNothingAskedNothingIsWaitedFor) {
  KafkaBlame blame("here");
  blame.awoke(kZero);
  EXPECT_EQ(hides(blame, kZero + 1h), "");
  EXPECT_FALSE(blame.is_behind());
}

TEST(KafkaBlame, WhatIsNotHandedOutForFiveSecondsIsHeldBack) {
  KafkaBlame blame("here");
  blame.behind(kZero, 3, true);
  EXPECT_TRUE(blame.is_behind());
  blame.behind(kZero + 4s, 2, true);
  EXPECT_EQ(hides(blame, kZero + 5s - 1ns), "");
  EXPECT_EQ(hides(blame, kZero + 5s), "here: 2 messages behind; the brokers have not handed them out for 5s");
  blame.awoke(kZero + 1min);
  EXPECT_EQ(hides(blame, kZero + 1min + 5s - 1ns), "");
  EXPECT_EQ(blame.what_hides(kZero + 1min + 5s, {}, {}).code, ErrorCode::timeout);
  blame.behind(kZero + 1min + 5s, 2, false);
  EXPECT_EQ(blame.what_hides(kZero + 1min + 5s, {}, {}).code, ErrorCode::busy) << "they wait for us";
  blame.behind(kZero + 1min + 5s, 0, true);
  EXPECT_FALSE(blame.is_behind());
  EXPECT_EQ(hides(blame, kZero + 1h), "");
}

TEST(KafkaBlame, TheFaultsOfThePlaceComeBeforeOurOwn) {
  KafkaBlame blame("here");
  EXPECT_EQ(hides(blame, kZero, {}, kTooLong), "too long");
  EXPECT_EQ(hides(blame, kZero, kLost, kTooLong), "no longer there");
  blame.behind(kZero, 1, false);
  EXPECT_EQ(hides(blame, kZero + 5s, {}, kTooLong), "too long") << "both are ours";
  blame.behind(kZero, 1, true);
  EXPECT_EQ(blame.what_hides(kZero + 5s, kLost, kTooLong).code, ErrorCode::timeout);
  EXPECT_EQ(hides(blame, kZero + 5s, kUnauthorised, kTooLong), "not for you");
  blame.asked(kZero);
  EXPECT_EQ(hides(blame, kZero + 6s, kUnauthorised), "here: no answer from the brokers for 5s");
}

}  // namespace
}  // namespace slosonde::checks
