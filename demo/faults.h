// Faults that can be switched while the pipeline runs: POST /faults {"stage": "alert", "delay": "2s", "drop": 0.5}.
#pragma once

#include <array>
#include <boost/json/fwd.hpp>
#include <random>
#include <string_view>

#include "demo/counts.h"
#include "probe/base/result.h"
#include "probe/base/time.h"

namespace slosonde::demo {

// What a stage does to its records: shares are probabilities from 0 to 1, drawn for each record.
struct Fault {
  Duration delay{};      // holds each record back this long
  double drop = 0;       // takes the record and loses it
  double duplicate = 0;  // hands the record on twice
  double corrupt = 0;    // changes the last letter or digit of the message
  double refuse = 0;     // does not take the record (ingest answers 503)
};

constexpr Duration kLongestDelay = std::chrono::minutes(10);

// What happens to one record.
struct Fate {
  Duration delay{};
  int copies = 1;  // 0: dropped
  bool corrupt = false;
  bool refuse = false;
};

// One thread.
class Faults {
 public:
  explicit Faults(uint64_t seed) : random_(seed) {}

  // Sets the fault of the stage that the JSON names; what it does not name is off. The error says what would be right.
  Result<void> set(std::string_view json);
  void clear() { faults_ = {}; }
  Fate draw(Stage stage);
  boost::json::object to_json() const;

 private:
  bool happens(double share);

  std::array<Fault, kStages> faults_{};
  std::mt19937_64 random_;
};

}  // namespace slosonde::demo
