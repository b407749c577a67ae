// A raw HTTP client: says exactly the bytes it is told, and waits with a deadline.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace slosonde::exporter {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class Client {
 public:
  // As WebServer gives it: "127.0.0.1:41234", "[::1]:41234", "unix:/path".
  explicit Client(const std::string& address);
  ~Client();
  Client(Client&& other) noexcept;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return fd_ >= 0; }
  // False when the server has closed the connection.
  bool send(std::string_view bytes);
  // The next answer; `head`: none of the body follows. Nothing at the end of the connection or after 20 s.
  std::optional<Answer> receive(bool head = false);
  // Whether the server closes (without another byte) within 20 s.
  bool closed();
  // A request and its answer.
  std::optional<Answer> ask(const std::string& method, const std::string& path, const std::string& headers = "",
                            const std::string& body = "");

 private:
  bool more();
  int fd_ = -1;
  std::string buffer_;
};

// One request on a connection of its own; status 0 when there was no answer.
Answer ask(const std::string& address, const std::string& method, const std::string& path,
           const std::string& headers = "", const std::string& body = "");

}  // namespace slosonde::exporter
