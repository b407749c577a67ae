// slosonde-demo-pipeline: HTTP ingest → Kafka → incident detection → Kafka → alert router → webhook, in one process,
// with faults that can be switched while it runs.
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <optional>
#include <random>
#include <string>

#include "demo/alert.h"
#include "demo/broker.h"
#include "demo/consumer.h"
#include "demo/counts.h"
#include "demo/detect.h"
#include "demo/faults.h"
#include "demo/http_server.h"
#include "demo/ingest.h"
#include "demo/producer.h"

namespace slosonde::demo {

namespace {

struct Options {
  std::string listen = "127.0.0.1:0";
  std::string brokers;
  std::string prefix;
  std::string alerts_to;
  std::string token_file;
  int partitions = 3;
};

void declare(CLI::App& app, Options& options) {
  app.add_option("--listen", options.listen, "Where logs, /faults and /status are served; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--brokers", options.brokers, "A real Kafka, host:port,…; without it an embedded broker is started");
  app.add_option("--topic-prefix", options.prefix, "Put before the names of the topics `logs` and `incidents`");
  app.add_option("--partitions", options.partitions, "Partitions of each topic")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--alerts-to", options.alerts_to, "The webhook that is notified: http://HOST:PORT/PATH");
  app.add_option("--token-file", options.token_file, "Holds the bearer token that the webhook wants")
      ->check(CLI::ExistingFile);
  app.footer(
      "Example:\n"
      "  slosonde-demo-pipeline --listen 127.0.0.1:8080 --alerts-to http://127.0.0.1:9465/hooks/alert\n"
      "  curl -d '{\"message\": \"login failed\"}' http://127.0.0.1:8080/v1/logs\n"
      "  curl -d '{\"stage\": \"alert\", \"delay\": \"2s\", \"drop\": 0.5}' http://127.0.0.1:8080/faults\n"
      "  curl -X DELETE http://127.0.0.1:8080/faults");
}

Result<Secret> read_token(const std::string& path) {
  if (path.empty()) return Secret();
  std::ifstream file(path);
  std::string token;
  std::getline(file, token);
  if (token.empty()) return fail(ErrorCode::bad_config, path + " holds no token in its first line");
  return Secret(std::move(token));
}

// Everything, in the order in which it is built up; it is taken down the other way round.
class Pipeline {
 public:
  Pipeline() : faults_(std::random_device()()), signals_(io_, SIGINT, SIGTERM) {}

  Result<void> start(const Options& options);
  std::string describe() const;
  void run();

 private:
  Result<void> start_reading(const Options& options);
  HttpResponse answer(const HttpRequest& request);
  HttpResponse answer_faults(const HttpRequest& request);
  std::string status() const;

  boost::asio::io_context io_;
  Counts counts_;
  Faults faults_;
  boost::asio::signal_set signals_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<Producer> producer_;
  std::optional<Ingest> ingest_;
  std::optional<Detect> detect_;
  std::optional<Alert> alert_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<Consumer> logs_, incidents_;
};

Result<void> Pipeline::start(const Options& options) {
  std::optional<HttpTarget> target;
  if (!options.alerts_to.empty()) {
    auto parsed = HttpTarget::parse(options.alerts_to);
    if (!parsed) return fail(parsed.error());
    target = std::move(*parsed);
  }
  auto token = read_token(options.token_file);
  if (!token) return fail(token.error());
  auto broker = Broker::open(options.brokers);
  if (!broker) return fail(broker.error());
  broker_ = std::move(*broker);
  for (const char* topic : {"logs", "incidents"}) {
    auto created = broker_->create_topic(options.prefix + topic, options.partitions);
    if (!created) return created;
  }
  auto producer = Producer::open(io_, broker_->bootstrap(), {options.prefix + "logs", options.prefix + "incidents"});
  if (!producer) return fail(producer.error());
  producer_ = std::move(*producer);
  ingest_.emplace(io_, faults_, counts_, *producer_, options.prefix + "logs");
  detect_.emplace(io_, faults_, counts_, *producer_, options.prefix + "incidents");
  alert_.emplace(io_, faults_, counts_, std::move(target), std::move(*token));
  auto reading = start_reading(options);
  if (!reading) return reading;
  auto server = HttpServer::listen(io_, options.listen, [this](const HttpRequest& request) { return answer(request); });
  if (!server) return fail(server.error());
  server_ = std::move(*server);
  return {};
}

Result<void> Pipeline::start_reading(const Options& options) {
  const std::string& brokers = broker_->bootstrap();
  auto logs = Consumer::open(io_, brokers, options.prefix + "logs", options.partitions,
                             [this](const std::string& log) { detect_->take(log); });
  if (!logs) return fail(logs.error());
  auto incidents = Consumer::open(io_, brokers, options.prefix + "incidents", options.partitions,
                                  [this](std::string incident) { alert_->take(std::move(incident)); });
  if (!incidents) return fail(incidents.error());
  logs_ = std::move(*logs);
  incidents_ = std::move(*incidents);
  return {};
}

std::string Pipeline::describe() const {
  return boost::json::serialize(boost::json::object{{"listen", server_->address()}, {"brokers", broker_->bootstrap()}});
}

std::string Pipeline::status() const {
  return boost::json::serialize(boost::json::object{{"listen", server_->address()},
                                                    {"brokers", broker_->bootstrap()},
                                                    {"connections_turned_away", server_->turned_away()},
                                                    {"stages", to_json(counts_)},
                                                    {"faults", faults_.to_json()}}) +
         "\n";
}

HttpResponse Pipeline::answer(const HttpRequest& request) {
  const bool get = request.method == "GET";
  if (request.path == "/v1/logs") {
    return request.method == "POST" ? ingest_->take(request.body) : problem(405, "send logs with POST");
  }
  if (request.path == "/faults") return answer_faults(request);
  if (request.path == "/status" && get) return {200, status()};
  if (request.path == "/healthz" && get) return {200, "ok\n", "text/plain"};
  return problem(404, "there are POST /v1/logs, GET|POST|DELETE /faults, GET /status and GET /healthz");
}

HttpResponse Pipeline::answer_faults(const HttpRequest& request) {
  if (request.method == "POST") {
    const auto set = faults_.set(request.body);
    if (!set) return problem(400, set.error().text);
  } else if (request.method == "DELETE") {
    faults_.clear();
  } else if (request.method != "GET") {
    return problem(405, "read with GET, set with POST, clear with DELETE");
  }
  return {200, boost::json::serialize(faults_.to_json()) + "\n"};
}

void Pipeline::run() {
  signals_.async_wait([this](boost::system::error_code, int) { io_.stop(); });
  io_.run();
}

int main(int argc, char** argv) {
  CLI::App app("The reference pipeline of slosonde's demo: logs come in, incidents are found, alerts go out");
  Options options;
  declare(app, options);
  CLI11_PARSE(app, argc, argv);
  Pipeline pipeline;
  const auto started = pipeline.start(options);
  if (!started) {
    std::cerr << "slosonde-demo-pipeline: " << started.error().text << '\n';
    return 1;
  }
  // One line for whoever started it: where to send logs, and which broker carries them.
  std::cout << pipeline.describe() << std::endl;
  pipeline.run();
  return 0;
}

}  // namespace

}  // namespace slosonde::demo

int main(int argc, char** argv) {
  return slosonde::demo::main(argc, argv);
}
