// The directory that a checkpoint is kept in, and what both commands say to CRIU about it and the
// container. For this package alone.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/container/checkpoint.h"
#include "runtime/container/criu.h"
#include "runtime/plan/host.h"
#include "runtime/plan/plan.h"

namespace rt::container {

/// The order with all that ImageOptions says. The directories are opened, and made (0700) when they
/// are missing, but for the images of a restore; the image's must belong
/// to us, and nobody else may write to it: who can, decides what runs as root.
Result<CriuOrder> begin_order(CriuOrder::Task task, const ImageOptions& options);
/// A process of a user namespace that is just being brought back reads of it as that namespace's
/// root, who has no rights over it but those of this group of the host.
Status open_to_group(int images, gid_t group);

/// Where CRIU's log will be.
std::string log_path(const ImageOptions& options, const CriuOrder& order);

/// A namespace that the container shares by its path: it is not saved.
struct SharedNamespace {
  plan::NamespaceStep step;
  std::string file;  // "net": /proc/PID/ns/net
  std::string name;  // what CRIU is told that it is called
};
struct SharedNamespaces {
  std::vector<SharedNamespace> named;
  /// CRIU cannot be told of these. What it is itself in, it neither saves nor makes anew: so it is
  /// put into them.
  std::vector<SharedNamespace> entered;
};
Result<SharedNamespaces> shared_namespaces(const plan::Plan& plan);

/// Where CRIU finds cgroup v2, if that is all that is mounted; empty otherwise.
std::string unified_hierarchy(const plan::HostFacts& host);

}  // namespace rt::container
