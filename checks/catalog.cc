#include "checks/catalog.h"

#include <algorithm>
#include <array>

#include "checks/http.h"
#include "checks/kafka.h"
#include "checks/tcp.h"
#include "checks/webhook.h"

namespace slosonde::checks {

namespace {

constexpr std::array kCatalog = {
    Kind{.name = "http",
         .help = "one HTTP request and what its answer must be",
         .check_block = http_block,
         .check = make_http},
    Kind{.name = "tcp",
         .help = "connects, if wanted with TLS, sends and expects bytes",
         .check_block = tcp_block,
         .check = make_tcp},
    Kind{.name = "kafka",
         .help = "produces a message that must be acknowledged, or watches a topic",
         .check_block = kafka_check_block,
         .watch_block = kafka_watch_block,
         .check = make_kafka_check,
         .watch = make_kafka_watch},
    Kind{.name = "webhook",
         .help = "watches what comes to a path of the probe's own listener",
         .watch_block = webhook_block,
         .watch = make_webhook},
};

}  // namespace

std::span<const Kind> catalog() {
  return kCatalog;
}

const Kind* find_kind(std::string_view name) {
  const auto found =
      std::find_if(kCatalog.begin(), kCatalog.end(), [&](const Kind& kind) { return kind.name == name; });
  return found == kCatalog.end() ? nullptr : &*found;
}

std::vector<config::NamedBlock> named_blocks() {
  std::vector<config::NamedBlock> all;
  all.reserve(kCatalog.size());
  for (const Kind& kind : kCatalog) {
    all.push_back({kind.name, kind.check_block ? &kind.check_block() : nullptr,
                   kind.watch_block ? &kind.watch_block() : nullptr});
  }
  return all;
}

}  // namespace slosonde::checks
