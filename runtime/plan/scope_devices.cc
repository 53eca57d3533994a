// What systemd must know of a device filter of cgroup v1: at a daemon-reload it writes its own to
// the same files, and for a unit without one that is "all devices". (In v2 each has a program of
// its own, and both must allow.) systemd.resource-control(5), DeviceAllow, DevicePolicy.
//
// Not everything has words there: a major number by itself only by the name of its driver, a minor
// number by itself and a denial not at all. What has none is left out: denied after a reload.
#include <algorithm>
#include <utility>

#include "runtime/plan/scope_parts.h"

namespace rt::plan {
namespace {

constexpr uint32_t kPseudoTerminals = 136;

std::string access_of(const DeviceRule& rule) {
  return cat(rule.read ? "r" : "", rule.write ? "w" : "", rule.mknod ? "m" : "");
}

/// The devices of the rule, of one type: 'c' or 'b'. Empty: they have no name.
std::string name_of(const DeviceRule& rule, char type) {
  const std::string_view kind = type == 'c' ? "char" : "block";
  if (!rule.major && !rule.minor) return cat(kind, "-*");
  if (rule.major && rule.minor) return cat("/dev/", kind, '/', *rule.major, ':', *rule.minor);
  const bool terminals = type == 'c' && rule.major == kPseudoTerminals;
  return terminals ? "char-pts" : "";
}

bool is_for(const DeviceRule& rule, char type) { return rule.type == 'a' || rule.type == type; }

bool denies(const DeviceFilter& filter, char type) {
  return std::ranges::any_of(
      filter.rules, [&](const DeviceRule& rule) { return !rule.allow && is_for(rule, type); });
}

bool allows_everything(const DeviceRule& rule) {
  return rule.allow && rule.type == 'a' && !rule.major && !rule.minor && access_of(rule) == "rwm";
}

}  // namespace

std::vector<UnitProperty> device_properties(const DeviceFilter& filter) {
  const Origin origin = filter.rules.empty() ? Origin() : filter.rules.front().origin;
  if (std::ranges::all_of(filter.rules, allows_everything) && !filter.rules.empty()) {
    return {{"DevicePolicy", "s", {"auto"}, 0, origin}, {"DeviceAllow", "a(ss)", {"0"}, 0, origin}};
  }
  std::vector<std::string> words;
  for (const char type : {'c', 'b'}) {
    // Of all but some, systemd would allow all.
    if (denies(filter, type)) continue;
    for (const DeviceRule& rule : filter.rules) {
      const std::string name = is_for(rule, type) ? name_of(rule, type) : "";
      if (!name.empty()) words.insert(words.end(), {name, access_of(rule)});
    }
  }
  words.insert(words.begin(), std::to_string(words.size() / 2));
  return {{"DevicePolicy", "s", {"strict"}, 0, origin},
          {"DeviceAllow", "a(ss)", std::move(words), 0, origin}};
}

}  // namespace rt::plan
