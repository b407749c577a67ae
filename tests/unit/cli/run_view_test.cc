#include "probe/cli/run_view.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <sstream>

#include "probe/cli/exit.h"

namespace slosonde::cli {
namespace {

RunView view_of(const char* json) {
  auto view = run_view(boost::json::parse(json));
  EXPECT_TRUE(view) << view.error().text;
  return view ? *view : RunView();
}

std::string printed(const RunView& run) {
  std::ostringstream out;
  print_run(out, run, false);
  return out.str();
}

constexpr const char* kGoodRun = R"({"id": "sonde1-m", "transaction": "t", "state": "closed", "verdict": "good",
  "stages": [
    {"name": "ingest", "verdict": "on_time", "bad": false, "latency_seconds": 0.0123, "hop_seconds": 0.0123, "error": null},
    {"name": "alert", "verdict": "on_time", "bad": false, "latency_seconds": 1.5, "hop_seconds": 1.4877, "error": null}],
  "finally": []})";

TEST(RunView, AGoodRunAsATable) {
  const RunView run = view_of(kGoodRun);
  EXPECT_TRUE(run.over);
  EXPECT_EQ(printed(run),
            "t: good  sonde1-m\n"
            "  stage   verdict  latency      hop  what was wrong\n"
            "  ingest  on_time  12.3 ms  12.3 ms\n"
            "  alert   on_time    1.5 s   1.49 s\n");
}

TEST(RunView, ABadRunSaysWhatWasWrong) {
  const RunView run = view_of(R"({"id": "m", "transaction": "t", "state": "decided", "verdict": "bad", "stages": [
    {"name": "a", "verdict": "failed", "bad": true, "latency_seconds": null, "hop_seconds": null, "within_seconds": 2,
     "error": {"code": "wrong_status", "text": "503, not one of 200, 202"}},
    {"name": "b", "verdict": "skipped", "bad": true, "latency_seconds": null, "hop_seconds": null, "error": null}],
    "finally": [
    {"name": "close", "verdict": "failed", "bad": true, "error": {"code": "connect_refused", "text": "nothing listens"}}]})");
  EXPECT_TRUE(run.over);
  EXPECT_EQ(printed(run),
            "t: bad  m\n"
            "  stage  verdict  latency  hop  what was wrong\n"
            "  a      failed         -    -  wrong_status: 503, not one of 200, 202\n"
            "  b      skipped        -    -  a stage before it failed\n"
            "  clean-up close: failed, connect_refused: nothing listens\n");
}

TEST(RunView, SaysWhyWhereTheProbeGaveNoError) {
  const RunView run = view_of(R"({"id": "m", "transaction": "t", "state": "decided", "verdict": "bad", "stages": [
    {"name": "a", "verdict": "lost", "bad": true, "within_seconds": 60},
    {"name": "b", "verdict": "late", "bad": true, "within_seconds": 2, "latency_seconds": 3, "hop_seconds": 0},
    {"name": "c", "verdict": null, "bad": true, "within_seconds": 2},
    {"name": "d", "verdict": "corrupt", "bad": true}]})");
  ASSERT_EQ(run.stages.size(), 4U);
  EXPECT_EQ(run.stages[0].wrong, "not seen within 1m");
  EXPECT_EQ(run.stages[1].wrong, "seen, but not within 2s");
  EXPECT_EQ(run.stages[2].wrong, "not seen within 2s");
  EXPECT_EQ(run.stages[3].wrong, "the marker came through, its payload did not");
}

TEST(RunView, IsOverWhenNothingIsLeftToWaitFor) {
  EXPECT_FALSE(view_of(R"({"id": "m", "transaction": "t", "state": "in_flight", "verdict": null,
    "stages": [{"name": "a", "verdict": null, "bad": false}]})")
                   .over);
  EXPECT_FALSE(view_of(R"({"id": "m", "transaction": "t", "state": "decided", "verdict": "bad",
    "stages": [{"name": "a", "bad": true}, {"name": "b", "bad": false, "verdict": null}]})")
                   .over);
  EXPECT_FALSE(view_of(R"({"id": "m", "transaction": "t", "state": "decided", "verdict": "good",
    "stages": [{"name": "a", "verdict": "on_time"}], "finally": [{"name": "f", "verdict": null}]})")
                   .over);
  EXPECT_TRUE(view_of(R"({"id": "m", "transaction": "t", "state": "decided", "verdict": "bad",
    "stages": [{"name": "a", "bad": true, "verdict": null}], "finally": [{"name": "f", "verdict": "on_time"}]})")
                  .over);
}

TEST(RunView, WhatIsNoRunIsAnError) {
  for (const char* json : {"null", "[]", "{}", R"({"id": 7, "transaction": "t"})", R"({"title": "Not Found"})"}) {
    EXPECT_FALSE(run_view(boost::json::parse(json))) << json;
  }
}

TEST(ExitCode, BadComesBeforeInconclusiveBeforeGood) {
  const auto run = [](const char* verdict) {
    RunView made;
    made.verdict = verdict;
    return made;
  };
  EXPECT_EQ(exit_code({run("good"), run("good")}), kGood);
  EXPECT_EQ(exit_code({run("good"), run("bad"), run("blind")}), kBad);
  EXPECT_EQ(exit_code({run("good"), run("blind")}), kInconclusive);
  EXPECT_EQ(exit_code({run("probe_fault")}), kInconclusive);
  EXPECT_EQ(exit_code({run("missed")}), kInconclusive);
  EXPECT_EQ(exit_code({run("")}), kInconclusive);
  EXPECT_EQ(exit_code({}), kInconclusive);
}

}  // namespace
}  // namespace slosonde::cli
