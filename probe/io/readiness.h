// Waiting for one descriptor again and again: what Io::readable does once, for a third of the system calls.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "probe/base/result.h"

namespace slosonde::io {

// Engine thread; one wait at a time. The descriptor stays its owner's, who must end the Readiness before it closes it.
class Readiness {
 public:
  Readiness(const boost::asio::any_io_executor& executor, int descriptor);
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // Until it is readable. `cancelled` with the waiting coroutine, or an own fault.
  boost::asio::awaitable<Result<void>> wait();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slosonde::io
