// The commands of the admin listener, carried out by the engine.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "exporter/web/options.h"
#include "exporter/web/request.h"

namespace slosonde::exporter {

// Web thread.
class Commands {
 public:
  Commands(boost::asio::io_context& context, const WebOptions& options, const WebSources& sources);
  ~Commands();
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  // Reading them is no command, even where the path is also that of one.
  static bool serves(const RequestHead& head);
  static std::string_view method_of(std::string_view path);
  // A refusal by the head alone: not JSON, or sent by a page of another site.
  std::optional<Response> refuse(const RequestHead& head) const;
  void answer(const Request& request, Reply reply);
  // The engine's answers find nobody from now on. Any thread.
  void stop();

 private:
  struct Bridge;
  // Replies with what `start` gives its caller back some time, or when patience has ended.
  template <class Outcome, class Start>
  void await(Duration patience, Reply reply, Response (*answer)(const Outcome&), Start start);

  // An order for the engine, as it was read from the request.
  template <class Order>
  void carry_out(Result<Order> order, Reply reply, Response (*answer)(const Result<void>&));

  const WebOptions& options_;
  const WebSources& sources_;
  std::shared_ptr<Bridge> bridge_;  // outlives the server in the hands of the engine's answers
};

}  // namespace slosonde::exporter
