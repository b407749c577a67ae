// How long a thread that had work has waited for a processor, as the kernel counts it.
#pragma once

#include "probe/base/time.h"

namespace slosonde::io {

// Of the thread that makes it, whoever asks. Always 0 where the kernel does not count (no /proc/thread-self/schedstat).
class ProcessorWait {
 public:
  ProcessorWait();
  ~ProcessorWait();
  ProcessorWait(const ProcessorWait&) = delete;
  ProcessorWait& operator=(const ProcessorWait&) = delete;

  Duration total() const;

 private:
  int file_;
};

}  // namespace slosonde::io
