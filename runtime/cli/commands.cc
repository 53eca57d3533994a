#include "runtime/cli/commands.h"

#include <algorithm>
#include <utility>

#include "runtime/cli/version.h"
#include "runtime/container/self.h"
#include "spec/words.h"

namespace rt::cli {
namespace {

std::string program_help() {
  std::string text =
      "usage: runtime [options] <command> [<arguments>]\n\n"
      "Runs containers as the OCI runtime specification describes them.\n\ncommands:\n";
  size_t width = 0;
  for (const Command* command : all_commands()) width = std::max(width, command->name.size());
  for (const Command* command : all_commands()) {
    std::string name(command->name);
    name.resize(width + 2, ' ');
    text += cat("  ", name, command->summary, '\n');
  }
  text += cat("\noptions, before the command:\n", describe_options(global_options()));
  return text + "\n\"runtime <command> --help\" says more about a command.\n";
}

std::string command_help(const Command& command) {
  std::string text = cat("usage: runtime ", command.name);
  if (!command.options.empty()) text += " [options]";
  if (!command.arguments.empty()) text += cat(' ', command.arguments);
  text += cat("\n\n", command.summary, '\n');
  if (!command.options.empty()) text += cat("\noptions:\n", describe_options(command.options));
  return text + cat("\nexample:\n  ", command.example, '\n');
}

/// docker reads the line with the word "version": there must be one only.
std::string version_text() {
  return cat("runtime version ", kVersion, "\ncommit: ", kCommit, "\nspec: ", spec::kOciVersion,
             '\n');
}

Result<const Command*> find_command(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Command* command : all_commands()) {
    if (command->name == name) return command;
    known.push_back(command->name);
  }
  return Error(cat("unknown command ", quoted(name), did_you_mean(name, known, "")));
}

bool asks_for_help(const Command& command, std::span<const std::string> arguments) {
  auto end = std::ranges::find(arguments, "--");
  // What follows may be another program's.
  if (command.order == Order::kBeforeOthers && end > arguments.begin()) end = arguments.begin() + 1;
  return std::any_of(arguments.begin(), end, [](const std::string& argument) {
    return argument == "--help" || argument == "-help" || argument == "-h";
  });
}

Result<int> show(std::string_view text) {
  TRY(print(text));
  return 0;
}

Result<int> run_command(const Command& command, const Invocation& invocation, const Seal& seal) {
  if (asks_for_help(command, invocation.arguments)) return show(command_help(command));
  // Those that seal decide themselves what is passed on.
  if (command.seals) TRY(seal());
  if (!command.seals && !command.reads_inherited) TRY(container::close_inherited(0));
  return command.run(invocation);
}

Result<int> show_help(std::span<const std::string> arguments) {
  if (arguments.empty()) return show(program_help());
  const Command* command = TRY(find_command(arguments[0]));
  return show(command_help(*command));
}

Result<int> dispatch(std::span<const std::string> words, const Seal& seal, Log& log) {
  TRY(container::prepare_self());
  Globals globals;
  auto parsed = parse_options(global_options(), words.subspan(std::min<size_t>(words.size(), 1)),
                              globals, Order::kBeforeOthers);
  // Before anything can fail: so much of the options as could be read says where to.
  const bool json = TRY(is_json(globals.log_format, "text"), "--log-format");
  log = Log(globals.log, json ? LogFormat::kJson : LogFormat::kText, globals.debug);
  const std::vector<std::string> rest = TRY(std::move(parsed));
  if (globals.version) return show(version_text());
  if (globals.help) return show(program_help());
  if (rest.empty()) return Error("no command given").with_hint("\"runtime --help\" lists them");
  const std::span<const std::string> arguments = std::span(rest).subspan(1);
  if (rest[0] == "help") return show_help(arguments);
  const Command* command = TRY(find_command(rest[0]));
  return run_command(*command,
                     {.command = *command, .globals = globals, .arguments = arguments, .log = log},
                     seal);
}

}  // namespace

std::vector<const Command*> all_commands() {
  std::vector<const Command*> commands;
  for (const Command& command : lifecycle_commands()) commands.push_back(&command);
  for (const Command& command : exec_commands()) commands.push_back(&command);
  for (const Command& command : resource_commands()) commands.push_back(&command);
  for (const Command& command : checkpoint_commands()) commands.push_back(&command);
  for (const Command& command : event_commands()) commands.push_back(&command);
  for (const Command& command : inspect_commands()) commands.push_back(&command);
  return commands;
}

Status check_count(const Command& command, std::span<const std::string> arguments, size_t least,
                   size_t most) {
  if (arguments.size() < least) {
    return Error(cat(command.name, ": too few arguments: expected ", command.arguments));
  }
  if (arguments.size() > most) {
    const std::string_view expected = command.arguments.empty() ? "none" : command.arguments;
    return Error(cat(command.name, ": unexpected argument ", quoted(arguments[most]), ": expected ",
                     expected));
  }
  return ok();
}

container::Warn warn_to(Log& log) {
  return [&log](const std::string& message) { log.warn(message); };
}

Result<unsigned> keep_descriptors(const std::string& preserve_fds, unsigned more) {
  const auto preserved = parse_uint(preserve_fds);
  if (!preserved || *preserved > UINT32_MAX) {
    return Error(cat("--preserve-fds ", quoted(preserve_fds), ": not a number"));
  }
  const uint64_t count = *preserved + more;
  TRY(container::close_inherited(count));
  return static_cast<unsigned>(count);
}

Result<bool> is_json(std::string_view format, std::string_view text_format) {
  if (format == "json") return true;
  if (format == text_format) return false;
  return Error(cat("unknown format ", quoted(format), ": expected ", text_format, " or json"));
}

int run_program(const std::vector<std::string>& words, const Seal& seal) {
  Log log;
  const Result<int> code = dispatch(words, seal, log);
  if (!code) {
    log.fail(code.error());
    return 1;
  }
  log.succeed();
  return code.value();
}

}  // namespace rt::cli
