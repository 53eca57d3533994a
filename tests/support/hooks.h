// Containers with hooks that write down what they see.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <string_view>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {

/// Hooks are shell scripts. $D is a directory that is there for all of them, on the host and in the
/// container, and that everybody may write to.
class HookedContainer : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_EQ(::mkdir(shared().c_str(), 0777), 0);
    ASSERT_EQ(::chmod(shared().c_str(), 0777), 0);
    ASSERT_EQ(::mkdir((rootfs() + "/shared").c_str(), 0755), 0);
    config_.mount("/shared", "bind", shared(), {"bind"});
    config_.args({"/bin/sleep", "1000"});
  }

  [[nodiscard]] std::string shared() const { return directory() + "/shared"; }
  [[nodiscard]] std::string written(const std::string& name) const {
    return exists(shared() + '/' + name) ? read(shared() + '/' + name) : "";
  }

  /// A hook of config.json; `more` are further members: ", \"timeout\": 1".
  [[nodiscard]] std::string hook_json(std::string_view kind, std::string_view script,
                                      std::string_view more = "") const {
    const bool inside = kind == "startContainer";
    const std::string place = cat("D=", inside ? "/shared" : shared());
    const std::string path = cat("PATH=", inside ? "" : "/usr/sbin:/usr/bin:/sbin:", "/bin");
    return cat(R"({"path": "/bin/sh", "args": )", json_strings({"sh", "-c", std::string(script)}),
               R"(, "env": )", json_strings({place, path, cat("KIND=", kind)}), more, '}');
  }
  void hook(std::string_view kind, std::string_view script, std::string_view more = "") {
    config_.add(cat("/hooks/", kind), hook_json(kind, script, more));
  }

  [[nodiscard]] Call run_call() const { return call({"run", id(), bundle()}); }

  [[nodiscard]] bool is_gone() const {
    return status().find("container does not exist") != std::string::npos;
  }
};

struct HookKind {
  const char* name;
  const char* status;  // that the state says
  bool inside;         // in the container's namespaces
};

inline constexpr HookKind kHookKinds[] = {
    {"prestart", "creating", false},       {"createRuntime", "creating", false},
    {"createContainer", "creating", true}, {"startContainer", "created", true},
    {"poststart", "running", false},       {"poststop", "stopped", false},
};

}  // namespace rt::testing
