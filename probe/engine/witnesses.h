// Asks the witnesses, all at once and again and again, over TCP.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "probe/engine/core.h"
#include "probe/io/io.h"

namespace slosonde::engine {

// Engine thread. Each answer goes to `feed`; one that we had no descriptor or memory for is none. At its end it is
// cancelled and reports to nobody; its coroutines end with the next turn of the Io.
class Witnesses {
 public:
  // `addresses`: as tcp://10.0.0.1:443.
  Witnesses(io::Io& io, const std::vector<std::string>& addresses, std::function<void(Input)> feed);
  ~Witnesses();
  Witnesses(const Witnesses&) = delete;
  Witnesses& operator=(const Witnesses&) = delete;

  void start();
  void stop();
  bool running() const;  // until its coroutines have ended

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace slosonde::engine
