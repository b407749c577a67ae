// Rings at an instant, or as soon as what is ready has been served: the pulse of the service.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "probe/base/time.h"
#include "probe/io/io.h"

namespace slosonde::engine {

// Engine thread. `ring` is never called from within arm() or soon(). Nothing rings after the alarm's end.
class Alarm {
 public:
  // `late` is by how much the alarm missed the instant it was armed for; nothing when it rings by soon().
  using Ring = std::function<void(std::optional<Duration> late)>;

  Alarm(io::Io& io, Ring ring);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // Rings at `when` or before (at an instant armed for earlier); cheap when `when` is not earlier than that.
  void arm(Instant when);
  // Rings once after the handlers that are ready now; several calls before that are one.
  void soon();

 private:
  struct Sleep;
  struct State;

  static boost::asio::awaitable<void> keep_ringing(std::shared_ptr<State> state, std::shared_ptr<Sleep> own);
  static void sleep(const std::shared_ptr<State>& state, const std::shared_ptr<Sleep>& fresh);

  std::shared_ptr<State> state_;
};

}  // namespace slosonde::engine
