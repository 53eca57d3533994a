// Rules to a program, by libseccomp; and in front of it the answer for system calls that are newer
// than the rules.
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>

#include "runtime/kernel/seccomp.h"
#include "runtime/plan/seccomp_words.h"
#include "runtime/sys/file.h"

namespace rt::kernel {
namespace {

using plan::SeccompArgument;
using plan::SeccompOperator;
using plan::SeccompRule;
using plan::SeccompStep;
using Program = std::vector<sock_filter>;

struct Release {
  void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;  // scmp_filter_ctx

/// libseccomp returns a negative errno value.
Status check(std::string_view call, int result) {
  if (result < 0) return Error::from_errno(call, -result);
  return ok();
}

/// The system calls of one kernel come by one of these, a line each. A process here cannot make
/// those of another machine, and libseccomp cannot mix byte orders: such a name of the document is
/// passed over. If a call came all the same, it would kill: it is of no architecture of the filter.
constexpr std::array<std::array<uint32_t, 3>, 7> kMachines = {{
    {SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32},
    {SCMP_ARCH_AARCH64, SCMP_ARCH_ARM},
    {SCMP_ARCH_MIPS64, SCMP_ARCH_MIPS, SCMP_ARCH_MIPS64N32},
    {SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL, SCMP_ARCH_MIPSEL64N32},
    {SCMP_ARCH_PPC64, SCMP_ARCH_PPC},
    {SCMP_ARCH_S390X, SCMP_ARCH_S390},
    {SCMP_ARCH_PARISC64, SCMP_ARCH_PARISC},
}};

bool is_of_this_machine(uint32_t architecture) {
  const uint32_t native = seccomp_arch_native();
  if (architecture == native) return true;
  return std::ranges::any_of(kMachines, [&](const auto& machine) {
    return architecture != 0 && std::ranges::count(machine, native) > 0 &&
           std::ranges::count(machine, architecture) > 0;
  });
}

/// libseccomp's number for "SCMP_ARCH_X86_64"; 0 when it has none.
uint32_t architecture_number(std::string_view name) {
  constexpr std::string_view kPrefix = "SCMP_ARCH_";
  if (!name.starts_with(kPrefix)) return 0;
  std::string word(name.substr(kPrefix.size()));
  for (char& c : word) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return seccomp_arch_resolve_name(word.c_str());
}

/// The native one, without which nothing could be executed, and what the document names.
std::vector<uint32_t> architectures_of(const SeccompStep& step) {
  std::vector<uint32_t> architectures = {seccomp_arch_native()};
  for (const std::string& name : step.architectures) {
    const uint32_t number = architecture_number(name);
    const bool known = std::ranges::count(architectures, number) > 0;
    if (is_of_this_machine(number) && !known) architectures.push_back(number);
  }
  return architectures;
}

scmp_compare operator_of(SeccompOperator op) {
  switch (op) {
    case SeccompOperator::kNe:
      return SCMP_CMP_NE;
    case SeccompOperator::kLt:
      return SCMP_CMP_LT;
    case SeccompOperator::kLe:
      return SCMP_CMP_LE;
    case SeccompOperator::kEq:
      return SCMP_CMP_EQ;
    case SeccompOperator::kGe:
      return SCMP_CMP_GE;
    case SeccompOperator::kGt:
      return SCMP_CMP_GT;
    case SeccompOperator::kMaskedEq:
      return SCMP_CMP_MASKED_EQ;
  }
  return _SCMP_CMP_MIN;
}

/// One system call of a rule.
struct Entry {
  const SeccompRule* rule = nullptr;
  int number = 0;  // libseccomp's, which means the same call on every architecture
};
using Layer = std::vector<Entry>;

/// libseccomp's numbers of the calls that it knows: profiles name those of all kernels and
/// machines.
std::vector<int> numbers_of(const SeccompRule& rule) {
  std::vector<int> numbers;
  for (const std::string& name : rule.syscalls) {
    const int number = seccomp_syscall_resolve_name(name.c_str());
    if (number != __NR_SCMP_ERROR) numbers.push_back(number);
  }
  return numbers;
}

/// The first layer has the rules without arguments: of two for one call the later one, and then
/// none with arguments. Those are asked in the order of the document: the first one of a call is in
/// the first layer, its second one in the second, and so on. Not all in one filter: libseccomp 2.5
/// makes wrong programs of two rules that order the same argument ("at most 1" and "above 2^32"
/// together let 3 through).
std::vector<Layer> layers_of(const SeccompStep& step) {
  std::vector<Layer> layers(1);
  std::map<int, const SeccompRule*> general;
  std::map<int, size_t> used;
  // What is done anyhow needs no rule.
  const auto is_needed = [&](const SeccompRule& rule) {
    return rule.action != step.default_action;
  };
  for (const SeccompRule& rule : step.rules) {
    if (!rule.arguments.empty() || !is_needed(rule)) continue;
    for (const int number : numbers_of(rule)) general[number] = &rule;
  }
  for (const auto& [number, rule] : general) layers[0].push_back({rule, number});
  for (const SeccompRule& rule : step.rules) {
    if (rule.arguments.empty() || !is_needed(rule)) continue;
    for (const int number : numbers_of(rule)) {
      if (general.contains(number)) continue;
      const size_t layer = used[number]++;
      if (layer == layers.size()) layers.emplace_back();
      layers[layer].push_back({&rule, number});
    }
  }
  return layers;
}

Status add_rule(const Context& context, const Entry& entry) {
  std::vector<scmp_arg_cmp> arguments;
  arguments.reserve(entry.rule->arguments.size());
  for (const SeccompArgument& one : entry.rule->arguments) {
    arguments.push_back({one.index, operator_of(one.op), one.value, one.value_two});
  }
  return check("seccomp_rule_add",
               seccomp_rule_add_array(context.get(), entry.rule->action, entry.number,
                                      static_cast<unsigned>(arguments.size()), arguments.data()));
}

Result<Program> export_program(const Context& context) {
  constexpr size_t kLimit = size_t{1} << 22;
  const UniqueFd file = TRY(sys::memfd_create("seccomp"));
  TRY(check("seccomp_export_bpf", seccomp_export_bpf(context.get(), file.get())));
  const std::string bytes = TRY(sys::read_file(cat("/proc/self/fd/", file.get()), kLimit));
  Program program(bytes.size() / sizeof(sock_filter));
  std::memcpy(program.data(), bytes.data(), program.size() * sizeof(sock_filter));
  return program;
}

/// What a layer says of a call that is not for it: an action that no rule has.
uint32_t not_here(const SeccompStep& step) {
  uint32_t action = SECCOMP_RET_TRACE | SECCOMP_RET_DATA;
  while (std::ranges::count(step.rules, action, &SeccompRule::action) > 0) --action;
  return action;
}

Result<Program> compile_layer(const std::vector<uint32_t>& architectures, const Layer& layer,
                              uint32_t otherwise) {
  const Context context(seccomp_init(otherwise));
  if (!context) return Error("seccomp_init: no filter");
  for (const uint32_t architecture : architectures) {
    if (architecture == seccomp_arch_native()) continue;
    TRY(check("seccomp_arch_add", seccomp_arch_add(context.get(), architecture)));
  }
  // A binary tree of the system calls' numbers. Without it they are compared one after the other.
  TRY(check("seccomp_attr_set", seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2)));
  for (const Entry& entry : layer) {
    TRY(at(entry.rule->origin, add_rule(context, entry)),
        plan::seccomp_action_words(entry.rule->action));
  }
  return export_program(context);
}

/// Puts `layer` behind `program`: from where it says `otherwise` it goes on at its end.
void append(Program& program, const Program& layer, uint32_t otherwise) {
  for (size_t i = 0; i < layer.size(); ++i) {
    const bool stays = layer[i].code != (BPF_RET | BPF_K) || layer[i].k != otherwise;
    const auto rest = static_cast<uint32_t>(layer.size() - i - 1);
    program.push_back(stays ? layer[i] : sock_filter BPF_STMT(BPF_JMP | BPF_JA, rest));
  }
}

/// System calls of one architecture, from `first` on and below `end`, that are newer than the
/// rules.
struct NewCalls {
  uint32_t architecture = 0;  // as the kernel tells it to the program: AUDIT_ARCH_*
  uint32_t first = 0;
  uint32_t end = 0;
};

/// A call is newer than the rules when its number is above all that they name. They know at least
/// what there was when numbers began to be given out for all architectures at once, 403 in Linux
/// 5.1: a short list of old names does not make the rest new. What is far above is no call to come
/// but private to an architecture (ARM, x32), or -1, which a tracer sets to skip a call.
NewCalls new_calls(const SeccompStep& step, uint32_t architecture) {
  constexpr int kFirstCommon = 403;
  constexpr int kPidfdSendSignal = 424;
  constexpr int kSpan = 0x10000;
  // Found by a call of a known number, since some architectures count from 4000 or more.
  const int base = seccomp_syscall_resolve_name_arch(architecture, "pidfd_send_signal");
  const int floor = base - kPidfdSendSignal + kFirstCommon;
  int first = floor;
  for (const SeccompRule& rule : step.rules) {
    for (const std::string& name : rule.syscalls) {
      const int number = seccomp_syscall_resolve_name_arch(architecture, name.c_str());
      if (number >= first && number < floor + kSpan) first = number + 1;
    }
  }
  return {.architecture = architecture == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : architecture,
          .first = static_cast<uint32_t>(first),
          .end = static_cast<uint32_t>(floor + kSpan)};
}

/// Whether a call that no rule names is answered by the program, without being carried out. A
/// tracer is like an agent of its own: it hears of every call.
bool refuses_by_default(const SeccompStep& step) {
  const uint32_t action = step.default_action & SECCOMP_RET_ACTION_FULL;
  return action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG && action != SECCOMP_RET_TRACE;
}

/// ENOSYS for system calls newer than the rules. The C library tries a new call first and goes back
/// to an old one where the kernel does not know it; EPERM, or death, it takes for the answer. The
/// calls are as little carried out as the default action would have it.
Program answer_new_calls(const SeccompStep& step) {
  constexpr uint32_t kAnswer = SECCOMP_RET_ERRNO | ENOSYS;
  Program program;
  if (!refuses_by_default(step) || step.default_action == kAnswer) return program;
  for (const uint32_t architecture : architectures_of(step)) {
    const NewCalls calls = new_calls(step, architecture);
    const Program block = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls.architecture, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, calls.first, 0, 2),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, calls.end, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, kAnswer),
    };
    program.insert(program.end(), block.begin(), block.end());
  }
  return program;
}

}  // namespace

std::string compiler_version() {
  // To be raised when this file makes another program of the same rules.
  constexpr int kOwn = 1;
  const scmp_version* version = seccomp_version();
  return cat("filter ", kOwn, " libseccomp ", version->major, '.', version->minor, '.',
             version->micro, " for ", seccomp_arch_native());
}

Result<std::vector<sock_filter>> compile_filter(const SeccompStep& step) {
  Program program = answer_new_calls(step);
  const std::vector<uint32_t> architectures = architectures_of(step);
  const uint32_t otherwise = not_here(step);
  for (const Layer& layer : layers_of(step)) {
    const Program part = TRY(compile_layer(architectures, layer, otherwise));
    append(program, part, otherwise);
    if (program.size() >= BPF_MAXINSNS) {
      return Error(cat("the rules make more instructions than the kernel takes: ", BPF_MAXINSNS));
    }
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, step.default_action));
  return program;
}

std::vector<plan::Warning> filter_warnings(const SeccompStep& step) {
  std::vector<plan::Warning> warnings;
  // Elsewhere a call that no rule names is refused, be it known or not.
  if (refuses_by_default(step)) return warnings;
  for (const SeccompRule& rule : step.rules) {
    if (rule.action == SECCOMP_RET_ALLOW || rule.action == step.default_action) continue;
    for (const std::string& name : rule.syscalls) {
      if (seccomp_syscall_resolve_name(name.c_str()) != __NR_SCMP_ERROR) continue;
      warnings.push_back({rule.origin, cat("no effect on ", quoted(name),
                                           ": libseccomp knows no system call of that name")});
    }
  }
  return warnings;
}

}  // namespace rt::kernel
