// What an SLI counts, as a text: the key under which its history is kept.
#pragma once

#include <string>

#include "probe/engine/plan.h"

namespace slosonde::engine {

// "log-to-alert: alert within 1m from ingest, faster than 13s": the transaction, the stages that are judged with their
// limits, and the latency. Objective, window and policy are no part of it, nor is where the stages are done: moving a
// target keeps its history, another limit begins it anew.
std::string sli_definition(const Plan& plan, const SloPlan& slo);

}  // namespace slosonde::engine
