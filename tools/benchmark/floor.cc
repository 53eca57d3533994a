// The floor that tools/bench measures runtimes against: the kernel's share of the config that
// `runc spec` writes, in plain C++. No JSON, no state, no plan, no hardening, and an error ends it.
//
//   floor --root DIR run    --bundle BUNDLE ID
//   floor --root DIR create --bundle BUNDLE --pid-file FILE ID
//   floor --root DIR start ID
//   floor --root DIR delete ID
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

struct Mount {
  const char* source;
  const char* target;  // below the root, which is the working directory
  const char* type;
  unsigned long flags;
  const char* data;
};

struct Device {
  const char* path;
  unsigned minor_number;
  unsigned major_number;
};

struct Link {
  const char* target;
  const char* path;
};

constexpr unsigned long kSafe = MS_NOSUID | MS_NOEXEC | MS_NODEV;

constexpr Mount kMounts[] = {
    {"proc", "proc", "proc", 0, nullptr},
    {"tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"},
    {"devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
     "newinstance,ptmxmode=0666,mode=0620,gid=5"},
    {"shm", "dev/shm", "tmpfs", kSafe, "mode=1777,size=65536k"},
    {"mqueue", "dev/mqueue", "mqueue", kSafe, nullptr},
    {"sysfs", "sys", "sysfs", kSafe | MS_RDONLY, nullptr},
    {"tmpfs", "sys/fs/cgroup", "tmpfs", kSafe, "mode=755"},
};

constexpr Device kDevices[] = {{"dev/null", 3, 1},   {"dev/zero", 5, 1},    {"dev/full", 7, 1},
                               {"dev/random", 8, 1}, {"dev/urandom", 9, 1}, {"dev/tty", 0, 5}};

constexpr Link kLinks[] = {{"/proc/self/fd", "dev/fd"},
                           {"/proc/self/fd/0", "dev/stdin"},
                           {"/proc/self/fd/1", "dev/stdout"},
                           {"/proc/self/fd/2", "dev/stderr"},
                           {"pts/ptmx", "dev/ptmx"}};

constexpr const char* kMasked[] = {"/proc/acpi",        "/proc/asound",        "/proc/kcore",
                                   "/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
                                   "/proc/timer_stats", "/proc/sched_debug",   "/sys/firmware",
                                   "/proc/scsi"};

constexpr const char* kReadonly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                     "/proc/sysrq-trigger"};

constexpr const char* kHierarchies[] = {"blkio",   "cpu",     "cpuacct", "cpuset",
                                        "devices", "freezer", "hugetlb", "memory",
                                        "pids",    "systemd", "unified"};

constexpr const char* kDeviceRules[] = {"c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm",  "c 1:8 rwm",
                                        "c 1:9 rwm", "c 5:0 rwm", "c 136:* rwm"};

/// Ends the program, naming the call, when `result` says that it failed.
long must(long result, const char* call) {
  if (result < 0) {
    std::perror(call);
    _exit(1);
  }
  return result;
}

void write_file(const std::string& path, std::string_view text) {
  const int fd = static_cast<int>(must(open(path.c_str(), O_WRONLY | O_CLOEXEC), path.c_str()));
  must(write(fd, text.data(), text.size()), path.c_str());
  close(fd);
}

std::string cgroup_of(const char* hierarchy, const std::string& id) {
  return std::string("/sys/fs/cgroup/") + hierarchy + "/" + id;
}

/// False where the hierarchy is not mounted.
bool make_cgroup(const char* hierarchy, const std::string& id) {
  return mkdir(cgroup_of(hierarchy, id).c_str(), 0755) == 0;
}

void fill_cgroup(const std::string& name, const std::string& id, pid_t pid) {
  const std::string path = cgroup_of(name.c_str(), id);
  if (name == "cpuset") {
    write_file(path + "/cpuset.cpus", "0");
    write_file(path + "/cpuset.mems", "0");
  }
  write_file(path + "/cgroup.procs", std::to_string(pid));
  if (name != "devices") return;
  write_file(path + "/devices.deny", "a");
  for (const char* rule : kDeviceRules) write_file(path + "/devices.allow", rule);
}

void mount_cgroups(const std::string& id) {
  for (const char* name : kHierarchies) {
    const std::string target = std::string("sys/fs/cgroup/") + name;
    if (access(cgroup_of(name, id).c_str(), F_OK) != 0) continue;
    must(mkdir(target.c_str(), 0755), target.c_str());
    must(mount(cgroup_of(name, id).c_str(), target.c_str(), nullptr, MS_BIND, nullptr),
         "bind cgroup");
    must(mount(nullptr, target.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY | kSafe, nullptr),
         "remount cgroup");
  }
  must(mount(nullptr, "sys/fs/cgroup", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY | kSafe, nullptr),
       "remount");
}

void make_root(const std::string& rootfs, const std::string& id) {
  must(mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr), "mount /");
  must(mount(rootfs.c_str(), rootfs.c_str(), nullptr, MS_BIND | MS_REC, nullptr), "bind root");
  must(chdir(rootfs.c_str()), "chdir");
  for (const Mount& row : kMounts) {
    if (mkdir(row.target, 0755) != 0 && errno != EEXIST) must(-1, row.target);
    must(mount(row.source, row.target, row.type, row.flags, row.data), row.target);
  }
  mount_cgroups(id);
  for (const Device& row : kDevices) {
    must(mknod(row.path, S_IFCHR | 0666, makedev(row.major_number, row.minor_number)), row.path);
  }
  for (const Link& row : kLinks) must(symlink(row.target, row.path), row.path);
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "umount");
  must(chdir("/"), "chdir /");
}

void restrict_paths() {
  for (const char* path : kReadonly) {
    if (mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) != 0) continue;
    must(mount(nullptr, path, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY | kSafe, nullptr), path);
  }
  for (const char* path : kMasked) {
    if (mount("/dev/null", path, nullptr, MS_BIND, nullptr) == 0 || errno == ENOENT) continue;
    must(mount("tmpfs", path, "tmpfs", MS_RDONLY, nullptr), path);
  }
  must(mount(nullptr, "/", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr), "read-only /");
}

void drop_privileges() {
  constexpr uint32_t kKept = 1U << CAP_AUDIT_WRITE | 1U << CAP_KILL | 1U << CAP_NET_BIND_SERVICE;
  for (int capability = 0; capability <= 40; ++capability) {
    const bool kept = capability < 32 && (kKept >> capability & 1U) != 0;
    if (!kept) must(prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "PR_CAPBSET_DROP");
  }
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {{.effective = kKept, .permitted = kKept, .inheritable = 0}, {}};
  must(syscall(SYS_capset, &header, data), "capset");
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
  const rlimit limit{.rlim_cur = 1024, .rlim_max = 1024};
  must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

struct Arguments {
  std::string root, command, bundle, pid_file, id;
  [[nodiscard]] std::string fifo() const { return root + "/" + id; }
};

[[noreturn]] void init(const Arguments& arguments, int go, int fifo) {
  char byte = 0;
  must(read(go, &byte, 1), "read");  // in its cgroups from here on
  setsid();
  must(sethostname("floor", 5), "sethostname");
  make_root(arguments.bundle + "/rootfs", arguments.id);
  restrict_paths();
  drop_privileges();
  must(write(go, &byte, 1), "write");
  if (fifo >= 0) must(read(fifo, &byte, 1), "read fifo");
  must(syscall(SYS_close_range, 3, ~0U, 0), "close_range");
  char program[] = "/bin/true";
  char path[] = "PATH=/bin";
  char* words[] = {program, nullptr};
  char* environment[] = {path, nullptr};
  execve(program, words, environment);
  _exit(127);
}

/// Makes the container and returns when its init waits (`fifo` >= 0) or is about to execute.
pid_t launch(const Arguments& arguments, int fifo) {
  for (const char* name : kHierarchies) make_cgroup(name, arguments.id);
  int channel[2];
  must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), "socketpair");
  clone_args options{};
  options.flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET;
  options.exit_signal = SIGCHLD;
  const auto pid =
      static_cast<pid_t>(must(syscall(SYS_clone3, &options, sizeof options), "clone3"));
  if (pid == 0) init(arguments, channel[1], fifo);
  for (const char* name : kHierarchies) {
    if (access(cgroup_of(name, arguments.id).c_str(), F_OK) == 0) {
      fill_cgroup(name, arguments.id, pid);
    }
  }
  close(channel[1]);
  char byte = 0;
  must(write(channel[0], &byte, 1), "write");
  if (read(channel[0], &byte, 1) != 1) _exit(1);
  return pid;
}

void remove_cgroups(const std::string& id) {
  for (const char* name : kHierarchies) rmdir(cgroup_of(name, id).c_str());
}

void create(const Arguments& arguments) {
  must(mkfifo(arguments.fifo().c_str(), 0600), "mkfifo");
  const int fifo =
      static_cast<int>(must(open(arguments.fifo().c_str(), O_RDWR | O_CLOEXEC), "open"));
  const pid_t pid = launch(arguments, fifo);
  const int file = static_cast<int>(must(
      open(arguments.pid_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), "open"));
  const std::string text = std::to_string(pid);
  must(write(file, text.data(), text.size()), "write");
}

void run(const Arguments& arguments) {
  const pid_t pid = launch(arguments, -1);
  int status = 0;
  must(waitpid(pid, &status, 0), "waitpid");
  remove_cgroups(arguments.id);
  if (status != 0) _exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool has_value = i + 1 < argc;
    if (word == "--root" && has_value) {
      arguments.root = argv[++i];
    } else if (word == "--bundle" && has_value) {
      arguments.bundle = argv[++i];
    } else if (word == "--pid-file" && has_value) {
      arguments.pid_file = argv[++i];
    } else if (arguments.command.empty()) {
      arguments.command = word;
    } else {
      arguments.id = word;
    }
  }
  if (arguments.command == "run") {
    run(arguments);
  } else if (arguments.command == "create") {
    create(arguments);
  } else if (arguments.command == "start") {
    write_file(arguments.fifo(), "1");
    unlink(arguments.fifo().c_str());
  } else if (arguments.command == "delete") {
    remove_cgroups(arguments.id);
  } else {
    std::fputs("usage: floor --root DIR COMMAND [--bundle DIR] [--pid-file FILE] ID\n", stderr);
    return 2;
  }
  return 0;
}
