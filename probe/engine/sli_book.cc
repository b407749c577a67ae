#include "probe/engine/sli_book.h"

#include <algorithm>
#include <map>
#include <utility>

#include "probe/engine/sli_definition.h"

namespace slosonde::engine {

slo::Event event_of(RunVerdict verdict) {
  switch (verdict) {
    case RunVerdict::good:
      return slo::Event::good;
    case RunVerdict::bad:
      return slo::Event::bad;
    case RunVerdict::blind:
      return slo::Event::blind;
    default:
      return slo::Event::probe_fault;
  }
}

namespace {

Duration every_of(const Plan& plan, const SloPlan& slo) {
  return plan.transactions[slo.transaction].every;
}

// By SLO. Of several of one SLI (by its definition) the one with the longest window keeps the counts for all.
std::vector<SliPart> parts_of(const Plan& plan) {
  struct Sli {
    size_t keeper;
    std::vector<Duration> windows;  // of all its SLOs
  };
  std::map<std::string, Sli> slis;
  std::vector<SliPart> parts(plan.slos.size());
  for (size_t i = 0; i < plan.slos.size(); ++i) {
    const SloPlan& slo = plan.slos[i];
    parts[i].definition = sli_definition(plan, slo);
    Sli& sli = slis.try_emplace(parts[i].definition, Sli{i, {}}).first->second;
    if (slo.window > plan.slos[sli.keeper].window) sli.keeper = i;
    for (const Duration window : SloBook::windows_for(slo, every_of(plan, slo))) sli.windows.push_back(window);
  }
  for (auto& [definition, sli] : slis) {
    parts[sli.keeper].keeps_counts = true;
    parts[sli.keeper].also = std::move(sli.windows);
  }
  return parts;
}

}  // namespace

SliBook::SliBook(const Plan& plan, Instant start) : plan_(plan), transactions_(plan.transactions.size()) {
  std::vector<SliPart> parts = parts_of(plan);
  books_.reserve(plan.slos.size());
  for (size_t i = 0; i < plan.slos.size(); ++i) {
    const SloPlan& slo = plan.slos[i];
    books_.emplace_back(slo, every_of(plan, slo), start, std::move(parts[i]));
    OfTransaction& of = transactions_[slo.transaction];
    (slo.faster_than ? of.latencies : of.verdicts).push_back(i);
  }
}

void SliBook::count(size_t slo, slo::Event event, Instant at) {
  books_[slo].count(at, event);
  changed_.push_back(slo);
}

void SliBook::stage_decided(uint32_t transaction, size_t stage, slo::Event event, Instant at) {
  for (const size_t slo : transactions_[transaction].verdicts) {
    if (plan_.slos[slo].stage == stage) count(slo, event, at);
  }
}

void SliBook::run_decided(uint32_t transaction, slo::Event event, Instant at) {
  for (const size_t slo : transactions_[transaction].verdicts) {
    if (!plan_.slos[slo].stage) count(slo, event, at);
  }
}

void SliBook::missed(uint32_t transaction, Instant first, uint64_t count, bool excluded) {
  const slo::Event event = excluded ? slo::Event::excluded_unjudged : slo::Event::missed;
  const OfTransaction& of = transactions_[transaction];
  for (const auto* list : {&of.verdicts, &of.latencies}) {
    for (const size_t slo : *list) {
      books_[slo].count_slots(first, plan_.transactions[transaction].every, count, event);
      changed_.push_back(slo);
    }
  }
}

void SliBook::step_all(Instant now, const Tell& tell) {
  for (size_t i = 0; i < books_.size(); ++i) step(i, now, tell);
}

void SliBook::step_changed(Instant now, const Tell& tell) {
  for (const size_t slo : changed_) {
    if (books_[slo].changed()) step(slo, now, tell);
  }
  changed_.clear();
}

void SliBook::step(size_t index, Instant now, const Tell& tell) {
  books_[index].step(now, [&](bool fired, std::string text) { tell(plan_.slos[index], fired, std::move(text)); });
}

void SliBook::keep_changes() {
  for (SloBook& book : books_) book.keep_changes();
}

void SliBook::take_changes(bool whole, store::Batch& batch) {
  for (SloBook& book : books_) book.take_changes(whole, batch);
  if (whole) attic_.add_to(batch);
}

std::vector<SliBook::Anew> SliBook::restore(const store::Batch& kept, std::span<const Instant> at, Instant now) {
  struct Counts {
    store::KeptSli sli;
    std::vector<slo::StoredBlock> fine, coarse;
  };
  std::map<std::string_view, Counts> of;
  for (const store::KeptSli& sli : kept.slis) of[sli.definition].sli = sli;
  for (const store::KeptCounts& one : kept.counts) {
    auto& list = one.slot == slo::kFineSlot ? of[one.definition].fine : of[one.definition].coarse;
    list.push_back({one.block, one.bytes});
  }
  std::vector<Anew> anew;
  for (size_t i = 0; i < books_.size(); ++i) {
    SloBook& book = books_[i];
    const auto of_this = [&](const store::KeptAlert& alert) { return alert.slo == plan_.slos[i].name; };
    if (const auto found = of.find(book.definition()); found != of.end()) {
      const auto& [sli, fine, coarse] = found->second;
      if (!book.restore(sli, fine, coarse, at[plan_.slos[i].transaction])) {
        anew.push_back({i, "its counts could not be read from the state file, and begin anew"});
        continue;
      }
      for (const store::KeptAlert& alert : kept.alerts) {
        if (of_this(alert) && alert.definition == book.definition()) book.restore(alert);
      }
    } else if (std::any_of(kept.alerts.begin(), kept.alerts.end(), of_this)) {
      anew.push_back({i, "what it counts has changed (now: " + book.definition() + "): its history begins anew"});
    }
  }
  put_away(kept, now);
  return anew;
}

bool SliBook::uses(const std::string& definition) const {
  return std::any_of(books_.begin(), books_.end(),
                     [&](const SloBook& book) { return book.definition() == definition; });
}

void SliBook::put_away(const store::Batch& counts, Instant now) {
  attic_.put(counts, now, [&](const std::string& definition) { return uses(definition); });
}

std::vector<SliBook::Anew> SliBook::take_over(SliBook& before, Instant now) {
  store::Batch counted;
  before.take_changes(true, counted);
  const std::vector<Instant> at(plan_.transactions.size(), now);
  std::vector<Anew> anew = restore(counted, at, now);
  for (SloBook& book : books_) {
    for (const SloBook& old : before.books_) {
      if (old.plan().name == book.plan().name && old.definition() == book.definition()) book.count_on(old);
    }
  }
  return anew;
}

std::vector<SloStatus> SliBook::statuses() const {
  std::vector<SloStatus> all;
  all.reserve(books_.size());
  for (const SloBook& book : books_) all.push_back(book.status());
  return all;
}

}  // namespace slosonde::engine
