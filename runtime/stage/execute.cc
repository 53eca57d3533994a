// The last part of init's life: it waits to be released and started, and becomes the payload.
#include <linux/capability.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/capabilities.h"
#include "runtime/kernel/home.h"
#include "runtime/kernel/hooks.h"
#include "runtime/kernel/seccomp.h"
#include "runtime/stage/context.h"
#include "runtime/stage/protocol.h"
#include "runtime/stage/report.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::stage {
namespace {

using plan::Step;

bool has(const std::vector<std::string>& variables, std::string_view name) {
  const std::string beginning = cat(name, '=');
  return std::ranges::any_of(variables,
                             [&](const std::string& one) { return one.starts_with(beginning); });
}

void set_default(std::vector<std::string>& variables, std::string_view name, int64_t value) {
  if (!has(variables, name)) variables.push_back(cat(name, '=', value));
}

/// The document's; HOME, which Docker and containerd leave to the runtime; and what only we know
/// for sd_listen_fds(3).
std::vector<std::string> environment(const Context& context) {
  std::vector<std::string> variables;
  if (context.plan.process) {
    variables = context.plan.process->env;
    if (!has(variables, "HOME")) {
      variables.push_back(cat("HOME=", kernel::home_of(context.plan.process->uid)));
    }
  }
  if (context.plan.listen_fds == 0) return variables;
  // podman's documents have the first of them.
  set_default(variables, "LISTEN_FDS", context.plan.listen_fds);
  set_default(variables, "LISTEN_PID", sys::getpid());
  return variables;
}

/// From "ready" on init has the payload's own limits: all that it allocates, it has by then.
Status prepare(Context& context) {
  if (!context.filter || !context.filter->notifies) return ok();
  context.offer = TRY(prepare_offer(context.options.report.writer));
  return ok();
}

Status wait_for_release(Context& context) {
  const int channel = context.channel.get();
  const ReportPipe& report = context.options.report;
  TRY(ask(channel, Message::kReady, Message::kRelease));
  TRY(sys::set_parent_death_signal(0));
  // All of it: what the runtime opened for us, none of which the payload may have (CVE-2024-21626).
  const int first = 3 + static_cast<int>(context.plan.preserved_fds);
  const std::array kept = {channel, context.options.exec_fifo, report.writer, report.keeper};
  TRY(sys::close_from(first, kept));
  return send_message(channel, Message::kReleased);
}

/// Where there is a fifo, until `start` writes to it.
Status wait_for_start(const LaunchOptions& options) {
  if (options.exec_fifo < 0) return ok();
  char start = 0;
  TRY(sys::read(options.exec_fifo, &start, 1));
  // Who starts us reads the report from now on: without it, writing there is an error.
  UniqueFd(options.report.keeper).reset();
  return ok();
}

Status run_start_hooks(const Context& context) {
  constexpr auto kKind = plan::HookKind::kStartContainer;
  if (!context.plan.has_hooks(kKind)) return ok();
  const std::string state = context.options.state(kKind, sys::getpid());
  return kernel::run_hooks(context.plan.hooks, kKind, {.state = state, .directory = ""});
}

/// Whoever starts us can tell our death before this from the execution.
Status announce_execution(const Context& context) {
  const int report = context.options.report.writer;
  return report < 0 ? ok() : report_execution(report);
}

/// From here on the filter decides over what we do: an offer to the agent, and the execution.
Status load_filter(Context& context) {
  if (!context.filter) return ok();
  const plan::ProcessStep& process = *context.plan.process;
  if (!process.no_new_privileges) {
    TRY(kernel::raise_effective(CAP_SYS_ADMIN));
  }
  // Only a dumpable process lets a runtime without rights over the host take its descriptors; of
  // the host's it has none any more.
  if (context.filter->notifies && context.rootless) TRY(sys::set_dumpable(true));
  UniqueFd listener = TRY(at(process.seccomp->origin, kernel::load_filter(*context.filter)));
  if (!listener) return ok();
  // Closed by the execution, not by us: close(2) may wait for the agent.
  return offer_listener(context.options.report.writer, context.offer, listener.release());
}

/// Nobody listens on the channel any more: whoever starts us is told, or the container's own
/// standard error.
[[noreturn]] void start_failed(const Context& context, const Error& error) {
  if (context.options.report.writer >= 0) {
    static_cast<void>(report_failure(context.options.report.writer, error));
  } else {
    static_cast<void>(sys::write_all(2, cat(error.message(), '\n')));
  }
  sys::exit_now(EXIT_FAILURE);
}

template <class T>
T require(const Context& context, Step step, Result<T> result) {
  if (!result) start_failed(context, std::move(result).error().in_step(plan::name_of(step)));
  return std::move(result).value();
}

}  // namespace

void wait_and_execute(Context& context) {
  // Without a process there is nothing to start, and nobody will.
  static const plan::ProcessStep kNone;
  const plan::ProcessStep& process = context.plan.process ? *context.plan.process : kNone;
  const std::vector<std::string> variables = environment(context);
  const std::vector<char*> args = sys::exec_array(process.args);
  const std::vector<char*> env = sys::exec_array(variables);
  Status ready = prepare(context);
  if (ready) ready = wait_for_release(context);
  if (!ready) {
    static_cast<void>(send_failure(context.channel.get(), ready.error()));
    sys::exit_now(EXIT_FAILURE);
  }
  context.channel.reset();
  require(context, Step::kRelease, wait_for_start(context.options));
  require(context, Step::kStartContainerHooks, run_start_hooks(context));
  require(context, Step::kExecute, announce_execution(context));
  require(context, Step::kSeccomp, load_filter(context));
  // The fifo and the report close with the execution: that is what `start` waits for.
  const Error error = sys::execve(context.executable.c_str(), args.data(), env.data());
  const std::string reason = context.obstacle.empty() ? "" : cat(" (", context.obstacle, ')');
  static_cast<void>(sys::write_all(
      2, cat("exec ", context.executable, ": ", errno_text(error.code()), reason, '\n')));
  sys::exit_now(EXIT_FAILURE);
}

}  // namespace rt::stage
