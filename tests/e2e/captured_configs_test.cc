// The documents that real engines write, run: with a root file system, bind sources and namespaces
// of this machine's own where they name another's.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

constexpr const char* kConfigs = "tests/data/configs";

/// "docker-default", ...
std::vector<std::string> names() {
  const auto directory = sys::open(kConfigs, O_RDONLY | O_DIRECTORY);
  if (!directory) return {};
  std::vector<std::string> files = sys::list_directory(directory.value().get()).value();
  for (std::string& file : files) file.resize(file.size() - std::string_view(".json").size());
  std::ranges::sort(files);
  return files;
}

/// What engines bind that is no directory.
bool is_file(std::string_view destination) {
  constexpr std::array kFiles = {"resolv.conf",   "hostname",    "hosts",
                                 ".containerenv", "docker-init", "podman-init"};
  return std::ranges::any_of(
      kFiles, [&](std::string_view name) { return destination.ends_with(cat('/', name)); });
}

/// Whether this machine has it, too. A pid of the other machine's means nothing here.
bool is_here(const std::string& path) {
  return !path.starts_with("/proc/") && ::access(path.c_str(), F_OK) == 0;
}

class CapturedConfig : public Container, public ::testing::WithParamInterface<std::string> {
 protected:
  [[nodiscard]] Json document() const {
    Json json(read(cat(kConfigs, '/', GetParam(), ".json")));
    json.set("/root/path", json_string(rootfs()));
    json.set("/linux/cgroupsPath", json_string(cat("/runtime-", id())));
    json.set("/process/args", json_strings({"/bin/true"}));
    json.erase("/process/terminal");
    for (size_t i = 0; i < json.size("/mounts"); ++i) replace_source(json, cat("/mounts/", i));
    for (size_t i = 0; i < json.size("/linux/namespaces"); ++i) {
      const std::string path = cat("/linux/namespaces/", i, "/path");
      if (json.has(path) && !is_here(json.at(path))) json.erase(path);
    }
    for (const std::string& kind : json.names("/hooks")) {
      const std::string path = json.at(cat("/hooks/", kind, "/0/path"));
      if (!is_here(path)) json.erase(cat("/hooks/", kind));
    }
    return json;
  }

 private:
  void replace_source(Json& json, const std::string& mount) const {
    const std::string source = json.at(mount + "/source");
    if (!source.starts_with('/') || is_here(source)) return;
    const std::string destination = json.at(mount + "/destination");
    std::string name = destination;
    std::ranges::replace(name, '/', '_');
    const std::string own = cat(directory(), "/source", name);
    if (is_file(destination)) {
      copy_file("/bin/busybox", own, 0755);
    } else {
      ASSERT_EQ(::mkdir(own.c_str(), 0755), 0);
    }
    json.set(mount + "/source", json_string(own));
  }
};

TEST_P(CapturedConfig, Runs) {
  const Json json = document();
  write_config(json.text());
  if (json.has("/linux/uidMappings")) {
    const std::string owner =
        cat(json.at("/linux/uidMappings/0/hostID"), ':', json.at("/linux/gidMappings/0/hostID"));
    Call change;
    change.args = {"-R", owner, rootfs()};
    ASSERT_TRUE(succeeds(run_program("/bin/chown", change)));
  }
  const Outcome outcome = runtime({"run", "--bundle", bundle(), id()});
  EXPECT_TRUE(succeeds(outcome));
}

INSTANTIATE_TEST_SUITE_P(Engines, CapturedConfig, ::testing::ValuesIn(names()),
                         [](const auto& row) {
                           std::string name = row.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(CapturedConfigs, AreThere) { EXPECT_GE(names().size(), 56U); }

}  // namespace
}  // namespace rt::testing
