#include "runtime/container/restore_order.h"

#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "runtime/container/criu_image.h"
#include "runtime/container/criu_streams.h"
#include "runtime/container/step.h"
#include "runtime/kernel/attributes.h"
#include "runtime/kernel/host.h"
#include "runtime/kernel/mountinfo.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/root.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

/// The container's path in its hierarchies: without a controller the one for all; those that differ
/// by the names of their controllers, as /proc/PID/cgroup has them. v2 has no name.
std::vector<std::pair<std::string, std::string>> cgroup_roots(const plan::CgroupStep& step,
                                                              const plan::HostFacts& host) {
  const auto path_of = [](const plan::CgroupDirectory& directory) {
    return directory.path.substr(directory.hierarchy.size());
  };
  std::vector<std::pair<std::string, std::string>> roots;
  if (step.directories.empty()) return roots;
  const auto unified = std::ranges::find(step.directories, true, &plan::CgroupDirectory::unified);
  const bool found = unified != step.directories.end();
  roots.emplace_back("", path_of(found ? *unified : step.directories.front()));
  for (const plan::CgroupDirectory& directory : step.directories) {
    const std::string path = path_of(directory);
    const auto hierarchy =
        std::ranges::find(host.cgroups, directory.hierarchy, &plan::CgroupHierarchy::mount_point);
    if (path == roots.front().second || hierarchy == host.cgroups.end()) continue;
    for (const std::string& name : hierarchy->controllers) roots.emplace_back(name, path);
  }
  return roots;
}

/// The host's id of the group of root in a user namespace that is made; nothing where none is.
std::optional<gid_t> root_group(const plan::Plan& plan) {
  if (!plan.id_maps) return std::nullopt;
  const auto& maps = plan.id_maps->gids;
  const auto found = std::ranges::find(maps, 0U, &plan::IdRange::container_id);
  return found == maps.end() ? std::nullopt : std::optional<gid_t>(found->host_id);
}

}  // namespace

Status RestoreOrder::prepare() {
  const plan::HostFacts host = TRY(kernel::probe_host());
  order_ = TRY(begin_order(CriuOrder::Task::kRestore, options_.image));
  order_.tcp_close = options_.tcp_close;
  order_.lsm_profile = options_.lsm_profile;
  order_.lsm_mount_context = options_.lsm_mount_context;
  order_.cgroup_roots = cgroup_roots(plan_.cgroup, host);
  hierarchy_ = unified_hierarchy(host);
  if (!hierarchy_.empty()) order_.cgroup_yard = kCgroupYard;
  TRY(in_step(plan::Step::kHostObjects, open_mounts()));
  TRY(open_namespaces());
  const std::optional<gid_t> group = root_group(plan_);
  if (group) TRY(open_to_group(order_.images.get(), *group), options_.image.image_path);
  const std::string& path = options_.image.image_path;
  const ImageFacts facts = TRY(load_facts(order_.images.get()), "image path ", quoted(path));
  no_new_privileges_ =
      facts.no_new_privileges || (plan_.process && plan_.process->no_new_privileges);
  return hand_over_streams(facts.streams);
}

Status RestoreOrder::open_mounts() {
  mounts_.emplace(TRY(HostMounts::make(plan_)));
  order_.external = mounts_->external();
  order_.root = HostMounts::kRoot;
  return ok();
}

Status RestoreOrder::open_namespaces() {
  const SharedNamespaces shared = TRY(shared_namespaces(plan_));
  std::vector<plan::NamespaceStep> steps;
  steps.reserve(shared.entered.size());
  for (const SharedNamespace& one : shared.entered) steps.push_back(one.step);
  entered_ = TRY(kernel::open_namespaces(steps));
  for (const SharedNamespace& one : shared.named) {
    auto opened = TRY(kernel::open_namespaces({one.step}));
    UniqueFd copy = TRY(sys::duplicate(opened.front().fd.get()));
    order_.inherited.push_back({.key = one.name, .fd = std::move(copy)});
  }
  return ok();
}

/// Our own descriptors in place of those that the container had from outside.
Status RestoreOrder::hand_over_streams(const StandardStreams& streams) {
  for (size_t fd = 0; fd < streams.size(); ++fd) {
    const StandardStream& saved = streams[fd];
    const auto same = [&](const InheritedFd& one) { return one.key == saved.name; };
    if (saved.name.empty() || std::ranges::any_of(order_.inherited, same)) continue;
    UniqueFd stream = TRY(stream_for(static_cast<int>(fd), saved));
    order_.inherited.push_back({.key = saved.name, .fd = std::move(stream)});
  }
  if (!plan_.id_maps || !plan_.process || plan_.console) return ok();
  const std::optional<uint32_t> uid = plan_.id_maps->host_uid(plan_.process->uid);
  return uid ? kernel::give_stdio(*uid) : ok();
}

Status RestoreOrder::enter() const {
  if (plan_.new_keyring) TRY(kernel::join_session_keyring(plan_.id));
  if (plan_.process) {
    plan::ProcessStep inherited = *plan_.process;
    inherited.scheduler.reset();  // CRIU's own matter, which one of the policies would keep from it
    TRY(kernel::set_process_attributes(inherited));
  }
  TRY(kernel::join_namespaces(entered_));
  TRY(enter_own_mounts(order_.work.get()));
  TRY(mounts_->attach());
  if (!hierarchy_.empty()) TRY(make_cgroup_yard(hierarchy_));
  // CRIU 3.17 does not bring it back.
  return no_new_privileges_ ? sys::set_no_new_privileges() : ok();
}

/// In a child, which has the container's mount namespace then.
Status RestoreOrder::finish_in_namespace(pid_t pid) const {
  const auto mounts = TRY(kernel::read_mountinfo(std::to_string(pid)));
  const UniqueFd space = TRY(sys::open(cat("/proc/", pid, "/ns/mnt"), O_RDONLY));
  const UniqueFd root = TRY(sys::open(cat("/proc/", pid, "/root"), O_PATH | O_DIRECTORY));
  TRY(sys::setns(space.get(), CLONE_NEWNS));
  TRY(mounts_->protect(mounts, root.get()));
  return kernel::finish_root(plan_.root, root.get());
}

Status RestoreOrder::finish_mounts(pid_t pid) const {
  const UniqueFd told = TRY(sys::memfd_create("error"));
  const sys::Child child = TRY(sys::clone(0));
  if (child.pid == 0) {
    const Status finished = finish_in_namespace(pid);
    if (!finished) static_cast<void>(sys::write_all(told.get(), finished.error().message()));
    sys::exit_now(finished ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  if (TRY(sys::wait_for(child.pid)) == 0) return ok();
  constexpr size_t kLongest = 4096;
  return Error(TRY(sys::read_start(told.get(), kLongest)));
}

}  // namespace rt::container
