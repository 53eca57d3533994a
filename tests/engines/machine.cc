#include "tests/engines/machine.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/support/bundle.h"
#include "tests/support/command.h"

namespace rt::testing {
namespace {

/// Ends the program: without its machine a test would change the host.
void need(bool done, const std::string& what) {
  if (done) return;
  std::perror(cat("machine: ", what).c_str());
  std::_Exit(1);
}

std::string text_of(const std::string& path) {
  const Result<std::string> text = sys::read_file(path, size_t{1} << 20);
  return text ? text.value() : "";
}

bool write_text(const std::string& path, std::string_view text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && sys::write_all(file.get(), text).ok();
}

void make_directories(const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    ::mkdir(path.substr(0, end).c_str(), 0755);
    if (end == std::string::npos) return;
  }
}

void mount_at(const std::string& target, const char* type, const std::string& data = "") {
  make_directories(target);
  need(::mount(type, target.c_str(), type, 0, data.c_str()) == 0,
       cat("mount ", type, " at ", target));
}

void bind_at(const std::string& source, const std::string& target) {
  need(::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0,
       cat("bind ", source, " at ", target));
}

/// A line of /proc/self/cgroup.
struct Hierarchy {
  std::string controllers;  // "cpu,cpuacct", "name=systemd"; of v2: empty
  std::string path;         // of this process
  [[nodiscard]] bool unified() const { return controllers.empty(); }
  [[nodiscard]] std::string name() const {
    if (unified()) return "unified";
    return controllers.starts_with("name=") ? controllers.substr(5) : controllers;
  }
};

std::vector<Hierarchy> own_hierarchies() {
  std::vector<Hierarchy> found;
  const std::string text = text_of("/proc/self/cgroup");
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() < 3) continue;
    found.push_back({std::string(fields[1]), std::string(fields[2])});
  }
  return found;
}

void mount_hierarchy(const Hierarchy& hierarchy, const std::string& target) {
  if (hierarchy.unified()) return mount_at(target, "cgroup2");
  mount_at(target, "cgroup", hierarchy.controllers);
}

/// Lets cgroups below this one of v2 have all that it has. Where processes are in the way the
/// machine has fewer controllers.
void pass_controllers_on(const std::string& cgroup) {
  std::string controllers = text_of(cgroup + "/cgroup.controllers");
  if (!controllers.empty()) controllers.pop_back();  // the line's end
  for (const std::string_view one : split(controllers, ' ')) {
    write_text(cgroup + "/cgroup.subtree_control", cat("+", one));
  }
}

/// The machine's cgroup in one hierarchy, as the host sees it.
std::string make_cgroup(const Hierarchy& hierarchy, const std::string& scratch) {
  const std::string mount_point = cat(scratch, "/cgroup/", hierarchy.name());
  mount_hierarchy(hierarchy, mount_point);
  const std::string parent = hierarchy.path == "/" ? mount_point : mount_point + hierarchy.path;
  if (hierarchy.unified()) pass_controllers_on(parent);
  const std::string made = cat(parent, "/engines-", ::getpid());
  need(::mkdir(made.c_str(), 0755) == 0, cat("mkdir ", made));
  // A new cpuset has no processors, and takes no processes.
  for (const char* file : {"/cpuset.cpus", "/cpuset.mems"}) {
    if (hierarchy.controllers.find("cpuset") == std::string::npos) break;
    write_text(made + file, text_of(parent + file));
  }
  // What runs wild in there must not take the host's last pid.
  write_text(made + "/pids.max", "8192");
  return made;
}

/// Removes a cgroup and all below it. The kernel needs a moment after the last process has gone.
bool remove_cgroup(const std::string& cgroup) {
  const Result<std::vector<std::string>> names = sys::list_directory(cgroup);
  if (!names) return errno == ENOENT;
  for (const std::string& name : names.value()) {
    struct stat about{};
    const std::string child = cat(cgroup, "/", name);
    if (::lstat(child.c_str(), &about) == 0 && S_ISDIR(about.st_mode)) remove_cgroup(child);
  }
  return eventually([&] { return ::rmdir(cgroup.c_str()) == 0 || errno == ENOENT; });
}

/// On a host of v2 alone the hierarchy is /sys/fs/cgroup itself. Engines make cgroups below the
/// root and give them controllers, so no process may stay in it.
void mount_cgroups(const std::string& target, const std::vector<Hierarchy>& hierarchies) {
  if (hierarchies.size() == 1 && hierarchies[0].unified()) {
    mount_at(target, "cgroup2");
    need(::mkdir((target + "/machine").c_str(), 0755) == 0, "mkdir machine");
    need(write_text(target + "/machine/cgroup.procs", "0"), "enter its cgroup");
    return pass_controllers_on(target);
  }
  mount_at(target, "tmpfs", "mode=755");
  for (const Hierarchy& hierarchy : hierarchies) {
    mount_hierarchy(hierarchy, cat(target, "/", hierarchy.name()));
  }
}

/// The directory of the report that Bazel asked for: it has to outlive the machine.
std::string report_directory() {
  const char* report = std::getenv("XML_OUTPUT_FILE");
  if (report == nullptr) return "";
  const std::string path = report;
  return path.substr(0, path.rfind('/'));
}

void mount_root(const std::string& scratch, const std::vector<Hierarchy>& hierarchies) {
  const std::string root = scratch + "/root";
  mount_at(root, "overlay",
           cat("lowerdir=/,upperdir=", scratch, "/upper,workdir=", scratch, "/work"));
  mount_at(root + "/proc", "proc");
  mount_at(root + "/sys", "sysfs");
  mount_cgroups(root + "/sys/fs/cgroup", hierarchies);
  bind_at("/dev", root + "/dev");
  mount_at(root + "/dev/shm", "tmpfs", "mode=1777");
  mount_at(root + "/run", "tmpfs", "mode=755");
  // An overlay cannot be the upper layer of another one.
  for (const char* engine : {"docker", "containerd", "containers", "cni"}) {
    mount_at(cat(root, "/var/lib/", engine), "tmpfs", "mode=755");
  }
  if (const std::string reports = report_directory(); !reports.empty()) {
    make_directories(root + reports);
    bind_at(reports, root + reports);
  }
}

void enter_root(const std::string& root) {
  const Result<std::string> place = sys::readlinkat(-1, "/proc/self/cwd");
  need(::chdir(root.c_str()) == 0, "chdir");
  need(::syscall(SYS_pivot_root, ".", ".") == 0, "pivot_root");
  need(::umount2(".", MNT_DETACH) == 0, "umount the host's root");
  need(::mount(nullptr, "/", nullptr, MS_SHARED | MS_REC, nullptr) == 0, "mount --make-rshared /");
  need(::chdir(place ? place.value().c_str() : "/") == 0, "chdir back");
}

/// Waits for all children, and returns how `tests` ended. Everybody else ends with this process.
[[noreturn]] void be_init(pid_t tests) {
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended == tests) std::_Exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    need(ended > 0 || errno == EINTR, "wait");
  }
}

[[noreturn]] void become_machine(const std::string& scratch,
                                 const std::vector<Hierarchy>& hierarchies,
                                 const std::vector<std::string>& cgroups,
                                 const std::function<int()>& tests) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const std::string& cgroup : cgroups) {
    need(write_text(cgroup + "/cgroup.procs", "0"), cat("enter ", cgroup));
  }
  need(::unshare(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC) == 0,
       "unshare");
  mount_root(scratch, hierarchies);
  enter_root(scratch + "/root");
  need(::sethostname("machine", 7) == 0, "sethostname");
  Call call;
  call.args = {"link", "set", "lo", "up"};
  const Outcome up = run_program("/usr/sbin/ip", call);
  need(up.exit_code == 0, cat("ip: ", up.err));
  const pid_t child = ::fork();
  need(child >= 0, "fork");
  if (child == 0) std::exit(tests());
  be_init(child);
}

pid_t machine = 0;  // for the signal handler

void end_machine(int) { ::kill(machine, SIGKILL); }

}  // namespace

int on_a_machine(const std::function<int()>& tests) {
  const char* wanted = std::getenv("ENGINE_MACHINE");
  const bool is_this = wanted != nullptr && wanted == std::string_view("this");
  if (::geteuid() != 0 || is_this) return tests();
  std::string scratch = "/tmp/machine-XXXXXX";
  need(::mkdtemp(scratch.data()) != nullptr, "mkdtemp");
  need(::unshare(CLONE_NEWNS) == 0, "unshare");
  need(::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) == 0,
       "mount --make-rprivate /");
  mount_at(scratch, "tmpfs", "mode=755");
  for (const char* one : {"/upper", "/work"}) make_directories(scratch + one);
  const std::vector<Hierarchy> hierarchies = own_hierarchies();
  std::vector<std::string> cgroups;
  cgroups.reserve(hierarchies.size());
  for (const Hierarchy& one : hierarchies) cgroups.push_back(make_cgroup(one, scratch));

  need(::unshare(CLONE_NEWPID) == 0, "unshare pids");
  machine = ::fork();
  need(machine >= 0, "fork");
  if (machine == 0) become_machine(scratch, hierarchies, cgroups, tests);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::signal(number, end_machine);
  int status = 0;
  while (::waitpid(machine, &status, 0) < 0 && errno == EINTR) {
  }
  bool clean = true;
  for (const std::string& one : cgroups) {
    if (remove_cgroup(one)) continue;
    std::fprintf(stderr, "machine: left behind: %s\n", one.c_str());
    clean = false;
  }
  ::umount2(scratch.c_str(), MNT_DETACH);
  ::rmdir(scratch.c_str());
  return WIFEXITED(status) && clean ? WEXITSTATUS(status) : 1;
}

}  // namespace rt::testing
