// What became of one run, stage by stage.
#include <algorithm>

#include "tests/simulation/swarm/oracle.h"

namespace slosonde::swarm {

namespace {

constexpr Time kGrace = 20 * kMillisecond;  // a result may come in this much after its limit
constexpr Time kLeastStarved = 100 * kMillisecond;
constexpr Time kClockSlack = kSecond;

bool is_bad(Verdict v) {
  return v == Verdict::late || v == Verdict::lost || v == Verdict::corrupt || v == Verdict::failed;
}

}  // namespace

std::optional<Oracle::Judged> Oracle::judge(const RunFacts& run) const {
  const auto& stages = scenario_.transactions[run.transaction].stages;
  Judged judged;
  std::vector<Fate>& fates = judged.fates;
  for (size_t i = 0; i < stages.size(); ++i) {
    if (stages[i].mode == Mode::watched) {
      fates.push_back(watch(run, i));
    } else {
      fates.push_back(act(run, i, i > 0 ? &fates[i - 1] : nullptr));
    }
  }
  break_chain(run, fates);
  if (const Step* const cut = cut_of(run)) {
    for (Fate& fate : fates) {
      if (fate.decided && fate.step < *cut) continue;
      fate = {};
      fate.decided = fate.fault = true;
      fate.verdict = Verdict::unseen;
      fate.at = cut->turn;
      fate.step = *cut;
    }
  }
  // Another clock, by which nobody can say what became of what was open.
  if (const int other = clock_ends(run.life); other < lives()) {
    const Time begin = lives_[static_cast<size_t>(other)].begin;
    for (Fate& fate : fates) {
      if (fate.decided) continue;
      if (run.due > begin + kClockSlack) judged.dropped = true;
      fate = cut_off(other - 1);
      fate.dropped = judged.dropped;
    }
  }
  bool bad = false, fault = false, unseen = false;
  judged.decided = run.due;
  for (const Fate& fate : fates) {
    if (!fate.decided) return std::nullopt;
    judged.decided = std::max(judged.decided, fate.at);
    judged.decided_step = std::max(judged.decided_step, fate.step);
    bad = bad || is_bad(fate.verdict);
    fault = fault || fate.fault;
    unseen = unseen || fate.verdict == Verdict::unseen;
  }
  judged.verdict = bad      ? RunVerdict::bad
                   : fault  ? RunVerdict::probe_fault
                   : unseen ? RunVerdict::blind
                            : RunVerdict::good;
  if (const int other = clock_ends(run.life); !judged.dropped && other < lives()) {
    // Decided, still kept for late evidence, and of the future by the new clock: let go.
    const Time begin = lives_[static_cast<size_t>(other)].begin;
    if (run.due > begin + kClockSlack && lives_[static_cast<size_t>(other)].cut != INT64_MIN &&
        !closes_before(run, judged, other)) {
      judged.never_closed = true;
      judged.close = judged.decided_step;
      judged.place = place_freed(run, fates);
      return judged;
    }
  }
  if (judged.dropped) {
    judged.verdict = RunVerdict::probe_fault;
    judged.decided = judged.decided_step.turn;  // when it was said: by this clock it is not even due yet
    judged.close = judged.decided_step;
    judged.place = place_freed(run, fates);
    return judged;
  }
  if (!close(run, judged)) return std::nullopt;
  for (Fate& fate : judged.fates) {
    if (scenario_.wrong_on_purpose && fate.verdict == Verdict::late) fate.verdict = Verdict::lost;
  }
  return judged;
}

// Its process ended, and the next one could not know: a fault of our own, said when that one began.
Oracle::Fate Oracle::cut_off(int life) const {
  Fate fate;
  if (life + 1 >= lives()) return fate;
  const Time begin = lives_[static_cast<size_t>(life + 1)].begin;
  if (!turn_at(life + 1, begin)) return fate;
  fate.decided = fate.fault = true;
  fate.verdict = Verdict::unseen;
  fate.at = begin;
  fate.step = {life + 1, begin, begin};
  return fate;
}

Oracle::Fate Oracle::act(const RunFacts& run, size_t i, const Fate* before) const {
  const StageTerms& stage = scenario_.transactions[run.transaction].stages[i];
  const auto one = [&](int life, Time started) {
    return stage.mode == Mode::done ? done(run, i, life, started) : polled(run, i, life, started);
  };
  if (!before) return one(run.life, run.started);
  // It follows when the one before is seen; break_chain() says what otherwise becomes of it.
  Fate fate;
  if (!before->decided || !before->seen) return fate;
  const Time limit = run.due + stage.within, turn = before->step.turn, could = before->hi;
  const Time starved = std::max(scenario_.max_lateness, kLeastStarved);
  const bool held_up = turn - could > starved;
  if (turn < limit && !(held_up && limit - turn < (limit - could) / 2)) return one(before->step.life, turn);
  fate.decided = true;
  if (held_up && limit - turn < (limit - could) / 2) {
    fate.verdict = Verdict::unseen;
    fate.fault = true;
    fate.at = before->step.q;
    fate.step = before->step;
  } else {
    fate.verdict = turn - before->step.q > starved ? Verdict::unseen : Verdict::failed;
    fate.fault = fate.verdict == Verdict::unseen;
    fate.at = limit;
    fate.step = {before->step.life, turn, limit};
  }
  return fate;
}

Oracle::Fate Oracle::done(const RunFacts& run, size_t i, int life, Time started) const {
  const Time limit = run.due + scenario_.transactions[run.transaction].stages[i].within;
  const Time starved = std::max(scenario_.max_lateness, kLeastStarved);
  const auto is_it = [&](const Attempt& one) { return one.stage == i && one.life == life && one.started == started; };
  const auto attempt = std::find_if(run.attempts.begin(), run.attempts.end(), is_it);
  const auto silent = turn_at(life, limit + kGrace);
  Fate fate;
  if (attempt != run.attempts.end() && attempt->answered && (!silent || attempt->fed <= *silent)) {
    const auto turn = turn_at(life, attempt->fed);
    if (!turn) return fate;
    fate.decided = true;
    fate.at = std::min(attempt->received, limit);
    fate.step = {life, *turn, fate.at};
    if (attempt->answer == Answer::held && attempt->received <= limit) {
      fate.verdict = Verdict::on_time;
      fate.seen = true;
      fate.lo = fate.hi = attempt->received;
    } else if (attempt->answer == Answer::own_fault || (attempt->received > limit && attempt->fed - limit > starved) ||
               (attempt->answer == Answer::held &&
                explains_late(life, attempt->fed, run.due, limit, attempt->received))) {
      fate.verdict = Verdict::unseen;
      fate.fault = true;
    } else {
      fate.verdict = Verdict::failed;
    }
    return fate;
  }
  if (!silent) return cut_off(life);
  fate.decided = true;
  fate.at = limit;
  fate.step = {life, *silent, limit + kGrace};
  fate.fault = *silent - (limit + kGrace) > starved || explains_silence(life, *silent, run.due, limit);
  fate.verdict = fate.fault ? Verdict::unseen : Verdict::failed;
  return fate;
}

// One attempt after the other, each with what came of it.
Oracle::Fate Oracle::polled(const RunFacts& run, size_t i, int life, Time started) const {
  const StageTerms& stage = scenario_.transactions[run.transaction].stages[i];
  const Time limit = run.due + stage.within;
  const Time starved = std::max(scenario_.max_lateness, kLeastStarved);
  bool answered = false, valid = false, fault = false;
  Time next = started;
  for (const Attempt& one : run.attempts) {
    if (one.stage != i) continue;
    life = one.life;
    const Time deadline = std::min(limit, one.started + stage.poll_timeout);
    const auto given_up = turn_at(life, deadline + kGrace);
    if (one.answered && (!given_up || one.fed <= *given_up)) {
      answered = true;
      valid = one.answer == Answer::held || one.answer == Answer::not_yet;
      fault = one.answer == Answer::own_fault;
      next = std::max(one.started + stage.poll_every, one.received);
      if (one.answer != Answer::held) continue;
      Fate fate;
      const auto turn = turn_at(life, one.fed);
      if (!turn) return fate;
      fate.decided = true;
      fate.at = std::min(one.received, limit);
      fate.step = {life, *turn, fate.at};
      const bool over = one.received > limit;
      if (over && (one.fed - limit > starved || explains_late(life, one.fed, run.due, limit, one.received))) {
        fate.verdict = Verdict::unseen;
        fate.fault = true;
      } else {
        fate.verdict = one.received <= limit ? Verdict::on_time : Verdict::late;
        fate.seen = true;
        fate.lo = fate.hi = one.received;
      }
      return fate;
    }
    if (given_up) {
      if (deadline == limit) return poll_over(run, i, life, answered, valid, fault, kDay * 365 * 200);
      answered = true;
      valid = fault = false;
      next = std::max(one.started + stage.poll_every, deadline + kGrace);
      continue;
    }
    // Cut off with its process; the next one asks again at once.
    if (life + 1 >= lives() || life + 1 == clock_ends(run.life)) return {};
    answered = fault = true;
    valid = false;
    next = lives_[static_cast<size_t>(++life)].begin;
  }
  if (next < limit) {
    // Another attempt is to come, unless we were held up until it was too late for one.
    const auto turn = turn_at(life, next);
    if (turn && *turn < limit) return {};
  }
  return poll_over(run, i, life, answered, valid, fault, next);
}

// At the limit, and what was asked for has not shown. `next`: when another attempt was to be made.
Oracle::Fate Oracle::poll_over(const RunFacts& run, size_t i, int life, bool answered, bool valid, bool fault,
                               Time next) const {
  const Time limit = run.due + scenario_.transactions[run.transaction].stages[i].within;
  const Time starved = std::max(scenario_.max_lateness, kLeastStarved);
  const bool waits = next > kDay * 365 * 100;  // for the last attempt's answer
  Fate fate;
  for (const int end = clock_ends(run.life); life < end; ++life) {
    const Time begin = lives_[static_cast<size_t>(life)].begin;
    const Time q = std::max(waits ? limit + kGrace : limit, begin);
    const auto turn = turn_at(life, q);
    if (!turn) continue;
    fate.decided = true;
    fate.at = limit;
    fate.step = {life, *turn, q};
    const bool missed_one = next<limit&& * turn - next> starved;
    const bool held_up = *turn - (limit + kGrace) > starved || explains_silence(life, *turn, run.due, limit);
    if (held_up || (answered && fault) || missed_one) {
      fate.verdict = Verdict::unseen;
      fate.fault = true;
    } else {
      fate.verdict = answered && valid ? Verdict::lost : Verdict::failed;
    }
    return fate;
  }
  return fate;
}

// An act that failed, or of which nobody can say: nothing that follows can be expected. A poll that found nothing keeps
// only later acts from starting.
void Oracle::break_chain(const RunFacts& run, std::vector<Fate>& fates) const {
  const auto& stages = scenario_.transactions[run.transaction].stages;
  const Fate* broken = nullptr;
  bool all = false;  // an act has failed, or was skipped
  for (size_t i = 0; i < stages.size(); ++i) {
    Fate& fate = fates[i];
    const bool act = stages[i].mode != Mode::watched;
    if (broken && (act || all)) {
      const bool same_step = fate.decided && fate.step == broken->step;
      const bool before =
          fate.decided && (fate.step < broken->step || (same_step && fate.seen && fate.step.q <= broken->at));
      const auto& awaits = fate.awaits_second;
      const bool stays =
          !act && awaits && (*awaits < broken->step || (*awaits == broken->step && awaits->q <= broken->at));
      if (!stays && (act || !before)) {
        const Fate from = *broken;
        fate = {};
        fate.decided = true;
        fate.fault = from.verdict == Verdict::unseen && from.fault;
        fate.verdict = from.verdict == Verdict::unseen ? Verdict::unseen : Verdict::skipped;
        fate.at = from.at;
        fate.step = from.step;
      }
      all = all || stages[i].mode == Mode::done;
    } else if (act && fate.decided && !fate.seen) {
      broken = &fate;
      all = stages[i].mode == Mode::done;
    }
  }
}

}  // namespace slosonde::swarm
