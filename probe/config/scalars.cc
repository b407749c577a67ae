#include "probe/config/scalars.h"

#include <re2/re2.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "probe/config/network.h"
#include "probe/config/quantities.h"
#include "probe/config/suggest.h"
#include "probe/config/utf8.h"

namespace slosonde::config {
namespace {

tl::unexpected<Mistake> mistake(Rule rule, std::string message) {
  return tl::unexpected(Mistake{rule, std::move(message)});
}

tl::unexpected<Mistake> not_a(Type type, const Scalar& scalar) {
  return mistake(Rule::wrong_type, scalar.shown + " is not " + std::string(describe(type)));
}

// A message that quotes the text itself must not be used for what came from outside.
tl::unexpected<Mistake> own_words(Rule rule, const Scalar& scalar, std::string message, std::string_view what) {
  if (!scalar.outside) return mistake(rule, std::move(message));
  return mistake(rule, scalar.shown + " is not " + std::string(what) + " (not shown: it may be secret)");
}

// `read` turns a limit as written into the type of the value.
template <class T, class Read>
ReadScalar within_limits(const Key& key, const Scalar& scalar, T value, Read read) {
  if (!key.min.empty() && value < read(key.min))
    return mistake(Rule::out_of_range, scalar.shown + " is too small; at least " + std::string(key.min));
  if (!key.max.empty() && value > read(key.max))
    return mistake(Rule::out_of_range, scalar.shown + " is too large; at most " + std::string(key.max));
  return value;
}

template <class T>
T number_from(std::string_view text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Scalar limit(std::string_view text) {
  return {text, true, false, {}};
}

// Lists have limits of their number, not of their items.
Key without_limits(Key key) {
  key.min = key.max = {};
  return key;
}

ReadScalar read_boolean(const Scalar& scalar) {
  if (scalar.plain || scalar.outside) {
    if (scalar.text == "true") return true;
    if (scalar.text == "false") return false;
  }
  return not_a(Type::boolean, scalar);
}

ReadScalar read_integer(const Key& key, const Scalar& scalar) {
  int64_t value = 0;
  const char* end = scalar.text.data() + scalar.text.size();
  const auto [rest, problem] = std::from_chars(scalar.text.data(), end, value);
  if (problem == std::errc::result_out_of_range && rest == end)
    return mistake(Rule::out_of_range, scalar.shown + " does not fit into 64 bits");
  if (problem != std::errc{} || rest != end) return not_a(Type::integer, scalar);
  if (!scalar.plain && !scalar.outside)
    return mistake(Rule::wrong_type, scalar.shown + " is a text; a number stands without quotes");
  return within_limits(key, scalar, value, number_from<int64_t>);
}

ReadScalar read_number(const Key& key, const Scalar& scalar) {
  double value = 0;
  const char* end = scalar.text.data() + scalar.text.size();
  const auto [rest, problem] = std::from_chars(scalar.text.data(), end, value);
  if (problem != std::errc{} || rest != end || !std::isfinite(value)) return not_a(Type::number, scalar);
  if (!scalar.plain && !scalar.outside)
    return mistake(Rule::wrong_type, scalar.shown + " is a text; a number stands without quotes");
  return within_limits(key, scalar, value, number_from<double>);
}

ReadScalar read_quantity(const Key& key, Type type, const Scalar& scalar) {
  if (type == Type::share) {
    const auto share = read_share(scalar);
    if (!share) return tl::unexpected(share.error());
    ReadScalar ok = within_limits(key, scalar, *share, [](auto text) { return read_share(limit(text)).value(); });
    if (!ok) return ok;
    return Share{*share};
  }
  if (type == Type::bytes) {
    const auto bytes = read_bytes(scalar);
    if (!bytes) return tl::unexpected(bytes.error());
    const auto count = static_cast<int64_t>(*bytes);
    ReadScalar ok = within_limits(key, scalar, count,
                                  [](auto text) { return static_cast<int64_t>(read_bytes(limit(text)).value()); });
    if (!ok) return ok;
    return Bytes{*bytes};
  }
  const auto duration = read_duration(scalar);
  if (!duration) return tl::unexpected(duration.error());
  return within_limits(key, scalar, *duration, [](auto text) { return read_duration(limit(text)).value(); });
}

ReadScalar read_choice(const Key& key, const Scalar& scalar) {
  for (const std::string_view choice : key.choices)
    if (choice == scalar.text) return std::string(choice);
  const std::string_view word = scalar.outside ? std::string_view{} : scalar.text;
  return mistake(Rule::not_a_choice, scalar.shown + " is not one of the choices; " + suggestion(word, key.choices));
}

ReadScalar read_template(const Scalar& scalar) {
  Result<Template> parsed = Template::parse(scalar.text);
  if (!parsed) return own_words(Rule::bad_template, scalar, parsed.error().text, "a template that can be filled in");
  return std::move(*parsed);
}

// A password that stands in the URL is not repeated.
std::string url_shown(const UrlMistake& wrong, const Scalar& scalar) {
  return wrong.rule == Rule::url_credentials ? "the URL" : scalar.shown;
}

ReadScalar read_url(const Scalar& scalar) {
  if (std::optional<UrlMistake> wrong = check_url(scalar.text))
    return mistake(wrong->rule, url_shown(*wrong, scalar) + " does not do: " + wrong->message);
  return read_template(scalar);
}

std::string why_no_address(std::string_view text) {
  constexpr std::string_view kForms = "write host:port, [v6]:port or unix:/path";
  const size_t colon = text.ends_with(']') ? std::string_view::npos : text.rfind(':');
  const std::string_view host = text.substr(0, colon), port = text.substr(std::min(colon, text.size()));
  if (text.starts_with("unix:") || !parse_address(std::string(host) + ":1"))
    return " is no address; " + std::string(kForms);
  if (port.size() < 2) return " has no port; " + std::string(kForms);
  return " has a port that is none; a port is a number from 1 to 65535";
}

ReadScalar read_address(const Key& key, const Scalar& scalar) {
  const std::optional<HostPort> address = parse_address(scalar.text);
  if (!address) return mistake(Rule::bad_address, scalar.shown + why_no_address(scalar.text));
  const auto lowest = key.min.empty() ? uint16_t{1} : number_from<uint16_t>(key.min);
  if (!address->is_unix && address->port < lowest)
    return mistake(Rule::bad_address, scalar.shown + " has a port that nothing can reach; a port is 1 to 65535");
  return std::string(scalar.text);
}

ReadScalar read_regex(const Scalar& scalar) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  const RE2 regex(std::string(scalar.text), options);
  if (!regex.ok())
    return own_words(Rule::bad_regex, scalar,
                     scalar.shown + " is no regular expression: " + regex.error() + "; RE2's syntax is expected",
                     "a regular expression");
  return std::string(scalar.text);
}

ReadScalar read_json_path(const Scalar& scalar) {
  Result<JsonPath> parsed = JsonPath::parse(scalar.text);
  if (!parsed) return own_words(Rule::bad_json_path, scalar, parsed.error().text, "a JSON path");
  return std::move(*parsed);
}

// A placeholder where nothing fills it in would be sent as it stands: surely not what was meant.
std::optional<Mistake> stray_placeholder(Type type, const Scalar& scalar) {
  if (scalar.text.find("{{") == std::string_view::npos) return std::nullopt;
  if (type == Type::regex)
    return Mistake{Rule::stray_placeholder,
                   scalar.shown + R"( holds a placeholder, which no expression fills in; write \{\{ for two braces)"};
  return Mistake{Rule::stray_placeholder,
                 scalar.shown + " holds a placeholder, which is not filled in here; remove the {{ }}"};
}

std::optional<Mistake> unfit_text(const Scalar& scalar) {
  for (std::string_view rest = scalar.text; !rest.empty();) {
    const size_t length = utf8_length(rest);
    if (length == 0)
      return Mistake{Rule::not_utf8, scalar.shown + " is not UTF-8; a text that is sent or shown must be"};
    if (rest[0] == '\0') return Mistake{Rule::control_character, scalar.shown + " holds a zero byte; remove it"};
    rest.remove_prefix(length);
  }
  return std::nullopt;
}

bool is_template(Type type) {
  return type == Type::text_template || type == Type::url || type == Type::template_map || type == Type::json;
}

ReadScalar read_text(const Key& key, Type type, const Scalar& scalar) {
  const auto length = check_length(key, scalar.text.size(), scalar.shown);
  if (!length) return tl::unexpected(length.error());
  switch (type) {
    case Type::text_template:
      return read_template(scalar);
    case Type::choice:
      return read_choice(key, scalar);
    case Type::regex:
      return read_regex(scalar);
    default:
      return std::string(scalar.text);
  }
}

bool may_not_be_empty(const Key& key, Type type) {
  return key.required || (type == Type::text && key.min == "1") || type == Type::url || type == Type::address ||
         type == Type::path || type == Type::regex || type == Type::json_path || type == Type::choice;
}

}  // namespace

tl::expected<void, Mistake> check_length(const Key& key, size_t length, const std::string& shown) {
  if (!key.min.empty() && length < number_from<size_t>(key.min))
    return tl::unexpected(
        Mistake{Rule::out_of_range, shown + " is too short; at least " + std::string(key.min) + " bytes"});
  if (!key.max.empty() && length > number_from<size_t>(key.max))
    return tl::unexpected(
        Mistake{Rule::out_of_range, shown + " is too long; at most " + std::string(key.max) + " bytes"});
  return {};
}

std::string_view describe(Type type) {
  switch (type) {
    case Type::text:
    case Type::text_template:
      return "a text";
    case Type::secret:
      return "a secret";
    case Type::boolean:
      return "true or false";
    case Type::integer:
      return "a whole number";
    case Type::number:
      return "a number";
    case Type::share:
      return "a share, as 99.9% or 0.999";
    case Type::duration:
      return "a duration, as 500ms, 5s or 30d";
    case Type::bytes:
      return "a size, as 64KiB or 10MiB";
    case Type::choice:
      return "one of the choices";
    case Type::url:
      return "a URL, as https://host/path";
    case Type::address:
      return "an address, as host:port";
    case Type::path:
      return "a file's path";
    case Type::regex:
      return "a regular expression";
    case Type::json_path:
      return "a JSON path, as $.a.b[0]";
    case Type::json:
      return "any value";
    case Type::texts:
      return "a list of texts, as [one, two]";
    case Type::integers:
      return "a list of whole numbers, as [200, 202]";
    case Type::text_map:
    case Type::template_map:
      return "a map of texts, as {key: text}";
    case Type::json_path_map:
      return "a map of JSON paths, as {id: $.id}";
    case Type::block:
      return "a map, as {key: value}";
    case Type::blocks:
      return "a list of maps, each entry beginning with `- `";
  }
  return "";
}

std::string_view describe_item(Type type) {
  switch (type) {
    case Type::texts:
    case Type::text_map:
    case Type::template_map:
      return describe(Type::text);
    case Type::integers:
      return describe(Type::integer);
    case Type::json_path_map:
      return describe(Type::json_path);
    default:
      return describe(type);
  }
}

ReadScalar read_scalar(const Key& key, Type type, const Scalar& scalar) {
  if (std::optional<Mistake> unfit = unfit_text(scalar)) return tl::unexpected(*unfit);
  if (scalar.text.empty() && may_not_be_empty(key, type))
    return mistake(Rule::empty_text, (scalar.outside ? scalar.shown : "the value") + " is empty; expected " +
                                         std::string(describe(type)));
  if (!is_template(type))
    if (std::optional<Mistake> stray = stray_placeholder(type, scalar)) return tl::unexpected(*stray);
  switch (type) {
    case Type::boolean:
      return read_boolean(scalar);
    case Type::integer:
      return read_integer(key, scalar);
    case Type::number:
      return read_number(key, scalar);
    case Type::share:
    case Type::duration:
    case Type::bytes:
      return read_quantity(key, type, scalar);
    case Type::integers:
      return read_integer(without_limits(key), scalar);
    case Type::url:
      return read_url(scalar);
    case Type::address:
      return read_address(key, scalar);
    case Type::json_path:
    case Type::json_path_map:
      return read_json_path(scalar);
    case Type::template_map:
      return read_template(scalar);
    case Type::texts:
    case Type::text_map:
    case Type::path:
      return std::string(scalar.text);
    default:
      return read_text(key, type, scalar);
  }
}

}  // namespace slosonde::config
