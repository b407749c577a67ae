#include "exporter/web/tls_session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/error.hpp>

namespace slosonde::exporter {

namespace asio = boost::asio;

std::unique_ptr<TlsSession> TlsSession::make(SSL_CTX* context, int descriptor) {
  SSL* ssl = SSL_new(context);
  if (ssl == nullptr) return {};
  std::unique_ptr<TlsSession> session(new TlsSession(ssl));
  if (SSL_set_fd(ssl, descriptor) != 1) return {};
  SSL_set_accept_state(ssl);
  return session;
}

TlsSession::~TlsSession() {
  SSL_free(ssl_);
}

void TlsSession::shake_hands(Code& code) {
  ERR_clear_error();
  settle(SSL_do_handshake(ssl_), code);
  if (!code) usable_ = true;
}

size_t TlsSession::read_some(asio::mutable_buffer into, Code& code) {
  size_t count = 0;
  ERR_clear_error();
  settle(SSL_read_ex(ssl_, into.data(), into.size(), &count), code);
  return count;
}

size_t TlsSession::write_some(asio::const_buffer from, Code& code) {
  size_t count = 0;
  ERR_clear_error();
  settle(SSL_write_ex(ssl_, from.data(), from.size(), &count), code);
  return count;
}

void TlsSession::say_goodbye() {
  if (!usable_) return;
  usable_ = false;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

void TlsSession::settle(int returned, Code& code) {
  code = {};
  wants_to_write_ = false;
  if (returned == 1) return;
  switch (SSL_get_error(ssl_, returned)) {
    case SSL_ERROR_WANT_WRITE:
      wants_to_write_ = true;
      code = asio::error::would_block;
      return;
    case SSL_ERROR_WANT_READ:
      code = asio::error::would_block;
      return;
    case SSL_ERROR_ZERO_RETURN:
      code = asio::error::eof;
      return;
    default:
      usable_ = false;
      code = asio::error::connection_reset;
      ERR_clear_error();
  }
}

}  // namespace slosonde::exporter
