// The SLI events of all SLOs: each counted once, into its history, and the alerts stepped by it.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "probe/engine/plan.h"
#include "probe/engine/run.h"
#include "probe/engine/sli_attic.h"
#include "probe/engine/slo_book.h"
#include "probe/slo/counts.h"
#include "probe/store/batch.h"

namespace slosonde::engine {

// What a run that is decided is to an SLI of the whole run.
slo::Event event_of(RunVerdict verdict);

// By the SLO's index in the plan, or by what its transaction did. Triggered runs are not to be told here. Engine
// thread.
class SliBook {
 public:
  // `plan` outlives it.
  SliBook(const Plan& plan, Instant start);

  void stage_decided(uint32_t transaction, size_t stage, slo::Event event, Instant at);  // of SLOs on this very stage
  void run_decided(uint32_t transaction, slo::Event event, Instant at);                  // of SLOs on the whole run
  void count(size_t slo, slo::Event event, Instant at);
  void missed(uint32_t transaction, Instant first, uint64_t count, bool excluded);

  // Moves windows and steps the alerts, of all SLOs or of those with new events, to `now`.
  using Tell = std::function<void(const SloPlan& slo, bool fired, std::string text)>;
  void step_all(Instant now, const Tell& tell);
  void step_changed(Instant now, const Tell& tell);

  // What a store keeps of all this, and gives back: before anything is counted, up to `at` of each transaction. Gives
  // what is to be told people of SLOs (by index) whose counts begin anew.
  void keep_changes();
  void take_changes(bool whole, store::Batch& batch);
  struct Anew {
    size_t slo;
    std::string why;
  };
  std::vector<Anew> restore(const store::Batch& kept, std::span<const Instant> at, Instant now);

  // Goes on, at `now`, from the book of another plan: by definitions, as from a store. The exported counters of an SLO
  // of the same name and SLI go on, too. Gives as restore() does.
  std::vector<Anew> take_over(SliBook& before, Instant now);

  bool uses(const std::string& definition) const;
  bool empty() const { return books_.empty(); }
  std::vector<SloStatus> statuses() const;

 private:
  struct OfTransaction {
    std::vector<size_t> verdicts, latencies;  // SLOs
  };

  void step(size_t slo, Instant now, const Tell& tell);
  void put_away(const store::Batch& counts, Instant now);

  const Plan& plan_;
  std::vector<SloBook> books_;
  std::vector<OfTransaction> transactions_;
  std::vector<size_t> changed_;
  SliAttic attic_;
};

}  // namespace slosonde::engine
