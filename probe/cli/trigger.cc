#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>

#include "exporter/web/json_parts.h"
#include "probe/cli/client.h"
#include "probe/cli/commands.h"
#include "probe/cli/exit.h"
#include "probe/cli/json_read.h"
#include "probe/cli/run_view.h"
#include "probe/cli/table.h"

namespace slosonde::cli {

namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

constexpr size_t kMaxToken = 4096;
constexpr auto kPoll = std::chrono::milliseconds(200);
constexpr auto kFirstSight = std::chrono::seconds(15);  // until the run must be in the probe's snapshot
constexpr auto kSpare = std::chrono::seconds(30);       // beyond the run's own limits

int complain(const std::string& text, int code) {
  std::cerr << "slosonde trigger: " << text << '\n';
  return code;
}

Result<Secret> read_token(const std::string& path) {
  if (path.empty()) return Secret();
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxToken, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (!file.eof()) return fail(ErrorCode::io_failed, "cannot read a token of at most 4096 bytes from " + path);
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  if (text.empty()) return fail(ErrorCode::io_failed, path + " holds no token, or cannot be read");
  return Secret(std::move(text));
}

// How long the run may take at the most, by its own limits: those of stages may follow one another.
std::chrono::duration<double> all_limits(const json::value& run) {
  double sum = 0;
  for (const char* part : {"stages", "finally"}) {
    for (const json::value& step : list_of(run, part)) sum += number_of(step, "within_seconds").value_or(0);
  }
  return std::chrono::duration<double>(sum);
}

// The run's JSON once it is over, or as it was when patience ended.
Result<json::value> follow(const ProbeClient& client, const std::string& marker) {
  const auto begun = Clock::now();
  std::chrono::duration<double> patience = kFirstSight;
  json::value last;
  for (;;) {
    auto answer = client.get("/api/v1/runs/" + marker);
    if (!answer) return fail(answer.error());
    if (answer->status == 200) {
      last = std::move(answer->body);
      const auto view = run_view(last);
      if (!view) return fail(view.error());
      if (view->over) return last;
      patience = all_limits(last) + kSpare;
    } else if (answer->status != 404) {
      return fail(ErrorCode::wrong_status, answer->problem);
    }
    if (Clock::now() - begun > patience) break;
    std::this_thread::sleep_for(kPoll);
  }
  if (last.is_null()) return fail(ErrorCode::timeout, "the probe does not know the run that it started: " + marker);
  return last;
}

// A 404 may mean that this is no admin listener, or that there is no such transaction.
bool has_no_such_transaction(const ProbeClient& client, const std::string& name) {
  const auto answer = client.get("/api/v1/transactions");
  if (!answer || answer->status != 200) return false;
  const json::array& all = list_of(answer->body, "transactions");
  return !all.empty() &&
         std::none_of(all.begin(), all.end(), [&](const json::value& one) { return text_of(one, "name") == name; });
}

// The marker of the run that was started, or the exit code.
tl::expected<std::string, int> start(const ProbeClient& client, const TriggerOptions& options) {
  const json::object order{{"transaction", options.transaction}};
  const auto answer = client.post("/api/v1/trigger", json::serialize(order));
  if (!answer) return tl::unexpected(complain(answer.error().text, kInconclusive));
  std::string marker = text_of(answer->body, "run");
  if (answer->status / 100 == 2 && !marker.empty()) return marker;
  const std::string why = answer->problem.empty() ? "an answer that names no run" : answer->problem;
  const bool usage = answer->status == 404 && has_no_such_transaction(client, options.transaction);
  return tl::unexpected(complain(client.shown() + ": " + why, usage ? kBadConfig : kInconclusive));
}

}  // namespace

int trigger(const TriggerOptions& options) {
  auto token = read_token(options.token_file);
  if (!token) return complain(token.error().text, kBadConfig);
  const auto client = ProbeClient::make(options.probe, std::move(*token));
  if (!client) return complain(client.error().text, kBadConfig);
  const auto marker = start(*client, options);
  if (!marker) return marker.error();
  const auto run = follow(*client, *marker);
  if (!run) return complain(run.error().text, kInconclusive);
  const auto view = run_view(*run);
  if (!view) return complain(view.error().text, kInconclusive);
  if (options.json) {
    std::cout << exporter::json_written(*run) << '\n';
  } else {
    print_run(std::cout, *view, wants_colour());
  }
  return exit_code({*view});
}

}  // namespace slosonde::cli
