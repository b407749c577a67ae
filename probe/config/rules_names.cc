#include <set>
#include <string>

#include "probe/config/names.h"
#include "probe/config/rules.h"
#include "probe/config/utf8.h"

namespace slosonde::config {

bool is_good_name(std::string_view name) {
  constexpr size_t kLongest = 63;
  const auto is_alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > kLongest || !is_alphanumeric(name[0])) return false;
  for (const char c : name)
    if (!is_alphanumeric(c) && c != '_' && c != '.' && c != '-') return false;
  return true;
}

namespace {

class Names {
 public:
  explicit Names(Problems& problems) : problems_(problems) {}

  void check(const Values& named) {
    if (!named.has("name")) return;
    const std::string& name = named.text("name");
    if (!is_good_name(name)) {
      problems_.add(
          named.position("name"), named.path("name"),
          called(named, "name") + " is no name; at most 63 of a-z 0-9 _ . -, beginning with a letter or a digit",
          Rule::bad_name);
    } else if (!seen_.insert(name).second) {
      problems_.add(named.position("name"), named.path("name"),
                    called(named, "name") + " is the name of an earlier one; each needs its own", Rule::duplicate_name);
    }
  }

 private:
  Problems& problems_;
  std::set<std::string> seen_;
};

}  // namespace

std::vector<std::string> names_of(const std::vector<Values>& named) {
  std::vector<std::string> names;
  for (const Values& values : named)
    if (values.has("name")) names.push_back(Builder::written(values, "name"));
  return names;
}

std::string called(const Values& values, std::string_view key) {
  return quoted(Builder::written(values, key));
}

void check_names(const Whole& whole, Problems& problems) {
  Names transactions(problems);
  for (const Values& transaction : whole.root.blocks("transactions")) {
    transactions.check(transaction);
    Names stages(problems);
    for (const Values& stage : transaction.blocks("stages")) stages.check(stage);
    for (const Values& step : transaction.blocks("finally")) stages.check(step);
  }
  Names slos(problems);
  for (const Values& slo : whole.root.blocks("slos")) slos.check(slo);
  Names exclusions(problems);
  for (const Values& exclusion : whole.root.blocks("exclusions")) exclusions.check(exclusion);
}

}  // namespace slosonde::config
