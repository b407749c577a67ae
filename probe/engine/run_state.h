// A run in flight, as the core keeps it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "probe/base/time.h"
#include "probe/engine/run.h"
#include "probe/engine/seen_items.h"
#include "probe/ledger/marker.h"

namespace slosonde::engine {

// What has been reported of a stage and waits for its instant: things are decided in the order of time, not of arrival.
enum class Report : uint8_t { none, seen, failed, fault };
constexpr int kReports = 4;

struct Stage {
  StageRecord record;
  Instant limit = kNever;  // kNever: counts from a stage that has not been seen

  Report report = Report::none;
  Instant report_at = kNever;
  Instant seen_lo{}, seen_hi{};  // of a report `seen`
  bool seen_by_place = false;    // Evidence::by_place
  Instant seen_told{};           // when it was handed over: what is read back is known later than it was there
  bool corrupt = false;
  Error report_error;

  // Done and polled stages.
  Instant next_start = kNever;  // of the next attempt
  Instant attempt_start{}, attempt_deadline{};
  Instant last_unshown{};        // polled: when the last valid answer that did not show the marker was asked for
  bool attempt_running = false;  // a result may still come
  bool answered = false;         // an attempt has ended
  bool last_valid = false;       // and the last one was a valid answer
  bool last_fault = false;       // or failed by our own fault
  Instant failed_at = kNever;    // or else when it failed; kNever: nobody knows any more
  // Past its limit, or failed: until when it may wait for what the witnesses say; kNever: it does not.
  Instant asks_until = kNever;

  // Watched stages.
  bool waits_for_sight = false;  // past its limit, and absence is not proven
  // Expected exactly once, and seen so far so good: open until no second copy can come any more.
  bool awaits_second = false;
  Instant second_at = kNever;        // when a second copy counts that was reported, and not yet judged
  Instant second_lo{}, second_hi{};  // its interval
  SeenItems items;

  bool fault = false;  // `unseen` by a fault of our own
  bool hop_counted = false, reordered_counted = false;

  // Our own side could not act, as is known from `at` on.
  void report_fault(Error error, Instant at) {
    report = Report::fault;
    report_error = std::move(error);
    report_at = at;
  }

  bool decided() const { return record.verdict || record.bad; }
  bool seen() const { return record.seen_hi.has_value(); }
  // Seen, and the sighting made its verdict, or will.
  bool counts_as_seen() const {
    if (!seen()) return false;  // one that expects none is on time without
    return awaits_second || record.verdict == StageVerdict::on_time || record.verdict == StageVerdict::late ||
           record.verdict == StageVerdict::corrupt;
  }
};

// An action under `finally`.
struct FinalStep {
  StageRecord record;
  Instant deadline = kNever;
  bool running = false;
};

// How far the event of a latency SLO is.
enum class LatencyMark : uint8_t { open, asks_witnesses, awaits_sight, counted };

struct Run {
  RunId id;
  ledger::RunTokens tokens;
  Origin origin = Origin::scheduled;
  Instant due{}, started{};
  std::vector<Stage> stages;
  std::vector<FinalStep> finally;
  checks::Captures captures;
  std::optional<RunVerdict> verdict;
  Instant decided{};
  Instant close_at = kNever;
  Instant wake = kNever;    // the earliest entry of the queue that is ours
  bool holds_place = true;  // counts towards max_in_flight
  bool cleaned_up = false;  // every step of finally has ended
  bool closed = false;
  size_t finally_at = 0;             // the step that runs or comes next
  std::vector<LatencyMark> latency;  // as Judge::latency_slos()

  std::shared_ptr<const RunRecord> shown;  // as last shown; reset when the run changes
  bool unsaved = false;                    // has changed since it was last given to the store
  bool saved = false;                      // the store has it

  bool counted() const { return origin == Origin::scheduled; }
  bool finally_done() const { return finally_at >= finally.size(); }
};

}  // namespace slosonde::engine
