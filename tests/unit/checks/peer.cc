#include "tests/unit/checks/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

namespace slosonde::checks {

namespace {

// How long the whole of the request is; 0 while its headers are not complete.
size_t whole(const std::string& got) {
  const size_t end = got.find("\r\n\r\n");
  if (end == std::string::npos) return 0;
  const size_t length = got.find("Content-Length: ");
  return end + 4 + (length < end ? std::strtoul(got.c_str() + length + 16, nullptr, 10) : 0);
}

}  // namespace

std::string http_answer(int status, const std::string& body, const std::string& headers) {
  return "HTTP/1.1 " + std::to_string(status) + " x\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

Peer::Peer(Answer answer) : answer_(std::move(answer)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 64) != 0) std::abort();
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { accept_all(); });
}

Peer::~Peer() {
  shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int connection : open_) shutdown(connection, SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
  for (const int connection : open_) close(connection);
}

std::string Peer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<std::string> Peer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

int Peer::connections() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(open_.size());
}

void Peer::accept_all() {
  while (true) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    const std::lock_guard lock(mutex_);
    open_.push_back(connection);
    threads_.emplace_back([this, connection] { serve(connection); });
  }
}

void Peer::serve(int connection) {
  std::string got;
  std::array<char, 65536> space{};
  while (true) {
    const auto size = recv(connection, space.data(), space.size(), 0);
    if (size <= 0) return;
    got.append(space.data(), static_cast<size_t>(size));
    const size_t length = whole(got);
    if (length == 0 || got.size() < length) continue;
    const std::string request = got.substr(0, length);
    got.erase(0, length);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const std::string answer = answer_(request);
    if (answer == "close") {
      shutdown(connection, SHUT_RDWR);
      return;
    }
    for (size_t sent = 0; sent < answer.size();) {
      const auto written = send(connection, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
      if (written <= 0) return;
      sent += static_cast<size_t>(written);
    }
  }
}

}  // namespace slosonde::checks
