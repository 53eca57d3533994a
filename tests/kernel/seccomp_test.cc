// Filters loaded into real processes, which then make real system calls.
#include <fcntl.h>
#include <linux/audit.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>

#include <array>
#include <cerrno>

#include "runtime/sys/seccomp.h"
#include "tests/kernel/filters.h"
#include "tests/support/matchers.h"

namespace rt::testing {
namespace {

using plan::SeccompArgument;
using plan::SeccompOperator;
using plan::SeccompStep;

constexpr int kBySigsys = 1000 + SIGSYS;

/// What getpid answers: 0 when it works, else the errno. It looks at no argument: any will do.
int ask_pid(uint64_t first = 0, uint64_t second = 0) {
  return ::syscall(SYS_getpid, first, second) > 0 ? 0 : errno;
}

int getpid_under(uint32_t action) {
  return run_under(filter_of(SECCOMP_RET_ALLOW, {rule(action, {"getpid"})}),
                   [] { return ask_pid(); });
}

TEST(SeccompActions, ErrnoIsWhatTheCallerSees) {
  EXPECT_EQ(getpid_under(errno_action(42)), 42);
  EXPECT_EQ(getpid_under(errno_action(EPERM)), EPERM);
}

TEST(SeccompActions, ErrnoZeroIsASuccessThatDidNothing) {
  EXPECT_EQ(run_under(filter_of(SECCOMP_RET_ALLOW, {rule(errno_action(0), {"getpid"})}),
                      [] { return ::syscall(SYS_getpid) == 0 ? 7 : 8; }),
            7);
}

TEST(SeccompActions, AllowAndLogLetTheCallThrough) {
  const std::vector<std::string> needed = {"getpid", "exit_group"};
  EXPECT_EQ(run_under(filter_of(errno_action(EPERM), {rule(SECCOMP_RET_ALLOW, needed)}),
                      [] { return ask_pid(); }),
            0);
  EXPECT_EQ(run_under(filter_of(errno_action(EPERM), {rule(SECCOMP_RET_LOG, needed)}),
                      [] { return ask_pid(); }),
            0);
  EXPECT_EQ(run_under(filter_of(errno_action(EPERM), {rule(SECCOMP_RET_ALLOW, {"exit_group"})}),
                      [] { return ask_pid(); }),
            EPERM);
}

TEST(SeccompActions, KillEndsWithSigsys) {
  EXPECT_EQ(getpid_under(SECCOMP_RET_KILL_PROCESS), kBySigsys);
  EXPECT_EQ(getpid_under(SECCOMP_RET_KILL_THREAD), kBySigsys);
}

TEST(SeccompActions, TrapRaisesASignalThatCanBeCaught) {
  EXPECT_EQ(getpid_under(SECCOMP_RET_TRAP), kBySigsys);
  const auto caught = [] {
    ::signal(SIGSYS, [](int) { ::_exit(33); });
    return ask_pid();
  };
  EXPECT_EQ(run_under(filter_of(SECCOMP_RET_ALLOW, {rule(SECCOMP_RET_TRAP, {"getpid"})}), caught),
            33);
}

TEST(SeccompActions, TraceWithoutATracerIsAnUnknownCall) {
  EXPECT_EQ(getpid_under(SECCOMP_RET_TRACE | 7), ENOSYS);
}

TEST(SeccompActions, TraceTellsTheTracerItsNumber) {
  const Result<kernel::Filter> filter = kernel::make_filter(
      filter_of(SECCOMP_RET_ALLOW, {rule(SECCOMP_RET_TRACE | 77, {"getpid"})}), "");
  ASSERT_TRUE(is_ok(filter));
  const pid_t child = start_under(filter.value(), [] {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::syscall(SYS_tkill, ::syscall(SYS_gettid), SIGSTOP);  // raise(3) would ask for the pid
    return ask_pid();
  });
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSTOPPED(status));
  ASSERT_EQ(::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL),
            0);
  ASSERT_EQ(::ptrace(PTRACE_CONT, child, nullptr, nullptr), 0);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status >> 8, SIGTRAP | (PTRACE_EVENT_SECCOMP << 8));
  unsigned long number = 0;
  EXPECT_EQ(::ptrace(PTRACE_GETEVENTMSG, child, nullptr, &number), 0);
  EXPECT_EQ(number, 77U);
  ::ptrace(PTRACE_CONT, child, nullptr, nullptr);
  EXPECT_EQ(end_of(child), 0);
}

TEST(SeccompActions, NotifyAsksWhoHasTheListener) {
  const Result<kernel::Filter> filter = kernel::make_filter(
      filter_of(SECCOMP_RET_ALLOW, {rule(SECCOMP_RET_USER_NOTIF, {"getpid"})}), "");
  ASSERT_TRUE(is_ok(filter));
  ASSERT_TRUE(filter.value().notifies);
  std::array<int, 2> told{};
  ASSERT_EQ(::pipe2(told.data(), O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    static_cast<void>(sys::set_no_new_privileges());
    Result<UniqueFd> loaded = kernel::load_filter(filter.value());
    const int listener = loaded ? loaded.value().release() : -1;
    ::syscall(SYS_write, told[1], &listener, sizeof listener);
    ::_exit(::syscall(SYS_getpid) == 4242 ? 0 : 1);
  }
  int number = -1;
  ASSERT_EQ(::read(told[0], &number, sizeof number), static_cast<ssize_t>(sizeof number));
  const Result<UniqueFd> pidfd = sys::pidfd_open(child);
  ASSERT_TRUE(is_ok(pidfd));
  const Result<UniqueFd> listener = sys::pidfd_getfd(pidfd.value().get(), number);
  ASSERT_TRUE(is_ok(listener));
  seccomp_notif question{};
  ASSERT_EQ(::ioctl(listener.value().get(), SECCOMP_IOCTL_NOTIF_RECV, &question), 0);
  EXPECT_EQ(question.data.nr, SYS_getpid);
  seccomp_notif_resp answer{};
  answer.id = question.id;
  answer.val = 4242;
  EXPECT_EQ(::ioctl(listener.value().get(), SECCOMP_IOCTL_NOTIF_SEND, &answer), 0);
  EXPECT_EQ(end_of(child), 0);
  ::close(told[0]);
  ::close(told[1]);
}

struct Comparison {
  const char* name;
  SeccompOperator op;
  uint64_t value;
  uint64_t value_two;
  std::vector<uint64_t> matching;
  std::vector<uint64_t> other;
};

class SeccompOperators : public ::testing::TestWithParam<Comparison> {};

TEST_P(SeccompOperators, CompareAllSixtyFourBits) {
  const Comparison& row = GetParam();
  const SeccompArgument argument = {1, row.op, row.value, row.value_two};
  const SeccompStep step =
      filter_of(SECCOMP_RET_ALLOW, {rule(errno_action(99), {"getpid"}, {argument})});
  const auto all_answer = [](const std::vector<uint64_t>& values, int expected) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (ask_pid(0, values[i]) != expected) return static_cast<int>(i) + 1;
    }
    return 0;
  };
  EXPECT_EQ(run_under(step, [&] { return all_answer(row.matching, 99); }), 0);
  EXPECT_EQ(run_under(step, [&] { return all_answer(row.other, 0); }), 0);
}

constexpr uint64_t kBig = 0x500000003;

INSTANTIATE_TEST_SUITE_P(
    Each, SeccompOperators,
    ::testing::Values(
        Comparison{"Ne", SeccompOperator::kNe, kBig, 0, {3, 5, 0}, {kBig}},
        Comparison{"Lt", SeccompOperator::kLt, kBig, 0, {0, 7, kBig - 1}, {kBig, kBig + 1, ~0UL}},
        Comparison{
            "Le", SeccompOperator::kLe, kBig, 0, {0, 7, kBig}, {kBig + 1, 0x600000000, ~0UL}},
        Comparison{"Eq", SeccompOperator::kEq, kBig, 0, {kBig}, {3, 0x500000000, kBig + 1}},
        Comparison{"Ge",
                   SeccompOperator::kGe,
                   kBig,
                   0,
                   {kBig, 0x600000000, ~0UL},
                   {kBig - 1, 3, 0xffffffff}},
        Comparison{
            "Gt", SeccompOperator::kGt, kBig, 0, {kBig + 1, 0x600000000}, {kBig, 3, 0xffffffff}},
        Comparison{"MaskedEq",
                   SeccompOperator::kMaskedEq,
                   0xf0000000f,
                   kBig,
                   {kBig, kBig + 0x10, 0x123500000013},
                   {3, 0x400000003, 0x500000007}}),
    [](const auto& info) { return info.param.name; });

TEST(Seccomp, AllArgumentsOfARuleMustMatch) {
  const SeccompStep step =
      filter_of(SECCOMP_RET_ALLOW,
                {rule(errno_action(99), {"getpid"},
                      {{0, SeccompOperator::kEq, 1, 0}, {1, SeccompOperator::kEq, 2, 0}})});
  EXPECT_EQ(run_under(step, [] { return ask_pid(1, 2); }), 99);
  EXPECT_EQ(run_under(step, [] { return ask_pid(1, 3) + ask_pid(2, 2); }), 0);
}

TEST(Seccomp, OneOfSeveralRulesIsEnough) {
  const SeccompStep step = filter_of(
      SECCOMP_RET_ALLOW, {rule(errno_action(99), {"getpid"}, {{0, SeccompOperator::kEq, 1, 0}}),
                          rule(errno_action(99), {"getpid"}, {{0, SeccompOperator::kEq, 2, 0}})});
  EXPECT_EQ(run_under(step, [] { return ask_pid(1); }), 99);
  EXPECT_EQ(run_under(step, [] { return ask_pid(2); }), 99);
  EXPECT_EQ(run_under(step, [] { return ask_pid(3); }), 0);
}

TEST(Seccomp, NamesThatNobodyKnowsArePassedOver) {
  const SeccompStep step = filter_of(
      SECCOMP_RET_ALLOW, {rule(errno_action(99), {"no_such_call", "getpid", "socketcall"})});
  EXPECT_EQ(run_under(step, [] { return ask_pid(); }), 99);
}

TEST(Seccomp, AnUnknownNameThatShouldBeHeldBackIsWarnedOf) {
  const std::vector<plan::SeccompRule> rules = {rule(errno_action(1), {"getpid", "no_such_call"})};
  const auto warnings = kernel::filter_warnings(filter_of(SECCOMP_RET_ALLOW, rules));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].origin, "/linux/seccomp/syscalls/0");
  EXPECT_EQ(warnings[0].message,
            "no effect on \"no_such_call\": libseccomp knows no system call of that name");
  EXPECT_TRUE(kernel::filter_warnings(filter_of(SECCOMP_RET_TRAP, rules)).empty());
}

TEST(Seccomp, TheFirstRuleThatMatchesHolds) {
  const std::vector<SeccompArgument> low = {{0, SeccompOperator::kLe, 1, 0}};
  const std::vector<SeccompArgument> high = {{0, SeccompOperator::kGt, uint64_t{1} << 32, 0}};
  const std::vector<SeccompArgument> any = {{0, SeccompOperator::kGe, 0, 0}};
  const SeccompStep step = filter_of(SECCOMP_RET_ALLOW, {rule(errno_action(11), {"getpid"}, low),
                                                         rule(errno_action(12), {"getpid"}, high),
                                                         rule(errno_action(13), {"getpid"}, any)});
  EXPECT_EQ(run_under(step, [] { return ask_pid(1); }), 11);
  EXPECT_EQ(run_under(step, [] { return ask_pid(uint64_t{1} << 33); }), 12);
  EXPECT_EQ(run_under(step, [] { return ask_pid(3); }), 13);
}

TEST(Seccomp, ARuleWithoutArgumentsHoldsBeforeThoseWithSome) {
  const std::vector<SeccompArgument> low = {{0, SeccompOperator::kLe, 1, 0}};
  const SeccompStep step =
      filter_of(SECCOMP_RET_ALLOW,
                {rule(errno_action(11), {"getpid"}, low), rule(errno_action(12), {"getpid"}, low),
                 rule(errno_action(13), {"getpid"}), rule(errno_action(14), {"getpid"})});
  EXPECT_EQ(run_under(step, [] { return ask_pid(1); }), 14);
}

TEST(Seccomp, NeedsNoNewPrivilegesOrPrivilege) {
  const Result<kernel::Filter> filter = kernel::make_filter(filter_of(SECCOMP_RET_ALLOW, {}), "");
  ASSERT_TRUE(is_ok(filter));
  const pid_t child = ::fork();
  if (child == 0) {
    if (::getuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(1);
    const Result<UniqueFd> loaded = kernel::load_filter(filter.value());
    ::_exit(loaded ? 2 : loaded.error().code());
  }
  EXPECT_EQ(end_of(child), EACCES);
}

TEST(Seccomp, TheFlagsOfTheSpecificationAreTaken) {
  SeccompStep step = filter_of(SECCOMP_RET_ALLOW, {rule(errno_action(99), {"getpid"})});
  step.flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  EXPECT_EQ(run_under(step, [] { return ask_pid(); }), 99);
  step = filter_of(SECCOMP_RET_ALLOW, {rule(SECCOMP_RET_USER_NOTIF, {"getppid"})});
  step.flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  EXPECT_EQ(run_under(step, [] { return ask_pid(); }), 0);
  EXPECT_EQ(kernel::supported_filter_flags(),
            (std::vector<std::string>{"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                                      "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                                      "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"}));
  EXPECT_FALSE(sys::seccomp_knows_flags(uint64_t{1} << 20));
}

TEST(SeccompNewCalls, AreUnknownToAProfileThatRefuses) {
  // 4095 is no call of any kernel; statx has a number that a profile without it knows of.
  const auto number_and_statx = [] {
    const bool unknown = ::syscall(4095) < 0 && errno == ENOSYS;
    const bool refused = ::syscall(SYS_statx, 0, 0, 0, 0, 0) < 0 && errno == EPERM;
    return (unknown ? 0 : 1) + (refused ? 0 : 2);
  };
  EXPECT_EQ(run_under(filter_of(errno_action(EPERM), {rule(SECCOMP_RET_ALLOW, {"exit_group"})}),
                      number_and_statx),
            0);
}

TEST(SeccompNewCalls, DoNotKill) {
  const SeccompStep step =
      filter_of(SECCOMP_RET_KILL_PROCESS, {rule(SECCOMP_RET_ALLOW, {"exit_group"})});
  EXPECT_EQ(run_under(step, [] { return ::syscall(4095) < 0 ? errno : 0; }), ENOSYS);
  EXPECT_EQ(run_under(step, [] { return ask_pid(); }), kBySigsys);
}

TEST(SeccompNewCalls, BeginAboveWhatTheProfileNames) {
  // Both are above 403: one is named, one is not, and one is above both.
  const SeccompStep step = filter_of(errno_action(EPERM), {rule(SECCOMP_RET_ALLOW, {"exit_group"}),
                                                           rule(errno_action(77), {"faccessat2"})});
  const auto errno_of = [](long number) {
    return [number] { return ::syscall(number, -1, 0, 0, 0) < 0 ? errno : 0; };
  };
  EXPECT_EQ(run_under(step, errno_of(SYS_openat2)), EPERM);
  EXPECT_EQ(run_under(step, errno_of(SYS_faccessat2)), 77);
  EXPECT_EQ(run_under(step, errno_of(SYS_faccessat2 + 1)), ENOSYS);
}

TEST(SeccompNewCalls, GoOnWhereTheProfileAllows) {
  // The kernel's own answer, and not the filter's: close_range is carried out.
  for (const uint32_t action : {SECCOMP_RET_ALLOW, SECCOMP_RET_LOG}) {
    EXPECT_EQ(run_under(filter_of(action, {rule(errno_action(1), {"getppid"})}),
                        [] { return ::syscall(SYS_close_range, 5, 4, 0) < 0 ? errno : 0; }),
              EINVAL);
  }
}

#ifdef __x86_64__

/// getpid by the 32-bit entry of the kernel.
int ask_pid_32(uint32_t first = 0) {
  constexpr long kGetpid = 20;
  long result = kGetpid;
  __asm__ volatile("int $0x80" : "+a"(result) : "b"(static_cast<uint64_t>(first)) : "memory");
  return result > 0 ? 0 : static_cast<int>(-result);
}

TEST(SeccompArchitectures, OneThatIsNotNamedKills) {
  EXPECT_EQ(run_under(filter_of(SECCOMP_RET_ALLOW, {}), [] { return ask_pid_32(); }), kBySigsys);
}

TEST(SeccompArchitectures, RulesAreForAllThatAreNamed) {
  const SeccompStep step = filter_of(
      SECCOMP_RET_ALLOW, {rule(errno_action(99), {"getpid"}, {{0, SeccompOperator::kEq, 7, 0}})},
      {"SCMP_ARCH_X86", "SCMP_ARCH_X32"});
  EXPECT_EQ(run_under(step, [] { return ask_pid_32(7); }), 99);
  EXPECT_EQ(run_under(step, [] { return ask_pid_32(8); }), 0);
  EXPECT_EQ(run_under(step, [] { return ask_pid(7); }), 99);
}

TEST(SeccompArchitectures, ThoseOfOtherMachinesArePassedOver) {
  const SeccompStep step =
      filter_of(SECCOMP_RET_ALLOW, {rule(errno_action(99), {"getpid"})},
                {"SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",
                 "SCMP_ARCH_S390X", "SCMP_ARCH_SHEB", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64"});
  EXPECT_EQ(run_under(step, [] { return ask_pid(); }), 99);
}

#endif

}  // namespace
}  // namespace rt::testing
