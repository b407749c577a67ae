#include "exporter/web/connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>

#include "exporter/web/problem.h"

namespace slosonde::exporter {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr size_t kMaxDiscarded = 512 * 1024 * 1024;

}  // namespace

Connection::Connection(Socket socket, ConnectionShared& shared)
    : socket_(std::move(socket)), shared_(shared), timer_(socket_.get_executor()) {
  place_ = shared_.waiting.insert(shared_.waiting.end(), this);
}

Connection::~Connection() {
  try {
    close();
  } catch (...) {  // Asio's cancel() is allowed to throw, and does not
  }
}

void Connection::start() {
  Code code;
  socket_.non_blocking(true, code);
  if (code) return close();
  if (shared_.tls == nullptr) {
    begin_request(shared_.limits.request);
    return wait_readable();
  }
  tls_ = shared_.tls->session(socket_.native_handle());
  if (!tls_) return close();
  phase_ = Phase::greeting;
  set_deadline(shared_.limits.handshake);
  greet();
}

// The TLS handshake, step by step. Whoever speaks anything else is cut off.
void Connection::greet() {
  Code code;
  tls_->shake_hands(code);
  if (!code) {
    begin_request(shared_.limits.request);
    return wait_readable();
  }
  if (code != asio::error::would_block) return close();
  const auto what = tls_->wants_to_write() ? Socket::wait_write : Socket::wait_read;
  socket_.async_wait(what, [self = shared_from_this()](const Code& failed) {
    self->shared_.attention.wakes();
    if (self->phase_ != Phase::greeting) return;
    failed ? self->close() : self->greet();
  });
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::closed;
  release_body();
  ++deadline_generation_;
  timer_.cancel();
  if (tls_) tls_->say_goodbye();
  Code ignored;
  socket_.close(ignored);
  shared_.waiting.erase(place_);
  if (shared_.on_closed) shared_.on_closed();
}

bool Connection::is_idle() const {
  Code code;
  return served_ && phase_ == Phase::reading && !request_begun_ && socket_.available(code) == 0 && !code;
}

void Connection::touch() {
  shared_.waiting.splice(shared_.waiting.end(), shared_.waiting, place_);
}

void Connection::begin_request(Duration allowed) {
  phase_ = Phase::reading;
  parser_.emplace(shared_.limits.header_bytes);
  request_begun_ = admitted_ = body_is_counted_ = false;
  set_deadline(allowed);
}

void Connection::wait_readable() {
  // Waiting holds no buffer: the bytes stay in the kernel until there are some.
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const Code& code) {
    self->shared_.attention.wakes();
    // An answer may have overtaken the wait (408): it is cancelled then, or comes too late.
    if (code == asio::error::operation_aborted) return;
    if (self->phase_ != Phase::reading && self->phase_ != Phase::lingering) return;
    if (code) return self->close();
    self->phase_ == Phase::reading ? self->on_readable() : self->discard();
  });
}

size_t Connection::read_some(Code& code) {
  const auto into = asio::buffer(shared_.scratch);
  return tls_ ? tls_->read_some(into, code) : socket_.read_some(into, code);
}

void Connection::on_readable() {
  Code code;
  const size_t count = read_some(code);
  if (code == asio::error::would_block || code == asio::error::try_again) return wait_readable();
  if (code) return close();
  arrived_from_ = shared_.attention.floor();
  pending_.append(shared_.scratch.data(), count);
  parse();
}

void Connection::parse() {
  if (!request_begun_ && consumed_ < pending_.size()) {
    request_begun_ = true;
    set_deadline(shared_.limits.request);
  }
  Code code;
  while (!parser_->is_done() && consumed_ < pending_.size()) {
    consumed_ += parser_->put(asio::buffer(pending_) + consumed_, code);
    if (!code && parser_->is_header_done() && !admitted_ && !admit()) return;
    if (!count_body()) return;
    if (code) break;
  }
  if (consumed_ == pending_.size()) {
    pending_.clear();
    consumed_ = 0;
  }
  if (code && code != http::error::need_more) return fail_parse(code);
  if (parser_->is_done()) return dispatch();
  if (pending_.size() - consumed_ > shared_.limits.header_bytes) {
    return refuse(431, "A chunk's extensions or trailers are too long.");
  }
  wait_readable();
}

bool Connection::admit() {
  admitted_ = true;
  head_ = parser_->head();
  is_head_ = head_.method == "HEAD";
  if (head_.http_1_1 && !head_.header("host")) {
    refuse(400, "The request has no Host header; HTTP/1.1 demands one.");
    return false;
  }
  Admission admission = shared_.site.admit(head_);
  if (admission.refusal) {
    linger_after_ = !parser_->is_done();
    keep_alive_ = parser_->is_done() && parser_->keep_alive();
    respond(std::move(*admission.refusal));
    return false;
  }
  body_is_counted_ = admission.counted_body;
  parser_->limit_body(admission.body_limit);
  if (parser_->announces_too_much()) {
    fail_parse(http::make_error_code(http::error::body_limit));
    return false;
  }
  if (parser_->expects_continue() && !parser_->is_done() && consumed_ == pending_.size()) {
    // 25 bytes into an empty send buffer; should they not fit, the client sends its body after a while all the same.
    const auto go_on = asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25);
    Code ignored;
    tls_ ? tls_->write_some(go_on, ignored) : socket_.write_some(go_on, ignored);
  }
  return true;
}

bool Connection::count_body() {
  if (!body_is_counted_) return true;
  const size_t held = parser_->body().size();
  shared_.bodies_bytes += held - body_counted_;
  body_counted_ = held;
  if (shared_.bodies_bytes <= shared_.limits.bodies_bytes) return true;
  shared_.site.gave_up(head_, 503);
  refuse(503, "Too many requests with large bodies at one time; send it again later.");
  return false;
}

void Connection::release_body() {
  shared_.bodies_bytes -= body_counted_;
  body_counted_ = 0;
}

void Connection::dispatch() {
  phase_ = Phase::answering;
  ++deadline_generation_;  // no deadline: the site answers by itself
  timer_.cancel();
  keep_alive_ = parser_->keep_alive();
  linger_after_ = false;
  const Instant now = shared_.now();
  Request request{std::move(head_), std::move(parser_->body()), now, std::min(arrived_from_, now)};
  // The reply keeps us alive: nothing else is pending meanwhile.
  shared_.site.answer(std::move(request), [self = shared_from_this()](Response response) {
    if (self->phase_ == Phase::answering) self->respond(std::move(response));
  });
}

void Connection::fail_parse(const Code& code) {
  if (code == http::error::header_limit) {
    return refuse(431, "Request line and headers may take " + std::to_string(shared_.limits.header_bytes) + " bytes.");
  }
  const bool too_large = code == http::error::body_limit;
  if (admitted_) shared_.site.gave_up(head_, too_large ? 413 : 400);
  if (too_large) return refuse(413, "The body is larger than this resource takes.");
  if (code == http::error::bad_version) return refuse(505, "HTTP/1.0 and HTTP/1.1 are spoken here.");
  refuse(400, "This is no well-formed HTTP request: " + code.message() + ".");
}

void Connection::refuse(int status, std::string_view detail) {
  keep_alive_ = false;
  linger_after_ = true;
  respond(problem(status, detail));
}

void Connection::respond(Response response) {
  release_body();
  phase_ = Phase::writing;
  if (shared_.spare_in_use) keep_alive_ = false;
  head_out_ = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  head_out_ += status_title(response.status);
  head_out_ += "\r\nContent-Type: " + response.content_type;
  head_out_ += "\r\nContent-Length: " + std::to_string(response.body.size());
  for (const auto& [name, value] : response.headers) head_out_.append("\r\n").append(name).append(": ").append(value);
  // 1.0 clients that asked for it must be told that the connection stays; 1.1 clients that it does not.
  head_out_ += keep_alive_ ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
  body_out_ = std::move(response.body);
  out_ = {asio::buffer(head_out_), is_head_ ? asio::const_buffer() : asio::buffer(body_out_)};
  is_head_ = false;
  set_deadline(shared_.limits.response);
  write();
}

void Connection::write() {
  if (tls_) return write_tls();
  asio::async_write(socket_, out_, [self = shared_from_this()](const Code& code, size_t) { self->on_written(code); });
}

void Connection::write_tls() {
  Code code;
  for (asio::const_buffer& part : out_) {
    while (part.size() > 0 && !code) part += tls_->write_some(part, code);
    if (code) break;
  }
  if (code != asio::error::would_block) {
    // Not from here: requests that came together would be answered one within the other.
    return asio::post(socket_.get_executor(), [self = shared_from_this(), code] { self->on_written(code); });
  }
  const auto what = tls_->wants_to_write() ? Socket::wait_write : Socket::wait_read;
  socket_.async_wait(what, [self = shared_from_this()](const Code& failed) {
    if (self->phase_ != Phase::writing) return;
    failed ? self->close() : self->write_tls();
  });
}

void Connection::on_written(const Code& code) {
  if (phase_ != Phase::writing) return;
  if (code) return close();
  head_out_ = {};
  body_out_ = {};
  if (linger_after_) return linger();
  if (!keep_alive_) return close();
  served_ = true;
  touch();
  begin_request(shared_.limits.idle);
  parse();  // what was pipelined; else waits
}

// A socket closed with unread bytes resets the connection, and the client may lose the answer that says why. So the
// rest is read for a moment.
void Connection::linger() {
  phase_ = Phase::lingering;
  if (tls_) tls_->say_goodbye();
  Code code;
  socket_.shutdown(Socket::shutdown_send, code);
  if (code) return close();
  pending_ = {};
  consumed_ = 0;
  set_deadline(shared_.limits.linger);
  wait_readable();
}

void Connection::discard() {
  Code code;
  const size_t count = socket_.read_some(asio::buffer(shared_.scratch), code);
  discarded_ += count;
  if (code == asio::error::would_block || code == asio::error::try_again) return wait_readable();
  if (code || discarded_ > kMaxDiscarded) return close();
  wait_readable();
}

void Connection::set_deadline(Duration allowed) {
  const unsigned generation = ++deadline_generation_;
  timer_.expires_after(allowed);
  timer_.async_wait([weak = weak_from_this(), generation](const Code& code) {
    const auto self = weak.lock();
    // A wait that had already ended when it was put off comes here with success: its generation is old.
    if (self && !code && generation == self->deadline_generation_) self->on_deadline();
  });
}

void Connection::on_deadline() {
  if (phase_ != Phase::reading || !request_begun_) return close();
  Code ignored;
  socket_.cancel(ignored);
  if (admitted_) shared_.site.gave_up(head_, 408);
  refuse(408, "The request did not arrive as a whole in time.");
}

}  // namespace slosonde::exporter
