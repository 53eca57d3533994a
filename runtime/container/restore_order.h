// What CRIU is told for a restore, and where it works. For this package alone.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/container/checkpoint.h"
#include "runtime/container/criu.h"
#include "runtime/container/criu_mounts.h"
#include "runtime/container/criu_streams.h"
#include "runtime/kernel/namespaces.h"
#include "runtime/plan/plan.h"

namespace rt::container {

class RestoreOrder {
 public:
  RestoreOrder(const plan::Plan& plan, const RestoreOptions& options)
      : plan_(plan), options_(options) {}

  /// In the runtime: opens everything. What the root file system lacks to mount on is made there.
  Status prepare();
  [[nodiscard]] const CriuOrder& order() const { return order_; }

  /// In the child that becomes runtime-criu. What CRIU is, the processes become that it brings
  /// back.
  [[nodiscard]] Status enter() const;

  /// When the mounts of the container, whose init is `pid`, are there, and nothing of it runs: what
  /// CRIU has not brought back of them.
  [[nodiscard]] Status finish_mounts(pid_t pid) const;

 private:
  Status open_mounts();
  Status open_namespaces();
  Status hand_over_streams(const StandardStreams& streams);
  [[nodiscard]] Status finish_in_namespace(pid_t pid) const;

  const plan::Plan& plan_;
  const RestoreOptions& options_;
  CriuOrder order_;
  std::optional<HostMounts> mounts_;
  std::vector<kernel::OpenNamespace> entered_;
  std::string hierarchy_;  // of cgroup v2
  bool no_new_privileges_ = false;
};

}  // namespace rt::container
