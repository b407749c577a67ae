#include "probe/store/writer.h"

#include <algorithm>
#include <utility>

namespace slosonde::store {

Writer::Writer(std::optional<StateFile> file, WriterOptions options)
    : options_(std::move(options)),
      file_(std::move(file)),
      opened_once_(file_.has_value()),
      thread_([this] { work(); }) {}

Writer::~Writer() {
  stop();
}

bool Writer::idle() const {
  const std::lock_guard lock(mutex_);
  return !busy_;
}

bool Writer::wants_whole() const {
  const std::lock_guard lock(mutex_);
  return wants_whole_;
}

WriterStatus Writer::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void Writer::offer(Batch batch) {
  {
    const std::lock_guard lock(mutex_);
    if (batch.whole) wants_whole_ = false;
    waiting_ = std::move(batch);
    busy_ = true;
  }
  wake_.notify_one();
}

void Writer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool Writer::finish(const std::function<Batch(bool whole)>& last) {
  stop();
  Batch batch = last(!idle() || wants_whole());
  if (batch.empty()) return true;
  const auto done = attempt(batch);
  (void)settle(done, std::move(batch));
  return done.has_value();
}

void Writer::work() {
  Duration pause{};
  while (std::optional<Batch> batch = next(pause)) {
    const auto done = attempt(*batch);
    const bool again = settle(done, std::move(*batch));
    pause = again ? std::clamp(pause * 2, options_.retry_first, options_.retry_longest) : Duration::zero();
  }
}

std::optional<Batch> Writer::next(Duration pause) {
  std::unique_lock lock(mutex_);
  if (pause > Duration::zero()) {
    wake_.wait_for(lock, pause, [&] { return stopping_; });
    if (stopping_) return std::nullopt;
  } else {
    wake_.wait(lock, [&] { return stopping_ || waiting_; });
  }
  return std::exchange(waiting_, std::nullopt);
}

StoreResult<void> Writer::attempt(const Batch& batch) {
  if (!file_) {
    auto opened = StateFile::open(options_.file, options_.now());
    if (!opened) return tl::unexpected<StoreError>(std::move(opened).error());
    file_ = std::move(*opened);
    // What an earlier process left could not be read when this one began, and is not to be mixed with what it has
    // since.
    if (!std::exchange(opened_once_, true) && !file_->take_loaded().empty()) {
      const auto anew = file_->begin_anew(options_.now(), "it could not be read when the probe started");
      if (!anew) {
        file_.reset();
        opened_once_ = false;
        return anew;
      }
    }
    if (const auto& aside = file_->moved_aside()) {
      const std::lock_guard lock(mutex_);
      ++status_.moved_aside;
      status_.last_aside = aside->path + " (" + aside->why + ")";
    }
  }
  return file_->commit(batch);
}

bool Writer::settle(const StoreResult<void>& done, Batch batch) {
  const bool damaged = !done && done.error().trouble == Trouble::damaged;
  if (damaged) file_.reset();  // opened anew, it is checked, and moved aside
  const std::lock_guard lock(mutex_);
  status_.writable = done.has_value();
  status_.error = done ? std::string() : done.error().text;
  ++(done ? status_.committed : status_.failures);
  if (done || damaged) {
    busy_ = false;
    wants_whole_ = wants_whole_ || damaged;
    return false;
  }
  waiting_ = std::move(batch);
  return true;
}

}  // namespace slosonde::store
