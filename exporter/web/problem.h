// Errors as RFC 9457 wants them, and the other plain answers.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/web/request.h"

namespace slosonde::exporter {

// `detail` is a sentence for people: what was wrong, and what would be right. It may quote the request.
Response problem(int status, std::string_view detail);
// The same with a list of mistakes, as its member `mistakes`.
Response problem(int status, std::string_view detail, const std::vector<std::string>& mistakes);

Response json_answer(const boost::json::value& value, int status = 200);
Response text_answer(std::string text, int status = 200);

// "Not Found"
std::string_view status_title(int status);

}  // namespace slosonde::exporter
