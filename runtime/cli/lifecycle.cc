// The commands that change a container: create, start, run, kill, delete.
#include <utility>

#include "runtime/cli/commands.h"
#include "runtime/cli/prepare.h"
#include "runtime/cli/signals.h"
#include "runtime/container/bundle.h"
#include "runtime/container/container.h"
#include "runtime/container/self.h"

namespace rt::cli {
namespace {

struct CreateArguments {
  std::string bundle;
  std::string pid_file;
  std::string console_socket;
  std::string pidfd_socket;
  std::string preserve_fds = "0";
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool detach = false;  // run
  bool keep = false;    // run
};

constexpr Option kBundle = option<&CreateArguments::bundle>(
    "bundle", 'b', "DIR", "the directory with config.json (default: the current one)");
constexpr Option kPidFile =
    option<&CreateArguments::pid_file>("pid-file", 0, "FILE", "write the container's pid to FILE");
constexpr Option kNoPivot = flag<&CreateArguments::no_pivot>(
    "no-pivot", 0, "move the root into place instead of pivot_root(2); for a ramdisk only");
constexpr Option kNoNewKeyring = flag<&CreateArguments::no_new_keyring>(
    "no-new-keyring", 0, "keep the caller's session keyring");
constexpr Option kConsoleSocket = option<&CreateArguments::console_socket>(
    "console-socket", 0, "FILE", "send the payload's terminal to the stream socket FILE");
constexpr Option kPidfdSocket = option<&CreateArguments::pidfd_socket>(
    "pidfd-socket", 0, "FILE", "send a pidfd of the container's init to the stream socket FILE");
constexpr Option kPreserveFds = option<&CreateArguments::preserve_fds>(
    "preserve-fds", 0, "N", "pass N more of the caller's descriptors, from 3 on, to the container");

constexpr Option kCreateOptions[] = {kBundle,        kPidFile,     kNoPivot,    kNoNewKeyring,
                                     kConsoleSocket, kPidfdSocket, kPreserveFds};

constexpr Option kRunOptions[] = {
    kBundle,
    kPidFile,
    flag<&CreateArguments::detach>("detach", 'd', "do not wait for the container's end"),
    flag<&CreateArguments::keep>("keep", 0, "do not delete the container at its end"),
    kNoPivot,
    kNoNewKeyring,
    kConsoleSocket,
    kPidfdSocket,
    kPreserveFds,
    // Containerd sends it; the runtime never is a subreaper.
    ignored("no-subreaper", nullptr),
};

container::CreateOptions to_create_options(const CreateArguments& options, const Prepared& prepared,
                                           Log& log) {
  return {.pid_file = options.pid_file,
          .console_socket = options.console_socket,
          .pidfd_socket = options.pidfd_socket,
          .notify_socket = container::notify_socket(),
          .config = prepared.bundle.text,
          .warn = warn_to(log)};
}

/// Where the container says that it is ready; empty when our caller does not want to know.
Result<std::string> notify_directory(const Invocation& invocation, const std::string& id) {
  const std::string socket = container::notify_socket();
  if (socket.empty()) return std::string();
  if (!socket.starts_with('/') && !socket.starts_with('@')) {
    invocation.log.warn(cat("NOTIFY_SOCKET ", quoted(socket),
                            ": not passed on: neither an absolute path nor an abstract name"));
    return std::string();
  }
  const std::string root = TRY(root_of(invocation.globals));
  return container::notify_directory(root, id);
}

/// The bundle as a plan.
Result<Prepared> prepare(const Invocation& invocation, const CreateArguments& options,
                         const std::string& id) {
  plan::Request request = TRY(base_request(invocation.globals));
  request.listen_fds = container::listen_descriptors();
  request.preserve_fds = TRY(keep_descriptors(options.preserve_fds, request.listen_fds));
  request.notify_directory = TRY(notify_directory(invocation, id));
  request.id = id;
  request.no_pivot = options.no_pivot;
  request.no_new_keyring = options.no_new_keyring;
  return prepare_bundle(invocation, options.bundle, std::move(request));
}

/// <id> [<bundle>]; the id.
Result<std::string> read_arguments(const Invocation& invocation, std::span<const Option> table,
                                   CreateArguments& options) {
  auto rest = TRY(parse_arguments(invocation, table, options, 1, 2));
  return take_id(std::move(rest), options.bundle);
}

Result<int> create(const Invocation& invocation) {
  CreateArguments options;
  const std::string id = TRY(read_arguments(invocation, kCreateOptions, options));
  const Prepared prepared = TRY(prepare(invocation, options, id));
  const container::Store store = TRY(make_store(invocation.globals));
  Status created =
      container::create(store, prepared.plan, to_create_options(options, prepared, invocation.log));
  if (!created) return container::located(std::move(created).error(), prepared.bundle.text);
  return 0;
}

Result<int> run_and_wait(const container::Store& store, const Prepared& prepared,
                         const CreateArguments& options, Log& log) {
  const auto after = options.keep ? container::AfterRun::kKeep : container::AfterRun::kDelete;
  auto ran = container::run(store, prepared.plan, to_create_options(options, prepared, log), after);
  if (!ran) return container::located(std::move(ran).error(), prepared.bundle.text);
  const container::RunOutcome& outcome = ran.value();
  if (!outcome.cleanup) log.warn(outcome.cleanup.error().message());
  return outcome.exit_code;
}

Result<int> run(const Invocation& invocation) {
  CreateArguments options;
  const std::string id = TRY(read_arguments(invocation, kRunOptions, options));
  const Prepared prepared = TRY(prepare(invocation, options, id));
  const container::Store store = TRY(make_store(invocation.globals));
  if (!options.detach) return run_and_wait(store, prepared, options, invocation.log);
  Status ran = container::run_detached(store, prepared.plan,
                                       to_create_options(options, prepared, invocation.log));
  if (!ran) return container::located(std::move(ran).error(), prepared.bundle.text);
  return 0;
}

struct NoOptions {};

Result<int> start(const Invocation& invocation) {
  NoOptions none;
  const auto rest = TRY(parse_arguments(invocation, {}, none, 1, 1));
  const container::Store store = TRY(open_store(invocation.globals));
  TRY(container::start(store, rest[0], warn_to(invocation.log)));
  return 0;
}

struct KillArguments {
  bool all = false;
};
constexpr Option kKillOptions[] = {
    flag<&KillArguments::all>("all", 'a', "every process of the container, not init alone"),
};

Result<int> kill(const Invocation& invocation) {
  KillArguments options;
  const auto rest = TRY(parse_arguments(invocation, kKillOptions, options, 1, 2));
  const int signal = TRY(parse_signal(rest.size() == 2 ? rest[1] : "TERM"));
  const auto target =
      options.all ? container::KillTarget::kEveryProcess : container::KillTarget::kInit;
  const container::Store store = TRY(open_store(invocation.globals));
  TRY(container::kill(store, rest[0], signal, target));
  return 0;
}

struct DeleteArguments {
  bool force = false;
};
constexpr Option kDeleteOptions[] = {
    flag<&DeleteArguments::force>(
        "force", 'f', "kill what still runs, and clean up after an interrupted create or delete"),
};

Result<int> destroy(const Invocation& invocation) {
  DeleteArguments options;
  const auto rest = TRY(parse_arguments(invocation, kDeleteOptions, options, 1, 1));
  const auto mode =
      options.force ? container::DeleteMode::kForce : container::DeleteMode::kStoppedOnly;
  const container::Store store = TRY(open_store(invocation.globals));
  TRY(container::destroy(store, rest[0], mode, warn_to(invocation.log)));
  return 0;
}

constexpr Command kCommands[] = {
    {.name = "create",
     .arguments = "<id> [<bundle>]",
     .summary = "Set a container up; its process waits for start",
     .example = "runtime create demo /srv/bundle",
     .options = kCreateOptions,
     .run = create,
     .seals = true},
    {.name = "start",
     .arguments = "<id>",
     .summary = "Let a created container's process run",
     .example = "runtime start demo",
     .options = {},
     .run = start,
     .seals = false},
    {.name = "run",
     .arguments = "<id> [<bundle>]",
     .summary = "Create and start a container, wait for its end, and delete it",
     .example = "runtime run demo /srv/bundle",
     .options = kRunOptions,
     .run = run,
     .seals = true},
    {.name = "kill",
     .arguments = "<id> [<signal>]",
     .summary = "Send a signal (default: TERM) to a container",
     .example = "runtime kill demo KILL",
     .options = kKillOptions,
     .run = kill,
     .seals = false},
    {.name = "delete",
     .arguments = "<id>",
     .summary = "Remove a stopped container and everything that was made for it",
     .example = "runtime delete --force demo",
     .options = kDeleteOptions,
     .run = destroy,
     .seals = false},
};

}  // namespace

std::span<const Command> lifecycle_commands() { return kCommands; }

}  // namespace rt::cli
