#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/cli/commands.h"
#include "tools/reference/reference.h"

namespace rt::reference {
namespace {

using cli::Command;
using cli::Option;

/// "--bundle --pid-file ..."
std::string option_words(std::span<const Option> table) {
  std::string words;
  for (const Option& row : table) {
    if (row.help != nullptr) words += cat(words.empty() ? "" : " ", "--", row.name);
  }
  return words;
}

/// Those that the next word belongs to, as patterns of `case`: "--bundle|-b|...".
std::string valued_options(std::span<const Option> table) {
  std::string words;
  for (const Option& row : table) {
    if (row.help == nullptr || row.value == nullptr) continue;
    words += cat(words.empty() ? "" : "|", "--", row.name);
    if (row.short_name != 0) words += cat("|-", row.short_name);
  }
  return words;
}

std::string command_names() {
  std::string words;
  for (const Command* command : cli::all_commands()) {
    words += cat(words.empty() ? "" : " ", command->name);
  }
  return words;
}

bool takes_container(const Command& command) { return command.arguments.starts_with("<id>"); }

/// A container that is there already can be named.
bool takes_known_container(const Command& command) {
  return takes_container(command) && command.arguments.find("<bundle>") == std::string_view::npos;
}

/// In single quotes, for every shell.
std::string single_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// What zsh's _arguments must not take for its own syntax.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_option(const Option& row) {
  const std::string help = zsh_text(row.help);
  const std::string value = row.value == nullptr ? "" : cat(':', zsh_text(row.value), ":_files");
  return single_quoted(cat("--", row.name, '[', help, ']', value));
}

std::string zsh_options(std::span<const Option> table, std::string_view indent) {
  std::string text;
  for (const Option& row : table) {
    if (row.help != nullptr) text += cat(" \\\n", indent, zsh_option(row));
  }
  return text;
}

std::string fish_option(std::string_view condition, const Option& row) {
  std::string line = cat("complete -c runtime -n ", single_quoted(condition), " -l ", row.name);
  if (row.short_name != 0) line += cat(" -s ", row.short_name);
  if (row.value != nullptr) line += " -r";
  return cat(line, " -d ", single_quoted(row.help), '\n');
}

}  // namespace

std::string bash_completion() {
  std::string text =
      R"(# bash completion for runtime; made by tools/reference from the program's own tables.
_runtime() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command= i word
    local -a globals=()
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
)";
  text +=
      cat("        ", valued_options(cli::global_options()),
          ")\n            globals+=(\"$word\" \"${COMP_WORDS[i + 1]}\")\n            i=$((i + 1))\n"
          "            ;;\n        -*) ;;\n        *)\n            command=$word\n"
          "            break\n            ;;\n        esac\n    done\n");
  text += "    local options= valued= containers=\n    case $command in\n";
  text += cat("    '')\n        options='", option_words(cli::global_options()), "'\n",
              "        [[ $current == -* ]] || options='", command_names(), " help'\n",
              "        valued='", valued_options(cli::global_options()), "'\n        ;;\n");
  for (const Command* command : cli::all_commands()) {
    text += cat("    ", command->name, ")\n        options='", option_words(command->options),
                " --help'\n        valued='", valued_options(command->options), "'\n");
    if (takes_known_container(*command)) text += "        containers=yes\n";
    text += "        ;;\n";
  }
  return text + R"(    esac
    if [[ -n $valued && $previous == @($valued) ]]; then
        compopt -o default
        return
    fi
    if [[ $current != -* && -n $containers ]]; then
        options=$(runtime "${globals[@]}" list --quiet 2>/dev/null)
    elif [[ $current != -* && -n $command ]]; then
        compopt -o default
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
}
shopt -s extglob
complete -F _runtime runtime
)";
}

std::string zsh_completion() {
  std::string text = cat(
      "#compdef runtime\n# Made by tools/reference from the program's own tables.\n\n"
      "_runtime_containers() {\n    local -a names=(${(f)\"$(runtime list --quiet "
      "2>/dev/null)\"})\n"
      "    _describe container names\n}\n\n_runtime() {\n    local state line\n    _arguments -C",
      zsh_options(cli::global_options(), "        "),
      " \\\n        '1:command:->command' \\\n        '*::argument:->argument'\n"
      "    case $state in\n    command)\n        local -a commands=(\n");
  for (const Command* command : cli::all_commands()) {
    text += cat("            ", single_quoted(cat(command->name, ':', zsh_text(command->summary))),
                '\n');
  }
  text +=
      "        )\n        _describe command commands\n        ;;\n    argument)\n"
      "        case $line[1] in\n";
  for (const Command* command : cli::all_commands()) {
    const std::string_view action =
        takes_known_container(*command) ? "'1:container:_runtime_containers'" : "'*:file:_files'";
    text += cat("        ", command->name, ")\n            _arguments",
                zsh_options(command->options, "                "), " \\\n                ", action,
                "\n            ;;\n");
  }
  return text + "        esac\n        ;;\n    esac\n}\n\n_runtime \"$@\"\n";
}

std::string fish_completion() {
  std::string text = "# Made by tools/reference from the program's own tables.\n";
  const std::string none = cat("not __fish_seen_subcommand_from ", command_names());
  for (const Option& row : cli::global_options()) {
    if (row.help != nullptr) text += fish_option(none, row);
  }
  for (const Command* command : cli::all_commands()) {
    text += cat("complete -c runtime -f -n ", single_quoted(none), " -a ", command->name, " -d ",
                single_quoted(command->summary), '\n');
    const std::string seen = cat("__fish_seen_subcommand_from ", command->name);
    for (const Option& row : command->options) {
      if (row.help != nullptr) text += fish_option(seen, row);
    }
    if (!takes_known_container(*command)) continue;
    text += cat("complete -c runtime -f -n ", single_quoted(seen),
                " -a '(runtime list --quiet 2>/dev/null)'\n");
  }
  return text;
}

}  // namespace rt::reference
