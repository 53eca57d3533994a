// The commands that save a container and bring it back: checkpoint, restore.
#include <utility>

#include "runtime/cli/commands.h"
#include "runtime/cli/prepare.h"
#include "runtime/container/checkpoint.h"
#include "runtime/container/self.h"

namespace rt::cli {
namespace {

struct ImageArguments {
  std::string image_path = "checkpoint";
  std::string work_path;
  std::string cgroups_mode = "soft";
  std::string network_lock;
  std::string empty_namespace;
  bool tcp_established = false;
  bool external_unix_sockets = false;
  bool shell_job = false;
  bool file_locks = false;
  bool auto_dedup = false;
  // checkpoint
  std::string parent_path;
  bool pre_dump = false;
  bool leave_running = false;
  bool tcp_skip_in_flight = false;
  bool link_remap = false;
  // restore
  std::string bundle;
  std::string pid_file;
  std::string console_socket;
  std::string lsm_profile;
  std::string lsm_mount_context;
  bool tcp_close = false;
  bool detach = false;
  bool keep = false;
  bool no_pivot = false;
  bool no_new_keyring = false;
};

constexpr Option kImagePath =
    option<&ImageArguments::image_path>("image-path", 0, "DIR",
                                        "the directory of the saved state, which must be our own "
                                        "(default: checkpoint)");
constexpr Option kWorkPath = option<&ImageArguments::work_path>(
    "work-path", 0, "DIR", "where CRIU leaves its log (default: the image path)");
constexpr Option kTcpEstablished =
    flag<&ImageArguments::tcp_established>("tcp-established", 0, "with open TCP connections");
constexpr Option kExternalUnixSockets = flag<&ImageArguments::external_unix_sockets>(
    "ext-unix-sk", 0, "with unix sockets whose peers are outside");
constexpr Option kShellJob =
    flag<&ImageArguments::shell_job>("shell-job", 0, "with a session or terminal from outside");
constexpr Option kFileLocks = flag<&ImageArguments::file_locks>("file-locks", 0, "with file locks");
constexpr Option kCgroupsMode = option<&ImageArguments::cgroups_mode>(
    "manage-cgroups-mode", 0, "MODE",
    "of cgroups below the container's: soft (the default), full, strict or ignore");
constexpr Option kNetworkLock = option<&ImageArguments::network_lock>(
    "network-lock", 0, "WAY", "how traffic is held up meanwhile: iptables or nftables");
constexpr Option kEmptyNamespace = option<&ImageArguments::empty_namespace>(
    "empty-ns", 0, "KIND", "network: without what is in the network namespace");
constexpr Option kAutoDedup = flag<&ImageArguments::auto_dedup>(
    "auto-dedup", 0, "what a later state has of the memory goes from the earlier ones");

constexpr Option kCheckpointOptions[] = {
    kImagePath,
    kWorkPath,
    flag<&ImageArguments::leave_running>("leave-running", 0, "the container goes on afterwards"),
    flag<&ImageArguments::pre_dump>("pre-dump", 0,
                                    "memory alone, for a later checkpoint; the container goes on"),
    option<&ImageArguments::parent_path>("parent-path", 0, "DIR",
                                         "of an earlier checkpoint, relative to the image path: "
                                         "only what has changed since is saved"),
    kTcpEstablished,
    flag<&ImageArguments::tcp_skip_in_flight>("tcp-skip-in-flight", 0,
                                              "without TCP connections that are being made"),
    kExternalUnixSockets,
    kShellJob,
    kFileLocks,
    flag<&ImageArguments::link_remap>("link-remap", 0,
                                      "with open files whose names are gone, by links to them"),
    kCgroupsMode,
    kNetworkLock,
    kEmptyNamespace,
    kAutoDedup,
};

constexpr Option kRestoreOptions[] = {
    option<&ImageArguments::bundle>("bundle", 'b', "DIR",
                                    "the directory with config.json (default: the current one)"),
    kImagePath,
    kWorkPath,
    flag<&ImageArguments::detach>("detach", 'd', "do not wait for the container's end"),
    flag<&ImageArguments::keep>("keep", 0, "do not delete the container at its end"),
    option<&ImageArguments::pid_file>("pid-file", 0, "FILE", "write the container's pid to FILE"),
    option<&ImageArguments::console_socket>(
        "console-socket", 0, "FILE", "send the payload's terminal to the stream socket FILE"),
    kTcpEstablished,
    flag<&ImageArguments::tcp_close>("tcp-close", 0, "TCP connections are closed"),
    kExternalUnixSockets,
    kShellJob,
    kFileLocks,
    kCgroupsMode,
    kNetworkLock,
    kEmptyNamespace,
    kAutoDedup,
    option<&ImageArguments::lsm_profile>("lsm-profile", 0, "TYPE:NAME",
                                         "apparmor:PROFILE or selinux:LABEL in place of the saved"),
    option<&ImageArguments::lsm_mount_context>("lsm-mount-context", 0, "LABEL",
                                               "SELinux label of mounts in place of the saved"),
    flag<&ImageArguments::no_new_keyring>("no-new-keyring", 0, "keep the caller's session keyring"),
    flag<&ImageArguments::no_pivot>("no-pivot", 0, nullptr),
    // Containerd sends it.
    ignored("no-subreaper", nullptr),
};

Result<container::ImageOptions> to_image_options(const Invocation& invocation,
                                                 const ImageArguments& options) {
  if (!options.empty_namespace.empty() && options.empty_namespace != "network") {
    return Error(
        cat("--empty-ns ", quoted(options.empty_namespace), ": cannot be had: expected network"));
  }
  container::ImageOptions image;
  image.criu = TRY(container::criu_program(invocation.globals.criu));
  image.criu_helper = TRY(container::helper_program("runtime-criu", "talks to criu"));
  image.image_path = options.image_path;
  image.work_path = options.work_path;
  image.cgroups_mode = options.cgroups_mode;
  image.network_lock = options.network_lock;
  image.tcp_established = options.tcp_established;
  image.external_unix_sockets = options.external_unix_sockets;
  image.shell_job = options.shell_job;
  image.file_locks = options.file_locks;
  image.empty_network = !options.empty_namespace.empty();
  image.auto_dedup = options.auto_dedup;
  return image;
}

Result<int> checkpoint(const Invocation& invocation) {
  ImageArguments options;
  const auto rest = TRY(parse_arguments(invocation, kCheckpointOptions, options, 1, 1));
  container::CheckpointOptions wanted;
  wanted.image = TRY(to_image_options(invocation, options));
  wanted.warn = warn_to(invocation.log);
  wanted.parent_path = options.parent_path;
  wanted.pre_dump = options.pre_dump;
  wanted.leave_running = options.leave_running;
  wanted.tcp_skip_in_flight = options.tcp_skip_in_flight;
  wanted.link_remap = options.link_remap;
  const container::Store store = TRY(open_store(invocation.globals));
  TRY(container::checkpoint(store, rest[0], wanted));
  return 0;
}

/// The bundle as a plan.
Result<Prepared> prepare(const Invocation& invocation, const ImageArguments& options,
                         const std::string& id) {
  plan::Request request = TRY(base_request(invocation.globals));
  const std::string root = TRY(root_of(invocation.globals));
  // Whether the saved container has it, is not known before.
  request.notify_directory = TRY(container::notify_directory(root, id));
  request.id = id;
  request.no_pivot = options.no_pivot;
  request.no_new_keyring = options.no_new_keyring;
  return prepare_bundle(invocation, options.bundle, std::move(request));
}

Result<container::RestoreOptions> to_restore_options(const Invocation& invocation,
                                                     const ImageArguments& options,
                                                     const Prepared& prepared) {
  container::RestoreOptions wanted;
  wanted.image = TRY(to_image_options(invocation, options));
  wanted.create = {.pid_file = options.pid_file,
                   .console_socket = options.console_socket,
                   .pidfd_socket = "",
                   .notify_socket = "",
                   .config = prepared.bundle.text,
                   .warn = warn_to(invocation.log)};
  wanted.lsm_profile = options.lsm_profile;
  wanted.lsm_mount_context = options.lsm_mount_context;
  wanted.tcp_close = options.tcp_close;
  return wanted;
}

Result<int> restore(const Invocation& invocation) {
  ImageArguments options;
  auto rest = TRY(parse_arguments(invocation, kRestoreOptions, options, 1, 2));
  const std::string id = TRY(take_id(std::move(rest), options.bundle));
  TRY(keep_descriptors("0"));
  const Prepared prepared = TRY(prepare(invocation, options, id));
  const auto wanted = TRY(to_restore_options(invocation, options, prepared));
  const container::Store store = TRY(make_store(invocation.globals));
  if (options.detach) {
    Status restored = container::restore_detached(store, prepared.plan, wanted);
    if (!restored) return container::located(std::move(restored).error(), prepared.bundle.text);
    return 0;
  }
  const auto after = options.keep ? container::AfterRun::kKeep : container::AfterRun::kDelete;
  auto restored = container::restore(store, prepared.plan, wanted, after);
  if (!restored) return container::located(std::move(restored).error(), prepared.bundle.text);
  const container::RunOutcome& outcome = restored.value();
  if (!outcome.cleanup) invocation.log.warn(outcome.cleanup.error().message());
  return outcome.exit_code;
}

constexpr Command kCommands[] = {
    {.name = "checkpoint",
     .arguments = "<id>",
     .summary = "Save a container's processes to files, by CRIU, and delete it",
     .example = "runtime checkpoint --image-path /srv/saved demo",
     .options = kCheckpointOptions,
     .run = checkpoint,
     .seals = false},
    {.name = "restore",
     .arguments = "<id> [<bundle>]",
     .summary = "Make a container of processes that were saved",
     .example = "runtime restore --detach --image-path /srv/saved demo /srv/bundle",
     .options = kRestoreOptions,
     .run = restore,
     .seals = true},
};

}  // namespace

std::span<const Command> checkpoint_commands() { return kCommands; }

}  // namespace rt::cli
