// The command exec.
#include <fcntl.h>

#include "runtime/cli/commands.h"
#include "runtime/container/container.h"
#include "runtime/container/output.h"
#include "runtime/container/self.h"

namespace rt::cli {
namespace {

struct ExecArguments {
  std::string process;
  std::string pid_file;
  std::string console_socket;
  std::string pidfd_socket;
  std::string cwd;
  std::string user;
  std::string apparmor;
  std::string process_label;
  std::vector<std::string> cgroups;
  std::string preserve_fds = "0";
  std::vector<std::string> env;
  std::vector<std::string> additional_gids;
  std::vector<std::string> capabilities;
  bool detach = false;
  bool tty = false;
  bool no_new_privs = false;
  bool ignore_paused = false;
};

constexpr Option kExecOptions[] = {
    option<&ExecArguments::process>(
        "process", 'p', "FILE", "a process object of config.json, in place of all that follows"),
    flag<&ExecArguments::detach>("detach", 'd', "do not wait for the process's end"),
    option<&ExecArguments::pid_file>("pid-file", 0, "FILE", "write the process's pid to FILE"),
    flag<&ExecArguments::tty>("tty", 't', "give it a terminal"),
    option<&ExecArguments::console_socket>("console-socket", 0, "FILE",
                                           "send the terminal to the stream socket FILE"),
    option<&ExecArguments::pidfd_socket>("pidfd-socket", 0, "FILE",
                                         "send a pidfd of it to the stream socket FILE"),
    option<&ExecArguments::cwd>("cwd", 0, "DIR", "its working directory"),
    list_option<&ExecArguments::env>("env", 'e', "NAME=VALUE", "a variable more; repeatable"),
    option<&ExecArguments::user>("user", 'u', "UID[:GID]", "its user and group"),
    list_option<&ExecArguments::additional_gids>("additional-gids", 'g', "GID",
                                                 "a group more; repeatable"),
    list_option<&ExecArguments::capabilities>("cap", 'c', "CAP", "a capability more; repeatable"),
    flag<&ExecArguments::no_new_privs>("no-new-privs", 0, "it can gain no privileges"),
    option<&ExecArguments::apparmor>("apparmor", 0, "PROFILE", "its AppArmor profile"),
    option<&ExecArguments::process_label>("process-label", 0, "LABEL", "its SELinux label"),
    list_option<&ExecArguments::cgroups>(
        "cgroup", 0, "[CTRL:]PATH",
        "a cgroup below the container's own, of these v1 controllers; repeatable"),
    option<&ExecArguments::preserve_fds>(
        "preserve-fds", 0, "N", "pass N more of the caller's descriptors, from 3 on, to it"),
    flag<&ExecArguments::ignore_paused>("ignore-paused", 0,
                                        "also in a paused container, where it waits"),
};

Result<container::ExecRequest> to_request(const ExecArguments& options,
                                          std::vector<std::string> args) {
  container::ExecRequest request;
  if (!options.process.empty()) {
    request.document = TRY(container::read_document(options.process), "--process");
    if (request.document.empty())
      return Error(cat("--process ", quoted(options.process), ": empty"));
    if (!args.empty()) return Error("exec: a command and --process exclude one another");
    return request;
  }
  if (args.empty()) return Error("exec: expected a command, or --process");
  request.args = std::move(args);
  request.cwd = options.cwd;
  request.env = options.env;
  request.user = options.user;
  request.additional_gids = options.additional_gids;
  request.capabilities = options.capabilities;
  request.apparmor_profile = options.apparmor;
  request.selinux_label = options.process_label;
  request.no_new_privileges = options.no_new_privs;
  request.terminal = options.tty;
  return request;
}

/// <id> [<command> <argument>...]: the options end with the id, unless there is a process document.
Result<int> exec(const Invocation& invocation) {
  ExecArguments options;
  auto rest = TRY(
      parse_options(kExecOptions, invocation.arguments, options, invocation.command.order), "exec");
  TRY(check_count(invocation.command, rest, 1, SIZE_MAX));
  container::ExecOptions wanted;
  const std::string id = rest.front();
  rest.erase(rest.begin());
  // --process may be a descriptor of the caller's, /dev/fd/N: before they are closed.
  wanted.request = TRY(to_request(options, std::move(rest)));
  wanted.preserved_fds = TRY(keep_descriptors(options.preserve_fds));
  wanted.pid_file = options.pid_file;
  wanted.console_socket = options.console_socket;
  wanted.pidfd_socket = options.pidfd_socket;
  wanted.cgroups = options.cgroups;
  wanted.detach = options.detach;
  wanted.ignore_paused = options.ignore_paused;
  const plan::Request base = TRY(base_request(invocation.globals));
  wanted.resctrl_root = base.resctrl_root;
  wanted.cgroup_manager = base.cgroup_manager;
  wanted.systemd_helper = base.systemd_helper;
  wanted.warn = warn_to(invocation.log);
  const container::Store store = TRY(open_store(invocation.globals));
  return container::exec(store, id, wanted);
}

constexpr Command kCommands[] = {
    {.name = "exec",
     .arguments = "<id> [<command> <argument>...]",
     .summary = "Run one more process in a container",
     .example = "runtime exec --tty demo sh",
     .options = kExecOptions,
     .run = exec,
     .seals = true,
     .order = Order::kBeforeOthers},
};

}  // namespace

std::span<const Command> exec_commands() { return kCommands; }

}  // namespace rt::cli
