// Init: the container's first process. It builds the container from the inside, waits to be
// released and started, and becomes the payload.
#include <fcntl.h>
#include <linux/capability.h>

#include <cstdlib>

#include "runtime/kernel/attributes.h"
#include "runtime/kernel/capabilities.h"
#include "runtime/kernel/devices.h"
#include "runtime/kernel/executable.h"
#include "runtime/kernel/explain.h"
#include "runtime/kernel/hooks.h"
#include "runtime/kernel/labels.h"
#include "runtime/kernel/mounts.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/restrict.h"
#include "runtime/kernel/root.h"
#include "runtime/kernel/sysctl.h"
#include "runtime/stage/context.h"
#include "runtime/stage/protocol.h"
#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"
#include "runtime/sys/process.h"

namespace rt::stage {
namespace {

using plan::NamespaceKind;
using plan::Step;

Status begin_session(Context& context) {
  // Always a session of its own: kill(0, ...) in the payload must not reach the caller's group.
  TRY(sys::setsid());
  TRY(sys::reset_signals());
  TRY(sys::umask(0));  // modes are what the plan says, until the payload gets its own
  if (!context.plan.new_keyring) return ok();
  Status joined = kernel::join_session_keyring(context.plan.id);
  if (joined || joined.error().code() != EDQUOT) return joined;
  // Hundreds of containers of one user fill its quota, and few payloads ever look for a key.
  return send_warning(context.channel.get(), joined.error());
}

Status set_hostname(Context& context) {
  const plan::Plan& plan = context.plan;
  if (plan.hostname) TRY(at("/hostname", sys::sethostname(*plan.hostname)), "hostname");
  if (plan.domainname) TRY(at("/domainname", sys::setdomainname(*plan.domainname)), "domainname");
  return ok();
}

Status bring_loopback_up(Context& context) {
  if (!context.plan.makes(NamespaceKind::kNetwork)) return ok();
  return at(context.plan.find(NamespaceKind::kNetwork)->origin, sys::interface_up("lo"));
}

Status write_sysctls(Context& context) {
  return kernel::write_sysctls(context.plan.sysctls, context.sysctls.get());
}

Status prepare_mounts(Context& context) {
  if (context.plan.makes(NamespaceKind::kMount)) TRY(kernel::leave_host_propagation());
  TRY(kernel::prepare_mounts(context.plan.mounts, context.mount_trees));
  TRY(kernel::prepare_devices(context.plan.devices, context.device_trees));
  context.masks = TRY(kernel::prepare_masks(context.plan.masked_paths));
  context.sysctls = TRY(kernel::open_sysctls(context.plan.sysctls));
  const auto& console = context.plan.console;
  if (!console) return ok();
  const int devpts = context.mount_trees[console->mount].get();
  context.console = TRY(at(console->origin, kernel::open_console(*console, devpts)), "terminal");
  return ok();
}

Status place_root(Context& context) {
  context.root = TRY(
      kernel::place_root(context.plan.root, std::move(context.root_tree), context.root_place()));
  return ok();
}

Status enter_root(Context& context) {
  return kernel::enter_root(context.plan.root, context.root.get(), context.root_place());
}

Status enter_root_first(Context& context) {
  return context.plan.enters_root_last() ? ok() : enter_root(context);
}

Status enter_root_last(Context& context) {
  return context.plan.enters_root_last() ? enter_root(context) : ok();
}

Status attach_mounts(Context& context) {
  return kernel::attach_mounts(context.plan.mounts, context.mount_trees, context.root.get());
}

Status make_devices(Context& context) {
  const int root = context.root.get();
  TRY(kernel::make_devices(context.plan.devices, context.device_trees, root));
  return kernel::make_links(context.plan.links, root);
}

/// The runtime's hooks first, which it runs when we say that the mounts are made.
Status run_create_hooks(Context& context) {
  if (!context.plan.enters_root_last()) return ok();
  TRY(ask(context.channel.get(), Message::kHooksPlease, Message::kHooksDone));
  TRY(sys::fchdir(context.root.get()));
  // The pid as it is seen in here.
  constexpr auto kKind = plan::HookKind::kCreateContainer;
  const std::string state = context.options.state(kKind, sys::getpid());
  return kernel::run_hooks(context.plan.hooks, kKind, {.state = state, .directory = ""});
}

Status use_console(Context& context) {
  const auto& console = context.plan.console;
  if (!console) return ok();
  if (context.target != nullptr) {
    context.console = TRY(at(console->origin, kernel::open_console(*console)), "terminal");
  } else {
    TRY(at(console->origin, kernel::bind_console(context.console, context.root.get())), "terminal");
  }
  TRY(at(console->origin, kernel::use_console(context.console)), "terminal");
  TRY(send_descriptor(context.channel.get(), Message::kConsole, context.console.master.get()));
  context.console = {};
  return ok();
}

Status make_working_directory(Context& context) {
  if (!context.plan.process) return ok();
  return at("/process/cwd",
            kernel::make_working_directory(context.plan.process->cwd, context.root.get()));
}

Status make_paths_readonly(Context& context) {
  return kernel::make_paths_readonly(context.plan.readonly_paths, context.root.get());
}

Status mask_paths(Context& context) {
  return kernel::mask_paths(context.plan.masked_paths, std::move(context.masks),
                            context.root.get());
}

Status finish_root(Context& context) {
  return kernel::finish_root(context.plan.root, context.root.get());
}

Status give_stdio(Context& context) {
  if (!context.plan.process) return ok();
  return kernel::give_stdio(context.plan.process->uid);
}

/// As root where the directory allows only that, else as the container's user: a directory on NFS
/// may know only the latter.
Status enter_working_directory(const plan::ProcessStep& process) {
  TRY(at("/process/cwd", kernel::enter_working_directory(process.cwd)), "chdir to cwd (",
      quoted(process.cwd), ") set in config.json failed");
  return ok();
}

/// A filter without no_new_privs needs CAP_SYS_ADMIN, and is loaded last of all. The execution of
/// the payload makes its permitted set anew: what is kept here does not reach it.
uint64_t late_capabilities(const plan::ProcessStep& process) {
  return process.seccomp && !process.no_new_privileges ? uint64_t{1} << CAP_SYS_ADMIN : 0;
}

Status set_process_attributes(Context& context) {
  if (!context.plan.process) return ok();
  return kernel::set_process_attributes(*context.plan.process);
}

Status set_labels(Context& context) {
  const UniqueFd proc = std::move(context.proc);  // nobody needs it any more
  if (!context.plan.process) return ok();
  return kernel::set_labels(context.plan.process->labels, proc.get());
}

Status become_user(Context& context) {
  if (!context.plan.process) return ok();
  const plan::ProcessStep& process = *context.plan.process;
  TRY(at("/process/user/umask", sys::umask(process.umask)));
  Status entered = enter_working_directory(process);
  const bool denied = !entered && entered.error().code() == EACCES;
  if (!entered && !denied) return entered;
  const std::string& origin = process.capabilities_origin;
  TRY(at(origin, kernel::drop_bounding_set(process.capabilities)), "capabilities");
  TRY(kernel::become_user(process));
  TRY(at(origin, kernel::set_capabilities(process.capabilities, late_capabilities(process))),
      "capabilities");
  if (process.no_new_privileges) {
    TRY(at("/process/noNewPrivileges", sys::set_no_new_privileges()));
  }
  // Changing ids made the kernel forget it, and, where fs.suid_dumpable is 1, made us dumpable.
  TRY(sys::set_parent_death_signal(SIGKILL));
  TRY(sys::set_dumpable(false));
  return denied ? enter_working_directory(process) : ok();
}

Status find_executable(Context& context) {
  if (!context.plan.process) return ok();
  const plan::ProcessStep& process = *context.plan.process;
  Result<std::string> found = kernel::find_executable(process);
  if (!found) {
    Error error = std::move(found).error().at("/process/args/0");
    const std::string reason = kernel::explain_path(process.args.front(), error);
    return reason.empty() ? error : std::move(error).with_hint(reason);
  }
  context.executable = std::move(found).value();
  // Not when it has failed: the seccomp filter might not let us look any more.
  context.obstacle = kernel::explain_file(context.executable);
  return ok();
}

Status set_rlimits(Context& context) {
  if (!context.plan.process) return ok();
  Status set = kernel::set_rlimits(context.plan.process->rlimits, 0);
  if (set || set.error().code() != EPERM) return set;
  return ask(context.channel.get(), Message::kRlimitsPlease, Message::kRlimitsSet);
}

constexpr Handler kHandlers[] = {
    {Step::kSession, begin_session},
    {Step::kHostname, set_hostname},
    {Step::kLoopback, bring_loopback_up},
    {Step::kPrepareMounts, prepare_mounts},
    {Step::kPlaceRoot, place_root},
    {Step::kEnterRootFirst, enter_root_first},
    {Step::kMounts, attach_mounts},
    {Step::kDevices, make_devices},
    {Step::kCreateContainerHooks, run_create_hooks},
    {Step::kSysctl, write_sysctls},
    {Step::kEnterRootLast, enter_root_last},
    {Step::kConsole, use_console},
    {Step::kWorkingDirectory, make_working_directory},
    {Step::kReadonlyPaths, make_paths_readonly},
    {Step::kMaskedPaths, mask_paths},
    {Step::kReadonlyRoot, finish_root},
    {Step::kStdio, give_stdio},
    {Step::kProcessAttributes, set_process_attributes},
    {Step::kUser, become_user},
    {Step::kLabel, set_labels},
    {Step::kExecutable, find_executable},
    {Step::kRlimits, set_rlimits},
};

Status set_up(Context& context) {
  const int channel = context.channel.get();
  TRY(sys::set_parent_death_signal(SIGKILL));
  TRY(ask(channel, Message::kInitHere, Message::kGoOn));
  return run_steps(plan::Actor::kInit, kHandlers, context);
}

}  // namespace

void init_main(Context& context) {
  const Status done = set_up(context);
  if (!done) {
    static_cast<void>(send_failure(context.channel.get(), done.error()));
    sys::exit_now(EXIT_FAILURE);
  }
  wait_and_execute(context);
}

}  // namespace rt::stage
