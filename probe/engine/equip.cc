#include "probe/engine/equip.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slosonde::engine {

namespace {

std::string definition_of(const config::KindUse& use) {
  return use.kind + " " + use.values.fingerprint();
}

// The watches of a configuration, in order of their first use.
class WatchList {
 public:
  // The index of the watch that `use` names, a new one or one that is there already.
  size_t index_of(const config::KindUse& use) {
    const auto [place, is_new] = by_settings_.try_emplace(definition_of(use), uses_.size());
    if (is_new) uses_.push_back(&use);
    return place->second;
  }
  const std::vector<const config::KindUse*>& uses() const { return uses_; }

 private:
  std::map<std::string, size_t> by_settings_;
  std::vector<const config::KindUse*> uses_;
};

checks::EvidencePhase phase_of(std::string_view text) {
  if (text == "firing") return checks::EvidencePhase::firing;
  if (text == "resolved") return checks::EvidencePhase::resolved;
  return checks::EvidencePhase::none;
}

StageMode mode_of(config::StageMode mode) {
  switch (mode) {
    case config::StageMode::done:
      return StageMode::done;
    case config::StageMode::polled:
      return StageMode::polled;
    case config::StageMode::watched:
      return StageMode::watched;
  }
  std::abort();
}

Expectation expectation_of(config::Expectation expect) {
  switch (expect) {
    case config::Expectation::some:
      return Expectation::some;
    case config::Expectation::exactly_one:
      return Expectation::exactly_one;
    case config::Expectation::none:
      return Expectation::none;
  }
  std::abort();
}

StagePlan stage_from(const config::Stage& stage, WatchList& watches) {
  StagePlan made;
  made.definition = definition_of(stage.use);
  made.name = stage.name;
  made.mode = mode_of(stage.mode);
  made.within = stage.within;
  made.from = stage.from;
  made.poll_every = stage.poll_every;
  made.poll_timeout = stage.poll_timeout;
  made.phase = phase_of(stage.phase);
  made.expect = expectation_of(stage.expect);
  made.observer = stage.observer;
  made.sends_payload = stage.sends_payload;
  made.payload_required = stage.payload == config::PayloadRule::required;
  if (made.mode == StageMode::watched) made.watch = watches.index_of(stage.use);
  return made;
}

TransactionPlan transaction_from(const config::Transaction& transaction, WatchList& watches) {
  TransactionPlan made;
  made.name = transaction.name;
  made.every = transaction.every;
  made.max_in_flight = transaction.max_in_flight;
  made.linger = transaction.linger;
  made.backoff = transaction.backoff;
  for (const auto& stage : transaction.stages) made.stages.push_back(stage_from(stage, watches));
  for (const auto& step : transaction.finally) made.finally.push_back(stage_from(step, watches));
  return made;
}

SloPlan slo_from(const config::Slo& slo) {
  SloPlan made;
  made.name = slo.name;
  made.objective_ppb = slo.objective_ppb;
  made.window = slo.window;
  made.transaction = slo.transaction;
  made.stage = slo.stage;
  made.faster_than = slo.faster_than;
  made.min_bad = slo.min_bad;
  made.labels = slo.labels;
  made.annotations = slo.annotations;
  return made;
}

// "kafka incidents": the kind and the text that says best which place it is, which is the first required one.
std::string name_of(const config::KindUse& use) {
  for (const config::Key& key : use.values.block_declaration().keys) {
    const bool telling =
        key.type == config::Type::text || key.type == config::Type::path || key.type == config::Type::address;
    if (telling && key.required) return use.kind + " " + use.values.mask()->apply(use.values.text(key.name));
  }
  return use.kind;
}

std::vector<WatchPlan> watches_from(const WatchList& list) {
  std::vector<WatchPlan> made;
  for (const config::KindUse* use : list.uses()) {
    WatchPlan watch{name_of(*use), use->kind, definition_of(*use)};
    const auto has_its_name = [&](const WatchPlan& other) { return other.name == watch.name; };
    for (int n = 2; std::any_of(made.begin(), made.end(), has_its_name); ++n) {
      watch.name = name_of(*use) + " #" + std::to_string(n);
    }
    made.push_back(std::move(watch));
  }
  return made;
}

Plan plan_with(const config::Config& config, WatchList& watches) {
  Plan plan;
  plan.probe = config.probe.name;
  plan.region = config.probe.region;
  plan.zone = config.probe.zone;
  plan.key = config.probe.key;
  plan.settle = config.probe.settle;
  plan.max_lateness = config.probe.max_lateness;
  for (const auto& one : config.transactions) plan.transactions.push_back(transaction_from(one, watches));
  for (const auto& one : config.slos) plan.slos.push_back(slo_from(one));
  for (const auto& one : config.exclusions) plan.exclusions.push_back({one.name, one.transactions, one.window});
  plan.watches = watches_from(watches);
  plan.witnesses = config.probe.witness;
  return plan;
}

// Makes checks and watches, and collects what could not be made.
class Maker {
 public:
  Maker(std::span<const checks::Kind> kinds, io::Io& io, std::shared_ptr<const config::Mask> mask)
      : kinds_(kinds), io_(io) {
    problems_.hide_with(std::move(mask));
  }

  std::vector<std::shared_ptr<checks::Check>> checks(const std::vector<config::Stage>& stages) {
    std::vector<std::shared_ptr<checks::Check>> made;
    made.reserve(stages.size());
    for (const auto& stage : stages)
      made.push_back(stage.mode == config::StageMode::watched ? nullptr : check(stage.use));
    return made;
  }

  std::shared_ptr<checks::Watch> watch(const config::KindUse& use) {
    const checks::Kind* kind = find(use);
    if (!kind || !kind->watch) return missing(use, "watch");
    auto made = kind->watch(use.values, io_);
    if (made) return std::move(*made);
    return complain(use, made.error());
  }

  config::Problems& problems() { return problems_; }

 private:
  std::shared_ptr<checks::Check> check(const config::KindUse& use) {
    const checks::Kind* kind = find(use);
    if (!kind || !kind->check) return missing(use, "check");
    auto made = kind->check(use.values, io_);
    if (made) return std::move(*made);
    return complain(use, made.error());
  }

  const checks::Kind* find(const config::KindUse& use) const {
    const auto found =
        std::find_if(kinds_.begin(), kinds_.end(), [&](const auto& kind) { return kind.name == use.kind; });
    return found == kinds_.end() ? nullptr : &*found;
  }

  std::nullptr_t missing(const config::KindUse& use, std::string_view as) {
    return complain(use, Error{ErrorCode::bad_config, "there is no " + std::string(as) + " of kind " + use.kind});
  }

  std::nullptr_t complain(const config::KindUse& use, const Error& error) {
    problems_.add(use.values.position(), use.values.path(), error.text);
    return nullptr;
  }

  std::span<const checks::Kind> kinds_;
  io::Io& io_;
  config::Problems problems_;
};

std::shared_ptr<checks::Watch> watch_of(const Equipment& equipment, const std::string& definition) {
  const std::vector<WatchPlan>& all = equipment.plan->watches;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.definition == definition; });
  return found == all.end() ? nullptr : equipment.watches[static_cast<size_t>(found - all.begin())];
}

}  // namespace

Plan plan_from(const config::Config& config) {
  WatchList watches;
  return plan_with(config, watches);
}

tl::expected<Equipment, config::Problems> equip(const config::Config& config, std::span<const checks::Kind> kinds,
                                                io::Io& io, const Equipment* before) {
  WatchList watches;
  Equipment made;
  made.plan = std::make_shared<const Plan>(plan_with(config, watches));
  made.mask = config.root.mask();
  Maker maker(kinds, io, made.mask);
  for (const auto& transaction : config.transactions) {
    made.checks.push_back(maker.checks(transaction.stages));
    made.finally.push_back(maker.checks(transaction.finally));
  }
  for (const config::KindUse* use : watches.uses()) {
    auto watch = before != nullptr ? watch_of(*before, definition_of(*use)) : nullptr;
    made.watches.push_back(watch ? std::move(watch) : maker.watch(*use));
  }
  if (!maker.problems().empty()) return tl::unexpected(std::move(maker.problems()));
  return made;
}

}  // namespace slosonde::engine
