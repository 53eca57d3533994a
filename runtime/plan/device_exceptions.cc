// Device rules in the words of cgroup v1. Kernel: admin-guide/cgroup-v1/devices.rst.
//
// v1 knows no order. It denies by default and has entries for what is allowed, or the reverse, and
// an entry for less can only add to what one for more says. So the rules are looked at from their
// result: what becomes of each group of devices that they tell apart.
#include "runtime/plan/parts.h"
#include "runtime/plan/words.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

namespace rt::plan {
namespace {

/// Bits for the three accesses.
using Accesses = unsigned;
constexpr std::array kAccesses = {&DeviceRule::read, &DeviceRule::write, &DeviceRule::mknod};
constexpr Accesses kAll = 7;
constexpr Accesses kMknod = 4;

Accesses accesses_of(const DeviceRule& rule) {
  Accesses accesses = 0;
  for (size_t i = 0; i < kAccesses.size(); ++i) {
    if (rule.*kAccesses[i]) accesses |= 1U << i;
  }
  return accesses;
}

/// Devices that an entry of v1 can be for. Nothing in `major` or `minor`: any.
struct Group {
  char type = 'c';
  std::optional<uint32_t> major;
  std::optional<uint32_t> minor;
  auto operator<=>(const Group&) const = default;
};

bool covers(const DeviceRule& rule, const Group& group) {
  return (rule.type == 'a' || rule.type == group.type) &&
         (!rule.major || rule.major == group.major) && (!rule.minor || rule.minor == group.minor);
}

/// The larger groups that this one is part of, the largest first.
std::vector<Group> larger(const Group& group) {
  std::vector<Group> groups;
  if (group.major || group.minor) groups.push_back({group.type, {}, {}});
  if (group.major && group.minor) {
    groups.push_back({group.type, group.major, {}});
    groups.push_back({group.type, {}, group.minor});
  }
  return groups;
}

/// What becomes of a group, leaving out the smaller groups in it.
struct Outcome {
  Accesses allowed = 0;
  /// The rule that decides, for each access; null: none does.
  std::array<const DeviceRule*, kAccesses.size()> by{};
};

Outcome decide(const std::vector<DeviceRule>& rules, const Group& group) {
  Outcome outcome;
  for (const DeviceRule& rule : rules) {
    if (!covers(rule, group)) continue;
    const Accesses accesses = accesses_of(rule);
    outcome.allowed = rule.allow ? outcome.allowed | accesses : outcome.allowed & ~accesses;
    for (size_t i = 0; i < kAccesses.size(); ++i) {
      if (rule.*kAccesses[i]) outcome.by[i] = &rule;
    }
  }
  return outcome;
}

/// All groups that the rules tell apart: theirs, and what two of them have in common. In the order
/// of the rules.
std::vector<Group> groups_of(const std::vector<DeviceRule>& rules) {
  std::vector<Group> groups;
  std::set<Group> seen;
  const auto add = [&](const Group& group) {
    if (seen.insert(group).second) groups.push_back(group);
  };
  for (const char type : {'c', 'b'}) add({type, {}, {}});
  for (const DeviceRule& rule : rules) {
    for (const char type : {'c', 'b'}) {
      if (rule.type == 'a' || rule.type == type) add({type, rule.major, rule.minor});
    }
  }
  const std::vector<Group> named = groups;
  for (const Group& one : named) {
    if (!one.major || one.minor) continue;
    for (const Group& other : named) {
      if (other.type != one.type || other.major || !other.minor) continue;
      add({one.type, one.major, other.minor});
    }
  }
  return groups;
}

/// "linux.resources.devices[3] (allow c 1:3 rwm)".
std::string place_of(const DeviceRule& rule) {
  if (rule.origin == kBaseDeviceRules) return cat("the default rule (", to_text(rule), ')');
  const size_t last = rule.origin.rfind('/');
  return cat("linux.resources.devices[", rule.origin.substr(last + 1), "] (", to_text(rule), ')');
}

DeviceRule make_rule(const Group& group, Accesses accesses, bool allow) {
  DeviceRule rule;
  rule.allow = allow;
  rule.type = group.type;
  rule.major = group.major;
  rule.minor = group.minor;
  for (size_t i = 0; i < kAccesses.size(); ++i) rule.*kAccesses[i] = (accesses & (1U << i)) != 0;
  return rule;
}

class Exceptions {
 public:
  Exceptions(const std::vector<DeviceRule>& rules, bool strict) : rules_(rules), strict_(strict) {
    for (const Group& group : groups_of(rules)) {
      groups_.push_back(group);
      outcomes_[group] = decide(rules, group);
    }
  }

  [[nodiscard]] bool everything_is_allowed() const {
    return outcomes_.at({'c', {}, {}}).allowed == kAll &&
           outcomes_.at({'b', {}, {}}).allowed == kAll;
  }

  /// The entries for what is allowed, or (`allow` false) for what is denied.
  Result<std::vector<DeviceRule>> list(bool allow) {
    std::map<Group, Accesses> entries;
    // In the order of groups: larger ones first.
    for (const auto& [group, outcome] : outcomes_) {
      entries[group] = TRY(entry_for(group, outcome, allow, entries));
    }
    std::vector<DeviceRule> out;
    if (!allow) out.push_back(all_allowed());
    for (const Group& group : groups_) {
      if (!is_needed(group, entries)) continue;
      out.push_back(make_entry(group, entries.at(group), allow));
    }
    return out;
  }

 private:
  /// The accesses of the group's entry: with those of every entry for more.
  Result<Accesses> entry_for(const Group& group, const Outcome& outcome, bool allow,
                             const std::map<Group, Accesses>& entries) const {
    Accesses accesses = allow ? outcome.allowed : kAll & ~outcome.allowed;
    for (const Group& above : larger(group)) {
      const auto found = entries.find(above);
      if (found == entries.end()) continue;
      const Accesses hole = found->second & ~accesses;
      if (hole == 0) continue;
      const Outcome& upper = outcomes_.at(above);
      const bool tolerable = allow && !strict_ && hole == kMknod && upper.by[2] != nullptr &&
                             upper.by[2]->origin == kBaseDeviceRules;
      if (!tolerable) return cannot_say(outcome, upper, hole);
      accesses |= hole;
    }
    return accesses;
  }

  static Error cannot_say(const Outcome& outcome, const Outcome& upper, Accesses hole) {
    size_t access = 0;
    while ((hole & (1U << access)) == 0) ++access;
    // Whatever decides for more decides here too, so there is a rule; the one for more may be none.
    const DeviceRule& rule = *outcome.by[access];
    const DeviceRule* other = upper.by[access];
    const std::string from = other == nullptr ? "what is denied by default" : place_of(*other);
    return Error(cat(place_of(rule), ": an exception from ", from,
                     " cannot be expressed with cgroup v1"))
        .at(rule.origin);
  }

  static bool is_needed(const Group& group, const std::map<Group, Accesses>& entries) {
    const Accesses accesses = entries.at(group);
    if (accesses == 0) return false;
    const std::vector<Group> above = larger(group);
    return std::none_of(above.begin(), above.end(), [&](const Group& larger_group) {
      const auto found = entries.find(larger_group);
      return found != entries.end() && found->second == accesses;
    });
  }

  [[nodiscard]] DeviceRule all_allowed() const {
    DeviceRule rule = make_rule({'a', {}, {}}, kAll, true);
    const DeviceRule* by = outcomes_.at({'c', {}, {}}).by[0];
    rule.origin = by == nullptr ? rules_.front().origin : by->origin;
    return rule;
  }

  [[nodiscard]] DeviceRule make_entry(const Group& group, Accesses accesses, bool allow) const {
    DeviceRule rule = make_rule(group, accesses, allow);
    // The last rule that made the entry what it is.
    const DeviceRule* latest = &rules_.front();
    for (const DeviceRule* by : outcomes_.at(group).by) {
      if (by != nullptr && by->allow == allow) latest = std::max(latest, by);
    }
    rule.origin = latest->origin;
    return rule;
  }

  const std::vector<DeviceRule>& rules_;
  const bool strict_;
  std::vector<Group> groups_;  // in the order of the rules
  std::map<Group, Outcome> outcomes_;
};

}  // namespace

Result<std::vector<DeviceRule>> device_exceptions(const std::vector<DeviceRule>& rules,
                                                  bool strict) {
  Exceptions exceptions(rules, strict);
  // The form that fits the most devices first; its error is the one to be read.
  const bool allow = !exceptions.everything_is_allowed();
  Result<std::vector<DeviceRule>> entries = exceptions.list(allow);
  if (entries) return entries;
  Result<std::vector<DeviceRule>> others = exceptions.list(!allow);
  return others ? std::move(others) : std::move(entries);
}

}  // namespace rt::plan
