#include "tests/unit/exporter/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "exporter/web/address.h"

namespace slosonde::exporter {
namespace {

constexpr int kPatienceMs = 20'000;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

Client::Client(const std::string& text) {
  const auto address = parse_address(text);
  if (!address) return;
  fd_ = ::socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ >= 0 && ::connect(fd_, reinterpret_cast<const sockaddr*>(&address->socket), address->length) != 0) {
    ::close(std::exchange(fd_, -1));
  }
}

Client::~Client() {
  if (fd_ >= 0) ::close(fd_);
}

Client::Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}

bool Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool Client::more() {
  pollfd waiting{fd_, POLLIN, 0};
  if (::poll(&waiting, 1, kPatienceMs) != 1) return false;
  char part[65536];
  const ssize_t count = ::recv(fd_, part, sizeof part, 0);
  if (count <= 0) return false;
  buffer_.append(part, static_cast<size_t>(count));
  return true;
}

bool Client::closed() {
  pollfd waiting{fd_, POLLIN, 0};
  if (!buffer_.empty() || ::poll(&waiting, 1, kPatienceMs) != 1) return false;
  char byte = 0;
  const ssize_t count = ::recv(fd_, &byte, 1, 0);
  return count == 0 || (count < 0 && errno == ECONNRESET);
}

std::optional<Answer> Client::receive(bool head) {
  size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return {};
  }
  Answer answer;
  answer.status = std::atoi(buffer_.c_str() + 9);
  for (size_t line = buffer_.find("\r\n") + 2; line < end + 2;) {
    const size_t stop = buffer_.find("\r\n", line);
    const size_t colon = buffer_.find(": ", line);
    answer.headers[lower(buffer_.substr(line, colon - line))] = buffer_.substr(colon + 2, stop - colon - 2);
    line = stop + 2;
  }
  buffer_.erase(0, end + 4);
  if (head || answer.status == 100) return answer;
  const auto length = static_cast<size_t>(std::atoll(answer.headers["content-length"].c_str()));
  while (buffer_.size() < length) {
    if (!more()) return {};
  }
  answer.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return answer;
}

std::optional<Answer> Client::ask(const std::string& method, const std::string& path, const std::string& headers,
                                  const std::string& body) {
  std::string request = method + ' ' + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers;
  if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  if (!send(request + "\r\n" + body)) return {};
  return receive(method == "HEAD");
}

Answer ask(const std::string& address, const std::string& method, const std::string& path, const std::string& headers,
           const std::string& body) {
  Client client(address);
  return client.connected() ? client.ask(method, path, headers, body).value_or(Answer()) : Answer();
}

}  // namespace slosonde::exporter
