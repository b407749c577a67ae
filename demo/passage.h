// What every stage does with a record that came in: applies the fault of the moment, holds it back if need be, and
// hands it on.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "demo/counts.h"
#include "demo/faults.h"

namespace slosonde::demo {

constexpr uint64_t kMaxHeld = 10'000;  // records delayed at a time, a stage

// Owned by its stage; on the io_context's thread.
class Passage {
 public:
  using HandOn = std::function<void(const std::string& record)>;

  Passage(boost::asio::io_context& io, Stage stage, Faults& faults, Counts& counts, HandOn hand_on);

  enum class Answer : uint8_t { taken, refused, overflowed };
  // Taken: it will be handed on, or lost if the fault says so; the sender cannot tell.
  Answer take(std::string record);

  StageCounts& counts() { return counts_; }

 private:
  void later(Duration delay, std::string record, int copies);
  void hand_on(const std::string& record, int copies);

  boost::asio::io_context& io_;
  const Stage stage_;
  Faults& faults_;
  StageCounts& counts_;
  const HandOn hand_on_;
};

}  // namespace slosonde::demo
