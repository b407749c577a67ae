#include "demo/passage.h"

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <utility>

#include "demo/record.h"

namespace slosonde::demo {

Passage::Passage(boost::asio::io_context& io, Stage stage, Faults& faults, Counts& counts, HandOn hand_on)
    : io_(io),
      stage_(stage),
      faults_(faults),
      counts_(counts[static_cast<size_t>(stage)]),
      hand_on_(std::move(hand_on)) {}

Passage::Answer Passage::take(std::string record) {
  ++counts_.taken;
  const Fate fate = faults_.draw(stage_);
  if (fate.refuse) {
    ++counts_.refused;
    return Answer::refused;
  }
  if (fate.copies == 0) {
    ++counts_.dropped;
    return Answer::taken;
  }
  if (fate.copies > 1) ++counts_.duplicated;
  if (fate.corrupt) {
    ++counts_.corrupted;
    record = corrupted(record);
  }
  if (fate.delay == Duration::zero()) {
    hand_on(record, fate.copies);
    return Answer::taken;
  }
  if (counts_.held >= kMaxHeld) {
    ++counts_.overflowed;
    return Answer::overflowed;
  }
  later(fate.delay, std::move(record), fate.copies);
  return Answer::taken;
}

void Passage::later(Duration delay, std::string record, int copies) {
  ++counts_.delayed;
  ++counts_.held;
  auto timer = std::make_shared<boost::asio::steady_timer>(io_, delay);
  timer->async_wait([this, timer, copies, record = std::move(record)](boost::system::error_code error) {
    --counts_.held;
    if (!error) hand_on(record, copies);
  });
}

void Passage::hand_on(const std::string& record, int copies) {
  for (int i = 0; i < copies; ++i) {
    ++counts_.passed;
    hand_on_(record);
  }
}

}  // namespace slosonde::demo
