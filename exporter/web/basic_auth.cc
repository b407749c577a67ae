#include "exporter/web/basic_auth.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "probe/base/ascii.h"

namespace slosonde::exporter {
namespace {

constexpr size_t kMostWaiting = 16;
// Between the beginnings of two checks: ten a second, whoever asks.
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr size_t kLongestPassword = 256;  // bcrypt looks at 72 bytes
constexpr size_t kLongestProof = 1024;
constexpr std::string_view kScheme = "basic ";

// Strict base64, padded. Empty when it is malformed, as when there is nothing.
std::string decode_base64(std::string_view text) {
  if (text.empty() || text.size() > kLongestProof || text.size() % 4 != 0) return {};
  const auto is_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  if (!std::ranges::all_of(text.substr(0, text.size() - padding), is_digit)) return {};
  std::string decoded(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size())) < 0)
    return {};
  for (size_t i = 0; i < padding; ++i) decoded.pop_back();
  return decoded;
}

}  // namespace

std::optional<Credentials> basic_credentials(const RequestHead& head) {
  const std::string* header = nullptr;
  for (const auto& [name, value] : head.headers) {
    if (name != "authorization") continue;
    if (header != nullptr) return {};
    header = &value;
  }
  if (header == nullptr || !same_ignoring_case(std::string_view(*header).substr(0, kScheme.size()), kScheme)) return {};
  std::string decoded = decode_base64(std::string_view(*header).substr(kScheme.size()));
  const size_t colon = decoded.find(':');
  std::optional<Credentials> credentials;
  // A zero byte would end the password for crypt_r(3), and what follows would not count.
  if (colon != std::string::npos && decoded.find('\0') == std::string::npos &&
      decoded.size() - colon - 1 <= kLongestPassword)
    credentials = {decoded.substr(0, colon), Secret(decoded.substr(colon + 1))};
  explicit_bzero(decoded.data(), decoded.size());
  return credentials;
}

bool matches_bcrypt(const Secret& password, const Secret& hash) {
  const auto data = std::make_unique<crypt_data>();  // 32 KiB
  // A secret's bytes are a string's: a zero ends them.
  const char* made = crypt_r(password.reveal().data(), hash.reveal().data(), data.get());
  const bool matches = made != nullptr && made[0] != '*' && hash.equals(made);
  explicit_bzero(data.get(), sizeof *data);
  return matches;
}

BasicAuth::BasicAuth(std::vector<config::WebUser> users, prometheus::Registry& registry) : users_(std::move(users)) {
  if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1) std::abort();
  auto& family = prometheus::BuildCounter()
                     .Name("slosonde_web_password_checks_total")
                     .Help(
                         "Passwords that came in and were not the last right one of their user; dropped: too many "
                         "at one time.")
                     .Register(registry);
  right_ = &family.Add({{"result", "right"}});
  wrong_ = &family.Add({{"result", "wrong"}});
  dropped_ = &family.Add({{"result", "dropped"}});
  thread_ = std::thread([this] { work(); });
}

BasicAuth::~BasicAuth() {
  stop();
  explicit_bzero(key_.data(), key_.size());
}

void BasicAuth::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  waiting_.clear();
}

bool BasicAuth::remembers(const Credentials& credentials) {
  const Digest digest = digest_of(credentials);
  const std::lock_guard lock(mutex_);
  const auto found = remembered_.find(credentials.user);
  return found != remembered_.end() && CRYPTO_memcmp(found->second.data(), digest.data(), digest.size()) == 0;
}

void BasicAuth::check(Credentials credentials, std::function<void(Verdict)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < kMostWaiting) {
      waiting_.push_back({std::move(credentials), std::move(done)});
      changed_.notify_all();
      return;
    }
  }
  dropped_->Increment();
  done(Verdict::too_many);
}

void BasicAuth::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    const auto next = std::chrono::steady_clock::now() + kPause;
    const bool was_dear = finish(job);
    job = {};
    lock.lock();
    if (was_dear && changed_.wait_until(lock, next, [this] { return stopping_; })) return;
  }
}

// Gives whether a hash was computed. Without memory for it the caller is to come again.
bool BasicAuth::finish(const Job& job) noexcept {
  bool hashed = false;
  Verdict verdict = Verdict::too_many;
  try {
    // Several callers may have come at once with what is right: one check is enough for all.
    hashed = !remembers(job.credentials);
    verdict = !hashed || is_right(job.credentials) ? Verdict::right : Verdict::wrong;
    if (hashed && verdict == Verdict::right) remember(job.credentials);
  } catch (...) {
    verdict = Verdict::too_many;
  }
  (verdict == Verdict::right ? right_ : verdict == Verdict::wrong ? wrong_ : dropped_)->Increment();
  try {
    job.done(verdict);
  } catch (...) {  // for want of memory to tell it: the caller's connection waits until it goes
  }
  return hashed;
}

void BasicAuth::remember(const Credentials& credentials) {
  const Digest digest = digest_of(credentials);
  const std::lock_guard lock(mutex_);
  remembered_[credentials.user] = digest;
}

bool BasicAuth::is_right(const Credentials& credentials) {
  const auto found =
      std::ranges::find_if(users_, [&](const config::WebUser& user) { return user.name == credentials.user; });
  const bool known = found != users_.end();
  const bool matches = matches_bcrypt(credentials.password, (known ? *found : users_.front()).hash);
  return known && matches;
}

BasicAuth::Digest BasicAuth::digest_of(const Credentials& credentials) const {
  Digest digest{};
  unsigned size = 0;
  std::string text = credentials.user;
  text.append(1, '\0').append(credentials.password.reveal());
  const auto* made = HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  explicit_bzero(text.data(), text.size());
  // Without a digest nothing is remembered and nothing found: random bytes are equal to none.
  if (made == nullptr && RAND_bytes(digest.data(), static_cast<int>(digest.size())) != 1) std::abort();
  return digest;
}

}  // namespace slosonde::exporter
