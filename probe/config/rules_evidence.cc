#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "probe/config/rules.h"
#include "probe/config/suggest.h"
#include "probe/config/utf8.h"

namespace slosonde::config {
namespace {

constexpr std::string_view kCaptured = "captured.";
constexpr size_t kMaxCaptures = 16;  // of one run: they are kept with it

// The uses within one block, found by their path.
template <class Use>
class ByPath {
 public:
  explicit ByPath(const std::vector<Use>& uses) {
    for (const Use& use : uses) sorted_.push_back(&use);
    std::sort(sorted_.begin(), sorted_.end(), [](const Use* a, const Use* b) { return a->path < b->path; });
  }

  template <class Visit>
  void within(const std::string& block_path, Visit visit) const {
    const std::string prefix = block_path + '.';
    auto at = std::lower_bound(sorted_.begin(), sorted_.end(), prefix,
                               [](const Use* use, const std::string& path) { return use->path < path; });
    for (; at != sorted_.end() && (*at)->path.starts_with(prefix); ++at) visit(**at);
  }

 private:
  std::vector<const Use*> sorted_;
};

// Walks one transaction in its order and remembers what the stages so far have sent and captured.
class Walk {
 public:
  Walk(const ByPath<TemplateUse>& templates, const ByPath<CaptureUse>& captures, const Values& transaction,
       Problems& problems)
      : templates_(templates), captures_(captures), transaction_(transaction), problems_(problems) {}

  void run() {
    const std::vector<Values>& stages = transaction_.blocks("stages");
    if (!stages.empty()) check_first(stages[0]);
    for (const Values& stage : stages) {
      check_captured(stage);
      if (stage.has("poll")) note_sent(stage);
      if (stage.has("poll") || stage.has("watch")) check_sent(stage);
      note_sent(stage);
      note_captures(stage);
      all_known_ &= Builder::is_complete(stage);
    }
    for (const Values& step : transaction_.blocks("finally")) {
      check_captured(step);
      note_captures(step);
    }
    check_count();
  }

 private:
  void check_first(const Values& stage) {
    if (!stage.has("watch")) return;
    problems_.add(stage.position("watch"), stage.path("watch"),
                  "nothing was sent yet that could be watched for; the first stage sends (a check's kind)",
                  Rule::watch_first);
    sends_marker_ = sends_payload_ = true;  // said enough
  }

  void note_sent(const Values& stage) {
    templates_.within(stage.path(), [&](const TemplateUse& use) {
      for (const std::string& name : use.placeholders) {
        sends_payload_ |= name == "payload";
        sends_marker_ |= name == "marker";
      }
    });
  }

  void check_sent(const Values& stage) {
    if (!all_known_ || !Builder::is_complete(stage)) return;
    if (!sends_marker_) {
      problems_.add(stage.position(), stage.path(),
                    "waits for the run's marker, and no earlier stage sends it; put {{marker}} into what is sent",
                    Rule::marker_not_sent);
      sends_marker_ = true;  // once a transaction
    }
    if (!sends_payload_ && stage.text("payload") == "required")
      problems_.add(stage.position("payload"), stage.path("payload"),
                    "the payload is required, and no earlier stage sends it; put {{payload}} into what is sent",
                    Rule::payload_not_sent);
  }

  void check_captured(const Values& stage) {
    templates_.within(stage.path(), [&](const TemplateUse& use) {
      for (const std::string& placeholder : use.placeholders) {
        if (!placeholder.starts_with(kCaptured)) continue;
        const std::string name = placeholder.substr(kCaptured.size());
        if (captured_.contains(name) || !all_known_) continue;
        problems_.add(use.position, use.path,
                      quoted("{{" + placeholder + "}}") + " is captured by no earlier stage; " + instead(name),
                      Rule::capture_unknown);
      }
    });
  }

  std::string instead(const std::string& name) const {
    const std::vector<std::string_view> candidates(captured_.begin(), captured_.end());
    if (!candidates.empty()) return suggestion(name, candidates);
    std::string text = "capture it where it is answered, as `capture: {";
    return text.append(name).append(": $.").append(name).append("}`");
  }

  void note_captures(const Values& stage) {
    captures_.within(stage.path(), [&](const CaptureUse& use) {
      if (!is_capture_name(use.name)) {
        problems_.add(use.position, use.path,
                      quoted(use.name) + " is no name of a capture; letters, digits and _, at most 63, as in `id`",
                      Rule::capture_name);
        return;
      }
      captured_.insert(use.name);
    });
  }

  void check_count() {
    if (captured_.size() <= kMaxCaptures) return;
    problems_.add(transaction_.position(), transaction_.path(),
                  std::to_string(captured_.size()) + " captures in one transaction; at most 16, as each run keeps them",
                  Rule::captures_too_many);
  }

  const ByPath<TemplateUse>& templates_;
  const ByPath<CaptureUse>& captures_;
  const Values& transaction_;
  Problems& problems_;
  std::set<std::string, std::less<>> captured_;
  bool sends_marker_ = false;
  bool sends_payload_ = false;
  bool all_known_ = true;  // every stage so far was well-formed, so that what they do is known
};

}  // namespace

void check_evidence(const Whole& whole, Problems& problems) {
  const ByPath<TemplateUse> templates(whole.builder.templates());
  const ByPath<CaptureUse> captures(whole.builder.captures());
  for (const Values& transaction : whole.root.blocks("transactions"))
    Walk(templates, captures, transaction, problems).run();
}

}  // namespace slosonde::config
