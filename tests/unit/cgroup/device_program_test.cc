#include "runtime/cgroup/device_program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>

namespace rt::cgroup {
namespace {

using plan::DeviceRule;

constexpr uint32_t kRead = BPF_DEVCG_ACC_READ;
constexpr uint32_t kWrite = BPF_DEVCG_ACC_WRITE;
constexpr uint32_t kMknod = BPF_DEVCG_ACC_MKNOD;
constexpr uint32_t kAll = kRead | kWrite | kMknod;

struct Access {
  char type = 'c';
  uint32_t major = 0;
  uint32_t minor = 0;
  uint32_t accesses = 0;
};

DeviceRule rule_for(bool allow, char type, std::optional<uint32_t> major,
                    std::optional<uint32_t> minor, uint32_t accesses = kAll) {
  DeviceRule rule;
  rule.allow = allow;
  rule.type = type;
  rule.major = major;
  rule.minor = minor;
  rule.read = (accesses & kRead) != 0;
  rule.write = (accesses & kWrite) != 0;
  rule.mknod = (accesses & kMknod) != 0;
  return rule;
}

/// The specification's words, one access at a time: the last rule that fits decides.
bool allows(const std::vector<DeviceRule>& rules, const Access& access) {
  for (const uint32_t bit : {kRead, kWrite, kMknod}) {
    if ((access.accesses & bit) == 0) continue;
    bool allowed = false;
    for (const DeviceRule& rule : rules) {
      const bool has_bit = (bit == kRead && rule.read) || (bit == kWrite && rule.write) ||
                           (bit == kMknod && rule.mknod);
      const bool fits = (rule.type == 'a' || rule.type == access.type) &&
                        (!rule.major || *rule.major == access.major) &&
                        (!rule.minor || *rule.minor == access.minor);
      if (has_bit && fits) allowed = rule.allow;
    }
    if (!allowed) return false;
  }
  return true;
}

/// As much of the kernel's machine as the programs need. What it does not know is a failure, and so
/// is what the verifier would refuse: a jump back, a jump out of the program, a register that
/// nothing was written to.
class Machine {
 public:
  Machine(const std::vector<bpf_insn>& program, const Access& access) : program_(program) {
    const uint32_t type = access.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
    context_ = {access.accesses << 16 | type, access.major, access.minor};
  }

  /// Nothing: the program is wrong.
  std::optional<uint64_t> run() {
    while (next_ < program_.size()) {
      const bpf_insn& now = program_[next_++];
      if (now.code == (BPF_JMP | BPF_EXIT)) return registers_[0];
      if (!step(now)) return std::nullopt;
    }
    return std::nullopt;
  }

 private:
  bool step(const bpf_insn& now) {
    switch (BPF_CLASS(now.code)) {
      case BPF_LDX:
        return load(now);
      case BPF_ALU:
      case BPF_ALU64:
        return calculate(now);
      case BPF_JMP:
      case BPF_JMP32:
        return jump(now);
      default:
        return false;
    }
  }

  bool load(const bpf_insn& now) {
    const bool word = now.code == (BPF_LDX | BPF_MEM | BPF_W) && now.src_reg == BPF_REG_1;
    if (!word || now.off < 0 || now.off > 8 || now.off % 4 != 0) return false;
    registers_[now.dst_reg] = context_[static_cast<size_t>(now.off) / 4];
    return true;
  }

  bool calculate(const bpf_insn& now) {
    std::optional<uint64_t>& target = registers_[now.dst_reg];
    const auto value = static_cast<uint32_t>(now.imm);
    if (now.code == (BPF_ALU64 | BPF_K | BPF_MOV)) {
      target = value;
      return true;
    }
    if (!target) return false;
    const auto old = static_cast<uint32_t>(*target);
    if (now.code == (BPF_ALU | BPF_K | BPF_AND)) {
      target = old & value;
    } else if (now.code == (BPF_ALU | BPF_K | BPF_RSH)) {
      target = old >> value;
    } else {
      return false;
    }
    return true;
  }

  bool jump(const bpf_insn& now) {
    bool taken = now.code == (BPF_JMP | BPF_JA);
    if (!taken) {
      if (!registers_[now.dst_reg]) return false;
      const auto value = static_cast<uint32_t>(now.imm);
      const auto have = static_cast<uint32_t>(*registers_[now.dst_reg]);
      if (now.code == (BPF_JMP32 | BPF_K | BPF_JNE)) {
        taken = have != value;
      } else if (now.code == (BPF_JMP32 | BPF_K | BPF_JSET)) {
        taken = (have & value) != 0;
      } else {
        return false;
      }
    }
    if (now.off < 0) return false;
    if (taken) next_ += static_cast<size_t>(now.off);
    return true;
  }

  const std::vector<bpf_insn>& program_;
  std::array<uint32_t, 3> context_{};  // bpf_cgroup_dev_ctx
  std::array<std::optional<uint64_t>, 11> registers_;
  size_t next_ = 0;
};

/// The instructions that something leads to; the kernel refuses programs with others.
size_t reachable(const std::vector<bpf_insn>& program) {
  std::set<size_t> seen;
  std::vector<size_t> open = {0};
  while (!open.empty()) {
    const size_t here = open.back();
    open.pop_back();
    if (here >= program.size() || !seen.insert(here).second) continue;
    const bpf_insn& now = program[here];
    const auto kind = BPF_CLASS(now.code);
    if (now.code == (BPF_JMP | BPF_EXIT)) continue;
    if (kind == BPF_JMP || kind == BPF_JMP32)
      open.push_back(here + 1 + static_cast<size_t>(now.off));
    if (now.code != (BPF_JMP | BPF_JA)) open.push_back(here + 1);
  }
  return seen.size();
}

bool program_allows(const std::vector<DeviceRule>& rules, const Access& access) {
  const std::vector<bpf_insn> program = device_program(rules);
  const std::optional<uint64_t> answer = Machine(program, access).run();
  EXPECT_TRUE(answer.has_value()) << "not a program";
  return answer == 1U;
}

TEST(DeviceProgram, WithoutRulesDeniesEverything) {
  EXPECT_FALSE(program_allows({}, {'c', 1, 3, kRead}));
  EXPECT_FALSE(program_allows({}, {'b', 8, 0, kMknod}));
}

TEST(DeviceProgram, LetsAFileBeLookedFor) {
  EXPECT_TRUE(program_allows({}, {'c', 1, 3, 0}));
  EXPECT_TRUE(program_allows({rule_for(false, 'a', {}, {})}, {'c', 1, 3, 0}));
}

TEST(DeviceProgram, TheLastRuleThatFitsDecides) {
  const std::vector<DeviceRule> rules = {rule_for(true, 'c', 1, {}), rule_for(false, 'c', 1, 3),
                                         rule_for(true, 'c', {}, 3, kRead)};
  EXPECT_TRUE(program_allows(rules, {'c', 1, 3, kRead}));
  EXPECT_FALSE(program_allows(rules, {'c', 1, 3, kWrite}));
  EXPECT_TRUE(program_allows(rules, {'c', 1, 5, kWrite}));
  EXPECT_FALSE(program_allows(rules, {'b', 1, 5, kWrite}));
}

TEST(DeviceProgram, SeveralRulesTogetherAllowOneAccess) {
  const std::vector<DeviceRule> rules = {rule_for(true, 'c', 1, {}, kRead),
                                         rule_for(true, 'a', {}, 3, kWrite)};
  EXPECT_TRUE(program_allows(rules, {'c', 1, 3, kRead | kWrite}));
  EXPECT_FALSE(program_allows(rules, {'c', 1, 5, kRead | kWrite}));
}

TEST(DeviceProgram, NumbersAreUnsigned) {
  const std::vector<DeviceRule> rules = {rule_for(true, 'c', 0xfffffffe, 0x80000000)};
  EXPECT_TRUE(program_allows(rules, {'c', 0xfffffffe, 0x80000000, kAll}));
  EXPECT_FALSE(program_allows(rules, {'c', 0xfffffffe, 0x80000001, kAll}));
}

TEST(DeviceProgram, IsNotNeededWhereEverythingIsAllowed) {
  const DeviceRule all = rule_for(true, 'a', {}, {});
  const DeviceRule some = rule_for(true, 'c', 1, 3);
  const DeviceRule none = rule_for(false, 'c', 10, 229);
  EXPECT_TRUE(allows_everything({all}));
  EXPECT_TRUE(allows_everything({none, all, some}));
  EXPECT_FALSE(allows_everything({}));
  EXPECT_FALSE(allows_everything({some}));
  EXPECT_FALSE(allows_everything({all, none}));
  EXPECT_FALSE(allows_everything({rule_for(true, 'a', {}, {}, kRead | kWrite)}));
  EXPECT_FALSE(allows_everything({rule_for(true, 'c', {}, {})}));
}

/// Rules over few numbers, so that they meet.
class Draw {
 public:
  static constexpr std::array<uint32_t, 3> kNumbers = {0, 1, 0x80000001};

  explicit Draw(unsigned seed) : engine_(seed) {}

  std::vector<DeviceRule> rules() {
    std::vector<DeviceRule> drawn(number(0, 8));
    for (DeviceRule& rule : drawn) {
      rule = rule_for(number(0, 1) == 1, "abc"[number(0, 2)], maybe(), maybe(), number(0, 7));
    }
    return drawn;
  }
  uint32_t number(uint32_t low, uint32_t high) {
    return std::uniform_int_distribution<uint32_t>(low, high)(engine_);
  }

 private:
  std::optional<uint32_t> maybe() {
    if (number(0, 2) == 0) return std::nullopt;
    return kNumbers[number(0, kNumbers.size() - 1)];
  }

  std::mt19937 engine_;
};

/// All accesses to devices with the numbers of Draw, and with another one.
std::vector<Access> every_access() {
  static constexpr std::array kMet = {0U, 1U, 2U, 0x80000001U};
  std::vector<Access> all;
  for (uint32_t i = 0; i < 2 * kMet.size() * kMet.size() * (kAll + 1); ++i) {
    const uint32_t numbers = i / (2 * (kAll + 1));
    all.push_back({.type = i % 2 == 0 ? 'b' : 'c',
                   .major = kMet[numbers % kMet.size()],
                   .minor = kMet[numbers / kMet.size()],
                   .accesses = i / 2 % (kAll + 1)});
  }
  return all;
}

TEST(DeviceProgram, SaysWhatItsRulesSay) {
  Draw draw(20261122);
  size_t allowed = 0;
  size_t denied = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::vector<DeviceRule> rules = draw.rules();
    const std::vector<bpf_insn> program = device_program(rules);
    ASSERT_EQ(reachable(program), program.size()) << "round " << round;
    for (const Access& access : every_access()) {
      const std::optional<uint64_t> answer = Machine(program, access).run();
      ASSERT_TRUE(answer.has_value()) << "round " << round;
      const bool expected = allows(rules, access);
      ASSERT_EQ(*answer, expected ? 1U : 0U)
          << "round " << round << ": " << access.type << ' ' << access.major << ':' << access.minor
          << ' ' << access.accesses;
      ++(expected ? allowed : denied);
    }
    const std::vector<Access> all = every_access();
    const bool open = std::all_of(all.begin(), all.end(),
                                  [&](const Access& access) { return allows(rules, access); });
    ASSERT_TRUE(open || !allows_everything(rules)) << "round " << round;
  }
  // Both answers were asked for often.
  EXPECT_GT(allowed, 100000U);
  EXPECT_GT(denied, 100000U);
}

}  // namespace
}  // namespace rt::cgroup
