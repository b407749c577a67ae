#include "checks/kafka_coverage.h"

#include <algorithm>

namespace slosonde::checks {

void KafkaCoverage::begin(Instant at) {
  begun_ = true;
  broken_ = false;
  questions_.clear();
  from_ = proven_ = at;
  ends(at, positions());
}

void KafkaCoverage::start(int32_t partition, int64_t offset, bool lost) {
  Partition& one = partitions_[partition];
  one.position = offset;
  one.held = false;
  if (!lost) return;
  one.skip_from = one.skip_to = 0;  // within what is lost
  break_off();
}

void KafkaCoverage::break_off() {
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

void KafkaCoverage::forget(int32_t partition) {
  if (partitions_.erase(partition) != 0) break_off();
}

void KafkaCoverage::skip(int32_t partition, int64_t offset) {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return;
  Partition& one = found->second;
  if (one.skip_from == one.skip_to) one.skip_from = offset;
  one.skip_to = std::max(one.skip_to, offset + 1);
}

bool KafkaCoverage::skipping() const {
  return std::ranges::any_of(partitions_, [](const auto& one) { return one.second.skip_from < one.second.skip_to; });
}

bool KafkaCoverage::skips(const Partition& partition, int64_t end) {
  return partition.skip_from < std::min(partition.skip_to, end);
}

// Whether one had arrived when the question was asked. Of those in between nothing is known but that they came later.
bool KafkaCoverage::skips(const Question& question) const {
  return std::ranges::any_of(partitions_, [&](const auto& one) {
    const auto i = static_cast<size_t>(one.first);
    return i < question.ends.size() && skips(one.second, question.ends[i]);
  });
}

void KafkaCoverage::drop_skipped(const Question& question) {
  for (auto& [number, one] : partitions_) {
    const auto i = static_cast<size_t>(number);
    if (i < question.ends.size() && skips(one, question.ends[i]))
      one.skip_from = std::min(one.skip_to, question.ends[i]);
  }
}

void KafkaCoverage::ends(Instant asked, std::span<const int64_t> ends) {
  if (questions_.size() == kMaxQuestions) questions_.pop_back();
  questions_.push_back({asked, {ends.begin(), ends.end()}});
}

std::optional<KafkaCoverage::Interval> KafkaCoverage::take() {
  if (!begun_) return std::nullopt;
  while (!questions_.empty() && missing(questions_.front()) == 0) {
    const bool skipping = skips(questions_.front());
    if (skipping && !told_) break;  // what was proven before it is told by itself
    skipped_ = skipping;
    drop_skipped(questions_.front());
    const Instant asked = questions_.front().asked;
    questions_.pop_front();
    if (broken_ || skipped_) from_ = asked;
    broken_ = false;
    if (asked < proven_) continue;
    proven_ = asked;
    told_ = false;
  }
  if (told_) return std::nullopt;
  told_ = true;
  const Interval proven{from_, proven_, skipped_ && from_ == proven_};
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

std::vector<int64_t> KafkaCoverage::positions() const {
  std::vector<int64_t> all;
  for (const auto& [number, partition] : partitions_) {
    all.resize(static_cast<size_t>(number) + 1);
    all[number] = partition.position;
  }
  return all;
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
  }
  // A partition that is not read and has nothing in it hides nothing; one that fails may, or has vanished.
  for (const auto& [number, partition] : partitions_) sum += partition.held ? 1 : 0;
  return sum;
}

}  // namespace slosonde::checks
