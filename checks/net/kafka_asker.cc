#include "checks/net/kafka_asker.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "checks/net/kafka_words.h"

namespace slosonde::checks {
namespace {

// For each call. An answer normally takes one round trip; what takes longer than this counts as no answer.
constexpr int kPatienceMs = 1500;
// A call that took so much longer than it may: we stood still meanwhile, and librdkafka's clock ran on.
constexpr std::chrono::milliseconds kStoodStill(500);
constexpr uint64_t kOne = 1;

bool brokers_are_silent(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
         code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
}

struct ListDelete {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using List = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDelete>;

}  // namespace

void KafkaTopic::started(int32_t partition) {
  const std::lock_guard lock(mutex);
  if (std::ranges::find(partitions, partition) == partitions.end()) partitions.push_back(partition);
}

void KafkaTopic::stop(int32_t partition) {
  {
    const std::lock_guard lock(mutex);
    if (std::erase(partitions, partition) == 0) return;
  }
  rd_kafka_consume_stop(handle, partition);
}

bool KafkaAsker::claim(const std::string& topic) {
  const std::lock_guard lock(mutex_);
  return topics_.insert(topic).second;
}

void KafkaAsker::release(const std::string& topic) {
  const std::lock_guard lock(mutex_);
  topics_.erase(topic);
}

void KafkaAsker::ask(TopicPtr topic, std::vector<KafkaRestart> restarts) {
  const std::lock_guard lock(mutex_);
  jobs_.push_back({std::move(topic), std::move(restarts), false});
  changed_.notify_one();
}

std::optional<KafkaAnswer> KafkaAsker::take(KafkaTopic& topic) {
  const std::lock_guard lock(topic.mutex);
  return std::exchange(topic.answer, std::nullopt);
}

void KafkaAsker::close(TopicPtr topic) {
  const std::lock_guard lock(mutex_);
  std::erase_if(jobs_, [&](const Job& job) { return job.topic == topic; });
  jobs_.push_back({std::move(topic), {}, true});
  changed_.notify_one();
}

void KafkaAsker::stop() {
  const std::lock_guard lock(mutex_);
  burial_ = std::make_unique<KafkaBurial>();
  stopped_ = true;
  changed_.notify_one();
}

void KafkaAsker::run() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopped_ || !jobs_.empty(); });
      if (jobs_.empty()) break;  // stopped, and every topic has been closed
      job = std::move(jobs_.front());
      jobs_.pop_front();
      if (stopped_ && !job.close) continue;
    }
    if (job.close) {
      end(*job.topic);
    } else {
      reply(job.topic, answer(job));
    }
  }
  rd_kafka_destroy(handle);
  const std::lock_guard lock(mutex_);
  burial_.reset();
}

void KafkaAsker::end(KafkaTopic& topic) {
  const std::vector<int32_t> left = topic.partitions;  // nobody else has the topic any more
  for (const int32_t partition : left) topic.stop(partition);
  rd_kafka_queue_destroy(topic.queue);
  rd_kafka_topic_destroy(topic.handle);
  release(topic.name);
}

KafkaAnswer KafkaAsker::answer(const Job& job) {
  KafkaAnswer answer;
  int count = 0;
  answer.error = count_partitions(*job.topic, count, answer.no_such_topic);
  if (answer.error) return answer;
  answer.error = find_ends(*job.topic, count, answer.ends);
  if (answer.error) return answer;
  stop_partitions(job, answer);
  hear_complaints();
  complaint_ = {};  // of trouble that is over
  return answer;
}

// Asked anew each time, so that a partition that is there is never overlooked.
Error KafkaAsker::count_partitions(const KafkaTopic& topic, int& count, bool& no_such_topic) {
  const Clock::time_point began = Clock::now();
  const rd_kafka_metadata_t* metadata = nullptr;
  rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 0, topic.handle, &metadata, kPatienceMs);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    code = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    no_such_topic = code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && count == 0) code = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  }
  return code == RD_KAFKA_RESP_ERR_NO_ERROR ? Error{} : trouble(topic.name, code, began);
}

Error KafkaAsker::find_ends(const KafkaTopic& topic, int count, std::vector<int64_t>& ends) {
  const Clock::time_point began = Clock::now();
  const List list(rd_kafka_topic_partition_list_new(count));
  // As a timestamp, "end" asks for the end itself: one request a broker for all its partitions.
  for (int i = 0; i < count; ++i)
    rd_kafka_topic_partition_list_add(list.get(), topic.name.c_str(), i)->offset = RD_KAFKA_OFFSET_END;
  rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(handle, list.get(), kPatienceMs);
  ends.assign(count, 0);
  for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    const auto& element = list->elems[i];
    code = element.err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && element.offset < 0) code = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    ends[element.partition] = element.offset;
  }
  return code == RD_KAFKA_RESP_ERR_NO_ERROR ? Error{} : trouble(topic.name, code, began);
}

void KafkaAsker::stop_partitions(const Job& job, KafkaAnswer& answer) {
  for (const KafkaRestart& wanted : job.restarts) {
    KafkaStopped stopped{.partition = wanted.partition, .gone = true};
    if (static_cast<size_t>(wanted.partition) < answer.ends.size()) {
      const auto place = find_place(*job.topic, wanted, answer.ends[wanted.partition]);
      if (!place) return;  // nor would they say it of the others: the next question tries again
      stopped = *place;
    }
    job.topic->stop(wanted.partition);
    answer.stopped.push_back(stopped);
  }
}

std::optional<KafkaStopped> KafkaAsker::find_place(const KafkaTopic& topic, const KafkaRestart& wanted, int64_t end) {
  KafkaStopped place{.partition = wanted.partition, .offset = wanted.position};
  if (wanted.anew || wanted.position > end) {
    place.offset = offset_of_time(topic.name, wanted.partition, wanted.since_unix_ms, end);
    if (wanted.anew) place.offset = std::min(place.offset, wanted.position);
    place.lost = true;
    return place;
  }
  int64_t low = 0, high = 0;
  if (rd_kafka_query_watermark_offsets(handle, topic.name.c_str(), wanted.partition, &low, &high, kPatienceMs) != 0)
    return std::nullopt;
  place.offset = std::max(wanted.position, low);
  place.lost = place.offset != wanted.position;
  return place;
}

int64_t KafkaAsker::offset_of_time(const std::string& topic, int32_t partition, int64_t unix_ms, int64_t otherwise) {
  const List list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = std::max<int64_t>(unix_ms, 0);
  const auto code = rd_kafka_offsets_for_times(handle, list.get(), kPatienceMs);
  const auto& found = list->elems[0];
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR || found.err != RD_KAFKA_RESP_ERR_NO_ERROR || found.offset < 0)
    return otherwise;
  return found.offset;
}

Error KafkaAsker::trouble(const std::string& topic, rd_kafka_resp_err_t code, Clock::time_point began) {
  hear_complaints();
  const std::string what = kafka_place(topic, brokers);
  if (!brokers_are_silent(code)) return kafka_error(what, code, "");
  Error error = complaint_ ? kafka_error(what, complaint_.code, complaint_.text)
                           : Error{ErrorCode::timeout, what + ": no answer from the brokers within " +
                                                           format_duration(std::chrono::milliseconds(kPatienceMs))};
  // What was asked since we awoke deserves an answer of its own.
  if (Clock::now() - began < std::chrono::milliseconds(kPatienceMs) + kStoodStill) answer_all_alike(error);
  return error;
}

void KafkaAsker::hear_complaints() {
  rd_kafka_queue_t* queue = rd_kafka_queue_get_main(handle);
  while (rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 0)) {
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) complaint_.take(event);
    rd_kafka_event_destroy(event);
  }
  rd_kafka_queue_destroy(queue);
}

void KafkaAsker::reply(const TopicPtr& topic, KafkaAnswer answer) {
  const std::lock_guard lock(topic->mutex);
  topic->answer = std::move(answer);
  (void)!write(topic->event, &kOne, sizeof kOne);
}

// Silence is waited for once, not once for each topic that is asked about.
void KafkaAsker::answer_all_alike(const Error& error) {
  std::deque<Job> others;
  {
    const std::lock_guard lock(mutex_);
    for (auto job = jobs_.begin(); job != jobs_.end();) {
      if (job->close) {
        ++job;
        continue;
      }
      others.push_back(std::move(*job));
      job = jobs_.erase(job);
    }
  }
  for (const Job& job : others) {
    KafkaAnswer answer;
    answer.error = error;
    reply(job.topic, std::move(answer));
  }
}

}  // namespace slosonde::checks
