// Memory. runtime-spec config-linux.md, "Memory"; Documentation/admin-guide/cgroup-v1/memory.rst
// and cgroup-v2.rst.
#include "runtime/base/text.h"
#include "runtime/plan/resources_parts.h"

namespace rt::plan {
namespace {

using Missing = CgroupSetting::Missing;

constexpr Controller kMemory = {"memory", "memory"};
constexpr std::string_view kLimit = "/memory/limit";
constexpr std::string_view kSwap = "/memory/swap";

/// As the specification and v1 count: swap is part of the total. 0: nothing is said. -1: no limit.
struct Amounts {
  int64_t memory = 0;
  int64_t total = 0;
};

Amounts amounts_of(const spec::Resources& resources) {
  if (!resources.memory) return {};
  return {resources.memory->limit.value_or(0), resources.memory->swap.value_or(0)};
}

/// What the kernel has been told. Without a limit of memory there is none of the total either.
Amounts amounts_now(const spec::Resources& now) {
  Amounts amounts = amounts_of(now);
  if (amounts.memory < 0) amounts.total = -1;
  return amounts;
}

/// v2 counts swap by itself. -1: no limit.
int64_t swap_of(const Amounts& amounts) {
  return amounts.total > 0 ? amounts.total - amounts.memory : -1;
}

bool is_less(int64_t a, int64_t b) { return b < 0 ? a >= 0 : a >= 0 && a < b; }

/// -1 in the word of v2.
std::string v2_amount(int64_t amount) { return amount < 0 ? "max" : std::to_string(amount); }

/// The limits of memory and of swap, which are about each other.
class Pair {
 public:
  explicit Pair(Limits& limits)
      : limits_(limits), asked_(amounts_of(limits.wanted())), old_(amounts_now(limits.now())) {
    if (asked_.memory < 0 && asked_.total == 0) asked_.total = -1;
    new_.memory = asked_.memory != 0 ? asked_.memory : old_.memory;
    new_.total = asked_.total != 0 ? asked_.total : old_.total;
  }

  Status plan() {
    if (asked_.memory == 0 && asked_.total == 0) return ok();
    TRY(check());
    const bool unified = limits_.unified(kMemory);
    // v1: the total is never below memory alone. v2: what needs more swap gets it before memory
    // becomes less.
    const bool swap_first = unified ? is_less(swap_of(old_), swap_of(new_))
                                    : old_.total > 0 && is_less(old_.total, new_.memory);
    if (swap_first) TRY(add_swap(unified));
    if (asked_.memory != 0) TRY(add_memory());
    return swap_first ? ok() : add_swap(unified);
  }

 private:
  [[nodiscard]] Status check() const {
    if (new_.total <= 0) return ok();
    if (new_.memory <= 0) {
      return limits_.error(kSwap, "memory and swap together need a limit of memory alone");
    }
    if (new_.total >= new_.memory) return ok();
    return limits_.error(asked_.total != 0 ? kSwap : kLimit,
                         cat("memory and swap together (", new_.total,
                             ") are less than the memory limit ", new_.memory));
  }

  Status add_memory() {
    return limits_.add({.property = std::string(kLimit),
                        .controller = kMemory,
                        .v1 = {{"memory.limit_in_bytes", std::to_string(asked_.memory)}},
                        .v2 = {{"memory.max", v2_amount(asked_.memory)}},
                        .implied = asked_.memory < 0,
                        .time = LimitTime::kLast});
  }

  Status add_swap(bool unified) {
    // A total that stays leaves less or more of it for swap.
    const bool follows = unified && asked_.memory > 0 && new_.total > 0;
    if (asked_.total == 0 && !follows) return ok();
    return limits_.add({.property = std::string(said_swap() ? kSwap : kLimit),
                        .controller = kMemory,
                        .v1 = {{"memory.memsw.limit_in_bytes", std::to_string(new_.total)}},
                        .v2 = {{"memory.swap.max", v2_amount(swap_of(new_))}},
                        .implied = new_.total < 0,
                        .missing = without_swap(unified),
                        .time = LimitTime::kLast});
  }

  [[nodiscard]] bool said_swap() const { return limits_.wanted().memory->swap.value_or(0) != 0; }

  /// No swap at all is what CRI asks for with every limit. v2 lacks the file where the kernel has
  /// no swap; v1 also where it has, and does not count it.
  [[nodiscard]] Missing without_swap(bool unified) const {
    if (new_.total != new_.memory) return Missing::kError;
    return unified ? Missing::kNothing : Missing::kWarning;
  }

  Limits& limits_;
  Amounts asked_;
  Amounts old_;
  Amounts new_;
};

/// Memory of the kernel by itself: v1 alone, and only while nobody is in the cgroup. Not
/// recommended by the specification; from Linux 5.4 on to be given up.
Status add_kernel(Limits& limits, std::string_view name, const std::optional<int64_t>& amount,
                  std::string_view file) {
  if (amount.value_or(0) == 0) return ok();
  return limits.add({.property = cat("/memory/", name),
                     .controller = kMemory,
                     .v1 = {{std::string(file), std::to_string(*amount)}},
                     .implied = *amount < 0,
                     .missing = Missing::kWarning});
}

/// What is said of the controller itself. v2 is always hierarchical, and always kills.
Status add_behaviour(Limits& limits, const spec::Memory& memory) {
  if (memory.use_hierarchy) {
    TRY(limits.add({.property = "/memory/useHierarchy",
                    .controller = kMemory,
                    .v1 = {{"memory.use_hierarchy", *memory.use_hierarchy ? "1" : "0"}},
                    .implied = *memory.use_hierarchy}));
  }
  if (memory.swappiness) {
    TRY(limits.add({.property = "/memory/swappiness",
                    .controller = kMemory,
                    .v1 = {{"memory.swappiness", std::to_string(*memory.swappiness)}}}));
  }
  if (memory.disable_oom_killer) {
    TRY(limits.add({.property = "/memory/disableOOMKiller",
                    .controller = kMemory,
                    .v1 = {{"memory.oom_control", *memory.disable_oom_killer ? "1" : "0"}},
                    .implied = !*memory.disable_oom_killer}));
  }
  return ok();
}

}  // namespace

Status plan_memory(Limits& limits) {
  if (!limits.wanted().memory) return ok();
  const spec::Memory& memory = *limits.wanted().memory;
  TRY(add_behaviour(limits, memory));
  TRY(add_kernel(limits, "kernel", memory.kernel, "memory.kmem.limit_in_bytes"));
  TRY(add_kernel(limits, "kernelTCP", memory.kernel_tcp, "memory.kmem.tcp.limit_in_bytes"));
  TRY(Pair(limits).plan());
  const int64_t reservation = memory.reservation.value_or(0);
  if (reservation == 0) return ok();
  return limits.add({.property = "/memory/reservation",
                     .controller = kMemory,
                     .v1 = {{"memory.soft_limit_in_bytes", std::to_string(reservation)}},
                     .v2 = {{"memory.low", v2_amount(reservation)}},
                     .time = LimitTime::kLast});
}

}  // namespace rt::plan
