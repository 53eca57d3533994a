// Init on its way from its start to the execution of the payload.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/container/record.h"
#include "runtime/container/status.h"
#include "runtime/plan/plan.h"
#include "runtime/stage/stages.h"
#include "spec/config.h"

namespace rt::container {

/// A process that was started and goes on to its payload.
struct Started {
  explicit Started(const Record& its_record) : record(its_record) {}

  const Record& record;
  int report = -1;  // stage/report.h; -1: there is nothing to be reported
  pid_t pid = 0;
  ContainerStatus status = ContainerStatus::kCreated;  // of the container
  int pidfd = -1;
  bool notifies = false;  // its seccomp filter has an agent, who must get the listener
  /// Of linux.seccomp: whom the listener goes to.
  std::string listener_path;
  std::string listener_metadata;
};

/// The process that `launch` was released as, with the agent that `plan` names.
Started started_as(const Record& record, const plan::Plan& plan, const stage::Launch& launch,
                   int report);

/// Hands the seccomp listener on, and waits until the payload is executed or the process has ended.
/// What kept it from that is the error.
Status follow(const Started& started);

/// After that.
Status run_poststart_hooks(const std::vector<plan::HookStep>& hooks, const Started& started);

}  // namespace rt::container
