// TLS of one connection, on a socket that does not block.
#pragma once

#include <openssl/types.h>

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>

namespace slosonde::exporter {

// Web thread. Where an operation cannot go on, its code is would_block, and wants_to_write() tells what to wait for; it
// is then called again. Any other code: the connection is of no use any more.
class TlsSession {
 public:
  using Code = boost::system::error_code;

  // The descriptor stays the caller's, and must outlive the session. nullptr for want of memory.
  static std::unique_ptr<TlsSession> make(SSL_CTX* context, int descriptor);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  void shake_hands(Code& code);
  // What has been read stays in no buffer of the session: while there is more, the socket is readable.
  size_t read_some(boost::asio::mutable_buffer into, Code& code);
  size_t write_some(boost::asio::const_buffer from, Code& code);
  // Tells the peer that this is the end, if that can be done without waiting.
  void say_goodbye();
  bool wants_to_write() const { return wants_to_write_; }

 private:
  explicit TlsSession(SSL* ssl) : ssl_(ssl) {}
  void settle(int returned, Code& code);

  SSL* ssl_;
  bool wants_to_write_ = false;
  bool usable_ = false;  // the handshake is done, and nothing has gone wrong
};

}  // namespace slosonde::exporter
