// Produces one message and waits until all replicas in sync have it.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "checks/kafka.h"
#include "checks/net/kafka_cluster.h"
#include "checks/net/kafka_producer.h"
#include "checks/net/kafka_words.h"
#include "probe/config/template.h"

namespace slosonde::checks {
namespace {

using config::Key;
using config::Type;

const std::vector<Key>& keys() {
  static const std::vector<Key> all = [] {
    std::vector<Key> made(kKafkaCluster.begin(), kKafkaCluster.end());
    made.insert(
        made.end(),
        {
            {.name = "key", .type = Type::text_template, .help = "The message's key; without one it has none."},
            {.name = "value",
             .type = Type::text_template,
             .help = "The message's value as text; either this or `json`."},
            {.name = "json", .type = Type::json, .help = "The message's value as JSON; either this or `value`."},
            {.name = "headers",
             .type = Type::template_map,
             .help = "Headers of the message, beside traceparent and tracestate, which are always there.",
             .max = "64"},
            {.name = "partition",
             .type = Type::integer,
             .help = "The partition to write to; default: by the key, or any.",
             .min = "0",
             .max = "1000000"},
            {.name = "message_timeout",
             .type = Type::duration,
             .help = "For how long the message is tried to be sent; it may outlast the stage's limit, and then arrive "
                     "late.",
             .fallback = "5s",
             .min = "100ms",
             .max = "5m"},
        });
    return made;
  }();
  return all;
}

void rule(const config::Values& settings, config::Problems& problems) {
  check_kafka_cluster(settings, problems);
  if (settings.has("value") == settings.has("json"))
    problems.add(settings.position(), settings.path(),
                 settings.has("value") ? "has both `value` and `json`; a message has one of them"
                                       : "says nothing to send; give `value` or `json`, with {{marker}} in it");
}

class KafkaCheck final : public Check {
 public:
  KafkaCheck(const config::Values& settings, std::shared_ptr<KafkaProducer> producer)
      : settings_(settings), producer_(std::move(producer)) {}

  boost::asio::awaitable<CheckResult> run(RunContext& context) override;

 private:
  KafkaMessage message(const RunContext& context) const;

  const config::Values settings_;
  const std::shared_ptr<KafkaProducer> producer_;
};

KafkaMessage KafkaCheck::message(const RunContext& context) const {
  KafkaMessage message;
  message.topic = settings_.text("topic");
  if (settings_.has("partition")) message.partition = static_cast<int32_t>(settings_.integer("partition"));
  message.key = settings_.text_template("key").render(context);
  message.value = settings_.has("json") ? config::render_json(settings_.json("json"), context)
                                        : settings_.text_template("value").render(context);
  message.headers = {{"traceparent", std::string(context.traceparent)}, {"tracestate", "slosonde=synthetic"}};
  for (const auto& [name, value] : settings_.template_map("headers")) {
    std::erase_if(message.headers, [&](const auto& header) { return header.first == name; });
    message.headers.emplace_back(name, value.render(context));
  }
  return message;
}

boost::asio::awaitable<CheckResult> KafkaCheck::run(RunContext& context) {
  CheckResult result;
  result.sent = context.io.now();
  // What we know must be told before the deadline, when nobody listens any more.
  const Duration margin = std::clamp((context.deadline - result.sent) / 50, Duration(0), Duration(20'000'000));
  const Instant deadline = context.deadline - margin;
  KafkaMessage message = this->message(context);
  auto receipt = co_await producer_->send(context.io, std::move(message), deadline);
  result.received = receipt.done == Instant{} ? context.io.now() : receipt.done;
  result.phases[static_cast<size_t>(Phase::wait)] = result.received - result.sent;
  result.delivery = receipt.delivery;
  result.outcome = kafka_outcome(receipt.error.code);
  result.error = std::move(receipt.error);
  if (result.outcome == Outcome::held && context.polling) {
    result.outcome = Outcome::not_yet;
    result.error = {ErrorCode::no_marker, "a produced message shows no marker; poll something that can be read"};
  }
  co_return result;
}

}  // namespace

const config::Block& kafka_check_block() {
  static const config::Block block{.name = "kafka check",
                                   .help = "Produces one message and waits until all replicas in sync have it.",
                                   .keys = keys(),
                                   .rule = rule};
  return block;
}

Result<std::unique_ptr<Check>> make_kafka_check(const config::Values& settings, io::Io& io) {
  auto cluster = kafka_cluster(settings);
  if (!cluster) return fail(std::move(cluster).error());
  const Duration timeout = settings.duration("message_timeout");
  const std::string key = "kafka producer " + format_duration(timeout) + " " + cluster->share_key();
  Error error;
  auto producer = io.shared<KafkaProducer>(key, [&]() -> std::shared_ptr<KafkaProducer> {
    auto made = KafkaProducer::open(*cluster, timeout);
    if (made) return std::move(*made);
    error = std::move(made).error();
    return nullptr;
  });
  if (!producer) return fail(std::move(error));
  return std::make_unique<KafkaCheck>(settings, std::move(producer));
}

}  // namespace slosonde::checks
