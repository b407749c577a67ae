// One request and its answer, on an easy handle of libcurl's that is kept for the next one.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/check.h"
#include "probe/base/result.h"
#include "probe/io/io.h"
#include "probe/io/task.h"

namespace slosonde::checks {

// What is the same for every request of a check.
struct ClientSettings {
  io::TlsSettings tls;
  std::string proxy;  // URL without credentials; empty: none, whatever the environment says
  bool reuse = false;
  size_t max_body = 0;
  bool keep_headers = false;
};

struct CurlRequest {
  std::string method;
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::optional<std::string> body;
  std::string user;  // basic authentication; empty: none
  std::string_view password;
  // What the name (or the proxy's) resolved to. `pinned` is "host:port:address,…" for CURLOPT_RESOLVE, empty when the
  // host is a number.
  std::string pinned;
  std::vector<io::Address> addresses;
  Instant until{};
  bool keep_body = false;  // of the answer; false: only what an error message shows
};

struct CurlAnswer {
  long status = 0;
  std::string headers;  // as they came, names in any case; only with keep_headers
  std::string body;
  uint64_t body_bytes = 0;
  std::string redirect;  // the absolute URL of a redirect's Location
  Instant received{};
  std::optional<Instant> certificate_expiry;
};

// Engine thread. Must not be destroyed while the driver has it.
class CurlTransfer {
 public:
  static Result<std::unique_ptr<CurlTransfer>> make(const ClientSettings& settings, io::Io& io);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  // `request` must stay where it is until the answer is there.
  void prepare(const CurlRequest& request, Instant now);
  // After the driver is done with it. An error is about this one request, without its URL.
  Result<CurlAnswer> finish();
  // Of the last request, whatever came of it.
  Phases phases() const;
  Instant sent() const;  // the first byte; 0 when it did not come so far

 private:
  friend class CurlDriver;

  CurlTransfer(CURL* easy, const ClientSettings& settings, io::Io& io);
  void set_constant_options();
  void set_tls_options();
  void set_request(const CurlRequest& request);
  void set_url(const std::string& url);
  bool write_over_headers(const std::vector<std::string>& lines);
  void set_headers(const std::vector<std::string>& lines);
  void note_certificate();
  Error explain() const;
  Error at_proxy(Error error) const;

  static size_t on_body(char* bytes, size_t one, size_t count, void* self);
  static size_t on_header(char* bytes, size_t one, size_t count, void* self);
  static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);

  CURL* easy_;
  CURLU* parsed_url_;  // of `url_`; null for want of memory
  const ClientSettings settings_;
  io::Io& io_;
  io::Bell bell_;
  bool done_ = false;
  CURLcode code_ = CURLE_OK;

  // What the easy handle has been told already.
  std::string url_, method_;
  bool large_buffer_ = false, has_user_ = false;

  const CurlRequest* request_ = nullptr;
  CurlAnswer answer_;
  Instant until_{};
  size_t place_ = 0;                       // in the driver's list
  Error trouble_;                          // our own, which libcurl does not know of
  Instant begun_{}, waiting_{}, ended_{};  // `waiting_`: when the request was out and libcurl began to listen
  bool secure_ = false, too_large_ = false, foreign_address_ = false;
  int socket_errno_ = 0;
  std::array<char, CURL_ERROR_SIZE> said_{};
  curl_slist* headers_ = nullptr;
  curl_slist* pinned_ = nullptr;
};

}  // namespace slosonde::checks
