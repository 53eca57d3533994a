// The options before the command, and what follows from them for every command.
#include "runtime/cli/commands.h"
#include "runtime/container/self.h"

namespace rt::cli {
namespace {

constexpr Option kGlobalOptions[] = {
    option<&Globals::root>("root", 0, "DIR",
                           "where containers are kept (default: /run/runtime for root, else "
                           "$XDG_RUNTIME_DIR/runtime)"),
    option<&Globals::log>("log", 0, "FILE", "append errors and warnings to FILE"),
    option<&Globals::log_format>("log-format", 0, "FORMAT", "of that file: text or json"),
    flag<&Globals::debug>("debug", 0, "log what is done"),
    flag<&Globals::systemd_cgroup>("systemd-cgroup", 0, "the same as --cgroup-manager systemd"),
    option<&Globals::cgroup_manager>("cgroup-manager", 0, "NAME",
                                     "who makes the container's cgroup: cgroupfs (the default), "
                                     "systemd, or disabled: nobody"),
    flag<&Globals::strict>("strict", 0,
                           "a limit that this machine has not is an error, also where engines send "
                           "it without being asked"),
    option<&Globals::rootless>("rootless", 0, "WHEN",
                               "true, false or auto: accepted, always found out by itself"),
    option<&Globals::resctrl_root>("resctrl-root", 0, "DIR", nullptr),
    option<&Globals::systemd_helper>("systemd-helper", 0, "FILE", nullptr),
    option<&Globals::criu>("criu", 0, "PATH",
                           "the program that checkpoint and restore work by (default: criu, where "
                           "the system has its programs)"),
    flag<&Globals::help>("help", 'h', "show this"),
    flag<&Globals::version>("version", 'v', "show the version"),
};

Result<plan::CgroupManager> cgroup_manager_of(const Globals& globals) {
  const std::string& name = globals.cgroup_manager;
  if (globals.systemd_cgroup && !name.empty() && name != "systemd") {
    return Error(
        cat("--systemd-cgroup and --cgroup-manager ", quoted(name), ": cannot be had together"));
  }
  if (globals.systemd_cgroup || name == "systemd") return plan::CgroupManager::kSystemd;
  if (name.empty() || name == "cgroupfs") return plan::CgroupManager::kFilesystem;
  if (name == "disabled") return plan::CgroupManager::kDisabled;
  return Error(
      cat("--cgroup-manager ", quoted(name), ": unknown: expected cgroupfs, systemd or disabled"));
}

}  // namespace

std::span<const Option> global_options() { return kGlobalOptions; }

Result<plan::Request> base_request(const Globals& globals) {
  // The record keeps paths below it, for a `delete` that may be called from anywhere.
  if (!globals.resctrl_root.empty() && !globals.resctrl_root.starts_with('/')) {
    return Error(cat("--resctrl-root ", quoted(globals.resctrl_root), ": not an absolute path"));
  }
  plan::Request request;
  request.cgroup_manager = TRY(cgroup_manager_of(globals));
  if (request.cgroup_manager == plan::CgroupManager::kSystemd) {
    request.systemd_helper = globals.systemd_helper;
    if (request.systemd_helper.empty()) {
      request.systemd_helper =
          TRY(container::helper_program("runtime-systemd", "talks to systemd"));
    }
  }
  request.strict = globals.strict;
  request.resctrl_root = globals.resctrl_root;
  return request;
}

Result<std::string> root_of(const Globals& globals) {
  if (!globals.root.empty()) return globals.root;
  return container::default_root();
}

Result<container::Store> open_store(const Globals& globals) {
  const std::string root = TRY(root_of(globals));
  return container::Store::open(root);
}

Result<container::Store> make_store(const Globals& globals) {
  const std::string root = TRY(root_of(globals));
  return container::Store::make(root);
}

}  // namespace rt::cli
