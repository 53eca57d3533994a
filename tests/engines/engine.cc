#include "tests/engines/engine.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/support/cgroups.h"

namespace rt::testing {
namespace {

constexpr std::chrono::minutes kPatience{2};

/// Mounted on itself by each program that uses Podman's images, and no more by the one that ends
/// last, unless two end at once.
constexpr std::string_view kStorage = "/var/lib/containers/storage/overlay";

/// One file in memory: umoci packs what is on an overlay so that runc does not take it.
std::string new_path(const std::string& ending) {
  static std::atomic<int> number = 0;
  return cat("/run/image-", number++, ending);
}

Call with_args(const std::vector<std::string>& args) {
  Call call;
  call.args = args;
  return call;
}

void must(const std::string& name, const std::vector<std::string>& args) {
  const Outcome outcome = call_program(name, args);
  if (outcome.exit_code == 0) return;
  ADD_FAILURE() << name << ": " << outcome.out << outcome.err;
}

const std::string& root_directory() {
  static const std::string kPath = [] {
    std::string made = new_path("-root");
    make_busybox_root(made);
    return made;
  }();
  return kPath;
}

/// Whose name no user chose: the cgroup of a container, not one that engines keep.
bool belongs_to_a_container(const std::string& cgroup) {
  size_t run = 0;
  for (const char one : cgroup) {
    run = std::string_view("0123456789abcdef").find(one) == std::string_view::npos ? 0 : run + 1;
    if (run == 64) return true;
  }
  return cgroup.find("engine-test-") != std::string::npos;
}

/// Records of the runtimes, wherever an engine has them kept.
void add_records(std::set<std::string>& found, const std::string& root, int depth) {
  for (const std::string& name : names_in(root)) {
    const std::string path = cat(root, "/", name);
    struct stat about{};
    if (::lstat(path.c_str(), &about) < 0 || !S_ISDIR(about.st_mode) || name == "~~filters")
      continue;
    if (::access((path + "/state.json").c_str(), F_OK) == 0 ||
        ::access((path + "/status").c_str(), F_OK) == 0 ||
        ::access((path + "/record.json").c_str(), F_OK) == 0) {
      found.insert(cat("record: ", path));
    } else if (depth > 0) {
      add_records(found, path, depth - 1);
    }
  }
}

void add_processes(std::set<std::string>& found) {
  for (const std::string& name : names_in("/proc")) {
    if (!parse_int(name)) continue;
    const std::string stat = text_of(cat("/proc/", name, "/stat"));
    const size_t begin = stat.find('(');
    const size_t end = stat.rfind(')');
    if (end == std::string::npos || end + 4 >= stat.size()) continue;
    const std::string program = stat.substr(begin, end + 1 - begin);
    const std::string_view rest = std::string_view(stat).substr(end + 2);  // "S PARENT ..."
    if (rest.substr(2).starts_with("2 ")) continue;  // the kernel's own come and go
    const bool zombie = rest[0] == 'Z';
    // A test may restart a server: there is one of each, and its number does not matter.
    const bool server = program == "(dockerd)" || program == "(containerd)";
    found.insert(cat("process: ", server ? "" : name + ' ', program, zombie ? " zombie" : ""));
  }
}

std::set<std::string> everything() {
  std::set<std::string> found;
  add_processes(found);
  for (const std::string& cgroup : all_cgroups()) {
    if (belongs_to_a_container(cgroup)) found.insert(cat("cgroup: ", cgroup));
  }
  for (const char* root :
       {"/run/runtime", "/run/runc", "/run/crun", "/run/docker", "/run/containerd", "/run/user"}) {
    add_records(found, root, 4);
  }
  // Units of systemd that a program asked for; one that failed stays until somebody has looked.
  for (const std::string& unit : names_in("/run/systemd/transient")) {
    if (belongs_to_a_container(unit)) found.insert(cat("unit: ", unit));
  }
  const std::string mounts = text_of("/proc/self/mountinfo");
  for (const std::string_view line : split(mounts, '\n')) {
    const std::vector<std::string_view> fields = split(line, ' ');
    // Docker's for the host's network, from the first container there on.
    if (fields.size() < 5 || fields[4] == "/run/docker/netns/default") continue;
    if (fields[4] != kStorage) found.insert(cat("mount: ", fields[4]));
  }
  return found;
}

std::string what_is_new(const std::set<std::string>& before) {
  std::string text;
  for (const std::string& one : everything()) {
    if (!before.contains(one)) text += cat("  ", one, '\n');
  }
  return text;
}

}  // namespace

std::vector<std::string> names_in(const std::string& directory) {
  const Result<std::vector<std::string>> names = sys::list_directory(directory);
  return names ? names.value() : std::vector<std::string>();
}

std::string text_of(const std::string& path) {
  const Result<std::string> text = sys::read_file(path, size_t{1} << 20);
  return text ? text.value() : "";
}

std::string find_program(const std::string& name) {
  for (const char* directory : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
    std::string path = directory + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

Outcome call_program(const std::string& name, const std::vector<std::string>& args, Call rest) {
  rest.args = args;
  Program program(find_program(name), rest);
  return program.wait(kPatience);
}

std::string stripped(std::string text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

std::string cgroup_driver() {
  const char* wanted = std::getenv("ENGINE_CGROUPS");
  return wanted == nullptr ? "cgroupfs" : wanted;
}

const std::string& root_archive() {
  static const std::string kPath = [] {
    std::string made = new_path(".tar");
    must("tar", {"--create", "--file", made, "--directory", root_directory(), "."});
    return made;
  }();
  return kPath;
}

const std::string& image_archive() {
  static const std::string kPath = [] {
    const std::string layout = new_path("-layout");
    std::string made = new_path(".tar");
    must("umoci", {"init", "--layout", layout});
    must("umoci", {"new", "--image", layout + ":latest"});
    must("umoci", {"insert", "--image", layout + ":latest", root_directory(), "/"});
    must("umoci", {"config", "--image", layout + ":latest", "--config.cmd", "sh", "--config.env",
                   "PATH=/usr/sbin:/usr/bin:/sbin:/bin"});
    must("tar", {"--create", "--file", made, "--directory", layout, "."});
    return made;
  }();
  return kPath;
}

Daemon::Daemon(const std::string& name, const std::vector<std::string>& args,
               const std::function<bool()>& answers)
    : program_(find_program(name), with_args(args)) {
  EXPECT_TRUE(eventually(answers, std::chrono::minutes(1))) << name << ": " << log();
}

Daemon::~Daemon() {
  signal(SIGTERM);
  program_.wait();
}

void Engine::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  for (const std::string& program : programs_) {
    if (find_program(program).empty()) {
      GTEST_SKIP() << program << " is not installed: tools/apt engines";
    }
  }
  static int number = 0;
  name_ = cat("engine-test-", number++);
}

void Engine::watch() {
  before_ = everything();
  watching_ = true;
}

void Engine::TearDown() {
  if (!watching_) return;
  std::string left;
  const bool clean = eventually([&] { return (left = what_is_new(before_)).empty(); });
  EXPECT_TRUE(clean) << "left behind:\n" << left;
}

}  // namespace rt::testing
