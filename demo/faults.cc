#include "demo/faults.h"

#include <boost/json.hpp>
#include <optional>
#include <string>

namespace slosonde::demo {

namespace {

constexpr std::string_view kExample = R"(for example {"stage": "alert", "delay": "2s", "drop": 0.5})";

tl::unexpected<Error> wrong(std::string text) {
  return fail(ErrorCode::bad_config, std::move(text));
}

Result<double> share(std::string_view key, const boost::json::value& value) {
  boost::system::error_code error;
  const double number = value.to_number<double>(error);
  if (error || !(number >= 0 && number <= 1)) {
    return wrong("\"" + std::string(key) + "\" is " + boost::json::serialize(value) +
                 "; it is the share of records, a number from 0 to 1");
  }
  return number;
}

Result<Duration> delay(const boost::json::value& value) {
  std::optional<Duration> parsed;
  if (value.is_string()) parsed = parse_duration(value.get_string());
  if (!parsed || *parsed < Duration::zero() || *parsed > kLongestDelay) {
    return wrong("\"delay\" is " + boost::json::serialize(value) +
                 "; it is a text with a unit, such as \"500ms\" or \"2s\", of at most " +
                 format_duration(kLongestDelay));
  }
  return *parsed;
}

double* share_named(Fault& fault, std::string_view key) {
  if (key == "drop") return &fault.drop;
  if (key == "duplicate") return &fault.duplicate;
  if (key == "corrupt") return &fault.corrupt;
  if (key == "refuse") return &fault.refuse;
  return nullptr;
}

Result<void> read_member(std::string_view key, const boost::json::value& value, Fault& fault) {
  if (key == "delay") {
    const auto parsed = delay(value);
    if (!parsed) return fail(parsed.error());
    fault.delay = *parsed;
    return {};
  }
  double* const member = share_named(fault, key);
  if (member == nullptr) {
    return wrong("unknown fault \"" + std::string(key.substr(0, 40)) +
                 "\"; there are delay, drop, duplicate, corrupt and refuse");
  }
  const auto parsed = share(key, value);
  if (!parsed) return fail(parsed.error());
  *member = *parsed;
  return {};
}

}  // namespace

Result<void> Faults::set(std::string_view json) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(json, error);
  if (error) return wrong("the body is not JSON (" + error.message() + "); send " + std::string(kExample));
  if (!value.is_object()) return wrong("the body is not a JSON object; send " + std::string(kExample));
  std::optional<Stage> stage;
  Fault fault;
  for (const auto& [key, member] : value.get_object()) {
    if (key == "stage") {
      if (member.is_string()) stage = stage_named(member.get_string());
      continue;
    }
    const auto read = read_member(key, member, fault);
    if (!read) return read;
  }
  if (!stage) return wrong("\"stage\" names one of ingest, detect and alert; send " + std::string(kExample));
  faults_[static_cast<size_t>(*stage)] = fault;
  return {};
}

Fate Faults::draw(Stage stage) {
  const Fault& fault = faults_[static_cast<size_t>(stage)];
  Fate fate;
  fate.refuse = happens(fault.refuse);
  fate.delay = fault.delay;
  fate.copies = happens(fault.drop) ? 0 : happens(fault.duplicate) ? 2 : 1;
  fate.corrupt = happens(fault.corrupt);
  return fate;
}

bool Faults::happens(double share) {
  return share > 0 && std::uniform_real_distribution<double>(0, 1)(random_) < share;
}

boost::json::object Faults::to_json() const {
  boost::json::object all;
  for (int i = 0; i < kStages; ++i) {
    const Fault& fault = faults_[static_cast<size_t>(i)];
    all[name(static_cast<Stage>(i))] = boost::json::object{{"delay", format_duration(fault.delay)},
                                                           {"drop", fault.drop},
                                                           {"duplicate", fault.duplicate},
                                                           {"corrupt", fault.corrupt},
                                                           {"refuse", fault.refuse}};
  }
  return all;
}

}  // namespace slosonde::demo
