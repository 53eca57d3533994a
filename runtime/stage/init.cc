// Init: the container's first process. It builds the container from the inside, waits to be
// released and started, and becomes the payload.
#include <fcntl.h>

#include <cstdlib>

#include "runtime/kernel/capabilities.h"
#include "runtime/kernel/devices.h"
#include "runtime/kernel/executable.h"
#include "runtime/kernel/mounts.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/restrict.h"
#include "runtime/kernel/root.h"
#include "runtime/kernel/sysctl.h"
#include "runtime/stage/context.h"
#include "runtime/stage/protocol.h"
#include "runtime/sys/file.h"
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
  Status joined = sys::join_session_keyring(cat("_ses.", context.plan.id));
  if (joined || joined.error().code() == ENOSYS) return ok();
  return std::move(joined).error().with_hint(
      "see /proc/key-users; --no-new-keyring keeps the caller's keyring");
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

Status write_sysctls(Context& context) { return kernel::write_sysctls(context.plan.sysctls); }

Status prepare_mounts(Context& context) {
  if (context.plan.makes(NamespaceKind::kMount)) TRY(kernel::leave_host_propagation());
  TRY(kernel::prepare_mounts(context.plan.mounts, context.mount_trees));
  TRY(kernel::prepare_devices(context.plan.devices, context.device_trees));
  context.masks = TRY(kernel::prepare_masks(context.plan.masked_paths));
  const auto& console = context.plan.console;
  if (!console) return ok();
  const int devpts = context.mount_trees[console->mount].get();
  context.console = TRY(at(console->origin, kernel::open_console(*console, devpts)), "terminal");
  return ok();
}

Status enter_root(Context& context) {
  TRY(kernel::enter_root(context.plan.root, std::move(context.root_tree)));
  context.root = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  return ok();
}

Status attach_mounts(Context& context) {
  return kernel::attach_mounts(context.plan.mounts, context.mount_trees, context.root.get());
}

Status make_devices(Context& context) {
  const int root = context.root.get();
  TRY(kernel::make_devices(context.plan.devices, context.device_trees, root));
  return kernel::make_links(context.plan.links, root);
}

Status use_console(Context& context) {
  const auto& console = context.plan.console;
  if (!console) return ok();
  TRY(at(console->origin, kernel::use_console(context.console, context.root.get())), "terminal");
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

Status make_root_readonly(Context& context) {
  const plan::RootStep& root = context.plan.root;
  if (!root.readonly) return ok();
  return at(root.readonly_origin, kernel::make_root_readonly(context.root.get()));
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
  TRY(at(origin, kernel::set_capabilities(process.capabilities)), "capabilities");
  if (process.no_new_privileges) {
    TRY(at("/process/noNewPrivileges", sys::set_no_new_privileges()));
  }
  // Changing ids made the kernel forget it.
  TRY(sys::set_parent_death_signal(SIGKILL));
  return denied ? enter_working_directory(process) : ok();
}

Status find_executable(Context& context) {
  if (!context.plan.process) return ok();
  context.executable = TRY(at("/process/args/0", kernel::find_executable(*context.plan.process)));
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
    {Step::kSysctl, write_sysctls},
    {Step::kPrepareMounts, prepare_mounts},
    {Step::kEnterRoot, enter_root},
    {Step::kMounts, attach_mounts},
    {Step::kDevices, make_devices},
    {Step::kConsole, use_console},
    {Step::kWorkingDirectory, make_working_directory},
    {Step::kReadonlyPaths, make_paths_readonly},
    {Step::kMaskedPaths, mask_paths},
    {Step::kReadonlyRoot, make_root_readonly},
    {Step::kStdio, give_stdio},
    {Step::kUser, become_user},
    {Step::kExecutable, find_executable},
    {Step::kRlimits, set_rlimits},
};

Status set_up(Context& context) {
  const int channel = context.channel.get();
  TRY(sys::set_parent_death_signal(SIGKILL));
  TRY(ask(channel, Message::kInitHere, Message::kGoOn));
  return run_steps(plan::Actor::kInit, kHandlers, context);
}

/// From "ready" on init has the payload's own limits: it allocates nothing any more.
Status wait_for_release(Context& context) {
  const int channel = context.channel.get();
  TRY(ask(channel, Message::kReady, Message::kRelease));
  TRY(sys::set_parent_death_signal(0));
  // All of it: what the runtime opened for us, none of which the payload may have (CVE-2024-21626).
  TRY(sys::close_from(3, {channel, context.exec_fifo}));
  return send_message(channel, Message::kReleased);
}

Status wait_for_start(int fifo) {
  if (fifo < 0) return ok();
  char start = 0;
  TRY(sys::read(fifo, &start, 1));
  return ok();
}

/// Nobody listens on the channel any more: the container's own standard error is told.
[[noreturn]] void execution_failed(const std::string& path, const Error& error) {
  static_cast<void>(sys::write_all(2, cat("exec ", path, ": ", errno_text(error.code()), '\n')));
  sys::exit_now(EXIT_FAILURE);
}

}  // namespace

void init_main(Context& context) {
  Status done = set_up(context);
  // Without a process there is nothing to start, and nobody will.
  static const plan::ProcessStep kNone;
  const plan::ProcessStep& process = context.plan.process ? *context.plan.process : kNone;
  const std::vector<char*> args = sys::exec_array(process.args);
  const std::vector<char*> env = sys::exec_array(process.env);
  if (done) done = wait_for_release(context);
  if (!done) {
    static_cast<void>(send_failure(context.channel.get(), done.error()));
    sys::exit_now(EXIT_FAILURE);
  }
  context.channel.reset();
  if (const Status started = wait_for_start(context.exec_fifo); !started) {
    execution_failed(context.executable, started.error());
  }
  // The fifo closes with the execution: that is what `start` waits for.
  execution_failed(context.executable,
                   sys::execve(context.executable.c_str(), args.data(), env.data()));
}

}  // namespace rt::stage
