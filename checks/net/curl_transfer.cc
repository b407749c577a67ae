#include "checks/net/curl_transfer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "probe/io/certificate.h"
#include "probe/io/connect_error.h"

namespace slosonde::checks {

namespace {

constexpr int64_t kShortest_ms = 2;  // libcurl 7.88 forgets a timeout that is over while it connects
constexpr size_t kMaxHeaderBytes = 64 * 1024;
constexpr size_t kKeptOfBody = 512;  // of a body that nobody asked for, for the error message
constexpr long kCaCache_s = 3600;    // a renewed CA file counts within the hour
constexpr long kLargeBuffer_B = 16 * 1024;
constexpr long kSmallBuffer_B = 1024;  // where nobody reads the body; small enough for malloc's own cache

template <class T>
void set(CURL* easy, CURLoption option, T value) {
  // Fails only for options this libcurl was built without; those are none of ours.
  [[maybe_unused]] const CURLcode code = curl_easy_setopt(easy, option, value);
}

Duration time_of(CURL* easy, CURLINFO what) {
  curl_off_t us = 0;
  curl_easy_getinfo(easy, what, &us);
  return std::chrono::microseconds(us);
}

bool is_same(const io::Address& known, const curl_sockaddr& asked) {
  std::array<unsigned char, sizeof(in6_addr)> number{};
  if (known.v6 != (asked.family == AF_INET6) || inet_pton(asked.family, known.text.c_str(), number.data()) != 1) {
    return false;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&asked.addr);
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&asked.addr);
  return known.v6 ? std::memcmp(&v6->sin6_addr, number.data(), sizeof(in6_addr)) == 0
                  : std::memcmp(&v4->sin_addr, number.data(), sizeof(in_addr)) == 0;
}

}  // namespace

Result<std::unique_ptr<CurlTransfer>> CurlTransfer::make(const ClientSettings& settings, io::Io& io) {
  CURL* easy = curl_easy_init();
  if (!easy) return fail(ErrorCode::no_memory, "no memory for an HTTP request");
  return std::unique_ptr<CurlTransfer>(new CurlTransfer(easy, settings, io));
}

CurlTransfer::CurlTransfer(CURL* easy, const ClientSettings& settings, io::Io& io)
    : easy_(easy), parsed_url_(curl_url()), settings_(settings), io_(io), bell_(io.executor()) {
  set_constant_options();
  set_tls_options();
}

CurlTransfer::~CurlTransfer() {
  curl_easy_cleanup(easy_);
  curl_url_cleanup(parsed_url_);
  curl_slist_free_all(headers_);
  curl_slist_free_all(pinned_);
}

void CurlTransfer::set_constant_options() {
  set(easy_, CURLOPT_PRIVATE, this);
  set(easy_, CURLOPT_NOSIGNAL, 1L);
  set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy_, CURLOPT_FOLLOWLOCATION, 0L);  // followed by us: libcurl's own redirects bypass CURLOPT_RESOLVE
  set(easy_, CURLOPT_PATH_AS_IS, 1L);
  set(easy_, CURLOPT_PROXY, settings_.proxy.c_str());  // "" also keeps the environment's away
  set(easy_, CURLOPT_NOPROXY, "");                     // nor may it name exceptions
  set(easy_, CURLOPT_ERRORBUFFER, said_.data());
  set(easy_, CURLOPT_BUFFERSIZE, kSmallBuffer_B);
  if (!settings_.reuse) {
    set(easy_, CURLOPT_FRESH_CONNECT, 1L);
    set(easy_, CURLOPT_FORBID_REUSE, 1L);
  }
  set(easy_, CURLOPT_WRITEFUNCTION, on_body);
  set(easy_, CURLOPT_WRITEDATA, this);
  set(easy_, CURLOPT_OPENSOCKETFUNCTION, on_open);
  set(easy_, CURLOPT_OPENSOCKETDATA, this);
}

void CurlTransfer::set_tls_options() {
  const io::TlsSettings& tls = settings_.tls;
  // With a CA path set (Debian's default) libcurl parses the whole bundle for every connection: 28 ms.
  set(easy_, CURLOPT_CAPATH, static_cast<char*>(nullptr));
  set(easy_, CURLOPT_CAINFO, (tls.ca_file.empty() ? io::system_ca_file() : tls.ca_file).c_str());
  set(easy_, CURLOPT_CA_CACHE_TIMEOUT, kCaCache_s);
  set(easy_, CURLOPT_SSLVERSION,
      static_cast<long>(tls.min_version >= 13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
  set(easy_, CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  set(easy_, CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
  // A resumed session skips the certificate, which is part of what is checked.
  set(easy_, CURLOPT_SSL_SESSIONID_CACHE, settings_.reuse ? 1L : 0L);
  if (!tls.certificate_file.empty()) set(easy_, CURLOPT_SSLCERT, tls.certificate_file.c_str());
  if (!tls.key_file.empty()) set(easy_, CURLOPT_SSLKEY, tls.key_file.c_str());
}

// Mostly there is but another trace in the place of the last one.
bool CurlTransfer::write_over_headers(const std::vector<std::string>& lines) {
  curl_slist* at = headers_;
  for (const std::string& line : lines) {
    if (!at || std::strlen(at->data) != line.size()) return false;
    std::memcpy(at->data, line.data(), line.size());
    at = at->next;
  }
  return !at && !lines.empty();
}

void CurlTransfer::set_headers(const std::vector<std::string>& lines) {
  if (write_over_headers(lines)) return;
  curl_slist_free_all(std::exchange(headers_, nullptr));
  for (const std::string& line : lines) {
    if (curl_slist* longer = curl_slist_append(headers_, line.c_str())) headers_ = longer;
  }
  set(easy_, CURLOPT_HTTPHEADER, headers_);
}

// Parsed once for many requests; what cannot be parsed is left to libcurl to complain about.
void CurlTransfer::set_url(const std::string& url) {
  url_ = url;
  const bool parsed =
      parsed_url_ && curl_url_set(parsed_url_, CURLUPART_URL, url.c_str(), CURLU_PATH_AS_IS) == CURLUE_OK;
  set(easy_, CURLOPT_CURLU, parsed ? parsed_url_ : nullptr);
  set(easy_, CURLOPT_URL, parsed ? nullptr : url_.c_str());
}

// Most checks send the same request again and again, but for the trace: what has not changed is left as it is.
void CurlTransfer::set_request(const CurlRequest& request) {
  if (request.url != url_) set_url(request.url);
  if (request.body || request.method != method_) {
    method_ = request.body ? "" : request.method;
    set(easy_, CURLOPT_HTTPGET, 1L);
    if (request.body) {
      set(easy_, CURLOPT_POST, 1L);
      set(easy_, CURLOPT_POSTFIELDS, request.body->data());
      set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
    } else if (request.method == "HEAD") {
      set(easy_, CURLOPT_NOBODY, 1L);
    }
    const bool is_natural = request.method == (request.body ? "POST" : "GET") || request.method == "HEAD";
    set(easy_, CURLOPT_CUSTOMREQUEST, is_natural ? nullptr : request.method.c_str());
  }
  if (request.keep_body != large_buffer_) {
    large_buffer_ = request.keep_body;
    set(easy_, CURLOPT_BUFFERSIZE, large_buffer_ ? kLargeBuffer_B : kSmallBuffer_B);
  }
  set_headers(request.headers);
  if (!request.user.empty() || has_user_) {
    has_user_ = !request.user.empty();
    set(easy_, CURLOPT_USERNAME, has_user_ ? request.user.c_str() : nullptr);
    std::string password(request.password);  // libcurl wants its zero
    set(easy_, CURLOPT_PASSWORD, has_user_ ? password.c_str() : nullptr);
    explicit_bzero(password.data(), password.size());
  }
  // For libcurl to share out among several addresses. It looks at its clock before it looks at the socket, so what has
  // connected ends by the driver's clock instead.
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(until_ - begun_).count();
  set(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::max<int64_t>(ms, kShortest_ms)));
}

void CurlTransfer::prepare(const CurlRequest& request, Instant now) {
  request_ = &request;
  answer_ = CurlAnswer{};
  begun_ = now;
  until_ = request.until;
  trouble_ = Error{};
  waiting_ = ended_ = Instant{};
  too_large_ = foreign_address_ = false;
  done_ = false;
  socket_errno_ = 0;
  said_[0] = 0;
  secure_ = request.url.starts_with("https:");
  set_request(request);
  if (pinned_ || !request.pinned.empty()) {
    curl_slist_free_all(std::exchange(pinned_, nullptr));
    if (!request.pinned.empty()) pinned_ = curl_slist_append(nullptr, request.pinned.c_str());
    set(easy_, CURLOPT_RESOLVE, pinned_);
  }
  const bool wants_headers = settings_.keep_headers || secure_;
  set(easy_, CURLOPT_HEADERFUNCTION, wants_headers ? on_header : nullptr);
  // With data but no function libcurl would hand the headers to on_body.
  set(easy_, CURLOPT_HEADERDATA, wants_headers ? this : nullptr);
}

size_t CurlTransfer::on_body(char* bytes, size_t one, size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  CurlAnswer& answer = transfer.answer_;
  const size_t size = one * count;
  answer.body_bytes += size;
  if (answer.body_bytes > transfer.settings_.max_body) {
    transfer.too_large_ = true;
    return size + 1;  // anything but `size` breaks the transfer off
  }
  const size_t space = transfer.request_->keep_body ? transfer.settings_.max_body : kKeptOfBody;
  if (answer.body.size() < space) answer.body.append(bytes, std::min(size, space - answer.body.size()));
  return size;
}

size_t CurlTransfer::on_header(char* bytes, size_t one, size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  CurlAnswer& answer = transfer.answer_;
  const size_t size = one * count;
  if (transfer.secure_ && !answer.certificate_expiry) transfer.note_certificate();
  if (!transfer.settings_.keep_headers) return size;
  // A 100 Continue, or the proxy's answer, has a status line of its own before the real one.
  if (std::string_view(bytes, size).starts_with("HTTP/")) answer.headers.clear();
  if (answer.headers.size() + size > kMaxHeaderBytes) {
    transfer.too_large_ = true;
    return size + 1;
  }
  answer.headers.append(bytes, size);
  return size;
}

// Only while the connection is there, which for a fresh one is no longer so when the transfer is over.
void CurlTransfer::note_certificate() {
  curl_tlssessioninfo* session = nullptr;
  if (curl_easy_getinfo(easy_, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || !session || !session->internals) return;
  if (session->backend != CURLSSLBACKEND_OPENSSL) return;
  answer_.certificate_expiry = io::peer_certificate_expiry(static_cast<SSL*>(session->internals));
}

// The last guard: whatever libcurl thinks, it connects only to what the run's own lookup gave.
curl_socket_t CurlTransfer::on_open(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const auto& known = transfer.request_->addresses;
  if (std::none_of(known.begin(), known.end(), [&](const auto& one) { return is_same(one, *address); })) {
    transfer.foreign_address_ = true;
    return CURL_SOCKET_BAD;
  }
  const int made = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (made < 0) {
    transfer.socket_errno_ = errno;
    return CURL_SOCKET_BAD;
  }
  // The last step of TCP's handshake goes out with the first bytes of ours, not as a packet of its own.
  const int quickly = 0;
  setsockopt(made, IPPROTO_TCP, TCP_QUICKACK, &quickly, sizeof quickly);
  return made;
}

Phases CurlTransfer::phases() const {
  Phases phases;
  const auto put = [&](Phase phase, Duration took) {
    phases[static_cast<size_t>(phase)] = std::max(took, Duration(0));
  };
  const Duration connected = time_of(easy_, CURLINFO_CONNECT_TIME_T);
  const Duration secured = time_of(easy_, CURLINFO_APPCONNECT_TIME_T);
  const Duration ready = time_of(easy_, CURLINFO_PRETRANSFER_TIME_T);
  const Duration answered = time_of(easy_, CURLINFO_STARTTRANSFER_TIME_T);
  const Duration total = time_of(easy_, CURLINFO_TOTAL_TIME_T);
  long connections = 0;
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &connections);
  if (connections > 0 && connected > Duration(0))
    put(Phase::connect, connected - time_of(easy_, CURLINFO_NAMELOOKUP_TIME_T));
  if (connections > 0 && secured > Duration(0)) put(Phase::tls, secured - connected);
  if (ready == Duration(0)) return phases;
  // libcurl turns to listening when all is sent. Where it listened already, sending took one write.
  const Duration out = waiting_ == Instant{} ? ready : std::clamp(waiting_ - begun_, ready, std::max(ready, total));
  put(Phase::send, out - ready);
  if (answered == Duration(0)) return phases;
  put(Phase::wait, answered - out);
  put(Phase::receive, total - answered);
  return phases;
}

Instant CurlTransfer::sent() const {
  const Duration ready = time_of(easy_, CURLINFO_PRETRANSFER_TIME_T);
  return ready > Duration(0) ? begun_ + ready : Instant{};
}

Result<CurlAnswer> CurlTransfer::finish() {
  if (trouble_ || code_ != CURLE_OK) return fail(at_proxy(explain()));
  answer_.received = ended_;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &answer_.status);
  const char* redirect = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect) answer_.redirect = redirect;
  return std::move(answer_);
}

// Where it was the proxy that refused, or that could not be reached, it is named.
Error CurlTransfer::at_proxy(Error error) const {
  if (settings_.proxy.empty() || trouble_) return error;
  long answered = 0;
  curl_easy_getinfo(easy_, CURLINFO_HTTP_CONNECTCODE, &answered);
  if (answered >= 300) {
    return {ErrorCode::connect_failed,
            "the proxy " + settings_.proxy + " answered CONNECT with status " + std::to_string(answered)};
  }
  if (time_of(easy_, CURLINFO_CONNECT_TIME_T) == Duration(0)) {
    error.text = "the proxy " + settings_.proxy + ": " + error.text;
  }
  return error;
}

Error CurlTransfer::explain() const {
  const std::string said = said_[0] ? said_.data() : curl_easy_strerror(code_);
  if (too_large_) {
    const bool is_body = answer_.body_bytes > settings_.max_body;
    return {ErrorCode::too_large,
            is_body ? "the answer is larger than max_body, " + std::to_string(settings_.max_body) + " bytes"
                    : "the answer's headers are larger than " + std::to_string(kMaxHeaderBytes) + " bytes"};
  }
  if (trouble_) return trouble_;
  if (socket_errno_ != 0) return error_from_errno(socket_errno_, "a socket for the request");
  if (foreign_address_) return {ErrorCode::internal, "libcurl would connect to an address that was not looked up"};
  switch (code_) {
    case CURLE_COULDNT_CONNECT: {
      long number = 0;
      curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &number);
      return io::connect_error(static_cast<int>(number), "could not connect");
    }
    case CURLE_OPERATION_TIMEDOUT:
      if (time_of(easy_, CURLINFO_CONNECT_TIME_T) == Duration(0)) {
        return {ErrorCode::connect_timeout, "no answer to the connection request before the deadline"};
      }
      if (secure_ && time_of(easy_, CURLINFO_APPCONNECT_TIME_T) == Duration(0)) {
        return {ErrorCode::timeout, "connected, but the TLS handshake was not over before the deadline"};
      }
      if (time_of(easy_, CURLINFO_STARTTRANSFER_TIME_T) == Duration(0)) {
        return {ErrorCode::timeout, "connected, but no answer came before the deadline"};
      }
      return {ErrorCode::timeout, "the answer was not complete before the deadline; " +
                                      std::to_string(answer_.body_bytes) + " bytes of its body had come"};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {ErrorCode::tls_certificate, "the certificate is not acceptable: " + said};
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ENGINE_INITFAILED:
      return {ErrorCode::io_failed, "our own TLS files could not be used: " + said};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_USE_SSL_FAILED:
      return {ErrorCode::tls_failed, "the TLS handshake failed: " + said};
    case CURLE_SEND_ERROR:
      return {ErrorCode::send_failed, "the connection broke while the request was sent: " + said};
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
      return {ErrorCode::connection_lost, "the connection broke before the answer was complete: " + said};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {ErrorCode::resolve_failed, said};
    case CURLE_PROXY:
      return {ErrorCode::connect_failed, "the proxy would not: " + said};
    case CURLE_OUT_OF_MEMORY:
      // That is also what libcurl says of a header line beyond its own limit, which is the target's doing.
      if (time_of(easy_, CURLINFO_PRETRANSFER_TIME_T) > Duration(0)) {
        return {ErrorCode::too_large, "a header of the answer is larger than 100 KiB"};
      }
      return {ErrorCode::no_memory, "out of memory"};
    case CURLE_URL_MALFORMAT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {ErrorCode::malformed, "the answer is not proper HTTP: " + said};
    default:
      return {ErrorCode::connection_lost, said};
  }
}

}  // namespace slosonde::checks
