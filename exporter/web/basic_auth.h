// Users and passwords of a listener (RFC 7617) against bcrypt hashes, which are dear to check on purpose: on a thread
// of their own, so many a second, and what was right once is remembered.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "exporter/web/request.h"
#include "probe/base/secret.h"
#include "probe/config/web_file.h"

namespace slosonde::exporter {

struct Credentials {
  std::string user;
  Secret password;
};

// Of the one Authorization header; nothing when it is missing, doubled or malformed.
std::optional<Credentials> basic_credentials(const RequestHead& head);

// Whether `hash` is one of the password. Takes as long as the hash's cost says. Any thread.
bool matches_bcrypt(const Secret& password, const Secret& hash);

// Made and stopped on one thread, with none of the rest going on then.
class BasicAuth {
 public:
  enum class Verdict : uint8_t { right, wrong, too_many };

  BasicAuth(std::vector<config::WebUser> users, prometheus::Registry& registry);
  ~BasicAuth();
  BasicAuth(const BasicAuth&) = delete;
  BasicAuth& operator=(const BasicAuth&) = delete;

  // Whether these were right the last time: costs next to nothing.
  bool remembers(const Credentials& credentials);
  // `done` is called once, on another thread or, for too_many, at once; not at all after stop(). An unknown user takes
  // as long as a known one.
  void check(Credentials credentials, std::function<void(Verdict)> done);
  void stop();

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Job {
    Credentials credentials;
    std::function<void(Verdict)> done;
  };

  void work();
  bool finish(const Job& job) noexcept;
  void remember(const Credentials& credentials);
  bool is_right(const Credentials& credentials);
  Digest digest_of(const Credentials& credentials) const;

  const std::vector<config::WebUser> users_;
  std::array<unsigned char, 32> key_{};  // of the digests: new with every start
  prometheus::Counter *right_, *wrong_, *dropped_;
  std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::map<std::string, Digest, std::less<>> remembered_;  // a user's last proof
  std::deque<Job> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace slosonde::exporter
