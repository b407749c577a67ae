// One client's connection: requests in, answers out, one at a time, each within its limits.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporter/web/attention.h"
#include "exporter/web/options.h"
#include "exporter/web/parser.h"
#include "exporter/web/request.h"
#include "exporter/web/site.h"
#include "exporter/web/tls_acceptor.h"

namespace slosonde::exporter {

class Connection;

// What connections of one listener share. Web thread.
struct ConnectionShared {
  Site& site;
  const WebLimits& limits;
  std::function<Instant()> now;
  Attention& attention;
  size_t& bodies_bytes;             // of all listeners
  std::vector<char>& scratch;       // for reads; a connection that waits holds no buffer
  std::list<Connection*> waiting;   // the longest since its last whole answer first
  std::function<void()> on_closed;  // a descriptor is free again
  bool spare_in_use = false;        // short of descriptors: no keep-alive
  TlsAcceptor* tls = nullptr;       // nullptr: plain HTTP
};

// Kept alive by its own pending operations; ends when none is left. Web thread.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  Connection(Socket socket, ConnectionShared& shared);
  ~Connection();

  void start();
  void close();  // at once; again: nothing
  bool waits_for_client() const { return phase_ != Phase::answering; }
  // Between two requests, and nothing of the next has arrived: cutting it loses nothing that its client need not
  // expect.
  bool is_idle() const;

 private:
  enum class Phase { greeting, reading, answering, writing, lingering, closed };
  using Code = boost::system::error_code;

  void greet();
  void begin_request(Duration allowed);
  void wait_readable();
  size_t read_some(Code& code);
  void on_readable();
  void parse();
  bool admit();  // false: refused
  bool count_body();
  void dispatch();
  void fail_parse(const Code& code);
  void refuse(int status, std::string_view detail);
  void respond(Response response);
  void write();
  void write_tls();
  void on_written(const Code& code);
  void linger();
  void discard();
  void set_deadline(Duration allowed);
  void on_deadline();
  void release_body();
  void touch();

  Socket socket_;
  std::unique_ptr<TlsSession> tls_;  // nullptr: plain HTTP
  ConnectionShared& shared_;
  boost::asio::steady_timer timer_;
  unsigned deadline_generation_ = 0;
  std::list<Connection*>::iterator place_;
  Phase phase_ = Phase::reading;

  std::string pending_;  // read, from consumed_ on not yet parsed
  size_t consumed_ = 0;
  std::optional<RequestParser> parser_;
  bool request_begun_ = false;
  bool served_ = false;     // a whole answer, at least once
  Instant arrived_from_{};  // what was read last had not arrived before
  bool admitted_ = false;
  bool body_is_counted_ = false;
  size_t body_counted_ = 0;
  RequestHead head_;  // while the body is still coming: for gave_up()

  bool keep_alive_ = false;
  bool linger_after_ = false;
  bool is_head_ = false;
  size_t discarded_ = 0;
  std::string head_out_, body_out_;
  std::array<boost::asio::const_buffer, 2> out_;
};

}  // namespace slosonde::exporter
