// The five capability sets of the payload. runtime-spec config.md, "Linux Process";
// capabilities(7).
#include "runtime/plan/parts.h"

#include <iterator>

#include "runtime/plan/words.h"
#include "spec/words.h"

namespace rt::plan {
namespace {

// Their number is their place in the list.
constexpr auto& kNames = spec::kCapabilityNames;

constexpr std::string_view kPointer = "/process/capabilities";

/// What can be granted here. A new user namespace gives its root all that the kernel has.
uint64_t grantable(const Draft& draft) {
  const unsigned last = draft.host.last_capability;
  const uint64_t known = last >= 63 ? ~uint64_t{0} : (uint64_t{1} << (last + 1)) - 1;
  const bool in_user_namespace = draft.plan.find(NamespaceKind::kUser) != nullptr;
  return in_user_namespace ? known : known & draft.host.bounding_capabilities;
}

std::string names_of(uint64_t set) {
  std::string list;
  for (unsigned number = 0; number < std::size(kNames); ++number) {
    if ((set >> number & 1) != 0) list += cat(list.empty() ? "" : ", ", kNames[number]);
  }
  return list;
}

/// Says of all of `missing` at once why they are not in the set: callers ask for dozens.
void warn_missing(Draft& draft, uint64_t missing, Origin origin, std::string_view why) {
  if (missing == 0) return;
  draft.warn(std::move(origin), cat("not granted: ", names_of(missing), ": ", why));
}

uint64_t read_set(Draft& draft, const std::vector<std::string>& names, std::string_view field) {
  uint64_t set = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::optional<unsigned> number = capability_number(names[i]);
    if (number) {
      set |= uint64_t{1} << *number;
    } else {
      draft.warn(cat(kPointer, '/', field, '/', i),
                 cat("not granted: ", quoted(names[i]), ": unknown capability"));
    }
  }
  return set;
}

/// Leaves in `set` only what is also in `limit`: the kernel would refuse the rest.
void keep_within(Draft& draft, uint64_t& set, uint64_t limit, std::string_view field,
                 std::string_view why) {
  warn_missing(draft, set & ~limit, cat(kPointer, '/', field), why);
  set &= limit;
}

/// Ambient capabilities are for the programs of other users: root's begin with all that are
/// permitted and bounding (capabilities(7)). Buildah asks for them so in each step of a build, and
/// a warning would be in the output of each.
void keep_ambient(Draft& draft, CapabilitySets& sets) {
  const uint64_t inherited = sets.permitted & sets.inheritable;
  const uint64_t idle = sets.ambient & sets.permitted & sets.bounding & ~inherited;
  if (draft.config.process->user.uid == 0 && idle != 0) {
    draft.note(cat(kPointer, "/ambient"),
               cat("without effect: ", names_of(idle), ": root has them by its permitted set"));
    sets.ambient &= ~idle;
  }
  keep_within(draft, sets.ambient, inherited, "ambient",
              "not in both the permitted and the inheritable set");
}

}  // namespace

std::optional<unsigned> capability_number(std::string_view name) {
  for (unsigned number = 0; number < std::size(kNames); ++number) {
    if (kNames[number] == name) return number;
  }
  return std::nullopt;
}

std::string capability_name(unsigned number) {
  return number < std::size(kNames) ? std::string(kNames[number]) : cat("capability ", number);
}

CapabilitySets plan_capabilities(Draft& draft, const spec::Capabilities& names) {
  CapabilitySets sets;
  sets.bounding = read_set(draft, names.bounding, "bounding");
  sets.effective = read_set(draft, names.effective, "effective");
  sets.inheritable = read_set(draft, names.inheritable, "inheritable");
  sets.permitted = read_set(draft, names.permitted, "permitted");
  sets.ambient = read_set(draft, names.ambient, "ambient");
  const uint64_t here = grantable(draft);
  const uint64_t asked =
      sets.bounding | sets.effective | sets.inheritable | sets.permitted | sets.ambient;
  warn_missing(draft, asked & ~here, Origin(kPointer), "the runtime cannot have it itself");
  for (uint64_t* set :
       {&sets.bounding, &sets.effective, &sets.inheritable, &sets.permitted, &sets.ambient}) {
    *set &= here;
  }
  keep_within(draft, sets.effective, sets.permitted, "effective", "not in the permitted set");
  keep_within(draft, sets.inheritable, sets.bounding, "inheritable", "not in the bounding set");
  keep_ambient(draft, sets);
  return sets;
}

}  // namespace rt::plan
