// config-linux.md, "Seccomp".
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"
#include "tests/support/command.h"
#include "tests/support/listener.h"

namespace rt::conformance {
namespace {

using testing::Delivery;
using testing::is_readable;
using testing::Listener;
using testing::receive_all;

// getpriority(2), which the probe itself does not make: it takes two numbers and succeeds with
// (0, 0), and fails with ESRCH where the second names no process.
constexpr const char* kCall = "140:0:0";
constexpr const char* kCallOne = "140:0:1";
constexpr const char* kCallTwo = "140:0:2";
constexpr const char* kEnotunique = "ENOTUNIQ";  // 76: a number that no call here gives by itself
constexpr const char* kWithOwnErrno = R"("action": "SCMP_ACT_ERRNO", "errnoRet": 76)";

std::string answer(const Json& report, const char* call, const char* field) {
  return report.at(cat("/calls/", call, '/', field));
}

class Seccomp : public Conformance {
 protected:
  /// A rule on getpriority; everything else is allowed. `more` are further members of the section.
  void set_rule(std::string_view rule, std::string_view more = "") {
    config_.set("/linux/seccomp", cat(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{)",
                                      R"("names": ["getpriority"], )", rule, "}]", more, '}'));
  }
  Json look_at(const char* call) { return look({cat("call=", call)}); }
};

TEST_F(Seccomp, IsNotThereWhenNotAskedFor) { EXPECT_EQ(look().at("/seccomp/mode"), "0"); }

TEST_F(Seccomp, IsAFilterOfTheProcess) {
  set_rule(kWithOwnErrno);
  EXPECT_EQ(look().at("/seccomp/mode"), "2");
}

TEST_F(Seccomp, ErrnoIsEpermByDefault) {
  set_rule(R"("action": "SCMP_ACT_ERRNO")");
  EXPECT_EQ(answer(look_at(kCall), kCall, "error"), "EPERM");
}

TEST_F(Seccomp, ErrnoIsTheRules) {
  set_rule(kWithOwnErrno);
  EXPECT_EQ(answer(look_at(kCall), kCall, "error"), kEnotunique);
}

TEST_F(Seccomp, LeavesOtherCallsAlone) {
  set_rule(kWithOwnErrno);
  const Json report = look({"call=39"});  // getpid(2)
  EXPECT_EQ(answer(report, "39", "error"), "");
}

class KillingAction : public Seccomp, public ::testing::WithParamInterface<const char*> {};

TEST_P(KillingAction, KillsWithSigsys) {
  set_rule(cat(R"("action": ")", GetParam(), '"'));
  EXPECT_EQ(answer(look_at(kCall), kCall, "signal"), cat(SIGSYS));
}

INSTANTIATE_TEST_SUITE_P(Seccomp, KillingAction,
                         ::testing::Values("SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
                                           "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(Seccomp, LogLetsTheCallThrough) {
  set_rule(R"("action": "SCMP_ACT_LOG")");
  EXPECT_EQ(answer(look_at(kCall), kCall, "error"), "");
}

TEST_F(Seccomp, AllowLetsTheCallThrough) {
  set_rule(R"("action": "SCMP_ACT_ALLOW")");
  EXPECT_EQ(answer(look_at(kCall), kCall, "error"), "");
}

TEST_F(Seccomp, TraceWithoutATracerIsEnosys) {
  set_rule(R"("action": "SCMP_ACT_TRACE")");
  EXPECT_EQ(answer(look_at(kCall), kCall, "error"), "ENOSYS");
}

/// An operator with a value; which of the second arguments 0, 1, 2 it matches.
struct Operator {
  const char* name;
  const char* document;
  bool matches[3];
};

class ArgumentOperator : public Seccomp, public ::testing::WithParamInterface<Operator> {};

TEST_P(ArgumentOperator, ComparesTheArgument) {
  set_rule(cat(kWithOwnErrno, R"(, "args": [{"index": 1, )", GetParam().document, "}]"));
  const char* calls[] = {kCall, kCallOne, kCallTwo};
  const Json report = look({cat("call=", kCall), cat("call=", kCallOne), cat("call=", kCallTwo)});
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(answer(report, calls[i], "error") == kEnotunique, GetParam().matches[i]) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Seccomp, ArgumentOperator,
    ::testing::Values(Operator{"NE", R"("value": 1, "op": "SCMP_CMP_NE")", {true, false, true}},
                      Operator{"LT", R"("value": 1, "op": "SCMP_CMP_LT")", {true, false, false}},
                      Operator{"LE", R"("value": 1, "op": "SCMP_CMP_LE")", {true, true, false}},
                      Operator{"EQ", R"("value": 1, "op": "SCMP_CMP_EQ")", {false, true, false}},
                      Operator{"GE", R"("value": 1, "op": "SCMP_CMP_GE")", {false, true, true}},
                      Operator{"GT", R"("value": 1, "op": "SCMP_CMP_GT")", {false, false, true}},
                      Operator{"MaskedEQ",
                               R"("value": 1, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ")",
                               {false, true, false}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(Seccomp, SeveralArgumentsMustAllMatch) {
  set_rule(cat(kWithOwnErrno, R"(, "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"},
                                            {"index": 1, "value": 1, "op": "SCMP_CMP_EQ"}])"));
  const Json report = look({cat("call=", kCall), cat("call=", kCallOne)});
  EXPECT_EQ(answer(report, kCall, "error"), "");
  EXPECT_EQ(answer(report, kCallOne, "error"), kEnotunique);
}

TEST_F(Seccomp, UnknownCallsAreTolerated) {
  config_.set("/linux/seccomp",
              cat(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{)",
                  R"("names": ["call_from_the_future", "getpriority"], )", kWithOwnErrno, "}]}"));
  EXPECT_EQ(answer(look_at(kCall), kCall, "error"), kEnotunique);
}

TEST_F(Seccomp, HoldsWithoutNoNewPrivilegesToo) {
  config_.set("/process/noNewPrivileges", "false");
  set_rule(kWithOwnErrno);
  const Json report = look_at(kCall);
  EXPECT_EQ(report.at("/noNewPrivileges"), "false");
  EXPECT_EQ(answer(report, kCall, "error"), kEnotunique);
}

TEST_F(Seccomp, HoldsForAnotherUser) {
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  config_.set("/process/noNewPrivileges", "false");
  set_rule(kWithOwnErrno);
  EXPECT_EQ(answer(look_at(kCall), kCall, "error"), kEnotunique);
}

class Flag : public Seccomp, public ::testing::WithParamInterface<const char*> {};

TEST_P(Flag, IsUnderstood) {
  set_rule(kWithOwnErrno, cat(R"(, "flags": [")", GetParam(), "\"]"));
  EXPECT_EQ(answer(look_at(kCall), kCall, "error"), kEnotunique);
}

INSTANTIATE_TEST_SUITE_P(Seccomp, Flag,
                         ::testing::Values("SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                                           "SECCOMP_FILTER_FLAG_SPEC_ALLOW"),
                         [](const auto& info) { return std::string(info.param + 20); });

// Those of this machine's byte order: libseccomp puts no others into one filter.
class Architecture : public Seccomp, public ::testing::WithParamInterface<const char*> {};

TEST_P(Architecture, IsUnderstood) {
  set_rule(kWithOwnErrno, cat(R"(, "architectures": ["SCMP_ARCH_X86_64", ")", GetParam(), "\"]"));
  EXPECT_EQ(answer(look_at(kCall), kCall, "error"), kEnotunique);
}

INSTANTIATE_TEST_SUITE_P(Seccomp, Architecture,
                         ::testing::Values("SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_ARM",
                                           "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPSEL",
                                           "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
                                           "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64"),
                         [](const auto& info) { return std::string(info.param + 10); });

struct Wrong {
  const char* name;
  const char* document;
};

class WrongSeccomp : public Conformance, public ::testing::WithParamInterface<Wrong> {};

TEST_P(WrongSeccomp, IsAnError) {
  config_.set("/linux/seccomp", GetParam().document);
  EXPECT_TRUE(refuses());
}

INSTANTIATE_TEST_SUITE_P(
    Seccomp, WrongSeccomp,
    ::testing::Values(
        Wrong{"WithoutADefaultAction", R"({"syscalls": []})"},
        Wrong{"WithAnUnknownDefaultAction", R"({"defaultAction": "SCMP_ACT_NOTHING"})"},
        Wrong{"WithAnUnknownArchitecture",
              R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_Z80"]})"},
        Wrong{"WithAnUnknownFlag",
              R"({"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_NONE"]})"},
        Wrong{"WithoutNames",
              R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_ERRNO"}]})"},
        Wrong{"WithNoNames", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
              [{"names": [], "action": "SCMP_ACT_ERRNO"}]})"},
        Wrong{"WithoutAnAction", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
              [{"names": ["getpriority"]}]})"},
        Wrong{"WithAnUnknownAction", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
              [{"names": ["getpriority"], "action": "SCMP_ACT_NOTHING"}]})"},
        Wrong{"WithAnUnknownOperator", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
              [{"names": ["getpriority"], "action": "SCMP_ACT_ERRNO",
                "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_ALMOST"}]}]})"},
        Wrong{"WithAnIndexOutOfRange", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
              [{"names": ["getpriority"], "action": "SCMP_ACT_ERRNO",
                "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}]})"},
        Wrong{"WithAnErrnoForAnActionThatHasNone", R"({"defaultAction": "SCMP_ACT_ALLOW",
              "syscalls": [{"names": ["getpriority"], "action": "SCMP_ACT_KILL", "errnoRet": 1}]})"},
        Wrong{"WithADefaultErrnoForAnActionThatHasNone",
              R"({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1})"},
        Wrong{"WithListenerMetadataAlone",
              R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "text"})"}),
    [](const auto& info) { return std::string(info.param.name); });

class SeccompListener : public Seccomp {
 protected:
  [[nodiscard]] std::string path() const { return directory() + "/listener"; }
  void set_notify() {
    set_rule(R"("action": "SCMP_ACT_NOTIFY")",
             cat(R"(, "listenerPath": ")", path(), R"(", "listenerMetadata": "for the listener")"));
  }

  /// Runs the container, answers its call with ENOTUNIQ, and returns what the listener got.
  Json be_notified(Json& report) {
    const Listener listener(path());
    config_.args({"/probe", cat("call=", kCall)});
    Program& creation = begin_create();
    listen_during(listener, creation.pid());
    EXPECT_TRUE(succeeds(creation.wait()));
    Call call;
    call.args = {"--root", directory() + "/state", "start", id()};
    Program starting(testing::runtime_binary(), call);
    listen_during(listener, starting.pid());
    EXPECT_TRUE(succeeds(starting.wait()));
    listen_during(listener, pid());
    EXPECT_TRUE(delivery_.descriptor) << "no descriptor came";
    if (delivery_.descriptor) answer_one(delivery_.descriptor.get());
    report = this->report();
    wait_for_end();
    EXPECT_FALSE(listener.is_called()) << "a second connection";
    return Json(delivery_.text);
  }

 private:
  UniqueFd connection_;
  Delivery delivery_;

  /// A runtime may connect and send in create, in start or in the container's process: takes what
  /// comes until `process` ends.
  void listen_during(const Listener& listener, pid_t process) {
    eventually([&] {
      siginfo_t info{};
      ::waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT);
      if (!connection_ && listener.is_called()) connection_ = listener.accept();
      if (connection_ && delivery_.text.empty() && is_readable(connection_.get())) {
        delivery_ = receive_all(connection_.get());
      }
      return delivery_.descriptor || info.si_pid == process;
    });
  }
  static void answer_one(int descriptor) {
    seccomp_notif request{};
    if (::ioctl(descriptor, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) return;
    seccomp_notif_resp response{};
    response.id = request.id;
    response.error = -ENOTUNIQ;
    ::ioctl(descriptor, SECCOMP_IOCTL_NOTIF_SEND, &response);
  }
};

TEST_F(SeccompListener, GetsADescriptorToAnswerCallsWith) {
  set_notify();
  Json report("null");
  const Json state = be_notified(report);
  EXPECT_EQ(answer(report, kCall, "error"), kEnotunique);
  EXPECT_EQ(state.at("/fds"), R"(["seccompFd"])");
}

TEST_F(SeccompListener, GetsTheContainerProcessState) {
  set_notify();
  Json report("null");
  const Json state = be_notified(report);
  EXPECT_TRUE(state.at("/ociVersion").starts_with("1.")) << state.text();
  EXPECT_EQ(state.at("/metadata"), "for the listener");
  EXPECT_EQ(state.at("/pid"), cat(pid()));
  EXPECT_EQ(state.at("/state/id"), id());
  EXPECT_EQ(state.at("/state/bundle"), bundle());
  EXPECT_EQ(state.at("/state/pid"), cat(pid()));
}

TEST_F(SeccompListener, ThatIsNotThereIsAnError) {
  set_notify();
  EXPECT_TRUE(create().exit_code != 0 || start().exit_code != 0);
}

TEST_F(SeccompListener, IsIgnoredWhenNothingNotifies) {
  set_rule(kWithOwnErrno, R"(, "listenerPath": "/no/such/socket")");
  EXPECT_EQ(answer(look_at(kCall), kCall, "error"), kEnotunique);
}

/// What Docker sends by default: tests/data.
class SeccompProfile : public Seccomp {
 protected:
  void SetUp() override {
    Seccomp::SetUp();
    const char* runfiles = std::getenv("TEST_SRCDIR");
    const std::string tree = runfiles == nullptr ? "." : cat(runfiles, "/runtime");
    const Json docker(read(tree + "/tests/data/configs/docker-default.json"));
    ASSERT_TRUE(docker.has("/linux/seccomp"));
    config_.set("/linux/seccomp", docker.at("/linux/seccomp"));
  }
  // unshare(2) of a user namespace: for those with CAP_SYS_ADMIN.
  static constexpr const char* kUnshare = "272:0x10000000";
};

TEST_F(SeccompProfile, OfDockerAllowsWhatAProgramNeeds) {
  const Json report = look({"call=39", cat("call=", kUnshare)});
  EXPECT_EQ(report.at("/seccomp/mode"), "2");
  EXPECT_EQ(answer(report, "39", "error"), "");
  EXPECT_EQ(answer(report, kUnshare, "error"), "EPERM");
}

TEST_F(SeccompProfile, DefaultErrnoIsTheDocuments) {
  config_.set("/linux/seccomp/defaultErrnoRet", "76");
  EXPECT_EQ(answer(look_at(kUnshare), kUnshare, "error"), kEnotunique);
}

}  // namespace
}  // namespace rt::conformance
