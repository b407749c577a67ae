#include "exporter/web/orders.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <utility>

#include "exporter/web/quote.h"
#include "probe/config/names.h"

namespace slosonde::exporter {

namespace json = boost::json;

namespace {

constexpr size_t kMostTransactions = 1000;

// A function of its own, not inlined: g++ 12 otherwise warns of bounds it has imagined.
[[gnu::noinline]] tl::unexpected<Error> wrong(std::string_view why, std::string_view what = {}) {
  std::string text(why);
  if (!what.empty()) text.append(" ").append(quote(what));
  text.append(
      "; send {\"name\": \"<name>\", \"for\": \"2h\"}, with \"end\" in place of \"for\", and with \"start\" and "
      "\"transactions\" where they are wanted, times as 2026-11-22T01:00:00+09:00.");
  return fail(ErrorCode::malformed, std::move(text));
}

std::string_view text_in(const json::value& value) {
  return {value.get_string().data(), value.get_string().size()};
}

bool read_transactions(const json::value& value, std::vector<std::string>& transactions) {
  if (!value.is_array() || value.get_array().empty() || value.get_array().size() > kMostTransactions) return false;
  for (const json::value& one : value.get_array()) {
    if (!one.is_string()) return false;
    transactions.emplace_back(text_in(one));
  }
  return true;
}

Result<void> read_member(std::string_view key, const json::value& value, engine::ExclusionOrder& order) {
  if (key == "transactions") {
    if (!read_transactions(value, order.transactions)) return wrong("The transactions are no list of names");
    return {};
  }
  if (key != "name" && key != "start" && key != "end" && key != "for") return wrong("There is no parameter", key);
  if (!value.is_string()) return wrong("No text is the value of", key);
  const std::string_view text = text_in(value);
  if (key == "name") {
    if (!config::is_good_name(text)) return wrong("At most 63 of a-z 0-9 _ . - are a name, not", text);
    order.name = text;
  } else if (key == "for") {
    const auto lasts = parse_duration(text);
    if (!lasts || *lasts <= Duration::zero()) return wrong("No duration is", text);
    order.lasts = *lasts;
  } else {
    const auto time = slo::parse_wall_time(text);
    if (!time) return wrong("No time is", text);
    (key == "start" ? order.start : order.end) = *time;
  }
  return {};
}

}  // namespace

Result<engine::ExclusionOrder> exclusion_order(const std::string& body) {
  boost::system::error_code code;
  json::parse_options options;
  options.max_depth = 4;
  const json::value value = json::parse(body, code, {}, options);
  if (code || !value.is_object()) return wrong("The body is no JSON object");
  engine::ExclusionOrder order;
  for (const auto& member : value.get_object()) {
    if (auto read = read_member(std::string_view(member.key().data(), member.key().size()), member.value(), order);
        !read)
      return fail(read.error());
  }
  if (order.name.empty()) return wrong("The exclusion's name is missing");
  if (order.end.has_value() == (order.lasts > Duration::zero()))
    return wrong(order.end ? "Both \"end\" and \"for\" say when it is over" : "Nothing says when it is over");
  return order;
}

Result<engine::EndExclusion> end_order(std::string_view path) {
  const auto name = decode_percent(path.substr(std::min(path.size(), kExclusions.size() + 1)), false);
  if (name && config::is_good_name(*name)) return engine::EndExclusion{*name};
  return fail(ErrorCode::malformed, "The path names no exclusion; call DELETE /api/v1/exclusions/<name>.");
}

Result<engine::Suspend> suspend_order(const RequestHead& head) {
  const auto transaction = query_parameter(head.query, "transaction");
  const bool on = head.path == kSuspend;
  if (transaction && !transaction->empty()) return engine::Suspend{*transaction, on};
  // A misspelt parameter must not become all of them.
  if (head.query.empty()) return engine::Suspend{{}, on};
  return fail(ErrorCode::malformed, "The only parameter is ?transaction=NAME; without one it is about all.");
}

}  // namespace slosonde::exporter
