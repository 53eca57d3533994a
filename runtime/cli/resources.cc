// The commands on a container's cgroup: update, pause, resume, ps.
#include <limits>
#include <utility>

#include "runtime/cli/commands.h"
#include "runtime/cli/render.h"
#include "runtime/cli/sizes.h"
#include "runtime/container/container.h"
#include "runtime/container/output.h"
#include "runtime/container/self.h"

namespace rt::cli {
namespace {

struct NoOptions {};

/// The one argument of a command that has no options: the container's id.
Result<std::string> read_id(const Invocation& invocation) {
  NoOptions none;
  auto rest = TRY(parse_arguments(invocation, {}, none, 1, 1));
  return std::move(rest[0]);
}

struct UpdateArguments {
  std::string resources;
  std::string blkio_weight;
  std::string cpu_period;
  std::string cpu_quota;
  std::string cpu_burst;
  std::string cpu_share;
  std::string cpu_rt_period;
  std::string cpu_rt_runtime;
  std::string cpu_idle;
  std::string cpuset_cpus;
  std::string cpuset_mems;
  std::string memory;
  std::string memory_reservation;
  std::string memory_swap;
  std::string pids_limit;
  std::string kernel_memory;
  std::string kernel_memory_tcp;
  std::string l3_cache_schema;
  std::string mem_bw_schema;
};

constexpr Option kUpdateOptions[] = {
    option<&UpdateArguments::resources>("resources", 'r', "FILE",
                                        "a linux.resources object of config.json in place of the "
                                        "limits below; - is standard input"),
    option<&UpdateArguments::memory>("memory", 0, "SIZE", "bytes, also as 512m; -1: no limit"),
    option<&UpdateArguments::memory_reservation>("memory-reservation", 0, "SIZE",
                                                 "what is left to it when memory is short"),
    option<&UpdateArguments::memory_swap>("memory-swap", 0, "SIZE", "memory and swap together"),
    option<&UpdateArguments::cpu_share>("cpu-share", 0, "N", "weight beside others: 2 to 262144"),
    option<&UpdateArguments::cpu_period>("cpu-period", 0, "USEC", "period of the quota"),
    option<&UpdateArguments::cpu_quota>("cpu-quota", 0, "USEC",
                                        "processor time in each period; -1: no limit"),
    option<&UpdateArguments::cpu_burst>("cpu-burst", 0, "USEC",
                                        "unused quota that it may save for later"),
    option<&UpdateArguments::cpu_rt_period>("cpu-rt-period", 0, "USEC",
                                            "period for real-time scheduling (cgroup v1)"),
    option<&UpdateArguments::cpu_rt_runtime>("cpu-rt-runtime", 0, "USEC",
                                             "real-time processor time in each (cgroup v1)"),
    option<&UpdateArguments::cpu_idle>("cpu-idle", 0, "N", "1: only when nobody else wants to run"),
    option<&UpdateArguments::cpuset_cpus>("cpuset-cpus", 0, "LIST", "processors: 0-3,7"),
    option<&UpdateArguments::cpuset_mems>("cpuset-mems", 0, "LIST", "memory nodes: 0-1"),
    option<&UpdateArguments::pids_limit>("pids-limit", 0, "N", "processes; -1: no limit"),
    option<&UpdateArguments::blkio_weight>("blkio-weight", 0, "N",
                                           "weight of its disk accesses: 10 to 1000"),
    option<&UpdateArguments::l3_cache_schema>("l3-cache-schema", 0, "LINE",
                                              "its share of the L3 cache, in resctrl's words"),
    option<&UpdateArguments::mem_bw_schema>("mem-bw-schema", 0, "LINE",
                                            "its share of memory bandwidth, likewise"),
    option<&UpdateArguments::kernel_memory>("kernel-memory", 0, "SIZE", nullptr),
    option<&UpdateArguments::kernel_memory_tcp>("kernel-memory-tcp", 0, "SIZE", nullptr),
};

Status set_size(std::string_view name, const std::string& text, std::optional<int64_t>& into) {
  if (!text.empty()) into = TRY(parse_size(text), "--", name);
  return ok();
}

template <class T>
Status set_number(std::string_view name, const std::string& text, std::optional<T>& into) {
  if (text.empty()) return ok();
  using Limits = std::numeric_limits<T>;
  const auto number = parse_int(text);
  const bool fits = number && std::in_range<T>(*number);
  if (!fits) {
    const std::string most = Limits::digits < 63 ? cat(" to ", Limits::max()) : " on";
    return Error(cat("--", name, ' ', quoted(text), ": expected a number",
                     Limits::is_signed ? "" : cat(" from 0", most)));
  }
  into = static_cast<T>(*number);
  return ok();
}

Result<spec::Memory> memory_of(const UpdateArguments& options) {
  spec::Memory memory;
  TRY(set_size("memory", options.memory, memory.limit));
  TRY(set_size("memory-reservation", options.memory_reservation, memory.reservation));
  TRY(set_size("memory-swap", options.memory_swap, memory.swap));
  return memory;
}

Result<spec::Cpu> cpu_of(const UpdateArguments& options) {
  spec::Cpu cpu;
  TRY(set_number("cpu-share", options.cpu_share, cpu.shares));
  TRY(set_number("cpu-period", options.cpu_period, cpu.period));
  TRY(set_number("cpu-quota", options.cpu_quota, cpu.quota));
  TRY(set_number("cpu-burst", options.cpu_burst, cpu.burst));
  TRY(set_number("cpu-rt-period", options.cpu_rt_period, cpu.realtime_period));
  TRY(set_number("cpu-rt-runtime", options.cpu_rt_runtime, cpu.realtime_runtime));
  TRY(set_number("cpu-idle", options.cpu_idle, cpu.idle));
  cpu.cpus = options.cpuset_cpus;
  cpu.mems = options.cpuset_mems;
  return cpu;
}

/// What the flags say, as the document that says the same.
Result<spec::Resources> resources_of(const UpdateArguments& options) {
  spec::Resources resources;
  const spec::Memory memory = TRY(memory_of(options));
  if (memory != spec::Memory()) resources.memory = memory;
  const spec::Cpu cpu = TRY(cpu_of(options));
  if (cpu != spec::Cpu()) resources.cpu = cpu;
  spec::BlockIo block_io;
  TRY(set_number("blkio-weight", options.blkio_weight, block_io.weight));
  if (block_io != spec::BlockIo()) resources.block_io = block_io;
  TRY(set_number("pids-limit", options.pids_limit, resources.pids_limit));
  return resources;
}

/// The kernel has no such limits any more (Linux 5.16, 6.6); callers still send the flags.
void warn_of_kernel_memory(const UpdateArguments& options, Log& log) {
  const std::pair<std::string_view, const std::string&> flags[] = {
      {"kernel-memory", options.kernel_memory}, {"kernel-memory-tcp", options.kernel_memory_tcp}};
  for (const auto& [name, value] : flags) {
    if (!value.empty()) log.warn(cat("--", name, ": ignored: the kernel counts it as memory"));
  }
}

Result<int> update(const Invocation& invocation) {
  UpdateArguments options;
  const auto rest = TRY(parse_arguments(invocation, kUpdateOptions, options, 1, 1));
  container::UpdateOptions wanted;
  wanted.changes = TRY(resources_of(options), "update");
  const bool flags = wanted.changes != spec::Resources();
  const bool rdt = !options.l3_cache_schema.empty() || !options.mem_bw_schema.empty();
  if (!options.resources.empty()) {
    if (flags) return Error("update: --resources and flags for limits exclude one another");
    wanted.document = TRY(container::read_document(options.resources), "--resources");
  }
  TRY(container::close_inherited(0));
  warn_of_kernel_memory(options, invocation.log);
  const bool ignored = !options.kernel_memory.empty() || !options.kernel_memory_tcp.empty();
  if (!flags && !rdt && !wanted.document && !ignored) {
    return Error("update: expected --resources, or a limit");
  }
  wanted.l3_cache_schema = options.l3_cache_schema;
  wanted.mem_bw_schema = options.mem_bw_schema;
  const plan::Request base = TRY(base_request(invocation.globals));
  wanted.resctrl_root = base.resctrl_root;
  wanted.strict = base.strict;
  wanted.cgroup_manager = base.cgroup_manager;
  wanted.systemd_helper = base.systemd_helper;
  wanted.warn = warn_to(invocation.log);
  const container::Store store = TRY(open_store(invocation.globals));
  TRY(container::update(store, rest[0], wanted));
  return 0;
}

Result<int> pause(const Invocation& invocation) {
  const std::string id = TRY(read_id(invocation));
  const container::Store store = TRY(open_store(invocation.globals));
  TRY(container::pause(store, id));
  return 0;
}

Result<int> resume(const Invocation& invocation) {
  const std::string id = TRY(read_id(invocation));
  const container::Store store = TRY(open_store(invocation.globals));
  TRY(container::resume(store, id));
  return 0;
}

struct PsArguments {
  std::string format = "table";
};
constexpr Option kPsOptions[] = {
    option<&PsArguments::format>("format", 'f', "FORMAT", "table or json"),
};

/// What follows the id is meant for ps(1), which other runtimes run: there is nothing to hand it
/// to. But for our --format: that of ps(1) takes names of columns, and has none of these.
void read_behind_id(std::span<const std::string> words, PsArguments& options) {
  constexpr std::string_view kOption = "--format";
  for (size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    std::string_view value = words[i];
    if (value == kOption && i + 1 < words.size()) {
      value = words[i + 1];
    } else if (value.starts_with(cat(kOption, '='))) {
      value.remove_prefix(kOption.size() + 1);
    } else {
      continue;
    }
    if (value == "json" || value == "table") options.format = value;
  }
}

Result<int> ps(const Invocation& invocation) {
  PsArguments options;
  const auto rest =
      TRY(parse_options(kPsOptions, invocation.arguments, options, invocation.command.order), "ps");
  TRY(check_count(invocation.command, rest, 1, SIZE_MAX));
  read_behind_id(std::span(rest).subspan(1), options);
  const bool json = TRY(is_json(options.format, "table"), "--format");
  const container::Store store = TRY(open_store(invocation.globals));
  const std::vector<pid_t> pids = TRY(container::processes(store, rest[0]));
  if (json) {
    TRY(print(processes_json(pids)));
    return 0;
  }
  const auto described = TRY(container::describe_processes(pids));
  TRY(print(processes_table(described)));
  return 0;
}

constexpr Command kCommands[] = {
    {.name = "update",
     .arguments = "<id>",
     .summary = "Change the limits of a container: all that is asked for, or nothing",
     .example = "runtime update --memory 512m --pids-limit 100 demo",
     .options = kUpdateOptions,
     .run = update,
     .seals = false,
     .reads_inherited = true},
    {.name = "pause",
     .arguments = "<id>",
     .summary = "Stop all processes of a container where they are",
     .example = "runtime pause demo",
     .options = {},
     .run = pause,
     .seals = false},
    {.name = "resume",
     .arguments = "<id>",
     .summary = "Let the processes of a paused container go on",
     .example = "runtime resume demo",
     .options = {},
     .run = resume,
     .seals = false},
    {.name = "ps",
     .arguments = "<id> [<option of ps(1), ignored>...]",
     .summary = "Show the processes of a container",
     .example = "runtime ps --format json demo",
     .options = kPsOptions,
     .run = ps,
     .seals = false,
     .order = Order::kBeforeOthers},
};

}  // namespace

std::span<const Command> resource_commands() { return kCommands; }

}  // namespace rt::cli
