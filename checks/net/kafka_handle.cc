#include "checks/net/kafka_handle.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace slosonde::checks {
namespace {

constexpr std::chrono::seconds kExitPatience(2);

struct Graveyard {
  std::mutex mutex;
  std::condition_variable changed;
  int under_way = 0;
};

// Never destroyed: a burial may outlast everything else.
Graveyard& graveyard() {
  static auto* const yard = new Graveyard;
  return *yard;
}

struct ExitWait {
  ExitWait() = default;
  ExitWait(const ExitWait&) = delete;
  ExitWait& operator=(const ExitWait&) = delete;
  ~ExitWait() {
    std::unique_lock lock(graveyard().mutex);
    graveyard().changed.wait_for(lock, kExitPatience, [] { return graveyard().under_way == 0; });
  }
};

}  // namespace

KafkaBurial::KafkaBurial() {
  const std::lock_guard lock(graveyard().mutex);
  ++graveyard().under_way;
  // Made after the first handle, so that it waits before OpenSSL's own clean-up at exit begins.
  static const ExitWait wait;
}

KafkaBurial::~KafkaBurial() {
  const std::lock_guard lock(graveyard().mutex);
  --graveyard().under_way;
  graveyard().changed.notify_all();
}

void bury_kafka(rd_kafka_t* handle) {
  auto burial = std::make_unique<KafkaBurial>();
  try {
    std::thread([handle, burial = std::move(burial)] { rd_kafka_destroy(handle); }).detach();
  } catch (const std::system_error&) {
    // No thread to be had: the handle is left as it is, which costs its memory and blocks nobody.
  }
}

Result<rd_kafka_t*> open_kafka(rd_kafka_type_t type, KafkaConf conf) {
  std::array<char, 512> text{};
  rd_kafka_t* handle = rd_kafka_new(type, conf.get(), text.data(), text.size());
  if (handle == nullptr)
    return fail(ErrorCode::bad_config, "librdkafka cannot start with these settings: " + std::string(text.data()));
  (void)conf.release();  // the handle's now
  return handle;
}

void KafkaComplaint::take(rd_kafka_event_t* event) {
  const rd_kafka_resp_err_t said = rd_kafka_event_error(event);
  if (said == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && *this) return;
  const char* words = rd_kafka_event_error_string(event);
  code = said;
  text = words == nullptr ? "" : words;
}

}  // namespace slosonde::checks
