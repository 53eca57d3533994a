// The lines of `runtime plan`, step by step. What is said here is what stage/ and container/ do.
// For this package alone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/plan/describe.h"

namespace rt::plan {

/// Of what happens whatever the document says.
inline constexpr const char* kAlways = "always";

/// Collects the actions of one step.
class Listing {
 public:
  Listing(const StepRow& row, std::vector<Action>& out) : row_(row), out_(out) {}

  void add(std::string text, Origin origin) {
    out_.push_back({row_.phase, row_.actor, row_.step, std::move(text), std::move(origin)});
  }

 private:
  const StepRow& row_;
  std::vector<Action>& out_;
};

// list_host.cc: what is seen from outside of the container.
void list_host_objects(const Plan& plan, Listing& list);
void list_clone(const Plan& plan, Listing& list);
void list_oom_score(const Plan& plan, Listing& list);
void list_join(const Plan& plan, Listing& list);
void list_user_namespace(const Plan& plan, Listing& list);
void list_id_maps(const Plan& plan, Listing& list);
void list_namespaces(const Plan& plan, Listing& list);
void list_time_offsets(const Plan& plan, Listing& list);

// list_cgroup.cc
void list_cgroup(const Plan& plan, Listing& list);
void list_enter_cgroup(const Plan& plan, Listing& list);
void list_limits(const Plan& plan, Listing& list);        // LimitTime::kFirst, and devices
void list_tight_limits(const Plan& plan, Listing& list);  // LimitTime::kLast
void list_remove_cgroup(const Plan& plan, Listing& list);

// list_inside.cc: what is done inside of it.
void list_session(const Plan& plan, Listing& list);
void list_hostname(const Plan& plan, Listing& list);
void list_loopback(const Plan& plan, Listing& list);
void list_sysctl(const Plan& plan, Listing& list);
void list_prepare_mounts(const Plan& plan, Listing& list);
void list_place_root(const Plan& plan, Listing& list);
void list_enter_root_first(const Plan& plan, Listing& list);
void list_enter_root_last(const Plan& plan, Listing& list);
void list_mounts(const Plan& plan, Listing& list);
void list_devices(const Plan& plan, Listing& list);
void list_console(const Plan& plan, Listing& list);
void list_working_directory(const Plan& plan, Listing& list);
void list_readonly_paths(const Plan& plan, Listing& list);
void list_masked_paths(const Plan& plan, Listing& list);
void list_readonly_root(const Plan& plan, Listing& list);
void list_stdio(const Plan& plan, Listing& list);
void list_user(const Plan& plan, Listing& list);
void list_executable(const Plan& plan, Listing& list);
void list_rlimits(const Plan& plan, Listing& list);
void list_execute(const Plan& plan, Listing& list);

// list_process.cc
void list_process_attributes(const Plan& plan, Listing& list);
void list_label(const Plan& plan, Listing& list);

// list_seccomp.cc
void list_seccomp(const Plan& plan, Listing& list);

// list_resources.cc: what the container gets of the host.
void list_net_devices(const Plan& plan, Listing& list);
void list_intel_rdt(const Plan& plan, Listing& list);
void list_remove_intel_rdt(const Plan& plan, Listing& list);

// list_hooks.cc
void list_hooks_of(const Plan& plan, HookKind kind, Listing& list);
template <HookKind kind>
void list_hooks(const Plan& plan, Listing& list) {
  list_hooks_of(plan, kind, list);
}

}  // namespace rt::plan
