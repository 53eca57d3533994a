// Compiled filters compared with their rules: a small interpreter runs the program, as the kernel
// would, on system calls that cannot be made here.
#include <linux/audit.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <random>

#include "tests/kernel/filters.h"
#include "tests/support/matchers.h"

namespace rt::testing {
namespace {

using plan::SeccompArgument;
using plan::SeccompOperator;
using plan::SeccompRule;
using plan::SeccompStep;
using Program = std::vector<sock_filter>;

constexpr uint32_t kX32 = 0x40000000;

/// What the program says of a call; nothing when it is no program the kernel would take. Counts the
/// instructions in `executed`.
std::optional<uint32_t> interpret(const Program& program, const seccomp_data& call,
                                  size_t* executed = nullptr) {
  uint32_t a = 0;
  for (size_t at = 0; at < program.size(); ++at) {
    if (executed != nullptr) ++*executed;
    const sock_filter& step = program[at];
    const auto jump = [&](bool taken) { at += taken ? step.jt : step.jf; };
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (step.k % 4 != 0 || step.k >= sizeof call) return std::nullopt;
        std::memcpy(&a, reinterpret_cast<const char*>(&call) + step.k, sizeof a);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= step.k;
        break;
      case BPF_JMP | BPF_JA:
        at += step.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        jump(a == step.k);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        jump(a >= step.k);
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        jump(a > step.k);
        break;
      case BPF_RET | BPF_K:
        return step.k;
      default:
        return std::nullopt;
    }
  }
  return std::nullopt;
}

/// A system call by its numbers. None that 32-bit x86 multiplexes.
struct Call {
  const char* name;
  uint32_t x86_64;
  uint32_t x86;
  uint32_t x32;  // without the bit
};

constexpr std::array kCalls = {Call{"read", 0, 3, 0},
                               Call{"write", 1, 4, 1},
                               Call{"open", 2, 5, 2},
                               Call{"close", 3, 6, 3},
                               Call{"mmap", 9, 90, 9},
                               Call{"ioctl", 16, 54, 514},
                               Call{"getpid", 39, 20, 39},
                               Call{"clone", 56, 120, 56},
                               Call{"kill", 62, 37, 62},
                               Call{"ptrace", 101, 26, 521},
                               Call{"personality", 135, 136, 135},
                               Call{"prctl", 157, 172, 157},
                               Call{"futex", 202, 240, 202},
                               Call{"execveat", 322, 358, 545},
                               Call{"statx", 332, 383, 332},
                               Call{"clone3", 435, 435, 435},
                               Call{"openat2", 437, 437, 437},
                               Call{"faccessat2", 439, 439, 439}};

struct Architecture {
  const char* name;
  uint32_t audit;
  uint32_t bit;
  bool narrow;  // arguments have 32 bits
  uint32_t Call::* number;
};

constexpr std::array kArchitectures = {
    Architecture{"SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64, 0, false, &Call::x86_64},
    Architecture{"SCMP_ARCH_X86", AUDIT_ARCH_I386, 0, true, &Call::x86},
    Architecture{"SCMP_ARCH_X32", AUDIT_ARCH_X86_64, kX32, true, &Call::x32}};

bool compare(const SeccompArgument& argument, const seccomp_data& call, bool narrow) {
  const uint64_t bits = narrow ? 0xffffffff : ~uint64_t{0};
  const uint64_t found = call.args[argument.index] & bits;
  const uint64_t value = argument.value & bits;
  switch (argument.op) {
    case SeccompOperator::kNe:
      return found != value;
    case SeccompOperator::kLt:
      return found < value;
    case SeccompOperator::kLe:
      return found <= value;
    case SeccompOperator::kEq:
      return found == value;
    case SeccompOperator::kGe:
      return found >= value;
    case SeccompOperator::kGt:
      return found > value;
    case SeccompOperator::kMaskedEq:
      return (found & value) == (argument.value_two & value);
  }
  return false;
}

bool matches(const SeccompRule& rule, const seccomp_data& call, bool narrow) {
  return std::ranges::all_of(rule.arguments, [&](const SeccompArgument& argument) {
    return compare(argument, call, narrow);
  });
}

const Architecture* architecture_of(const SeccompStep& step, const seccomp_data& call) {
  const auto number = static_cast<uint32_t>(call.nr);
  const uint32_t bit = call.arch == AUDIT_ARCH_X86_64 && number != ~0U && number >= kX32 ? kX32 : 0;
  for (const Architecture& one : kArchitectures) {
    if (one.audit != call.arch || one.bit != bit) continue;
    const bool native = one.number == &Call::x86_64;
    return native || std::ranges::count(step.architectures, one.name) > 0 ? &one : nullptr;
  }
  return nullptr;
}

/// One more than the largest number that the rules name, and at least 403.
uint32_t first_new(const SeccompStep& step, const Architecture& architecture) {
  uint32_t first = 403 + architecture.bit;
  for (const SeccompRule& one : step.rules) {
    for (const Call& call : kCalls) {
      if (std::ranges::count(one.syscalls, call.name) == 0) continue;
      first = std::max(first, (call.*architecture.number + architecture.bit) + 1);
    }
  }
  return first;
}

/// What the rules say of a call, straight from their text.
uint32_t evaluate(const SeccompStep& step, const seccomp_data& call) {
  const Architecture* architecture = architecture_of(step, call);
  if (architecture == nullptr) return SECCOMP_RET_KILL_THREAD;
  const auto number = static_cast<uint32_t>(call.nr);
  const bool refuses =
      step.default_action != SECCOMP_RET_ALLOW && step.default_action != SECCOMP_RET_LOG;
  const uint32_t first = first_new(step, *architecture);
  if (refuses && number >= first && number < first + 60000) return errno_action(ENOSYS);
  std::optional<uint32_t> general;
  std::optional<uint32_t> particular;
  for (const SeccompRule& one : step.rules) {
    const bool named = std::ranges::any_of(kCalls, [&](const Call& known) {
      return known.*architecture->number + architecture->bit == number &&
             std::ranges::count(one.syscalls, known.name) > 0;
    });
    if (!named || one.action == step.default_action) continue;
    if (one.arguments.empty()) {
      general = one.action;
    } else if (!particular && matches(one, call, architecture->narrow)) {
      particular = one.action;
    }
  }
  return general.value_or(particular.value_or(step.default_action));
}

/// Makes filters and calls, the same ones in each run.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  SeccompStep filter() {
    static constexpr uint32_t kDefaults[] = {SECCOMP_RET_ALLOW, errno_action(1),
                                             SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_TRAP,
                                             SECCOMP_RET_LOG};
    std::vector<SeccompRule> rules;
    const size_t count = below(40);
    rules.reserve(count);
    for (size_t i = 0; i < count; ++i) rules.push_back(one_rule());
    SeccompStep step = filter_of(kDefaults[below(std::size(kDefaults))], std::move(rules));
    for (const Architecture& one : kArchitectures) {
      if (below(2) == 0) step.architectures.emplace_back(one.name);
    }
    return step;
  }

  seccomp_data call(const SeccompStep& step) {
    const Architecture& architecture = kArchitectures[below(kArchitectures.size())];
    seccomp_data data{};
    data.arch = below(50) == 0 ? AUDIT_ARCH_AARCH64 : architecture.audit;
    const Call& known = kCalls[below(kCalls.size())];
    const uint32_t number =
        below(5) == 0 ? static_cast<uint32_t>(below(600)) : known.*architecture.number;
    data.nr = static_cast<int>(below(100) == 0 ? ~0U : number + architecture.bit);
    for (auto& argument : data.args) argument = value();
    // Near to what a rule asks for, or hardly any would match.
    if (!step.rules.empty()) {
      const SeccompRule& near = step.rules[below(step.rules.size())];
      for (const SeccompArgument& argument : near.arguments) {
        const uint64_t wanted =
            argument.op == SeccompOperator::kMaskedEq ? argument.value_two : argument.value;
        data.args[argument.index] = wanted + below(3) - 1;
      }
    }
    return data;
  }

 private:
  size_t below(size_t limit) { return random_() % limit; }

  uint64_t value() {
    static constexpr uint64_t kValues[] = {
        0,           1,          2,           7,           0x7fffffff,
        0x80000000,  0xffffffff, 0x100000000, 0x100000001, 0x7fffffffffffffff,
        ~uint64_t{0}};
    return below(3) == 0 ? random_() : kValues[below(std::size(kValues))];
  }

  SeccompRule one_rule() {
    static constexpr uint32_t kActions[] = {SECCOMP_RET_ALLOW, errno_action(11), errno_action(12),
                                            SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_TRAP};
    SeccompRule one = rule(kActions[below(std::size(kActions))], {});
    const size_t names = 1 + below(3);
    for (size_t i = 0; i < names; ++i) {
      one.syscalls.emplace_back(kCalls[below(kCalls.size())].name);
    }
    for (uint32_t index = 0; index < 6; ++index) {
      if (below(4) != 0) continue;
      const auto op = static_cast<SeccompOperator>(below(7));
      one.arguments.push_back({index, op, value(), value()});
    }
    return one;
  }

  std::mt19937_64 random_;
};

std::string describe(const SeccompStep& step, const seccomp_data& call) {
  std::string text = cat("arch ", call.arch, " nr ", call.nr, " args");
  for (const auto argument : call.args) text += cat(' ', to_digits(argument, 16));
  for (const SeccompRule& one : step.rules) {
    text += "\n ";
    for (const std::string& name : one.syscalls) text += cat(' ', name);
    text += cat(" action ", to_digits(one.action, 16));
    for (const SeccompArgument& argument : one.arguments) {
      text += cat(", arg ", argument.index, " op ", static_cast<int>(argument.op), ' ',
                  to_digits(argument.value, 16), ' ', to_digits(argument.value_two, 16));
    }
  }
  return text;
}

TEST(SeccompProgram, SaysWhatItsRulesSay) {
  std::map<uint32_t, size_t> seen;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    Generator generator(seed);
    const SeccompStep step = generator.filter();
    const Result<Program> program = kernel::compile_filter(step);
    ASSERT_TRUE(is_ok(program)) << "seed " << seed;
    for (int i = 0; i < 400; ++i) {
      const seccomp_data call = generator.call(step);
      const uint32_t expected = evaluate(step, call);
      ++seen[expected & SECCOMP_RET_ACTION_FULL];
      ASSERT_EQ(interpret(program.value(), call), expected)
          << "seed " << seed << ", " << describe(step, call);
    }
  }
  // No kind of answer was missed.
  for (const uint32_t action : {SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS,
                                SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_LOG}) {
    EXPECT_GT(seen[action], 100U) << action;
  }
}

TEST(SeccompProgram, OfDockerFitsTheKernel) {
  const SeccompStep step = filter_of_config("docker-default");
  ASSERT_EQ(step.rules.size(), 12U);
  const Result<Program> program = kernel::compile_filter(step);
  ASSERT_TRUE(is_ok(program));
  EXPECT_GT(program.value().size(), 300U);
  EXPECT_LE(program.value().size(), 4096U);
}

TEST(SeccompProgram, OfDockerSaysWhatItsRulesSay) {
  const SeccompStep step = filter_of_config("docker-default");
  const Result<Program> program = kernel::compile_filter(step);
  ASSERT_TRUE(is_ok(program));
  const auto says = [&](int number, uint64_t first = 0) {
    seccomp_data call{};
    call.arch = AUDIT_ARCH_X86_64;
    call.nr = number;
    call.args[0] = first;
    return interpret(program.value(), call).value_or(0);
  };
  EXPECT_EQ(says(SYS_read), SECCOMP_RET_ALLOW);
  EXPECT_EQ(says(SYS_mount), errno_action(EPERM));
  EXPECT_EQ(says(SYS_clone3), errno_action(ENOSYS));
  EXPECT_EQ(says(SYS_personality, 8), SECCOMP_RET_ALLOW);
  EXPECT_EQ(says(SYS_personality, 9), errno_action(EPERM));
  EXPECT_EQ(says(SYS_clone, 0x10000000), errno_action(EPERM));  // CLONE_NEWUSER
  EXPECT_EQ(says(SYS_clone, 0x100), SECCOMP_RET_ALLOW);
  EXPECT_EQ(says(4095), errno_action(ENOSYS));
}

TEST(SeccompProgram, FindsACallInFewSteps) {
  // A binary tree: 350 calls compared one after the other would take as many instructions.
  const Result<Program> program = kernel::compile_filter(filter_of_config("docker-default"));
  ASSERT_TRUE(is_ok(program));
  size_t longest = 0;
  for (int number = 0; number < 335; ++number) {
    seccomp_data call{};
    call.arch = AUDIT_ARCH_X86_64;
    call.nr = number;
    size_t executed = 0;
    EXPECT_TRUE(interpret(program.value(), call, &executed).has_value());
    longest = std::max(longest, executed);
  }
  EXPECT_LT(longest, 60U);
}

TEST(SeccompProgram, TooLongForTheKernelIsAnError) {
  constexpr uint64_t kMany = 5000;
  std::vector<SeccompRule> rules;
  rules.reserve(kMany);
  for (uint64_t value = 0; value < kMany; ++value) {
    rules.push_back(rule(errno_action(1), {"getpid"}, {{0, SeccompOperator::kEq, value, 0}}));
  }
  EXPECT_TRUE(fails_with(kernel::make_filter(filter_of(SECCOMP_RET_ALLOW, rules), ""),
                         "seccomp: the rules make more instructions than "));
}

}  // namespace
}  // namespace rt::testing
