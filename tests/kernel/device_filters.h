// What the tests of device filters share: a cgroup with a filter, and a process in it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "runtime/cgroup/limits.h"
#include "runtime/plan/make_plan.h"
#include "runtime/sys/bpf.h"
#include "runtime/sys/file.h"
#include "tests/support/cgroups.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace rt::cgroup::testing {

using rt::testing::fails_with;
using rt::testing::hierarchies;
using rt::testing::Hierarchy;
using rt::testing::is_ok;
using rt::testing::TemporaryDirectory;

using Rules = std::vector<spec::DeviceRule>;

inline const spec::DeviceRule kDenyAll = {false, "", {}, {}, "rwm"};
inline const spec::DeviceRule kAllowAll = {true, "", {}, {}, "rwm"};
inline const spec::DeviceRule kDenyZero = {false, "c", 1, 5, "rw"};

/// A major number without a driver: opening such a node is ENXIO where it is allowed.
inline constexpr unsigned kNoDriver = 511;

struct Version {
  const char* name;
  bool unified;
};

/// A cgroup of the test's own in one hierarchy, with nobody in it.
class DeviceFilter : public ::testing::TestWithParam<Version> {
 protected:
  void SetUp() override {
    for (const Hierarchy& hierarchy : hierarchies()) {
      const bool fits =
          GetParam().unified ? hierarchy.unified : hierarchy.options.contains("devices");
      if (fits) mount_ = hierarchy;
    }
    if (mount_.mount.empty()) GTEST_SKIP() << "no hierarchy of cgroup " << GetParam().name;
    const std::string path = cat(mount_.own, "/runtime-devices-", ::getpid());
    const Status made = sys::mkdir(path, 0755);
    if (!made) GTEST_SKIP() << "cannot make cgroups: " << made.error().message();
    directory_ = path;
  }

  void TearDown() override {
    if (directory_.empty()) return;
    EXPECT_EQ(::rmdir(directory_.c_str()), 0) << errno_text(errno);
  }

  /// The filter that the runtime makes of a document's rules on this machine.
  [[nodiscard]] Result<plan::DeviceFilter> plan_for(const Rules& rules) const {
    spec::Config config;
    config.oci_version = "1.3.0";
    config.root = spec::Root{"rootfs", false};
    config.linux_.namespaces = {{"mount", ""}};
    config.linux_.cgroups_path = "/x";
    config.linux_.resources.emplace();
    config.linux_.resources->devices = rules;
    plan::HostFacts host;
    host.cgroups = {
        {mount_.mount, {mount_.options.begin(), mount_.options.end()}, mount_.unified, "/"}};
    plan::Request request;
    request.id = "x";
    request.bundle = "/bundle";
    request.strict = true;
    const plan::Plan plan = TRY(plan::make_plan(config, request, host));
    plan::DeviceFilter filter = plan.resources.devices.value();
    filter.directory = directory_;
    return filter;
  }

  [[nodiscard]] Status set(const Rules& rules) const {
    const plan::DeviceFilter filter = TRY(plan_for(rules));
    return set_device_filter(filter);
  }

  /// Runs `work` in a child that is in the cgroup; what it returns, up to 255.
  [[nodiscard]] int inside(const std::function<int()>& work) const {
    const pid_t child = ::fork();
    if (child == 0) {
      const Status entered = sys::write_file(cat(directory_, "/cgroup.procs"), "0");
      ::_exit(entered ? work() : 255);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
  }

  /// errno of an open(2) in the cgroup; 0 when it succeeds.
  [[nodiscard]] int open_inside(const std::string& path, int flags = O_RDONLY) const {
    return inside([&] { return ::open(path.c_str(), flags) < 0 ? errno : 0; });
  }

  /// errno of a mknod(2) in the cgroup.
  [[nodiscard]] int mknod_inside(mode_t type, unsigned major, unsigned minor) const {
    const std::string path = cat(nodes_.path(), "/new");
    const int code = inside(
        [&] { return ::mknod(path.c_str(), type | 0600, makedev(major, minor)) < 0 ? errno : 0; });
    ::unlink(path.c_str());
    return code;
  }

  /// A node made outside of the cgroup.
  [[nodiscard]] std::string node(mode_t type, unsigned major, unsigned minor) const {
    std::string path = cat(nodes_.path(), '/', type, '-', major, '-', minor);
    ::mknod(path.c_str(), type | 0600, makedev(major, minor));
    return path;
  }

  [[nodiscard]] std::string list() const {
    return sys::read_file(cat(directory_, "/devices.list"), 1 << 20).value();
  }

  [[nodiscard]] std::vector<uint32_t> programs() const {
    const UniqueFd fd = sys::open(directory_, O_RDONLY | O_DIRECTORY).value();
    return sys::bpf_prog_query(fd.get(), BPF_CGROUP_DEVICE).value();
  }

  Hierarchy mount_;
  std::string directory_;
  TemporaryDirectory nodes_;
};

}  // namespace rt::cgroup::testing
