// Batches for tests, and what a file should hold after them.
#pragma once

#include <map>
#include <ostream>
#include <string>

#include "probe/store/batch.h"

namespace slosonde::store {

// A number of batches that touch everything there is, the nth as different from those before as it can be.
Batch nth_batch(int n);

// What is in the file after some batches, by a plain map: text → text.
class Contents {
 public:
  void apply(const Batch& batch);
  static Contents of(const Batch& loaded);  // as load() gave it

  friend bool operator==(const Contents&, const Contents&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Contents& contents);

 private:
  std::map<std::string, std::string> rows_;
};

}  // namespace slosonde::store
