// The actions of a plan, step by step. What is said here is what stage/ and container/ do.
#include <string_view>

#include "runtime/base/text.h"
#include "runtime/plan/describe.h"
#include "runtime/plan/parts.h"
#include "runtime/plan/words.h"

namespace rt::plan {
namespace {

constexpr const char* kAlways = "always";

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

void list_host_objects(const Plan& plan, Listing& list) {
  if (plan.root.method != RootMethod::kJoined) {
    list.add(cat("open root ", printable(plan.root.path)), plan.root.origin);
  }
  for (const NamespaceStep& step : plan.namespaces) {
    if (step.join.empty()) continue;
    list.add(cat("open ", name_of(step.kind), " namespace ", printable(step.join)), step.origin);
  }
  for (const MountStep& step : plan.mounts) {
    if (const auto* bind = std::get_if<BindMount>(&step.what)) {
      list.add(cat("open source ", printable(bind->source)), step.origin);
    }
  }
  for (const DeviceNode& device : plan.devices) {
    if (!device.bind.empty()) list.add(cat("open device ", printable(device.bind)), device.origin);
  }
  if (!plan.masked_paths.empty()) list.add("open /dev/null, to mask files", "/linux/maskedPaths");
}

void list_cgroup(const Plan& plan, Listing& list) {
  for (const CgroupDirectory& directory : plan.cgroup.directories) {
    list.add(cat("make cgroup ", printable(directory.path), directory.unified ? " (v2" : " (v1",
                 directory.cpuset ? "; cpus and mems as above it" : "",
                 plan.cgroup.optional ? "; left out where not permitted)" : ")"),
             plan.cgroup.origin);
  }
}

void list_clone(const Plan& plan, Listing& list) {
  list.add("clone stage 1", kAlways);
  for (const CgroupDirectory& directory : plan.cgroup.directories) {
    list.add(cat(directory.unified ? "in" : "move it into", " cgroup ", printable(directory.path)),
             plan.cgroup.origin);
  }
}

void list_oom_score(const Plan& plan, Listing& list) {
  if (!plan.process || !plan.process->oom_score_adj) return;
  list.add(cat("oom_score_adj ", *plan.process->oom_score_adj), "/process/oomScoreAdj");
}

void list_join(const Plan& plan, Listing& list) {
  for (const NamespaceStep& step : plan.namespaces) {
    if (step.join.empty()) continue;
    list.add(cat("join ", name_of(step.kind), " namespace ", printable(step.join)), step.origin);
  }
}

void list_user_namespace(const Plan& plan, Listing& list) {
  if (!plan.makes(NamespaceKind::kUser)) return;
  list.add("new user namespace", plan.find(NamespaceKind::kUser)->origin);
}

void list_ranges(std::string_view file, std::string_view how, const std::vector<IdRange>& ranges,
                 const Origin& origin, Listing& list) {
  for (size_t i = 0; i < ranges.size(); ++i) {
    const IdRange& range = ranges[i];
    list.add(cat(file, ' ', range.container_id, ' ', range.host_id, ' ', range.size, how),
             cat(origin, '/', i));
  }
}

void list_id_maps(const Plan& plan, Listing& list) {
  if (!plan.id_maps) return;
  const IdMaps& maps = *plan.id_maps;
  const bool direct = maps.writer == IdMaps::Writer::kDirectly;
  if (maps.deny_setgroups) list.add("setgroups deny", maps.gids_origin);
  list_ranges("uid_map", direct ? "" : cat(" by ", printable(maps.newuidmap)), maps.uids,
              maps.uids_origin, list);
  list_ranges("gid_map", direct ? "" : cat(" by ", printable(maps.newgidmap)), maps.gids,
              maps.gids_origin, list);
}

void list_namespaces(const Plan& plan, Listing& list) {
  for (const NamespaceStep& step : plan.namespaces) {
    if (!step.join.empty() || step.kind == NamespaceKind::kUser) continue;
    list.add(cat("new ", name_of(step.kind), " namespace"), step.origin);
  }
}

void list_time_offsets(const Plan& plan, Listing& list) {
  for (const TimeOffset& offset : plan.time_offsets) {
    list.add(cat("timens_offsets ", offset.clock, ' ', offset.secs, ' ', offset.nanosecs),
             offset.origin);
  }
}

void list_session(const Plan& plan, Listing& list) {
  list.add("new session", kAlways);
  list.add(plan.new_keyring ? "new session keyring" : "keep the caller's session keyring",
           plan.keyring_origin);
}

void list_hostname(const Plan& plan, Listing& list) {
  if (plan.hostname) list.add(cat("hostname ", printable(*plan.hostname)), "/hostname");
  if (plan.domainname) list.add(cat("domainname ", printable(*plan.domainname)), "/domainname");
}

void list_loopback(const Plan& plan, Listing& list) {
  if (!plan.makes(NamespaceKind::kNetwork)) return;
  list.add("bring up lo", plan.find(NamespaceKind::kNetwork)->origin);
}

void list_sysctl(const Plan& plan, Listing& list) {
  for (const Sysctl& sysctl : plan.sysctls) {
    list.add(cat("write ", quoted(sysctl.value), " to /proc/sys/", printable(sysctl.file)),
             sysctl.origin);
  }
}

void list_prepare_mounts(const Plan& plan, Listing& list) {
  size_t fresh = 0;
  size_t copies = 0;
  for (const MountStep& step : plan.mounts) {
    fresh += std::holds_alternative<NewFilesystem>(step.what) ? 1 : 0;
    copies += std::holds_alternative<BindMount>(step.what) ? 1 : 0;
  }
  if (fresh > 0) list.add(cat("make ", fresh, " file systems, detached"), "/mounts");
  if (copies > 0) list.add(cat("copy ", copies, " trees of the host, detached"), "/mounts");
}

void list_enter_root(const Plan& plan, Listing& list) {
  const RootStep& root = plan.root;
  const std::string path = printable(root.path);
  switch (root.method) {
    case RootMethod::kPivot:
      list.add(cat("pivot_root to ", path), root.origin);
      break;
    case RootMethod::kMove:
      list.add(cat("move ", path, " onto / and chroot to it"), "option: --no-pivot");
      break;
    case RootMethod::kChroot:
      list.add(cat("chroot to ", path), root.origin);
      break;
    case RootMethod::kJoined:
      list.add("keep the root of the mount namespace", root.origin);
      break;
  }
  if (root.propagation == 0) return;
  list.add(cat("make / ", propagation_word(root.propagation)), root.propagation_origin);
}

/// " (nosuid,ro,mode=755; rprivate)"
std::string mount_details(const MountStep& step, const std::vector<FilesystemParameter>& own) {
  std::string words = attribute_words(step.attributes, false);
  for (const std::string& more :
       {attribute_words(step.recursive_attributes, true), parameter_words(own)}) {
    if (!more.empty()) words += cat(words.empty() ? "" : ",", more);
  }
  const std::string propagation = propagation_word(step.propagation);
  if (words.empty() && propagation.empty()) return "";
  return cat(" (", words, words.empty() || propagation.empty() ? "" : "; ", propagation, ')');
}

std::string mount_text(const MountStep& step) {
  const std::string target = printable(step.target);
  if (const auto* fresh = std::get_if<NewFilesystem>(&step.what)) {
    const bool named = !fresh->source.empty() && fresh->source != fresh->type;
    return cat("mount ", printable(fresh->type), named ? cat(' ', printable(fresh->source)) : "",
               " on ", target, mount_details(step, fresh->parameters));
  }
  if (const auto* bind = std::get_if<BindMount>(&step.what)) {
    return cat(bind->recursive ? "rbind " : "bind ", printable(bind->source), " on ", target,
               mount_details(step, {}));
  }
  return cat("remount ", target, mount_details(step, std::get<Remount>(step.what).parameters));
}

void list_mounts(const Plan& plan, Listing& list) {
  for (const MountStep& step : plan.mounts) list.add(mount_text(step), step.origin);
}

void list_devices(const Plan& plan, Listing& list) {
  for (const DeviceNode& device : plan.devices) {
    const std::string path = printable(device.path);
    const std::string rights =
        cat(" mode ", octal(device.mode), " uid ", device.uid, " gid ", device.gid);
    if (device.type == 'p') {
      list.add(cat("mkfifo ", path, rights), device.origin);
    } else if (!device.bind.empty()) {
      list.add(cat("bind ", printable(device.bind), " on ", path, " if it is ", device.type, ' ',
                   device.major, ':', device.minor),
               device.origin);
    } else {
      list.add(cat("mknod ", path, ' ', device.type, ' ', device.major, ':', device.minor, rights),
               device.origin);
    }
  }
  for (const Link& link : plan.links) {
    list.add(cat("link ", printable(link.path), " to ", printable(link.target)), link.origin);
  }
}

void list_working_directory(const Plan& plan, Listing& list) {
  if (!plan.process) return;
  list.add(cat("enter ", printable(plan.process->cwd), ", made if missing"), "/process/cwd");
}

void list_readonly_paths(const Plan& plan, Listing& list) {
  for (const PathStep& step : plan.readonly_paths) {
    list.add(cat("make ", printable(step.path), " read-only"), step.origin);
  }
}

void list_masked_paths(const Plan& plan, Listing& list) {
  for (const PathStep& step : plan.masked_paths) {
    list.add(cat("hide ", printable(step.path)), step.origin);
  }
}

void list_readonly_root(const Plan& plan, Listing& list) {
  if (plan.root.readonly) list.add("make / read-only", plan.root.readonly_origin);
}

void list_stdio(const Plan&, Listing& list) {
  list.add("keep standard input, output and error; close all else", kAlways);
}

std::string group_text(const ProcessStep& process) {
  if (!process.may_set_groups) return "keep the groups: setgroups is denied";
  std::string text = process.groups.empty() ? "no additional groups" : "additional groups";
  for (const uint32_t group : process.groups) text += cat(' ', group);
  return text;
}

void list_user(const Plan& plan, Listing& list) {
  if (!plan.process) return;
  const ProcessStep& process = *plan.process;
  const CapabilitySets& sets = process.capabilities;
  const Origin& origin = process.capabilities_origin;
  list.add(group_text(process), "/process/user/additionalGids");
  list.add(cat("uid ", process.uid, " gid ", process.gid), "/process/user");
  list.add(cat("umask ", octal(process.umask)), "/process/user/umask");
  list.add(cat("bounding capabilities: ", capability_words(sets.bounding)), origin);
  list.add(cat("permitted capabilities: ", capability_words(sets.permitted)), origin);
  list.add(cat("effective capabilities: ", capability_words(sets.effective)), origin);
  list.add(cat("inheritable capabilities: ", capability_words(sets.inheritable)), origin);
  list.add(cat("ambient capabilities: ", capability_words(sets.ambient)), origin);
  if (process.no_new_privileges) list.add("no_new_privs", "/process/noNewPrivileges");
}

void list_executable(const Plan& plan, Listing& list) {
  if (!plan.process || plan.process->args.empty()) return;
  const std::string& name = plan.process->args.front();
  const bool is_path = name.find('/') != std::string::npos;
  list.add(cat("find ", quoted(name), is_path ? "" : " in PATH"), "/process/args/0");
}

void list_rlimits(const Plan& plan, Listing& list) {
  if (!plan.process) return;
  for (const Rlimit& limit : plan.process->rlimits) {
    list.add(cat(limit.name, " soft ", limit_word(limit.soft), " hard ", limit_word(limit.hard)),
             limit.origin);
  }
}

/// Names only: a value may be a secret.
std::string environment_text(const std::vector<std::string>& env) {
  std::string text = cat("with ", env.size(), env.size() == 1 ? " variable" : " variables");
  for (size_t i = 0; i < env.size(); ++i) {
    text += cat(i == 0 ? ": " : ", ", printable(env[i].substr(0, env[i].find('='))));
  }
  return text;
}

void list_execute(const Plan& plan, Listing& list) {
  if (!plan.process) return;
  std::string command = "execute";
  for (const std::string& argument : plan.process->args) command += cat(' ', quoted(argument));
  list.add(std::move(command), "/process/args");
  list.add(environment_text(plan.process->env), "/process/env");
}

void list_remove_cgroup(const Plan& plan, Listing& list) {
  const std::vector<CgroupDirectory>& directories = plan.cgroup.directories;
  for (auto directory = directories.rbegin(); directory != directories.rend(); ++directory) {
    list.add(cat("remove cgroup ", printable(directory->path)), plan.cgroup.origin);
  }
}

void list_step(const Plan& plan, Step step, Listing& list) {
  switch (step) {
    case Step::kRecord:
      return list.add("write the state record: creating", kAlways);
    case Step::kHostObjects:
      return list_host_objects(plan, list);
    case Step::kCgroup:
      return list_cgroup(plan, list);
    case Step::kClone:
      return list_clone(plan, list);
    case Step::kOomScore:
      return list_oom_score(plan, list);
    case Step::kJoin:
      return list_join(plan, list);
    case Step::kUserNamespace:
      return list_user_namespace(plan, list);
    case Step::kIdMaps:
      return list_id_maps(plan, list);
    case Step::kNamespaces:
      return list_namespaces(plan, list);
    case Step::kTimeOffsets:
      return list_time_offsets(plan, list);
    case Step::kInit:
      return list.add("clone init", kAlways);
    case Step::kSession:
      return list_session(plan, list);
    case Step::kHostname:
      return list_hostname(plan, list);
    case Step::kLoopback:
      return list_loopback(plan, list);
    case Step::kSysctl:
      return list_sysctl(plan, list);
    case Step::kPrepareMounts:
      return list_prepare_mounts(plan, list);
    case Step::kEnterRoot:
      return list_enter_root(plan, list);
    case Step::kMounts:
      return list_mounts(plan, list);
    case Step::kDevices:
      return list_devices(plan, list);
    case Step::kWorkingDirectory:
      return list_working_directory(plan, list);
    case Step::kReadonlyPaths:
      return list_readonly_paths(plan, list);
    case Step::kMaskedPaths:
      return list_masked_paths(plan, list);
    case Step::kReadonlyRoot:
      return list_readonly_root(plan, list);
    case Step::kStdio:
      return list_stdio(plan, list);
    case Step::kUser:
      return list_user(plan, list);
    case Step::kExecutable:
      return list_executable(plan, list);
    case Step::kRlimits:
      return list_rlimits(plan, list);
    case Step::kCreated:
      return list.add("write the state record: created", kAlways);
    case Step::kRelease:
      return list.add("let init go on", kAlways);
    case Step::kExecute:
      return list_execute(plan, list);
    case Step::kKill:
      return list.add("kill what is left of the container", kAlways);
    case Step::kRemoveCgroup:
      return list_remove_cgroup(plan, list);
    case Step::kRemoveRecord:
      return list.add("remove the state record", kAlways);
  }
}

}  // namespace

std::vector<Action> actions(const Plan& plan) {
  std::vector<Action> out;
  for (const StepRow& row : kSteps) {
    Listing list(row, out);
    list_step(plan, row.step, list);
  }
  return out;
}

}  // namespace rt::plan
