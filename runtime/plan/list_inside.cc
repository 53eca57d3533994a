#include "runtime/base/text.h"
#include "runtime/plan/listing.h"
#include "runtime/plan/parts.h"
#include "runtime/plan/words.h"

namespace rt::plan {
namespace {

std::string range_words(std::string_view what, const std::vector<IdRange>& ranges) {
  std::string words;
  for (const IdRange& range : ranges) {
    words += cat(words.empty() ? "" : ", ", what, ' ', range.container_id, ' ', range.host_id, ' ',
                 range.size);
  }
  return words;
}

/// "ids mapped: uid 0 1000 1, gid 0 1000 1", as in uid_map; empty for none.
std::string id_map_words(const std::optional<MountIdMap>& map) {
  if (!map) return "";
  const std::string how = map->recursive ? "ids mapped recursively" : "ids mapped";
  if (!map->user_namespace.empty()) return cat(how, " as in ", printable(map->user_namespace));
  return cat(how, ": ", range_words("uid", map->uids), ", ", range_words("gid", map->gids));
}

/// " (ro,nosuid,mode=755; rprivate; with the image's files)"
std::string mount_details(const MountStep& step, std::vector<FilesystemParameter> own) {
  // A disk is read-only itself where its mount is: said once.
  std::erase(own, FilesystemParameter{.key = "ro", .value = std::nullopt});
  std::string words = attribute_words(step.attributes, false);
  for (const std::string& more :
       {attribute_words(step.recursive_attributes, true), parameter_words(own)}) {
    if (!more.empty()) words += cat(words.empty() ? "" : ",", more);
  }
  const std::string label =
      step.root_label.empty() ? "" : cat("label ", printable(step.root_label));
  for (const std::string& more :
       {propagation_word(step.propagation), id_map_words(step.id_map), label,
        std::string(step.copy_up ? "with the image's files" : "")}) {
    if (!more.empty()) words += cat(words.empty() ? "" : "; ", more);
  }
  return words.empty() ? "" : cat(" (", words, ')');
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

std::string group_text(const ProcessStep& process) {
  if (!process.may_set_groups) return "keep the groups: setgroups is denied";
  std::string text = process.groups.empty() ? "no additional groups" : "additional groups";
  for (const uint32_t group : process.groups) text += cat(' ', group);
  return text;
}

/// Names only: a value may be a secret.
std::string environment_text(const std::vector<std::string>& env) {
  std::string text = cat("with ", env.size(), env.size() == 1 ? " variable" : " variables");
  for (size_t i = 0; i < env.size(); ++i) {
    text += cat(i == 0 ? ": " : ", ", printable(env[i].substr(0, env[i].find('='))));
  }
  return text;
}

void list_root_propagation(const RootStep& root, Listing& list) {
  list.add(cat("make / ", propagation_word(root.propagation)), root.propagation_origin);
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
}

}  // namespace

void list_session(const Plan& plan, Listing& list) {
  list.add("new session; default signal handling", kAlways);
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
  if (plan.makes(NamespaceKind::kMount)) {
    list.add("let no mount show on the host", plan.find(NamespaceKind::kMount)->origin);
  }
  for (const MountStep& step : plan.mounts) {
    const auto* fresh = std::get_if<NewFilesystem>(&step.what);
    if (fresh == nullptr || step.id_map) continue;
    list.add(cat("make ", printable(fresh->type), " for ", printable(step.target)), step.origin);
  }
  if (!plan.masked_paths.empty()) {
    list.add("make what hides files and directories", "/linux/maskedPaths");
  }
}

void list_place_root(const Plan& plan, Listing& list) {
  const RootStep& root = plan.root;
  if (root.method != RootMethod::kPivot && root.method != RootMethod::kMove) return;
  const bool last = plan.enters_root_last();
  list.add(cat("mount ", printable(root.path), last ? " at its own path" : " on /"), root.origin);
  if (!root.propagation_last) list_root_propagation(root, list);
}

void list_enter_root_first(const Plan& plan, Listing& list) {
  if (!plan.enters_root_last()) list_enter_root(plan, list);
}

void list_enter_root_last(const Plan& plan, Listing& list) {
  if (plan.enters_root_last()) list_enter_root(plan, list);
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

void list_console(const Plan& plan, Listing& list) {
  if (!plan.console) return;
  const ConsoleStep& console = *plan.console;
  std::string size;
  if (console.height != 0 || console.width != 0) {
    size = cat(", ", console.height, " rows, ", console.width, " columns");
  }
  list.add(cat("make a terminal of /dev/pts", size), console.origin);
  list.add("bind it on /dev/console", console.origin);
  list.add("make it standard input, output and error, and the controlling terminal",
           console.origin);
}

void list_working_directory(const Plan& plan, Listing& list) {
  if (!plan.process) return;
  list.add(cat("make ", printable(plan.process->cwd), " if it is missing"), "/process/cwd");
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
  if (plan.root.propagation_last) list_root_propagation(plan.root, list);
  if (plan.root.readonly) list.add("make / read-only", plan.root.readonly_origin);
}

void list_stdio(const Plan& plan, Listing& list) {
  if (!plan.process) return;
  list.add(cat("give standard input, output and error to uid ", plan.process->uid),
           "/process/user/uid");
}

void list_user(const Plan& plan, Listing& list) {
  if (!plan.process) return;
  const ProcessStep& process = *plan.process;
  const CapabilitySets& sets = process.capabilities;
  const Origin& origin = process.capabilities_origin;
  list.add(cat("umask ", octal(process.umask)), "/process/user/umask");
  list.add(cat("enter ", printable(process.cwd)), "/process/cwd");
  list.add(cat("bounding capabilities: ", capability_words(sets.bounding)), origin);
  list.add(group_text(process), "/process/user/additionalGids");
  list.add(cat("uid ", process.uid, " gid ", process.gid), "/process/user");
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

void list_execute(const Plan& plan, Listing& list) {
  if (!plan.process) return;
  const std::string more =
      plan.preserved_fds == 0 ? "" : cat(" and those from 3 to ", 2 + plan.preserved_fds);
  list.add(cat("close all descriptors but standard input, output and error", more), kAlways);
  std::string command = "execute";
  for (const std::string& argument : plan.process->args) command += cat(' ', quoted(argument));
  list.add(std::move(command), "/process/args");
  list.add(environment_text(plan.process->env), "/process/env");
}

}  // namespace rt::plan
