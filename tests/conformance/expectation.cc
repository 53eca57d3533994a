#include "tests/conformance/expectation.h"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/conformance/conformance.h"
#include "tests/conformance/expected_capabilities.h"

namespace rt::conformance {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

/// The document, what the probe found, and the list of what does not fit.
struct Comparison {
  const Json& config;
  const Json& report;
  const Caller& caller;
  std::vector<std::string>& found;

  void same(const std::string& field, const std::string& wanted, const std::string& seen) const {
    if (wanted != seen) found.push_back(cat(field, ": wanted ", wanted, ", found ", seen));
  }
  void right(const std::string& field, bool fits, const std::string& seen) const {
    if (!fits) found.push_back(cat(field, ": found ", seen));
  }
  /// The document's value, or this when it has none.
  [[nodiscard]] std::string value(const std::string& pointer, const std::string& absent) const {
    return config.has(pointer) ? config.at(pointer) : absent;
  }
};

void compare_words(const Comparison& all) {
  all.same("/process/args", all.config.at("/process/args"), all.report.at("/args"));
  all.same("/process/env", all.config.at("/process/env"), all.report.at("/env"));
  all.same("/process/cwd", all.config.at("/process/cwd"), all.report.at("/cwd"));
}

void compare_user(const Comparison& all) {
  const std::string uid = all.config.at("/process/user/uid");
  const std::string gid = all.config.at("/process/user/gid");
  all.same("/process/user/uid", cat('[', uid, ',', uid, ',', uid, ']'), all.report.at("/uid"));
  all.same("/process/user/gid", cat('[', gid, ',', gid, ',', gid, ']'), all.report.at("/gid"));
  const bool same =
      words_at(all.config, "/process/user/additionalGids") == words_at(all.report, "/groups");
  all.right("/process/user/additionalGids", same, all.report.at("/groups"));
  if (all.config.has("/process/user/umask")) {
    all.same("/process/user/umask", all.config.at("/process/user/umask"), all.report.at("/umask"));
  }
}

void compare_capabilities(const Comparison& all) {
  const CapabilitySets wanted = capabilities_after_execution(all.config);
  for (const auto& [name, set] : wanted) {
    const std::set<std::string> seen = words_at(all.report, cat("/capabilities/", name));
    all.same(cat("/process/capabilities/", name), ::testing::PrintToString(set),
             ::testing::PrintToString(seen));
  }
  all.same("/process/noNewPrivileges", all.value("/process/noNewPrivileges", "false"),
           all.report.at("/noNewPrivileges"));
}

void compare_rlimits(const Comparison& all) {
  const std::vector<std::string> names = all.report.names("/rlimits");
  for (size_t i = 0; i < names.size(); ++i) {
    rlimit own{};
    ::getrlimit(static_cast<__rlimit_resource_t>(i), &own);
    std::string soft = cat(own.rlim_cur);
    std::string hard = cat(own.rlim_max);
    for (size_t row = 0; row < all.config.size("/process/rlimits"); ++row) {
      const std::string pointer = cat("/process/rlimits/", row);
      if (all.config.at(pointer + "/type") != names[i]) continue;
      soft = all.config.at(pointer + "/soft");
      hard = all.config.at(pointer + "/hard");
    }
    all.same(names[i] + " soft", soft, all.report.at(cat("/rlimits/", names[i], "/soft")));
    all.same(names[i] + " hard", hard, all.report.at(cat("/rlimits/", names[i], "/hard")));
  }
}

void compare_scheduling(const Comparison& all) {
  all.same("/process/oomScoreAdj", all.value("/process/oomScoreAdj", all.caller.oom_score_adj),
           all.report.at("/oomScoreAdj"));
  all.same("/process/scheduler/policy", all.value("/process/scheduler/policy", "SCHED_OTHER"),
           all.report.at("/scheduler/policy"));
  for (const char* field : {"nice", "priority"}) {
    all.same(cat("/process/scheduler/", field), all.value(cat("/process/scheduler/", field), "0"),
             all.report.at(cat("/scheduler/", field)));
  }
  if (all.config.has("/process/ioPriority")) {
    for (const char* field : {"class", "priority"}) {
      all.same(cat("/process/ioPriority/", field),
               all.config.at(cat("/process/ioPriority/", field)),
               all.report.at(cat("/ioPriority/", field)));
    }
  }
  const bool is32 = all.value("/linux/personality/domain", "LINUX") == "LINUX32";
  all.same("/linux/personality", is32 ? "8" : "0", all.report.at("/personality"));
  all.same("/linux/memoryPolicy/mode", all.value("/linux/memoryPolicy/mode", "MPOL_DEFAULT"),
           all.report.at("/memoryPolicy/mode"));
}

/// What every program finds, whatever the document says.
void compare_surroundings(const Comparison& all) {
  all.same("descriptors", "3", cat(all.report.size("/descriptors")));
  all.same("blocked signals", "[]", all.report.at("/signals/blocked"));
  all.same("ignored signals", "[]", all.report.at("/signals/ignored"));
  all.same("session", all.report.at("/session/pid"), all.report.at("/session/session"));
  all.same("terminal", "[false,false,false]", all.report.at("/terminal/streams"));
  all.same("controlling terminal", "false", all.report.at("/terminal/controlling"));
}

/// The member of /linux/namespaces for the type; empty when it is not listed.
std::string namespace_pointer(const Json& config, std::string_view type) {
  for (size_t i = 0; i < config.size("/linux/namespaces"); ++i) {
    const std::string pointer = cat("/linux/namespaces/", i);
    if (config.at(pointer + "/type") == type) return pointer;
  }
  return "";
}

void compare_namespaces(const Comparison& all) {
  constexpr const char* kKinds[][2] = {{"pid", "pid"},   {"network", "net"}, {"ipc", "ipc"},
                                       {"uts", "uts"},   {"mount", "mnt"},   {"cgroup", "cgroup"},
                                       {"time", "time"}, {"user", "user"}};
  for (const auto& [type, file] : kKinds) {
    const std::string pointer = namespace_pointer(all.config, type);
    const std::string seen = all.report.at(cat("/namespaces/", file));
    const std::string own = Caller::namespace_of("self", file);
    const std::string field = cat("namespace ", type);
    if (pointer.empty()) {
      all.same(field, own, seen);
    } else if (all.config.has(pointer + "/path")) {
      const std::string path = all.config.at(pointer + "/path");
      all.same(field, sys::readlinkat(-1, path).value(), seen);
    } else {
      all.right(field, seen != own && seen.starts_with(file), seen);
    }
  }
  for (const char* map : {"uidMappings", "gidMappings"}) {
    const char* identity = R"([{"containerID":0,"hostID":0,"size":4294967295}])";
    all.same(cat("/linux/", map), all.value(cat("/linux/", map), identity),
             all.report.at(cat('/', map)));
  }
}

void compare_names(const Comparison& all) {
  for (const char* name : {"hostname", "domainname"}) {
    if (!all.config.has(cat('/', name))) continue;
    all.same(name, all.config.at(cat('/', name)), all.report.at(cat('/', name)));
  }
  for (const std::string& name : all.config.names("/linux/sysctl")) {
    all.same(cat("/linux/sysctl/", name), all.config.at(cat("/linux/sysctl/", name)),
             all.report.at(cat("/sysctl/", name)));
  }
}

void compare_clock(const Comparison& all, const char* name, int64_t own) {
  constexpr int64_t kSlack = 30 * kSecond;
  const std::string place = cat("/linux/timeOffsets/", name);
  const int64_t offset = parse_int(all.value(place + "/secs", "0")).value_or(0) * kSecond +
                         parse_int(all.value(place + "/nanosecs", "0")).value_or(0);
  const std::string seen = all.report.at(cat("/clocks/", name));
  const int64_t late = parse_int(seen).value_or(0) - own - offset;
  all.right(place, late >= 0 && late < kSlack, seen);
}

void compare_clocks(const Comparison& all) {
  compare_clock(all, "monotonic", all.caller.monotonic);
  compare_clock(all, "boottime", all.caller.boottime);
}

/// The attributes that the words ask for, the last of those that contradict each other winning.
std::set<std::string> attributes_of(const std::vector<std::string>& words) {
  static const std::set<std::string> kPlain = {"ro",     "nosuid",     "nodev",
                                               "noexec", "nodiratime", "nosymfollow"};
  std::set<std::string> attributes;
  std::string access_time = "relatime";
  for (const std::string& word : words) {
    if (kPlain.contains(word)) attributes.insert(word);
    if (word == "noatime" || word == "strictatime" || word == "relatime") access_time = word;
  }
  attributes.insert(access_time);
  return attributes;
}

void compare_mount(const Comparison& all, const std::string& pointer) {
  const std::string destination = all.config.at(pointer + "/destination");
  const std::string type = all.config.at(pointer + "/type");
  std::vector<std::string> words;
  for (size_t i = 0; i < all.config.size(pointer + "/options"); ++i) {
    words.push_back(all.config.at(cat(pointer, "/options/", i)));
  }
  const auto says = [&](const char* word) { return std::ranges::count(words, word) != 0; };
  const std::string seen_type = mount_at(all.report, destination, "type");
  all.right(destination + " type", type == "bind" ? seen_type != "(absent)" : seen_type == type,
            seen_type);
  std::set<std::string> seen = mount_options(all.report, destination);
  const bool mapped = seen.erase("idmapped") != 0;
  all.same(destination + " idmap", says("idmap") ? "true" : "false", mapped ? "true" : "false");
  all.same(destination + " options", ::testing::PrintToString(attributes_of(words)),
           ::testing::PrintToString(seen));
  for (const char* word : {"shared", "slave", "private", "unbindable"}) {
    if (!says(word) && !says(cat('r', word).c_str())) continue;
    const std::string propagation = mount_at(all.report, destination, "propagation");
    all.right(destination + " propagation", propagation.find(word) != std::string::npos,
              propagation);
  }
}

void compare_mounts(const Comparison& all) {
  for (size_t i = 0; i < all.config.size("/mounts"); ++i) {
    compare_mount(all, cat("/mounts/", i));
  }
}

void compare_root(const Comparison& all) {
  const bool readonly = all.value("/root/readonly", "false") == "true";
  const std::string write = path_at(all.report, "/", "write");
  all.right("/root/readonly", (write == "EROFS") == readonly, write);
  all.right("/root/readonly", mount_options(all.report, "/").contains("ro") == readonly, "ro");
  const std::string wanted = all.value("/linux/rootfsPropagation", "");
  const std::string seen = mount_at(all.report, "/", "propagation");
  all.right("/linux/rootfsPropagation", seen.find(wanted) != std::string::npos, seen);
}

void compare_restrictions(const Comparison& all) {
  for (const std::string& path : words_at(all.config, "/linux/maskedPaths")) {
    if (path_at(all.report, path, "type") == "none") continue;
    const std::string text = path_at(all.report, path, "text");
    const std::string entries = path_at(all.report, path, "entries");
    const bool hidden =
        (text == "(absent)" || text.empty()) && (entries == "(absent)" || entries == "[]");
    all.right(cat("masked ", path), hidden, text + entries);
    all.right(cat("masked ", path), mount_at(all.report, path, "type") != "(absent)", "no mount");
  }
  for (const std::string& path : words_at(all.config, "/linux/readonlyPaths")) {
    if (path_at(all.report, path, "type") == "none") continue;
    all.right(cat("read-only ", path), !path_at(all.report, path, "write").empty(), "writable");
    all.right(cat("read-only ", path), mount_options(all.report, path).contains("ro"), "rw");
  }
}

void compare_devices(const Comparison& all) {
  for (size_t i = 0; i < all.config.size("/linux/devices"); ++i) {
    const std::string pointer = cat("/linux/devices/", i);
    const std::string path = all.config.at(pointer + "/path");
    all.same(path + " type", all.config.at(pointer + "/type"), path_at(all.report, path, "type"));
    constexpr const char* kFields[][2] = {{"major", "major"},
                                          {"minor", "minor"},
                                          {"fileMode", "mode"},
                                          {"uid", "uid"},
                                          {"gid", "gid"}};
    for (const auto& [field, name] : kFields) {
      if (!all.config.has(cat(pointer, '/', field))) continue;
      all.same(cat(path, ' ', field), all.config.at(cat(pointer, '/', field)),
               path_at(all.report, path, name));
    }
  }
}

struct KnownCall {
  const char* name;
  const char* question;
};
constexpr KnownCall kCalls[] = {{"getpriority", "140:0:0"},
                                {"times", "100:0"},
                                {"getitimer", "36:0:0"},
                                {"sched_get_priority_max", "146:1"}};

void compare_seccomp(const Comparison& all) {
  all.same("/linux/seccomp", all.config.has("/linux/seccomp") ? "2" : "0",
           all.report.at("/seccomp/mode"));
  for (size_t i = 0; i < all.config.size("/linux/seccomp/syscalls"); ++i) {
    const std::string rule = cat("/linux/seccomp/syscalls/", i);
    const std::string action = all.config.at(rule + "/action");
    for (const KnownCall& call : kCalls) {
      if (!words_at(all.config, rule + "/names").contains(call.name)) continue;
      const std::string answer = cat("/calls/", call.question);
      const bool kills = action.starts_with("SCMP_ACT_KILL");
      all.same(cat(rule, ' ', action), kills ? "31" : "0", all.report.at(answer + "/signal"));
      if (action != "SCMP_ACT_ERRNO") continue;
      const auto code = parse_int(all.value(rule + "/errnoRet", "1")).value_or(0);
      all.same(cat(rule, ' ', action), ::strerrorname_np(static_cast<int>(code)),
               all.report.at(answer + "/error"));
    }
  }
}

constexpr void (*kComparisons[])(const Comparison&) = {
    compare_words, compare_user,         compare_capabilities, compare_rlimits, compare_scheduling,
    compare_names, compare_surroundings, compare_namespaces,   compare_clocks,  compare_mounts,
    compare_root,  compare_restrictions, compare_devices,      compare_seccomp};

}  // namespace

std::string Caller::namespace_of(const std::string& process, const std::string& file) {
  return sys::readlinkat(-1, cat("/proc/", process, "/ns/", file)).value();
}

Caller Caller::now() {
  const auto nanoseconds = [](clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return time.tv_sec * kSecond + time.tv_nsec;
  };
  constexpr size_t kLimit = 64;
  Caller caller;
  caller.monotonic = nanoseconds(CLOCK_MONOTONIC);
  caller.boottime = nanoseconds(CLOCK_BOOTTIME);
  caller.oom_score_adj = sys::read_file("/proc/self/oom_score_adj", kLimit).value();
  caller.oom_score_adj.pop_back();
  return caller;
}

std::vector<std::string> questions_about(const Json& config) {
  std::vector<std::string> questions = {"path=/"};
  for (const char* list : {"/linux/maskedPaths", "/linux/readonlyPaths"}) {
    for (const std::string& path : words_at(config, list)) questions.push_back("path=" + path);
  }
  for (const std::string& name : config.names("/linux/sysctl")) {
    questions.push_back("sysctl=" + name);
  }
  if (config.has("/linux/seccomp")) {
    for (const KnownCall& call : kCalls) questions.push_back(cat("call=", call.question));
  }
  return questions;
}

std::vector<std::string> differences(const Json& config, const Json& report, const Caller& caller) {
  std::vector<std::string> found;
  const Comparison all{.config = config, .report = report, .caller = caller, .found = found};
  for (const auto& compare : kComparisons) compare(all);
  return found;
}

}  // namespace rt::conformance
