#include "runtime/cgroup/device_program.h"

#include <algorithm>
#include <cstddef>

namespace rt::cgroup {
namespace {

// Registers. kAccess holds what of the access no rule has decided yet; never 0 between rules.
constexpr uint8_t kResult = BPF_REG_0;
constexpr uint8_t kContext = BPF_REG_1;
constexpr uint8_t kAccess = BPF_REG_2;
constexpr uint8_t kScratch = BPF_REG_3;

/// bpf_cgroup_dev_ctx::access_type has the access in the upper half, the type in the lower one.
constexpr int kAccessShift = 16;
constexpr int kTypeMask = 0xffff;

bpf_insn instruction(int code, uint8_t destination, uint8_t source, size_t offset, uint32_t value) {
  bpf_insn made{};
  made.code = static_cast<uint8_t>(code);
  made.dst_reg = destination & 0xf;
  made.src_reg = source & 0xf;
  made.off = static_cast<int16_t>(offset);
  made.imm = static_cast<int32_t>(value);
  return made;
}

bpf_insn load(uint8_t destination, size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, destination, kContext, offset, 0);
}

/// `operation` (BPF_AND, ...) with a number. In 32 bits, as everything here.
bpf_insn calculate(int operation, uint8_t destination, uint32_t value) {
  return instruction(BPF_ALU | BPF_K | operation, destination, 0, 0, value);
}

/// Over the next `skipped` instructions, if `comparison` (BPF_JNE, ...) holds. Linux 5.1.
bpf_insn jump(int comparison, uint8_t reg, uint32_t value, size_t skipped) {
  return instruction(BPF_JMP32 | BPF_K | comparison, reg, 0, skipped, value);
}

using Code = std::vector<bpf_insn>;

void add_answer(Code& code, bool allow) {
  code.push_back(instruction(BPF_ALU64 | BPF_K | BPF_MOV, kResult, 0, 0, allow ? 1 : 0));
  code.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

constexpr uint32_t kRead = BPF_DEVCG_ACC_READ;
constexpr uint32_t kWrite = BPF_DEVCG_ACC_WRITE;
constexpr uint32_t kMknod = BPF_DEVCG_ACC_MKNOD;
constexpr uint32_t kEveryAccess = kRead | kWrite | kMknod;

uint32_t accesses_of(const plan::DeviceRule& rule) {
  return (rule.read ? kRead : 0) | (rule.write ? kWrite : 0) | (rule.mknod ? kMknod : 0);
}

/// What to do with an access to a device that the rule is for.
Code decision(const plan::DeviceRule& rule) {
  const uint32_t accesses = accesses_of(rule);
  Code code;
  if (accesses != kEveryAccess && rule.allow) {
    // What it allows is decided; without a rest, all is.
    code.push_back(calculate(BPF_AND, kAccess, kEveryAccess & ~accesses));
    code.push_back(jump(BPF_JNE, kAccess, 0, 2));
  } else if (accesses != kEveryAccess) {
    code.push_back(jump(BPF_JSET, kAccess, accesses, 1));
    code.push_back(instruction(BPF_JMP | BPF_JA, 0, 0, 2, 0));
  }
  add_answer(code, rule.allow);
  return code;
}

/// Jumps over `body` for all but the rule's devices. What is compared is loaded for each rule
/// anew: nothing that the verifier has learned of it is carried along, so that its work grows with
/// the number of rules and not with its square.
Code guarded(const plan::DeviceRule& rule, Code body) {
  const auto guard = [&](size_t offset, uint32_t mask, uint32_t value) {
    Code test = {load(kScratch, offset)};
    if (mask != 0) test.push_back(calculate(BPF_AND, kScratch, mask));
    test.push_back(jump(BPF_JNE, kScratch, value, body.size()));
    body.insert(body.begin(), test.begin(), test.end());
  };
  if (rule.minor) guard(offsetof(bpf_cgroup_dev_ctx, minor), 0, *rule.minor);
  if (rule.major) guard(offsetof(bpf_cgroup_dev_ctx, major), 0, *rule.major);
  if (rule.type == 'b') {
    guard(offsetof(bpf_cgroup_dev_ctx, access_type), kTypeMask, BPF_DEVCG_DEV_BLOCK);
  }
  if (rule.type == 'c') {
    guard(offsetof(bpf_cgroup_dev_ctx, access_type), kTypeMask, BPF_DEVCG_DEV_CHAR);
  }
  return body;
}

/// Nothing gets past it.
bool decides_everything(const plan::DeviceRule& rule) {
  return rule.type == 'a' && !rule.major && !rule.minor && accesses_of(rule) == kEveryAccess;
}

}  // namespace

bool allows_everything(const std::vector<plan::DeviceRule>& rules) {
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    if (!rule->allow) return false;
    if (decides_everything(*rule)) return true;
  }
  return false;
}

std::vector<bpf_insn> device_program(const std::vector<plan::DeviceRule>& rules) {
  Code code = {load(kAccess, offsetof(bpf_cgroup_dev_ctx, access_type)),
               calculate(BPF_RSH, kAccess, kAccessShift), jump(BPF_JNE, kAccess, 0, 2)};
  // access(2) with F_OK wants nothing of the device.
  add_answer(code, true);
  // From the last to the first: what a rule decides, no earlier one decides again.
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    if (accesses_of(*rule) == 0) continue;
    const Code body = guarded(*rule, decision(*rule));
    code.insert(code.end(), body.begin(), body.end());
    // The verifier refuses instructions that nothing leads to.
    if (decides_everything(*rule)) return code;
  }
  add_answer(code, false);
  return code;
}

}  // namespace rt::cgroup
