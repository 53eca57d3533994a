// What the process may use, and how it is scheduled.
#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "tests/conformance/probe/sections.h"

namespace probe {
namespace {

constexpr const char* kRlimits[] = {
    "RLIMIT_CPU",      "RLIMIT_FSIZE", "RLIMIT_DATA",   "RLIMIT_STACK",
    "RLIMIT_CORE",     "RLIMIT_RSS",   "RLIMIT_NPROC",  "RLIMIT_NOFILE",
    "RLIMIT_MEMLOCK",  "RLIMIT_AS",    "RLIMIT_LOCKS",  "RLIMIT_SIGPENDING",
    "RLIMIT_MSGQUEUE", "RLIMIT_NICE",  "RLIMIT_RTPRIO", "RLIMIT_RTTIME"};

constexpr const char* kPolicies[] = {"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",      "SCHED_BATCH",
                                     "SCHED_ISO",   "SCHED_IDLE", "SCHED_DEADLINE"};

constexpr const char* kIoClasses[] = {"IOPRIO_CLASS_NONE", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE",
                                      "IOPRIO_CLASS_IDLE"};

constexpr const char* kMemoryModes[] = {
    "MPOL_DEFAULT",        "MPOL_PREFERRED",          "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL",
    "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE"};

/// struct sched_attr of Linux 3.14; <linux/sched/types.h> cannot be included beside <sched.h>.
struct SchedAttr {
  uint32_t size = 0;
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0;
  uint64_t deadline = 0;
  uint64_t period = 0;
};

template <size_t kCount>
std::string name_of(const char* const (&names)[kCount], size_t number) {
  return number < kCount ? names[number] : std::to_string(number);
}

void write_scheduler(Writer& out) {
  SchedAttr attributes;
  ::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0);
  out.key("scheduler").open('{').member("policy", name_of(kPolicies, attributes.policy));
  out.member("nice", attributes.nice).member("priority", attributes.priority);
  out.member("flags", attributes.flags).member("runtime", attributes.runtime);
  out.member("deadline", attributes.deadline).member("period", attributes.period).close('}');
}

void write_io_priority(Writer& out) {
  constexpr int kThisProcess = 1;  // IOPRIO_WHO_PROCESS
  constexpr int kClassShift = 13;
  const long value = ::syscall(SYS_ioprio_get, kThisProcess, 0);
  out.key("ioPriority").open('{');
  out.member("class", name_of(kIoClasses, static_cast<size_t>(value >> kClassShift)));
  out.member("priority", value & 7).close('}');
}

void write_cpus(Writer& out) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  ::sched_getaffinity(0, sizeof cpus, &cpus);
  out.key("cpus").open('[');
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &cpus)) out.number(cpu);
  }
  out.close(']');
}

void write_memory_policy(Writer& out) {
  constexpr int kNodes = 1024;  // at least as many as the kernel was built for
  constexpr int kModeBits = 0x1fff;
  constexpr unsigned kBits = 8 * sizeof(unsigned long);
  unsigned long nodes[kNodes / kBits] = {};
  int mode = 0;
  ::syscall(SYS_get_mempolicy, &mode, nodes, kNodes, nullptr, 0);
  out.key("memoryPolicy").open('{');
  out.member("mode", name_of(kMemoryModes, static_cast<size_t>(mode & kModeBits)));
  out.key("flags").open('[');
  if ((mode & 1 << 15) != 0) out.string("MPOL_F_STATIC_NODES");
  if ((mode & 1 << 14) != 0) out.string("MPOL_F_RELATIVE_NODES");
  if ((mode & 1 << 13) != 0) out.string("MPOL_F_NUMA_BALANCING");
  out.close(']').key("nodes").open('[');
  for (unsigned node = 0; node < kNodes; ++node) {
    if ((nodes[node / kBits] >> node % kBits & 1U) != 0) out.number(node);
  }
  out.close(']').close('}');
}

}  // namespace

void write_rlimits(Writer& out) {
  out.key("rlimits").open('{');
  for (size_t i = 0; i < std::size(kRlimits); ++i) {
    rlimit limit{};
    ::getrlimit(static_cast<__rlimit_resource_t>(i), &limit);
    out.key(kRlimits[i]).open('{');
    out.member("soft", limit.rlim_cur).member("hard", limit.rlim_max).close('}');
  }
  out.close('}');
}

void write_scheduling(Writer& out) {
  write_scheduler(out);
  write_io_priority(out);
  write_cpus(out);
  write_memory_policy(out);
}

void write_settings(Writer& out) {
  constexpr unsigned long kAsk = 0xffffffff;
  out.member("oomScoreAdj", without_newline(read_text("/proc/self/oom_score_adj")));
  out.member("personality", ::personality(kAsk));
}

}  // namespace probe
