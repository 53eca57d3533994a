#include <linux/seccomp.h>

#include <cerrno>

#include "runtime/plan/describe.h"
#include "runtime/plan/seccomp_words.h"
#include "spec/words.h"
#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

spec::SeccompSyscall syscall_rule(std::string action, std::vector<std::string> names) {
  spec::SeccompSyscall rule;
  rule.action = std::move(action);
  rule.names = std::move(names);
  return rule;
}

/// A document whose filter allows all but what `rules` say.
spec::Config config_with(std::vector<spec::SeccompSyscall> rules) {
  spec::Config config = small_config();
  spec::Seccomp& seccomp = config.linux_.seccomp.emplace();
  seccomp.default_action = "SCMP_ACT_ALLOW";
  seccomp.syscalls = std::move(rules);
  return config;
}

SeccompStep filter_of(const spec::Config& config) {
  const Plan plan = plan_of(config);
  if (plan.process && plan.process->seccomp) return *plan.process->seccomp;
  ADD_FAILURE() << "no filter";
  return {};
}

TEST(Seccomp, IsAbsentWhereTheDocumentHasNone) {
  EXPECT_FALSE(plan_of(small_config()).process->seccomp.has_value());
}

TEST(Seccomp, ActionsGetTheKernelsNumbers) {
  const std::pair<const char*, uint32_t> rows[] = {
      {"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW},
      {"SCMP_ACT_LOG", SECCOMP_RET_LOG},
      {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
      {"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
      {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
      {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
      {"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO | EPERM},
      {"SCMP_ACT_TRACE", SECCOMP_RET_TRACE | EPERM},
  };
  for (const auto& [word, action] : rows) {
    spec::Config config = config_with({syscall_rule(word, {"mkdir"})});
    EXPECT_EQ(filter_of(config).rules[0].action, action) << word;
    config.linux_.seccomp->default_action = word;
    EXPECT_EQ(filter_of(config).default_action, action) << word;
  }
  EXPECT_EQ(std::size(rows) + 1, std::size(spec::kSeccompActions)) << "and notify";
}

TEST(Seccomp, ErrnosAreTheDocuments) {
  spec::Config config = config_with(
      {syscall_rule("SCMP_ACT_ERRNO", {"mkdir"}), syscall_rule("SCMP_ACT_TRACE", {"rmdir"})});
  spec::Seccomp& seccomp = *config.linux_.seccomp;
  seccomp.syscalls[0].errno_ret = 0;
  seccomp.syscalls[1].errno_ret = 4000;
  seccomp.default_action = "SCMP_ACT_ERRNO";
  seccomp.default_errno_ret = 38;
  const SeccompStep step = filter_of(config);
  EXPECT_EQ(step.default_action, SECCOMP_RET_ERRNO | 38U);
  EXPECT_EQ(step.rules[0].action, SECCOMP_RET_ERRNO);
  EXPECT_EQ(step.rules[1].action, SECCOMP_RET_TRACE | 4000U);
}

TEST(Seccomp, FlagsAreBits) {
  spec::Config config = config_with({});
  config.linux_.seccomp->flags = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC",
                                  "SECCOMP_FILTER_FLAG_SPEC_ALLOW"};
  EXPECT_EQ(filter_of(config).flags, uint64_t{SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC |
                                              SECCOMP_FILTER_FLAG_SPEC_ALLOW});
  const std::vector<std::string_view> known(std::begin(spec::kSeccompFlags),
                                            std::end(spec::kSeccompFlags));
  EXPECT_EQ(seccomp_flag_words(), known);
}

TEST(Seccomp, AFlagForAListenerNeedsOne) {
  spec::Config config = config_with({syscall_rule("SCMP_ACT_NOTIFY", {"mkdir"})});
  spec::Seccomp& seccomp = *config.linux_.seccomp;
  seccomp.flags = {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  seccomp.listener_path = "/run/agent";
  EXPECT_EQ(filter_of(config).flags, uint64_t{SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV});
  seccomp.syscalls.clear();
  const Plan plan = plan_of(config);
  EXPECT_EQ(plan.process->seccomp->flags, 0U);
  EXPECT_TRUE(warns(plan, "/linux/seccomp/flags/0", "has no effect: no rule"));
}

TEST(Seccomp, OperatorsAreKept) {
  const std::pair<const char*, SeccompOperator> rows[] = {
      {"SCMP_CMP_NE", SeccompOperator::kNe},
      {"SCMP_CMP_LT", SeccompOperator::kLt},
      {"SCMP_CMP_LE", SeccompOperator::kLe},
      {"SCMP_CMP_EQ", SeccompOperator::kEq},
      {"SCMP_CMP_GE", SeccompOperator::kGe},
      {"SCMP_CMP_GT", SeccompOperator::kGt},
      {"SCMP_CMP_MASKED_EQ", SeccompOperator::kMaskedEq}};
  for (const auto& [word, op] : rows) {
    spec::Config config = config_with({syscall_rule("SCMP_ACT_ERRNO", {"clone"})});
    config.linux_.seccomp->syscalls[0].args = {{5, 7, 8, word}};
    const std::vector<SeccompArgument> expected = {{5, op, 7, 8}};
    EXPECT_EQ(filter_of(config).rules[0].arguments, expected) << word;
  }
  EXPECT_EQ(std::size(rows), std::size(spec::kSeccompOperators));
}

TEST(Seccomp, DifferentArgumentsStayOneRule) {
  spec::Config config = config_with({syscall_rule("SCMP_ACT_ERRNO", {"clone"})});
  config.linux_.seccomp->syscalls[0].args = {{0, 1, 0, "SCMP_CMP_EQ"}, {1, 2, 0, "SCMP_CMP_EQ"}};
  const Plan plan = plan_of(config);
  ASSERT_EQ(plan.process->seccomp->rules.size(), 1U);
  EXPECT_EQ(plan.process->seccomp->rules[0].arguments.size(), 2U);
  EXPECT_TRUE(plan.warnings.empty());
}

TEST(Seccomp, OfComparisonsOfOneArgumentOneIsEnough) {
  spec::Config config = config_with(
      {syscall_rule("SCMP_ACT_LOG", {"read"}), syscall_rule("SCMP_ACT_ERRNO", {"clone"})});
  config.linux_.seccomp->syscalls[1].args = {
      {0, 1, 0, "SCMP_CMP_EQ"}, {1, 2, 0, "SCMP_CMP_EQ"}, {0, 3, 0, "SCMP_CMP_EQ"}};
  const Plan plan = plan_of(config);
  const std::vector<SeccompRule>& rules = plan.process->seccomp->rules;
  ASSERT_EQ(rules.size(), 4U);
  for (size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(rules[i].arguments.size(), 1U);
    EXPECT_EQ(rules[i].arguments[0].value, i);
    EXPECT_EQ(rules[i].action, SECCOMP_RET_ERRNO | EPERM);
    EXPECT_EQ(rules[i].origin, "/linux/seccomp/syscalls/1");
  }
  EXPECT_TRUE(warns(plan, "/linux/seccomp/syscalls/1", "argument 0 is compared more than once"));
}

TEST(Seccomp, TheListenerIsForNotifyAlone) {
  spec::Config config = config_with({syscall_rule("SCMP_ACT_NOTIFY", {"mkdir"})});
  config.linux_.seccomp->listener_path = "/run/agent";
  config.linux_.seccomp->listener_metadata = "tag";
  const SeccompStep asked = filter_of(config);
  EXPECT_TRUE(asked.notifies);
  EXPECT_EQ(asked.listener_path, "/run/agent");
  EXPECT_EQ(asked.listener_metadata, "tag");
  config.linux_.seccomp->syscalls[0].action = "SCMP_ACT_LOG";
  const SeccompStep not_asked = filter_of(config);
  EXPECT_FALSE(not_asked.notifies);
  EXPECT_EQ(not_asked.listener_path, "");
}

TEST(Seccomp, ArchitecturesAreNamedOnce) {
  spec::Config config = config_with({});
  config.linux_.seccomp->architectures = {"SCMP_ARCH_X86", "SCMP_ARCH_SHEB", "SCMP_ARCH_X86"};
  EXPECT_EQ(filter_of(config).architectures,
            (std::vector<std::string>{"SCMP_ARCH_X86", "SCMP_ARCH_SHEB"}));
}

TEST(Seccomp, RulesThatContradictEachOtherAreNoted) {
  spec::Config config = config_with(
      {syscall_rule("SCMP_ACT_ERRNO", {"clone"}), syscall_rule("SCMP_ACT_LOG", {"clone", "read"}),
       syscall_rule("SCMP_ACT_KILL", {"read"}), syscall_rule("SCMP_ACT_ALLOW", {"clone"})});
  config.linux_.seccomp->syscalls[0].args = {{0, 1, 0, "SCMP_CMP_EQ"}};
  const Plan plan = plan_of(config);
  ASSERT_EQ(plan.notes.size(), 2U);
  EXPECT_TRUE(holds(plan.notes, "/linux/seccomp/syscalls/0",
                    "has no effect on \"clone\": /linux/seccomp/syscalls/1 is for all"));
  EXPECT_TRUE(holds(plan.notes, "/linux/seccomp/syscalls/1",
                    "\"read\" has another action in /linux/seccomp/syscalls/2"));
}

struct Refusal {
  const char* name;
  void (*break_it)(spec::Seccomp& seccomp);
  const char* pointer;
  const char* message;
};

class SeccompRefusals : public ::testing::TestWithParam<Refusal> {};

TEST_P(SeccompRefusals, AreErrors) {
  spec::Config config = config_with({syscall_rule("SCMP_ACT_ERRNO", {"mkdir"})});
  GetParam().break_it(*config.linux_.seccomp);
  EXPECT_TRUE(
      fails_at(try_plan(config), GetParam().pointer, cat("linux.seccomp: ", GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Each, SeccompRefusals,
    ::testing::Values(
        Refusal{"DefaultAction", [](auto& it) { it.default_action = "SCMP_ACT_BEER"; },
                "/linux/seccomp/defaultAction", "unknown seccomp action \"SCMP_ACT_BEER\""},
        Refusal{"NotifyByDefault", [](auto& it) { it.default_action = "SCMP_ACT_NOTIFY"; },
                "/linux/seccomp/defaultAction", "SCMP_ACT_NOTIFY cannot be the default"},
        Refusal{"DefaultErrno", [](auto& it) { it.default_errno_ret = 1; },
                "/linux/seccomp/defaultAction", "SCMP_ACT_ALLOW takes no errno"},
        Refusal{"Action", [](auto& it) { it.syscalls[0].action = ""; }, "/linux/seccomp/syscalls/0",
                "unknown seccomp action \"\""},
        Refusal{"Errno",
                [](auto& it) {
                  it.syscalls[0].action = "SCMP_ACT_KILL";
                  it.syscalls[0].errno_ret = 1;
                },
                "/linux/seccomp/syscalls/0", "SCMP_ACT_KILL takes no errno"},
        Refusal{"NotifyWithoutAgent", [](auto& it) { it.syscalls[0].action = "SCMP_ACT_NOTIFY"; },
                "/linux/seccomp", "SCMP_ACT_NOTIFY needs listenerPath"},
        Refusal{"NotifyOnWrite",
                [](auto& it) {
                  it.syscalls[0] = syscall_rule("SCMP_ACT_NOTIFY", {"read", "write"});
                  it.listener_path = "/run/agent";
                },
                "/linux/seccomp/syscalls/0", "SCMP_ACT_NOTIFY on write would block"},
        Refusal{"Operator", [](auto& it) { it.syscalls[0].args = {{0, 1, 0, "=="}}; },
                "/linux/seccomp/syscalls/0", "unknown operator \"==\""},
        Refusal{"Index", [](auto& it) { it.syscalls[0].args = {{6, 1, 0, "SCMP_CMP_EQ"}}; },
                "/linux/seccomp/syscalls/0", "a system call has six arguments"},
        Refusal{"Architecture", [](auto& it) { it.architectures = {"SCMP_ARCH_VAX"}; },
                "/linux/seccomp/architectures/0", "unknown seccomp architecture"},
        Refusal{"Flag", [](auto& it) { it.flags = {"SECCOMP_FILTER_FLAG_NEW_LISTENER"}; },
                "/linux/seccomp/flags/0", "unknown seccomp flag"}),
    row_name<Refusal>);

TEST(Seccomp, IsDescribedInALine) {
  spec::Config config = config_with({syscall_rule("SCMP_ACT_NOTIFY", {"mkdir", "rmdir"}),
                                     syscall_rule("SCMP_ACT_ERRNO", {"mkdir"})});
  spec::Seccomp& seccomp = *config.linux_.seccomp;
  seccomp.syscalls[1].args = {{0, 1, 0, "SCMP_CMP_EQ"}};
  seccomp.default_action = "SCMP_ACT_ERRNO";
  seccomp.default_errno_ret = 38;
  seccomp.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"};
  seccomp.flags = {"SECCOMP_FILTER_FLAG_LOG"};
  seccomp.listener_path = "/run/agent";
  std::vector<std::string> texts;
  for (const Action& action : actions(plan_of(config))) {
    if (action.step == Step::kSeccomp) texts.push_back(action.text);
  }
  EXPECT_EQ(texts, (std::vector<std::string>{
                       "filter system calls: default errno 38; 2 rules for 2 system calls; "
                       "architectures x86_64, x86; flags log",
                       "send the listener of the filter to /run/agent"}));
}

}  // namespace
}  // namespace rt::plan::testing
