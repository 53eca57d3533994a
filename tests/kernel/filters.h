// What the tests of seccomp filters share: filters to make, and a process to put under them.
#pragma once

#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "runtime/kernel/seccomp.h"
#include "runtime/plan/make_plan.h"
#include "runtime/sys/process.h"
#include "spec/load.h"

namespace rt::testing {

constexpr uint32_t errno_action(uint32_t code) { return SECCOMP_RET_ERRNO | code; }

inline plan::SeccompRule rule(uint32_t action, std::vector<std::string> names,
                              std::vector<plan::SeccompArgument> arguments = {}) {
  return {.syscalls = std::move(names),
          .action = action,
          .arguments = std::move(arguments),
          .origin = "/linux/seccomp/syscalls/0"};
}

inline plan::SeccompStep filter_of(uint32_t default_action, std::vector<plan::SeccompRule> rules,
                                   std::vector<std::string> architectures = {}) {
  plan::SeccompStep step;
  step.default_action = default_action;
  step.architectures = std::move(architectures);
  step.rules = std::move(rules);
  step.origin = "/linux/seccomp";
  for (const plan::SeccompRule& one : step.rules) {
    step.notifies = step.notifies || one.action == SECCOMP_RET_USER_NOTIF;
  }
  return step;
}

/// The filter of a document of tests/data/configs.
inline plan::SeccompStep filter_of_config(const std::string& name) {
  std::ifstream file("tests/data/configs/" + name + ".json");
  std::ostringstream text;
  text << file.rdbuf();
  const spec::Loaded loaded = spec::load_config(text.str());
  if (!loaded.config) return {};
  spec::Config config;
  config.process.emplace();
  config.process->args = {"/bin/sh"};
  config.root = spec::Root{"rootfs", false};
  config.linux_.namespaces = {{"mount", ""}};
  config.linux_.seccomp = loaded.config->linux_.seccomp;
  plan::Request request;
  request.id = "demo";
  request.bundle = "/bundle";
  Result<plan::Plan> planned = plan::make_plan(config, request, plan::HostFacts());
  if (!planned || !planned.value().process->seccomp) return {};
  return std::move(*planned.value().process->seccomp);
}

/// What ended a process: 0 to 255 by its own exit, 1000 and the signal otherwise.
inline int end_of(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

constexpr int kNotLoaded = 250;

/// Starts a child that runs `act` under the filter and exits with what it returns.
inline pid_t start_under(const kernel::Filter& filter, const std::function<int()>& act) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  const bool loaded = sys::set_no_new_privileges().ok() && kernel::load_filter(filter).ok();
  ::syscall(SYS_exit_group, loaded ? act() : kNotLoaded);
  ::abort();
}

/// The end of a process that runs `act` under the filter of `step`.
inline int run_under(const plan::SeccompStep& step, const std::function<int()>& act) {
  const Result<kernel::Filter> filter = kernel::make_filter(step, "");
  EXPECT_TRUE(filter.ok()) << filter.error().message();
  return filter ? end_of(start_under(filter.value(), act)) : -1;
}

}  // namespace rt::testing
