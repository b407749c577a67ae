#include "probe/cli/client.h"

#include <curl/curl.h>

#include <boost/json/parse.hpp>
#include <cstring>
#include <memory>
#include <utility>

namespace slosonde::cli {

namespace {

constexpr size_t kMaxAnswer = 16 * 1024 * 1024;

struct CloseEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, CloseEasy>;
using Headers = std::unique_ptr<curl_slist, FreeList>;

size_t keep(const char* data, size_t, size_t bytes, void* to) {
  auto& text = *static_cast<std::string*>(to);
  if (text.size() + bytes > kMaxAnswer) return 0;
  text.append(data, bytes);
  return bytes;
}

void add_header(Headers& headers, const std::string& line) {
  // Appending keeps the head, or fails and leaves the list as it was.
  curl_slist* grown = curl_slist_append(headers.get(), line.c_str());
  if (grown == nullptr) return;
  static_cast<void>(headers.release());
  headers.reset(grown);
}

ErrorCode code_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return ErrorCode::resolve_failed;
    case CURLE_COULDNT_CONNECT:
      return ErrorCode::connect_failed;
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorCode::timeout;
    case CURLE_WRITE_ERROR:
      return ErrorCode::too_large;
    case CURLE_PEER_FAILED_VERIFICATION:
      return ErrorCode::tls_certificate;
    default:
      return ErrorCode::connection_lost;
  }
}

std::string text_of(const boost::json::value& body, std::string_view key) {
  const auto* object = body.if_object();
  const auto* found = object != nullptr ? object->if_contains(key) : nullptr;
  const auto* text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? std::string(*text) : std::string();
}

ProbeAnswer answer_from(long status, const std::string& body) {
  ProbeAnswer answer;
  answer.status = status;
  boost::json::error_code error;
  answer.body = boost::json::parse(body, error);
  if (error) answer.body = nullptr;
  if (status < 400) return answer;
  // Whatever answers there need not be a probe. RFC 9457: `detail` says what happened this time, `title` what kind of
  // thing it is.
  answer.problem = text_of(answer.body, "detail");
  if (answer.problem.empty()) answer.problem = text_of(answer.body, "title");
  if (answer.problem.empty())
    answer.problem = "status " + std::to_string(status) + ", and no word of slosonde's; is it the address of a probe?";
  return answer;
}

// Without the credentials that may stand in it.
std::string without_credentials(std::string_view probe) {
  const size_t scheme = probe.find("://");
  const size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const size_t at = probe.substr(0, probe.find('/', host)).rfind('@');
  if (at == std::string_view::npos || at < host) return std::string(probe);
  return std::string(probe.substr(0, host)) + std::string(probe.substr(at + 1));
}

}  // namespace

Result<ProbeClient> ProbeClient::make(std::string_view probe, Secret token) {
  ProbeClient client;
  client.shown_ = without_credentials(probe);
  client.token_ = std::move(token);
  if (probe.starts_with("unix:/")) {
    client.socket_ = probe.substr(5);
    client.base_ = "http://localhost";
  } else if ((probe.starts_with("http://") && probe.size() > 7) ||
             (probe.starts_with("https://") && probe.size() > 8)) {
    client.base_ = probe;
    while (client.base_.ends_with('/')) client.base_.pop_back();
  } else {
    return fail(ErrorCode::bad_config, "\"" + client.shown_ + "\" is no address of a probe: it would be " +
                                           "http://HOST:PORT, https://HOST:PORT or unix:/PATH");
  }
  return client;
}

Result<ProbeAnswer> ProbeClient::get(const std::string& path, Duration patience) const {
  return request(path, nullptr, patience);
}

Result<ProbeAnswer> ProbeClient::post(const std::string& path, const std::string& json, Duration patience) const {
  return request(path, &json, patience);
}

Result<ProbeAnswer> ProbeClient::request(const std::string& path, const std::string* json, Duration patience) const {
  const Easy easy(curl_easy_init());
  if (!easy) return fail(ErrorCode::no_memory, "libcurl could not be set up");
  std::string body;
  char error[CURL_ERROR_SIZE] = "";
  Headers headers;
  if (json != nullptr) add_header(headers, "Content-Type: application/json");
  if (!token_.empty()) {
    std::string line = "Authorization: Bearer ";
    line += token_.reveal();
    add_header(headers, line);
    explicit_bzero(line.data(), line.size());
  }
  CURL* handle = easy.get();
  curl_easy_setopt(handle, CURLOPT_URL, (base_ + path).c_str());
  if (!socket_.empty()) curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  const auto patience_ms = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(patience_ms));
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error);
  if (headers) curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  if (json != nullptr) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json->size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, json->c_str());
  }
  const CURLcode code = curl_easy_perform(handle);
  if (code != CURLE_OK) {
    return fail(code_of(code), shown_ + ": " + (*error != '\0' ? error : curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return answer_from(status, body);
}

}  // namespace slosonde::cli
