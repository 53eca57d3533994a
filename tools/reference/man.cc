#include <algorithm>
#include <cctype>

#include "runtime/base/text.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/version.h"
#include "spec/words.h"
#include "tools/reference/reference.h"

namespace rt::reference {
namespace {

using cli::Command;
using cli::Option;

/// Text for roff: a hyphen that can be copied, and no line that is taken for a request.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  const bool is_request = !out.empty() && (out[0] == '.' || out[0] == '\'');
  return is_request ? cat("\\&", out) : out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

std::string beginning(std::string_view name, std::string_view summary) {
  return cat(".TH ", upper(name), " 8 \"\" \"runtime ", roff(cli::kVersion),
             "\" \"Containers\"\n.SH NAME\n", roff(name), " \\- ", roff(summary), '\n');
}

std::string options_of(std::span<const Option> table) {
  std::string text;
  for (const Option& row : table) {
    if (row.help == nullptr) continue;
    text += ".TP\n";
    if (row.short_name != 0) text += cat("\\fB\\-", row.short_name, "\\fR, ");
    text += cat("\\fB\\-\\-", roff(row.name), "\\fR");
    if (row.value != nullptr) text += cat(" \\fI", roff(row.value), "\\fR");
    text += cat('\n', roff(row.help), '\n');
  }
  return text;
}

bool shows_options(std::span<const Option> table) {
  return std::ranges::any_of(table, [](const Option& row) { return row.help != nullptr; });
}

std::string page_name(const Command& command) { return cat("runtime-", command.name); }

std::string command_page(const Command& command) {
  std::string text = beginning(page_name(command), command.summary);
  text += cat(".SH SYNOPSIS\n.B runtime\n[\\fIoptions\\fR] \\fB", roff(command.name), "\\fR");
  if (shows_options(command.options)) text += " [\\fIoptions\\fR]";
  if (!command.arguments.empty()) text += cat(' ', roff(command.arguments));
  text += cat("\n.SH DESCRIPTION\n", roff(command.summary), ".\n");
  if (shows_options(command.options)) text += cat(".SH OPTIONS\n", options_of(command.options));
  text += cat(".SH EXAMPLE\n.EX\n", roff(command.example), "\n.EE\n");
  return text + ".SH SEE ALSO\n.BR runtime (8)\n";
}

constexpr std::string_view kProgramEnd =
    R"(.SH FILES
.TP
.I /run/runtime
where containers are kept, for root of the machine; for others
.IR $XDG_RUNTIME_DIR/runtime .
.TP
.I config.json
in the bundle: what the container is to be.
.SH ENVIRONMENT
.TP
.B XDG_RUNTIME_DIR
holds the state of containers without root.
.TP
.BR NOTIFY_SOCKET ", " LISTEN_FDS ", " LISTEN_PID
readiness and descriptors that are passed on to the container:
.BR sd_notify (3),
.BR sd_listen_fds (3).
.SH EXIT STATUS
0, or 1 when the command failed; an error is one line on standard error, and in the file of
.BR \-\-log .
.BR run " and " exec ,
in the foreground, end with the payload's own status, or 128 and the number of the signal that ended it.
.SH STANDARDS
The OCI runtime specification, version )";

std::string program_page() {
  std::string text = beginning("runtime", "run containers as the OCI specification describes them");
  text +=
      ".SH SYNOPSIS\n.B runtime\n[\\fIoptions\\fR] \\fIcommand\\fR [\\fIarguments\\fR]\n"
      ".SH DESCRIPTION\n"
      "Makes a container of a bundle: a root file system and a \\fIconfig.json\\fR. The document "
      "is\n"
      "compiled into a plan, which \\fBruntime plan\\fR prints, and which \\fBcreate\\fR carries "
      "out.\n"
      ".SH COMMANDS\n";
  for (const Command* command : cli::all_commands()) {
    text += cat(".TP\n.BR ", roff(page_name(*command)), " (8)\n", roff(command->summary), ".\n");
  }
  text += cat(".SH OPTIONS\nThey stand before the command.\n", options_of(cli::global_options()));
  text += cat(kProgramEnd, roff(spec::kOciVersion), ".\n.SH SEE ALSO\n");
  std::string others;
  for (const Command* command : cli::all_commands()) {
    others += cat(others.empty() ? "" : ",\n", ".BR ", roff(page_name(*command)), " (8)");
  }
  return text + others + '\n';
}

}  // namespace

std::vector<std::pair<std::string, std::string>> man_pages() {
  std::vector<std::pair<std::string, std::string>> pages = {{"runtime.8", program_page()}};
  for (const Command* command : cli::all_commands()) {
    pages.emplace_back(cat(page_name(*command), ".8"), command_page(*command));
  }
  return pages;
}

}  // namespace rt::reference
