#include "probe/engine/sli_definition.h"

namespace slosonde::engine {

namespace {

std::string how_often(Expectation expect) {
  return expect == Expectation::none ? " never" : expect == Expectation::exactly_one ? " once" : "";
}

}  // namespace

std::string sli_definition(const Plan& plan, const SloPlan& slo) {
  const TransactionPlan& transaction = plan.transactions[slo.transaction];
  std::string text = transaction.name + ":";
  for (size_t i = 0; i < transaction.stages.size(); ++i) {
    if (slo.stage && *slo.stage != i) continue;
    const StagePlan& stage = transaction.stages[i];
    text += ' ' + stage.name + how_often(stage.expect) + " within " + format_duration(stage.within);
    if (stage.from) text += " from " + transaction.stages[*stage.from].name;
    text += ',';
  }
  text.pop_back();
  if (slo.faster_than) text += ", faster than " + format_duration(*slo.faster_than);
  return text;
}

}  // namespace slosonde::engine
