// What becomes of what a run sends: answers, and the evidence that comes out at the other end.
#include <algorithm>

#include "tests/simulation/swarm/world.h"

namespace slosonde::swarm {

namespace {

constexpr Time kHandOver = 2 * kMillisecond;  // from a result's stamp to the core, at most
constexpr Time kMostDelay = 30 * kMinute;

}  // namespace

// A request.
void World::ask(Sent& run, const engine::StartCheck& check) {
  Random random(seed_of(run.due, scenario_.transactions[run.transaction].number, check.stage));
  if (random.happens(scenario_.rate(Fault::own_fault))) {
    return answer(run, check, random.between(10'000, kMillisecond), Answer::own_fault);
  }
  if (now_ < down_until_[run.transaction] || random.happens(scenario_.rate(Fault::refused))) {
    spoil(run);
    return answer(run, check, random.between(100'000, 30 * kMillisecond), Answer::failed);
  }
  const Time limit = unix_ns(check.deadline) - now_;
  const bool hangs = random.happens(scenario_.rate(Fault::hanging));
  Time takes = random.heavy(2 * kMillisecond, kMinute);
  if (random.happens(scenario_.rate(Fault::slow))) takes = random.between(limit / 2, limit * 3 / 2 + 2);
  if (!hangs && takes <= limit) {
    answer(run, check, takes, Answer::held);
  } else {
    // The check's own timer; now and then it does not come in time for the grace, or never.
    spoil(run);
    if (!hangs || random.happens(0.7)) {
      answer(run, check, limit + random.between(0, (random.happens(0.1) ? 60 : 10) * kMillisecond), Answer::failed);
    }
  }
  if (!run.passed_on && (!hangs || random.happens(0.5))) {
    run.passed_on = true;
    pass_on(run, now_ + std::min(takes, limit) / 2, random);
  }
}

// One question of many.
void World::poll(Sent& run, const engine::StartCheck& check) {
  Random random(seed_of(run.due, scenario_.transactions[run.transaction].number, 1000 * check.stage + check.attempt));
  if (!run.passed_on) {  // a poll that comes first asks for something that is always there
    run.passed_on = true;
    pass_on(run, now_, random);
    run.shows_at = now_;
  }
  const Time takes = random.heavy(2 * kMillisecond, kMinute);
  if (random.happens(scenario_.rate(Fault::own_fault))) return answer(run, check, kMillisecond, Answer::own_fault);
  if (now_ < down_until_[run.transaction] || random.happens(scenario_.rate(Fault::refused))) {
    spoil(run);
    return answer(run, check, random.between(100'000, 30 * kMillisecond), Answer::failed);
  }
  if (random.happens(scenario_.rate(Fault::hanging)) || now_ + takes > unix_ns(check.deadline)) {
    spoil(run);
    return;
  }
  answer(run, check, takes, now_ >= run.shows_at ? Answer::held : Answer::not_yet);
}

void World::answer(Sent& run, const engine::StartCheck& check, Time after, Answer answer) {
  const Time asked = now_;
  soon(after, [this, id = run.id, order = check.run, stage = check.stage, attempt = check.attempt, asked, answer] {
    const Time received = now_;
    Random random(seed_of(id, stage, received));
    soon(random.between(1, kHandOver), [=, this] {
      Sent* const run = sent(id);
      if (!run || run->cut) return;
      checks::CheckResult result;
      result.sent = instant(asked);
      result.received = instant(received);
      if (answer == Answer::held) {
        result.outcome = checks::Outcome::held;
        result.evidence = run->marker;
      } else if (answer == Answer::not_yet) {
        result.outcome = checks::Outcome::not_yet;
        result.error = {ErrorCode::no_marker, "not yet"};
      } else if (answer == Answer::failed) {
        result.outcome = checks::Outcome::unreachable;
        result.error = {ErrorCode::connect_refused, "refused"};
      } else {
        result.outcome = checks::Outcome::probe_fault;
        result.error = {ErrorCode::no_descriptors, "no descriptors"};
      }
      if (RunFacts* const known = facts(*run)) {
        const auto is_it = [&](const Attempt& one) {
          return one.stage == stage && one.life == oracle_->life() && one.started == asked;
        };
        if (const auto one = std::ranges::find_if(known->attempts, is_it); one != known->attempts.end()) {
          one->answered = true;
          one->answer = answer;
          one->received = received;
          one->fed = now_;
        }
      }
      if (answer != Answer::held && answer != Answer::not_yet && told_)
        note(*run, "stage " + std::to_string(stage) + " fails");
      feed(engine::CheckDone{order, false, stage, attempt, std::move(result)});
    });
  });
}

// From the way in to every place that is watched, one after the other.
void World::pass_on(Sent& run, Time accepted, Random& random) {
  const auto& stages = scenario_.transactions[run.transaction].stages;
  if (now_ < swallowing_until_[run.transaction] || random.happens(scenario_.rate(Fault::lost))) {
    spoil(run);
    if (told_) note(run, "is swallowed");
    return;
  }
  const bool slow = random.happens(scenario_.rate(Fault::slow_delivery));
  const auto delay = [&](Time within) {
    return slow ? random.between(within / 2, within * 2) : random.heavy(20 * kMillisecond, kMostDelay);
  };
  Time arrival = accepted;
  run.shows_at = accepted + random.heavy(10 * kMillisecond, kMostDelay);
  for (size_t i = 0; i < stages.size(); ++i) {
    if (stages[i].mode == Mode::polled && i > 0 &&
        run.shows_at + stages[i].poll_every > run.due + stages[i].within - kSecond) {
      spoil(run);
    }
    if (stages[i].mode != Mode::watched) continue;
    const Expected expected = stages[i].expected;
    if (expected == Expected::none) {  // a false alarm, now and then
      if (!random.happens(scenario_.rate(Fault::unwanted))) continue;
      spoil(run);
    }
    arrival += delay(stages[i].within);
    Time here = arrival;
    if (random.happens(scenario_.rate(Fault::overtaking))) here = accepted + random.between(1, kSecond);
    Item item;
    item.run = run.id;
    item.arrival = here;
    item.clock = process_offset_;
    item.number = next_item_++;
    item.with_payload = random.happens(0.25);
    item.corrupt = random.happens(scenario_.rate(Fault::corrupt));
    if (item.corrupt || here > run.due + stages[i].within) spoil(run);
    const size_t watch = stages[i].watch;
    at(here, [this, watch, item] { arrive(watch, item); });
    if (random.happens(scenario_.rate(Fault::redelivered))) {
      at(here + random.heavy(kMillisecond, 5 * kMinute), [this, watch, item] { arrive(watch, item); });
    }
    for (int n = 0; n < 6 && random.happens(scenario_.rate(Fault::duplicate)); ++n) {
      Item again = item;
      again.arrival = here + random.heavy(kMillisecond, 5 * kMinute);
      again.number = next_item_++;
      at(again.arrival, [this, watch, again] { arrive(watch, again); });
      if (expected == Expected::exactly_one) spoil(run);
    }
    if (told_)
      note(run, "arrives at w" + std::to_string(watch) + " at +" + format_duration(Duration(here - run.due)) +
                    (item.corrupt ? ", corrupt" : ""));
  }
}

}  // namespace slosonde::swarm
