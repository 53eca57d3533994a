// The commands, as rows of a table: what is dispatched, and what the help text says, is one thing.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cli/log.h"
#include "runtime/cli/options.h"
#include "runtime/container/container.h"
#include "runtime/container/store.h"
#include "runtime/plan/make_plan.h"

namespace rt::cli {

/// The options before the command.
struct Globals {
  std::string root;
  std::string log;
  std::string log_format = "text";
  std::string cgroup_manager;  // empty: cgroupfs
  std::string rootless = "auto";
  std::string resctrl_root;    // for tests: a directory that stands in for resctrl
  std::string systemd_helper;  // for tests: another runtime-systemd
  std::string criu;
  bool systemd_cgroup = false;
  bool strict = false;
  bool debug = false;
  bool version = false;
  bool help = false;
};

struct Command;

/// What a command is called with.
struct Invocation {
  const Command& command;
  const Globals& globals;
  std::span<const std::string> arguments;  // behind the command's name
  Log& log;
};

struct Command {
  std::string_view name;
  std::string_view arguments;  // "<id> [<bundle>]"
  std::string_view summary;
  std::string_view example;
  std::span<const Option> options;
  Result<int> (*run)(const Invocation& invocation);
  bool seals;  // a container's processes come near this one: kernel/seal.h
  /// Reads files that may be the caller's descriptors, /dev/fd/N, and closes these itself then.
  bool reads_inherited = false;
  Order order = Order::kAnywhere;  // of options and other arguments
};

/// The rows of Globals.
std::span<const Option> global_options();

std::span<const Command> lifecycle_commands();
std::span<const Command> exec_commands();
std::span<const Command> checkpoint_commands();
std::span<const Command> resource_commands();
std::span<const Command> event_commands();
std::span<const Command> inspect_commands();

/// Every command, in the order of the help text.
std::vector<const Command*> all_commands();

/// Whether there are as many arguments as the command takes.
Status check_count(const Command& command, std::span<const std::string> arguments, size_t least,
                   size_t most);

/// The options and arguments of a command, of which there must be `least` to `most`.
template <class Options>
Result<std::vector<std::string>> parse_arguments(const Invocation& invocation,
                                                 std::span<const Option> table, Options& options,
                                                 size_t least, size_t most) {
  auto rest = TRY(parse_options(table, invocation.arguments, options, Order::kAnywhere),
                  invocation.command.name);
  TRY(check_count(invocation.command, rest, least, most));
  return rest;
}

/// Warnings of a command, into the log.
container::Warn warn_to(Log& log);

/// The value of --preserve-fds, and `more`: so many of the caller's descriptors stay open, all
/// others are closed. While nothing of ours is open.
Result<unsigned> keep_descriptors(const std::string& preserve_fds, unsigned more = 0);

/// What the options before the command say about a plan.
Result<plan::Request> base_request(const Globals& globals);

/// --root, or its default; the store there, to be read, or to be made first.
Result<std::string> root_of(const Globals& globals);
Result<container::Store> open_store(const Globals& globals);
Result<container::Store> make_store(const Globals& globals);

/// "json" or "text"; false and true.
Result<bool> is_json(std::string_view format, std::string_view text_format);

using Seal = std::function<Status()>;

/// The whole program: arguments (with the program's name) in, exit code out. Calls `seal` before
/// the commands that need it.
int run_program(const std::vector<std::string>& words, const Seal& seal);

}  // namespace rt::cli
