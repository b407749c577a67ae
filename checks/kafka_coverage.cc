#include "checks/kafka_coverage.h"

#include <algorithm>

namespace slosonde::checks {

void KafkaCoverage::begin(Instant at) {
  begun_ = true;
  broken_ = false;
  questions_.clear();
  from_ = proven_ = at;
  std::vector<int64_t> positions;
  for (const auto& [number, partition] : partitions_) {
    positions.resize(static_cast<size_t>(number) + 1);
    positions[number] = partition.position;
  }
  ends(at, positions);
}

void KafkaCoverage::start(int32_t partition, int64_t offset, bool lost) {
  partitions_[partition] = {.position = offset, .held = false};
  if (!lost) return;
  broken_ = true;
  questions_.clear();  // their ends may belong to what is no more
}

void KafkaCoverage::handed_over(int32_t partition, int64_t position) {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return;
  found->second.position = std::max(found->second.position, position);
  found->second.held = false;
}

void KafkaCoverage::hold(int32_t partition) {
  const auto found = partitions_.find(partition);
  if (found != partitions_.end()) found->second.held = true;
}

void KafkaCoverage::ends(Instant asked, std::span<const int64_t> ends) {
  if (questions_.size() == kMaxQuestions) questions_.pop_back();
  questions_.push_back({asked, {ends.begin(), ends.end()}});
}

std::optional<KafkaCoverage::Interval> KafkaCoverage::take() {
  if (!begun_) return std::nullopt;
  while (!questions_.empty() && missing(questions_.front()) == 0) {
    const Instant asked = questions_.front().asked;
    questions_.pop_front();
    if (broken_) from_ = asked;
    broken_ = false;
    if (asked < proven_) continue;
    proven_ = asked;
    told_ = false;
  }
  if (told_) return std::nullopt;
  told_ = true;
  const Interval proven{from_, proven_};
  from_ = proven_;
  return proven;
}

std::optional<int64_t> KafkaCoverage::position(int32_t partition) const {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return std::nullopt;
  return found->second.position;
}

bool KafkaCoverage::held(int32_t partition) const {
  const auto found = partitions_.find(partition);
  return found != partitions_.end() && found->second.held;
}

int64_t KafkaCoverage::behind() const {
  return questions_.empty() ? 0 : missing(questions_.front());
}

int64_t KafkaCoverage::missing(const Question& question) const {
  int64_t sum = 0;
  for (size_t i = 0; i < question.ends.size(); ++i) {
    const auto found = partitions_.find(static_cast<int32_t>(i));
    const int64_t position = found == partitions_.end() ? 0 : found->second.position;
    sum += std::max<int64_t>(question.ends[i] - position, 0);
    // A partition that is not read and has nothing in it hides nothing; one that fails may.
    if (found != partitions_.end() && found->second.held) ++sum;
  }
  return sum;
}

}  // namespace slosonde::checks
