// Reading a probe's JSON without trusting it: what is not there, or of another type, is nothing.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace slosonde::cli {

const boost::json::value* find(const boost::json::value& in, std::string_view key);
std::string text_of(const boost::json::value& in, std::string_view key);  // empty: nothing
// Numbers; "+Inf" is one too, as the probe writes infinities.
std::optional<double> number_of(const boost::json::value& in, std::string_view key);
bool flag_of(const boost::json::value& in, std::string_view key);  // false: nothing
const boost::json::array& list_of(const boost::json::value& in, std::string_view key);

}  // namespace slosonde::cli
