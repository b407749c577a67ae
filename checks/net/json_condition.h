// One condition on a JSON answer: {path: $.status, equals: open}.
#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>

#include "probe/config/block.h"
#include "probe/config/mask.h"
#include "probe/config/template.h"
#include "probe/config/values.h"

namespace slosonde::checks {

// The declaration of one condition, for `blocks` keys.
const config::Block* json_condition_block();

// What does not hold, as a sentence; nothing when it does. Where the path reaches several values, one must fit.
// What `mask` hides is not in the sentence.
std::optional<std::string> judge_condition(const config::Values& condition, const boost::json::value& root,
                                           const config::Variables& variables, const config::Mask& mask);

}  // namespace slosonde::checks
