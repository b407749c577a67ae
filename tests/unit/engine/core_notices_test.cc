// The lines that people are told.
#include "tests/unit/engine/core_rig.h"

namespace slosonde::engine {
namespace {

using checks::Outcome;

Error refused() {
  return {ErrorCode::connect_refused, "127.0.0.1:8080 refuses connections"};
}

struct Notices : testing::Test {
  Plan plan = plan_of({log_to_alert()});
};

TEST_F(Notices, NoLineIsRepeatedWhileATransactionStaysBad) {
  Rig rig(plan);
  for (int i = 0; i < 3; ++i) {
    const StartCheck check = rig.next_check(0, 0);
    rig.answer(check, Outcome::unreachable, check.due + 3ms, refused());
  }
  EXPECT_EQ(rig.notices(Notice::Kind::transaction_bad), 1u);
  EXPECT_EQ(rig.notices(Notice::Kind::transaction_good), 0u);
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, check.due + 1ms);
  rig.arrive(0, check.marker, 1, check.due + 2ms);
  rig.arrive(1, check.marker, 1, check.due + 3ms);
  EXPECT_EQ(rig.notices(Notice::Kind::transaction_good), 1u);
}

TEST_F(Notices, ALineIsWrittenForEachReasonOfASpellAndOneOfItsLength) {
  Rig rig(plan);
  Error busy{ErrorCode::wrong_status, "status 500"};
  Instant first{};
  for (const auto& [outcome, error] : {std::pair(Outcome::unreachable, refused()), std::pair(Outcome::wrong, busy),
                                       std::pair(Outcome::unreachable, refused()), std::pair(Outcome::wrong, busy)}) {
    const StartCheck check = rig.next_check(0, 0);
    rig.answer(check, outcome, check.due + 3ms, error);
    if (first == Instant()) first = check.due + 3ms;
  }
  EXPECT_EQ(rig.notices(Notice::Kind::transaction_bad), 1u);
  EXPECT_EQ(rig.notices(Notice::Kind::transaction_bad_otherwise), 1u);
  const auto spell = rig.view()->transactions[0].bad_spell;
  ASSERT_TRUE(spell);
  EXPECT_EQ(spell->since, first);
  EXPECT_EQ(spell->runs, 4u);
  EXPECT_EQ(spell->what, "stage \"ingest\" failed (wrong_status): status 500");
  const StartCheck check = rig.next_check(0, 0);
  rig.hold(check, check.due + 1ms);
  rig.arrive(0, check.marker, 1, check.due + 2ms);
  rig.arrive(1, check.marker, 1, check.due + 3ms);
  EXPECT_FALSE(rig.view()->transactions[0].bad_spell);
  const auto good = std::ranges::find(rig.told, Notice::Kind::transaction_good, &Notice::kind);
  ASSERT_NE(good, rig.told.end());
  EXPECT_EQ(good->text, "after 4 bad runs in 20s");
}

}  // namespace
}  // namespace slosonde::engine
