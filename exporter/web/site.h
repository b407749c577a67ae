// What a listener serves. The connection knows HTTP, the site knows what is asked.
#pragma once

#include "exporter/web/request.h"

namespace slosonde::exporter {

// Why somebody who may have come with a request could not be taken in, by our own fault.
enum class TurnedAway : uint8_t { no_descriptors, connections };

// Web thread. Nothing of these throws, but for want of memory.
class Site {
 public:
  virtual ~Site() = default;
  // When the head has arrived. Head and body come to answer() if it does not refuse.
  virtual Admission admit(const RequestHead& head) = 0;
  virtual void answer(Request request, Reply reply) = 0;
  // An admitted request that came to nothing: 400, 408, 413 or 503, for want of a body within the limits.
  virtual void gave_up(const RequestHead& head, int status) = 0;
  virtual void turned_away(TurnedAway why) = 0;
};

}  // namespace slosonde::exporter
