#include "runtime/cgroup/scope.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <span>
#include <string>

#include "runtime/cgroup/cgroup.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::cgroup {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What says where the bus is.
constexpr const char* kVariables[] = {
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_SYSTEM_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
    "_CONTAINERS_ROOTLESS_UID",
};
constexpr size_t kLongestAnswer = 65536;
/// For the helper to take back what it has begun, after its own time limit.
constexpr seconds kGrace(10);

std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (const char* name : kVariables) {
    const char* value = std::getenv(name);
    if (value != nullptr) variables.push_back(cat(name, '=', value));
  }
  return variables;
}

std::vector<std::string> arguments(const plan::ScopeStep& step, const std::string& command,
                                   std::span<const plan::UnitProperty> properties, pid_t pid = 0) {
  std::vector<std::string> words = {step.helper, command,     "--unit",
                                    step.unit,   "--timeout", std::to_string(step.timeout_s)};
  if (step.user) words.emplace_back("--user");
  if (command == "start") words.insert(words.end(), {"--slice", step.slice});
  if (command != "set") words.insert(words.end(), {"--cgroup", step.cgroup});
  if (pid != 0) words.insert(words.end(), {"--pid", std::to_string(pid)});
  words.emplace_back("--");
  for (const plan::UnitProperty& property : properties) {
    words.push_back(property.since == 0 ? property.name : cat(property.name, '@', property.since));
    words.push_back(property.signature);
    words.insert(words.end(), property.words.begin(), property.words.end());
  }
  return words;
}

/// The child's ends of the pipes.
struct Ends {
  UniqueFd input;
  UniqueFd output;
};

/// In the child: becomes the helper. Comes back with the reason why not.
Error execute(const std::vector<std::string>& words, const Ends& ends, pid_t caller) {
  TRY(sys::set_parent_death_signal(SIGKILL));
  if (sys::getppid() != caller) return Error("the runtime ended");  // before it was asked for
  // What ends the runtime from a terminal shall not end the process that holds the place first.
  TRY(sys::setsid());
  TRY(sys::reset_signals());
  TRY(sys::dup2(ends.input.get(), 0));
  TRY(sys::dup2(ends.output.get(), 1));
  TRY(sys::dup2(ends.output.get(), 2));  // the loader, when a library is missing
  const std::array kept = {ends.output.get()};
  TRY(sys::close_from(3, kept));
  const std::vector<std::string> variables = environment();
  const std::vector<char*> args = sys::exec_array(words);
  const std::vector<char*> env = sys::exec_array(variables);
  return sys::execve(words.front().c_str(), args.data(), env.data());
}

[[noreturn]] void become_helper(const std::vector<std::string>& words, const Ends& ends,
                                pid_t caller) {
  const Error why = execute(words, ends, caller);
  const std::string told = cat("error ", quoted(words.front()), ": ", why.message(), '\n');
  static_cast<void>(sys::write_all(ends.output.get(), told));
  sys::exit_now(EXIT_FAILURE);
}

/// All that the helper says until it has closed its output.
Result<std::string> listen(int output, milliseconds patience) {
  const auto deadline = sys::monotonic_clock() + patience;
  std::string told;
  while (told.size() < kLongestAnswer) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - sys::monotonic_clock());
    const auto ready = TRY(sys::wait_readable({output}, std::max(left, milliseconds(0))));
    if (!ready) return Error::from_errno("read", ETIMEDOUT);
    std::array<char, 4096> block;
    const size_t count = TRY(sys::read(output, block.data(), block.size()));
    if (count == 0) break;
    told.append(block.data(), count);
  }
  return told;
}

/// "ok", or the error that it is.
Status read_answer(const std::string& helper, std::string_view told) {
  while (told.ends_with('\n')) told.remove_suffix(1);
  if (told == "ok") return ok();
  constexpr std::string_view kError = "error ";
  if (told.starts_with(kError)) return Error(std::string(told.substr(kError.size())));
  return Error(
      cat(quoted(helper), " ended without an answer", told.empty() ? "" : cat(": ", quoted(told))));
}

/// Runs the helper until it has answered and ended. The pipe that is its standard input stays.
Result<UniqueFd> run_helper(const plan::ScopeStep& step, const std::vector<std::string>& words) {
  sys::Pipe input = TRY(sys::pipe());
  sys::Pipe output = TRY(sys::pipe());
  Ends ends;
  ends.input = std::move(input.read);
  ends.output = std::move(output.write);
  const pid_t caller = sys::getpid();
  const sys::Child child = TRY(sys::clone(0));
  if (child.pid == 0) become_helper(words, ends, caller);
  ends = {};
  Result<std::string> told = listen(output.read.get(), seconds(step.timeout_s) + kGrace);
  if (!told) static_cast<void>(sys::pidfd_send_signal(child.pidfd.get(), SIGKILL));
  TRY(sys::wait_for(child.pid));
  if (!told) return std::move(told).error().within(quoted(step.helper));
  TRY(read_answer(step.helper, told.value()));
  return std::move(input.write);
}

}  // namespace

Result<UniqueFd> start_scope(const plan::ScopeStep& step) {
  return run_helper(step, arguments(step, "start", step.properties));
}

Status enter_scope(const plan::ScopeStep& step, pid_t pid) {
  TRY(run_helper(step, arguments(step, "attach", {}, pid)));
  return ok();
}

Status set_scope_properties(const plan::ScopeStep& step,
                            const std::vector<plan::UnitProperty>& properties) {
  if (properties.empty()) return ok();
  TRY(run_helper(step, arguments(step, "set", properties)));
  return ok();
}

}  // namespace rt::cgroup
