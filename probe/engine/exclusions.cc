#include "probe/engine/exclusions.h"

#include <algorithm>
#include <utility>

namespace slosonde::engine {

static_assert(kMostDeclaredExclusions == 100 && kLongestDeclaredExclusion == std::chrono::hours(31 * 24),
              "as the messages say");

namespace {

Duration latest_limit(const TransactionPlan& transaction) {
  Duration latest{};
  std::vector<Duration> limits;
  limits.reserve(transaction.stages.size());
  for (const StagePlan& stage : transaction.stages) {
    limits.push_back(stage.within + (stage.from ? limits[*stage.from] : Duration::zero()));
    latest = std::max(latest, limits.back());
  }
  return latest;
}

const slo::WallSpan& span_of(const ExclusionPlan& declared) {
  return std::get<slo::WallSpan>(declared.window);
}

std::optional<size_t> index_of(const Plan& plan, const std::string& transaction) {
  const auto is_it = [&](const TransactionPlan& one) { return one.name == transaction; };
  const auto found = std::find_if(plan.transactions.begin(), plan.transactions.end(), is_it);
  if (found == plan.transactions.end()) return std::nullopt;
  return static_cast<size_t>(found - plan.transactions.begin());
}

// A function of its own, not inlined: g++ 12 otherwise warns of bounds it has imagined.
[[gnu::noinline]] tl::unexpected<Error> refuse(ErrorCode code, std::string_view what, std::string_view name = {},
                                               std::string_view rest = {}) {
  std::string text(what);
  if (!name.empty()) text.append(" \"").append(name).append("\"");
  text.append(rest);
  return fail(code, std::move(text));
}

}  // namespace

bool Exclusions::One::applies(uint32_t transaction) const {
  if (names.empty()) return true;
  return std::find(plan.transactions.begin(), plan.transactions.end(), transaction) != plan.transactions.end();
}

bool Exclusions::One::covers(Instant from, Instant to, Duration offset) const {
  // By our own line, too: a clock that is set back must not open again what was ended.
  if (ended && from >= *ended) return false;
  std::vector<slo::WallSpan> spans;
  slo::append_spans(plan.window, from + offset, to + offset, spans);
  return !spans.empty();
}

Exclusions::Exclusions(const Plan& plan) : plan_(plan) {
  for (const ExclusionPlan& one : plan.exclusions) {
    One made{one, {}, false, std::nullopt};
    for (const size_t transaction : one.transactions) made.names.push_back(plan.transactions[transaction].name);
    all_.push_back(std::move(made));
  }
  limits_.reserve(plan.transactions.size());
  for (const TransactionPlan& one : plan.transactions) limits_.push_back(latest_limit(one));
}

bool Exclusions::covers_run(uint32_t transaction, Instant due) const {
  return covers(transaction, due, due + limits_[transaction]);
}

bool Exclusions::covers(uint32_t transaction, Instant from, Instant to) const {
  return std::any_of(all_.begin(), all_.end(),
                     [&](const One& one) { return one.applies(transaction) && one.covers(from, to, wall_offset_); });
}

void Exclusions::split(uint32_t transaction, Instant first, Duration every, uint64_t count,
                       const PartOfSlots& tell) const {
  const Instant last = first + every * static_cast<int64_t>(count - 1);
  // Where what covers a slot may change.
  std::vector<Instant> edges;
  for (const One& one : all_) {
    if (!one.applies(transaction)) continue;
    std::vector<slo::WallSpan> spans;
    slo::append_spans(one.plan.window, std::max(first, last - slo::kMostLookedAt) + wall_offset_, last + wall_offset_,
                      spans);
    for (const slo::WallSpan& span : spans) {
      edges.push_back(span.from - wall_offset_);
      edges.push_back(span.to - wall_offset_);
    }
    if (one.ended && !spans.empty()) edges.push_back(*one.ended);
  }
  std::sort(edges.begin(), edges.end());
  uint64_t begin = 0;
  const auto part_until = [&](uint64_t end) {
    if (end <= begin) return;
    const Instant t = first + every * static_cast<int64_t>(begin);
    tell(t, end - begin, !edges.empty() && t >= last - slo::kMostLookedAt && covers(transaction, t, t));
    begin = end;
  };
  for (const Instant edge : edges) {
    if (edge <= first) continue;
    part_until(std::min(count, static_cast<uint64_t>((edge - first + every - Duration(1)) / every)));
  }
  part_until(count);
}

Exclusions::One* Exclusions::find(const std::string& name, slo::WallTime wall_now) {
  const auto is_it = [&](const One& one) {
    return one.plan.name == name && !one.gone && (!one.declared || (!one.ended && wall_now < span_of(one.plan).to));
  };
  // The declared ones stand last.
  const auto found = std::find_if(all_.rbegin(), all_.rend(), is_it);
  return found == all_.rend() ? nullptr : &*found;
}

Result<void> Exclusions::declare(const ExclusionOrder& order, Instant now) {
  const slo::WallTime wall_now = now + wall_offset_;
  const slo::WallTime from = order.start.value_or(wall_now);
  const slo::WallTime to = order.end.value_or(from + order.lasts);
  if (to <= from) return refuse(ErrorCode::malformed, "it ends before it begins");
  if (to - from > kLongestDeclaredExclusion) {
    return refuse(ErrorCode::malformed,
                  "it is longer than 31d, which is no maintenance; shorten it, or suspend the transaction");
  }
  if (to <= wall_now) return refuse(ErrorCode::malformed, "it is over already: what was counted is never revised");
  for (const std::string& name : order.transactions) {
    if (!index_of(plan_, name)) return refuse(ErrorCode::bad_config, "no transaction is named", name);
  }
  if (find(order.name, wall_now) != nullptr) {
    return refuse(ErrorCode::rejected, "there is an exclusion", order.name, "; end it first, or choose another name");
  }
  forget_over(wall_now, true);
  const auto is_declared = [](const One& one) { return one.declared; };
  if (static_cast<size_t>(std::count_if(all_.begin(), all_.end(), is_declared)) >= kMostDeclaredExclusions) {
    return refuse(ErrorCode::rejected, "100 exclusions are declared, and no more may be; end some");
  }
  for (One& one : all_) {
    if (one.declared && one.plan.name == order.name) retire(one);
  }
  add_declared({order.name, order.transactions, from, to, std::nullopt});
  changed_ = true;
  return {};
}

Result<void> Exclusions::end(const std::string& name, Instant now) {
  const slo::WallTime wall_now = now + wall_offset_;
  One* const one = find(name, wall_now);
  if (one == nullptr) {
    return refuse(ErrorCode::bad_config, "there is no exclusion", name, ", or it is over already");
  }
  if (!one->declared) {
    return refuse(ErrorCode::rejected, "the exclusion", name,
                  " is in the configuration; take it out there, and reload");
  }
  changed_ = true;
  auto& span = std::get<slo::WallSpan>(one->plan.window);
  if (wall_now <= span.from) {  // it never was
    all_.erase(all_.begin() + (one - all_.data()));
    return {};
  }
  span.to = wall_now;
  one->ended = now;
  return {};
}

void Exclusions::add_declared(store::KeptExclusion kept) {
  One made{{kept.name, {}, slo::WallSpan{kept.from, kept.to}}, std::move(kept.transactions), true, kept.ended};
  for (const std::string& name : made.names) {
    if (const auto index = index_of(plan_, name)) made.plan.transactions.push_back(*index);
  }
  all_.push_back(std::move(made));
}

// One that is over gives way to another; runs that were due in it are still open.
void Exclusions::retire(One& one) {
  one.ended = one.ended.value_or(span_of(one.plan).to - wall_offset_);
  one.declared = false;
  one.gone = true;
}

void Exclusions::forget_over(slo::WallTime wall_now, bool make_room) {
  const auto over_for = [&](const One& one) {
    return one.declared ? wall_now - span_of(one.plan).to : Duration::min();
  };
  const size_t before = all_.size();
  std::erase_if(all_, [&](const One& one) {
    return over_for(one) > kShownOver || (one.gone && wall_now - wall_offset_ - *one.ended > kShownOver);
  });
  const auto is_gone = [](const One& one) { return one.gone; };
  if (static_cast<size_t>(std::count_if(all_.begin(), all_.end(), is_gone)) > kMostDeclaredExclusions) {
    all_.erase(std::find_if(all_.begin(), all_.end(), is_gone));
  }
  const auto is_declared = [](const One& one) { return one.declared; };
  if (make_room &&
      static_cast<size_t>(std::count_if(all_.begin(), all_.end(), is_declared)) >= kMostDeclaredExclusions) {
    const auto longest = std::max_element(all_.begin(), all_.end(),
                                          [&](const One& a, const One& b) { return over_for(a) < over_for(b); });
    if (over_for(*longest) > Duration::zero()) retire(*longest);
  }
  changed_ = changed_ || all_.size() != before;
}

std::vector<ExclusionStatus> Exclusions::statuses(Instant now) const {
  const slo::WallTime wall_now = now + wall_offset_;
  std::vector<ExclusionStatus> made;
  made.reserve(all_.size());
  for (const One& one : all_) {
    if (one.gone) continue;
    ExclusionStatus& status = made.emplace_back();
    status.name = one.plan.name;
    status.declared = one.declared;
    status.transactions = one.names;
    status.window = one.plan.window;
    status.ended_early = one.ended.has_value();
    status.next = one.ended ? std::nullopt : slo::present_or_next(one.plan.window, wall_now);
    status.active = status.next && status.next->from <= wall_now;
  }
  return made;
}

void Exclusions::restore(const store::Batch& kept, Instant now) {
  if (!kept.exclusions) return;
  for (store::KeptExclusion one : *kept.exclusions) {
    // Our line may begin before the one it was ended on: the clock was set back in between.
    if (one.ended) one.ended = std::min(*one.ended, now);
    add_declared(std::move(one));
  }
}

void Exclusions::take_over(const Exclusions& before, Instant now) {
  wall_offset_ = before.wall_offset_;
  for (store::KeptExclusion& one : before.kept()) add_declared(std::move(one));
  for (const One& one : before.all_) {
    if (one.declared || (one.gone && now - *one.ended > kShownOver)) continue;
    const auto is_it = [&](const One& mine) {
      return !mine.declared && mine.plan.name == one.plan.name && mine.plan.window == one.plan.window &&
             mine.names == one.names;
    };
    if (!one.gone && std::any_of(all_.begin(), all_.end(), is_it)) continue;
    One& past = all_.emplace_back(one);
    past.gone = true;
    past.ended = one.ended.value_or(now);
    past.plan.transactions.clear();
    for (const std::string& name : past.names) {
      if (const auto index = index_of(plan_, name)) past.plan.transactions.push_back(*index);
    }
  }
  changed_ = true;
}

std::vector<store::KeptExclusion> Exclusions::kept() const {
  std::vector<store::KeptExclusion> made;
  for (const One& one : all_) {
    if (!one.declared) continue;
    const slo::WallSpan& span = span_of(one.plan);
    made.push_back({one.plan.name, one.names, span.from, span.to, one.ended});
  }
  return made;
}

void Exclusions::take_changes(bool whole, store::Batch& batch) {
  if (std::exchange(changed_, false) || whole) batch.exclusions = kept();
}

}  // namespace slosonde::engine
