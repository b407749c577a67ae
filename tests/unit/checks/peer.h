// A peer on loopback that answers each connection with what a function makes of its request.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace slosonde::checks {

class Peer {
 public:
  // Given one request (headers and body as Content-Length says), gives the bytes to answer; empty: says nothing and
  // keeps the connection open.
  using Answer = std::function<std::string(const std::string& request)>;

  explicit Peer(Answer answer);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  uint16_t port() const { return port_; }
  std::string url(const std::string& path = "/") const;
  std::vector<std::string> requests() const;
  int connections() const;

 private:
  void accept_all();
  void serve(int connection);

  Answer answer_;
  int listener_;
  uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

// "HTTP/1.1 STATUS x", the headers, Content-Length and the body.
std::string http_answer(int status, const std::string& body, const std::string& headers = "");

}  // namespace slosonde::checks
