#include "runtime/base/text.h"
#include "runtime/plan/listing.h"
#include "runtime/plan/parts.h"
#include "runtime/plan/words.h"

namespace rt::plan {
namespace {

/// "io.bfq.weight 500, else io.weight 4950": the first that is there.
std::string forms_text(const CgroupSetting& setting) {
  std::string text;
  for (const CgroupSetting::Form& form : setting.forms) {
    text += cat(text.empty() ? "" : ", else ", printable(form.file), ' ', printable(form.value));
  }
  return text;
}

std::string_view missing_text(CgroupSetting::Missing missing) {
  using Missing = CgroupSetting::Missing;
  if (missing == Missing::kWarning) return "; a warning where it is missing";
  return missing == Missing::kNothing ? "; nothing where it is missing" : "";
}

void list_settings(const Plan& plan, LimitTime time, Listing& list) {
  for (const CgroupSetting& setting : plan.resources.settings) {
    if (setting.time != time) continue;
    list.add(cat(forms_text(setting), " in ", printable(setting.directory),
                 missing_text(setting.missing)),
             setting.origin);
  }
}

/// The unit that systemd makes the cgroup for, and what it is told of it.
void list_scope(const Plan& plan, const ScopeStep& scope, Listing& list) {
  list.add(cat("start unit ", printable(scope.unit), " in ", printable(scope.slice),
               scope.user ? " of the user's own systemd" : ""),
           plan.cgroup.origin);
  for (const UnitProperty& property : scope.properties) {
    std::string words;
    for (const std::string& word : property.words) words += cat(' ', printable(word));
    list.add(cat("unit property ", property.name, ' ', property.signature, words,
                 property.since == 0 ? "" : cat(" (from systemd ", property.since, " on)")),
             property.origin);
  }
}

/// Done when the cgroup is made, and of no concern to v1.
void list_owner(const CgroupStep& cgroup, Listing& list) {
  if (!cgroup.owner) return;
  for (const CgroupDirectory& directory : cgroup.directories) {
    if (!directory.unified) continue;
    list.add(cat("give cgroup ", printable(directory.path), " to user ", *cgroup.owner),
             cgroup.owner_origin);
  }
}

}  // namespace

void list_cgroup(const Plan& plan, Listing& list) {
  if (plan.cgroup.scope) list_scope(plan, *plan.cgroup.scope, list);
  for (const CgroupDirectory& directory : plan.cgroup.directories) {
    list.add(cat("make cgroup ", printable(directory.path), directory.unified ? " (v2" : " (v1",
                 directory.cpuset ? "; cpus and mems as above it" : "",
                 plan.cgroup.optional ? "; left out where not permitted)" : ")"),
             plan.cgroup.origin);
  }
  list_owner(plan.cgroup, list);
}

/// Into the v2 directory stage 1 was cloned: list_clone.
void list_enter_cgroup(const Plan& plan, Listing& list) {
  for (const CgroupDirectory& directory : plan.cgroup.directories) {
    const std::string path = printable(directory.path);
    if (!directory.unified) {
      list.add(cat("enter cgroup ", path, " (v1; by its tasks file)"), plan.cgroup.origin);
    } else if (plan.cgroup.scope && plan.cgroup.scope->user) {
      list.add(cat("have systemd put it into cgroup ", path, " if the clone could not"),
               plan.cgroup.origin);
    }
  }
}

void list_limits(const Plan& plan, Listing& list) {
  list_settings(plan, LimitTime::kFirst, list);
  if (!plan.resources.devices) return;
  const DeviceFilter& filter = *plan.resources.devices;
  for (const DeviceRule& rule : filter.rules) {
    list.add(cat("devices: ", to_text(rule), " in ", printable(filter.directory)), rule.origin);
  }
}

void list_tight_limits(const Plan& plan, Listing& list) {
  list_settings(plan, LimitTime::kLast, list);
}

void list_remove_cgroup(const Plan& plan, Listing& list) {
  const std::vector<CgroupDirectory>& directories = plan.cgroup.directories;
  for (auto directory = directories.rbegin(); directory != directories.rend(); ++directory) {
    list.add(cat("remove cgroup ", printable(directory->path)), plan.cgroup.origin);
  }
}

}  // namespace rt::plan
