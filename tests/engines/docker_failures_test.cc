// What Docker makes of a container that cannot be started: its exit codes 125, 126 and 127 come
// from words in the runtime's message, and what is wrong stands there too.
#include <elf.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/docker.h"
#include "tests/support/bundle.h"

namespace rt::testing {
namespace {

constexpr const char* kHere = "/srv/broken";

void write_program(const std::string& name, std::string_view text, mode_t mode = 0755) {
  const Result<UniqueFd> file = sys::open(cat(kHere, "/", name), O_WRONLY | O_CREAT, 0600);
  ASSERT_TRUE(file.ok()) << name;
  ASSERT_TRUE(sys::write_all(file.value().get(), text).ok());
  ASSERT_TRUE(sys::fchmod(file.value().get(), mode).ok());
}

/// A container can have a runtime that is not there: a mistake in daemon.json.
const std::vector<std::string> kOptions = {"--add-runtime=missing=/gone/runtime"};

/// A program that runs, but for two bytes of its header.
void write_program_of_another_machine() {
  const std::string path = cat(kHere, "/foreign");
  copy_file("/usr/bin/busybox", path, 0755);
  const UniqueFd file = sys::open(path, O_WRONLY).value();
  const Elf64_Half machine = EM_S390;
  ASSERT_EQ(::pwrite(file.get(), &machine, sizeof machine, offsetof(Elf64_Ehdr, e_machine)), 2);
}

/// Programs, each broken in its own way; the machine forgets them.
void write_broken_programs() {
  for (const char* directory : {"", "/directory", "/locked", "/noexec"}) {
    std::filesystem::create_directories(cat(kHere, directory));
  }
  ::chmod(cat(kHere, "/locked").c_str(), 0700);
  write_program("plain", "#!/bin/sh\n", 0644);
  write_program("roots", "#!/bin/sh\n", 0700);
  write_program("locked/program", "#!/bin/sh\n");
  write_program("script", "#!/gone/bash -e\n");
  write_program("windows", "#!/bin/sh\r\necho hi\r\n");
  write_program("strange", "#!/broken/plain\n");
  write_program("empty", "");
  write_program("text", "echo hi\n");
  write_program("cut", "\177ELF\2\1\1");
  copy_file("/usr/bin/env", cat(kHere, "/dynamic"), 0755);
  write_program_of_another_machine();
  std::filesystem::create_symlink("/gone/sh", cat(kHere, "/dangling"));
  std::filesystem::create_symlink("loop", cat(kHere, "/loop"));
  ASSERT_EQ(::mkfifo(cat(kHere, "/fifo").c_str(), 0755), 0);
  ::chmod(cat(kHere, "/fifo").c_str(), 0755);
  ASSERT_EQ(::mount("tmpfs", cat(kHere, "/noexec").c_str(), "tmpfs", MS_NOEXEC, nullptr), 0);
  write_program("noexec/program", "#!/bin/sh\n");
}

struct Broken {
  const char* name;
  const char* program;
  int exit_code;
  const char* words;        // that Docker and its users know; empty: it does not look at them
  const char* explanation;  // ours
  const char* user = "0";
};

class DockerBrokenProgram : public Docker, public ::testing::WithParamInterface<Broken> {
 protected:
  DockerBrokenProgram() : Docker(kOptions) {}
  void SetUp() override {
    static const bool kWritten = [] { return write_broken_programs(), true; }();
    static_cast<void>(kWritten);
    Docker::SetUp();
  }
};

TEST_P(DockerBrokenProgram, IsExplained) {
  const Broken& broken = GetParam();
  const Outcome outcome =
      run({cat("--volume=", kHere, ":/broken:ro"), cat("--user=", broken.user)}, {broken.program});
  EXPECT_EQ(outcome.exit_code, broken.exit_code);
  if (!tests_ours()) return;
  EXPECT_NE(outcome.err.find(broken.words), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find(broken.explanation), std::string::npos) << outcome.err;
}

constexpr const char* kMissing = "no such file or directory";
constexpr const char* kDenied = "permission denied";
constexpr const char* kFormat = "exec format error";

INSTANTIATE_TEST_SUITE_P(
    Row, DockerBrokenProgram,
    ::testing::Values(
        Broken{"NotInPath", "nope", 127, "executable file not found in $PATH", ""},
        Broken{"NoName", "", 127, "executable file not found in $PATH", "empty"},
        Broken{"Missing", "/gone", 127, "stat /gone: no such file or directory", ""},
        Broken{"DirectoryMissing", "/gone/x", 127, "stat /gone/x: no such file or directory",
               "(the directory /gone is missing)"},
        Broken{"LinkToNothing", "/broken/dangling", 127, "stat /broken/dangling",
               "(/broken/dangling is a link to /gone/sh, which is missing)"},
        Broken{"LinkToItself", "/broken/loop", 125, "stat /broken/loop: too many levels",
               "(/broken/loop is a link to loop: the links have no end)"},
        Broken{"BelowAFile", "/broken/plain/x", 125, "stat /broken/plain/x: not a directory",
               "(/broken/plain is a file)"},
        Broken{"Directory", "/broken/directory", 126, kDenied, "(it is a directory)"},
        Broken{"NotExecutable", "/broken/plain", 126, kDenied,
               "(its mode is 0644: no x bit; chmod +x in the image)"},
        Broken{"NotForThisUser", "/broken/roots", 126, kDenied,
               "(its mode is 0700, its owner 0:0: not executable for this user)", "1000"},
        Broken{"NotReachableByThisUser", "/broken/locked/program", 126, kDenied,
               "(the directory /broken/locked may not be searched by this user)", "1000"},
        Broken{"MountedNoexec", "/broken/noexec/program", 126, kDenied,
               "(it is on a mount with the option noexec)"},
        Broken{"InterpreterMissing", "/broken/script", 1, kMissing,
               "(its interpreter /gone/bash is missing)"},
        Broken{"InterpreterNotExecutable", "/broken/strange", 1, kDenied,
               "(its interpreter /broken/plain is not executable)"},
        Broken{"LineEndsOfWindows", "/broken/windows", 1, kMissing,
               "(its #! line ends in \\r\\n, as on Windows: it needs \\n alone)"},
        Broken{"LoaderMissing", "/broken/dynamic", 1, kMissing, "(its loader /lib"},
        Broken{"OtherMachine", "/broken/foreign", 1, kFormat,
               "(it is for another kind of machine: ELF machine 22, this one is "},
        Broken{"CutOff", "/broken/cut", 1, kFormat, "(it is an ELF file that is cut off)"},
        Broken{"Empty", "/broken/empty", 1, kFormat, "(it is empty)"},
        Broken{"NoProgram", "/broken/text", 1, kFormat,
               "(it is neither a program nor a script that begins with #!)"},
        Broken{"Fifo", "/broken/fifo", 1, kDenied, "(it is not a file)"}),
    [](const auto& info) { return info.param.name; });

class DockerFailure : public Docker {
 protected:
  DockerFailure() : Docker(kOptions) {}
  /// The text that the engine keeps of a start that failed.
  [[nodiscard]] std::string error() const { return inspect("{{.State.Error}}"); }
};

TEST_F(DockerFailure, IsKeptWithTheContainer) {
  const Outcome outcome =
      docker({"run", "--detach", "--name", name(), "--network=none", "bb", "/nope"});
  EXPECT_EQ(outcome.exit_code, 127);
  EXPECT_EQ(inspect("{{.State.ExitCode}} {{.State.Status}}"), "127 created");
  EXPECT_NE(error().find("exec: \"/nope\": stat /nope: no such file or directory"),
            std::string::npos)
      << error();
  remove();
}

TEST_F(DockerFailure, DoesNotKeepTheNextStartFromSucceeding) {
  docker({"create", "--name", name(), "--network=none", "bb", "/late"});
  EXPECT_NE(docker({"start", name()}).exit_code, 0);
  EXPECT_TRUE(succeeds(docker({"cp", "/usr/bin/busybox", name() + ":/busybox"})));
  EXPECT_TRUE(succeeds(docker({"cp", "--follow-link", "/usr/bin/busybox", name() + ":/late"})));
  EXPECT_EQ(docker({"start", "--attach", name()}).exit_code, 127);  // busybox: no applet "late"
  EXPECT_EQ(error(), "");
  remove();
}

struct Refused {
  const char* name;
  std::vector<std::string> options;
  int exit_code;
  const char* words;
};

class DockerRefusal : public Docker, public ::testing::WithParamInterface<Refused> {
 protected:
  DockerRefusal() : Docker(kOptions) {}
};

TEST_P(DockerRefusal, SaysWhy) {
  const Outcome outcome = run(GetParam().options, {"true"});
  EXPECT_EQ(outcome.exit_code, GetParam().exit_code);
  EXPECT_NE(outcome.err.find(GetParam().words), std::string::npos) << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(
    Row, DockerRefusal,
    ::testing::Values(
        Refused{"UnknownOption", {"--nonsense"}, 125, "unknown flag: --nonsense"},
        Refused{"UnknownRuntime", {"--runtime=nope"}, 125, "nope"},
        Refused{"RuntimeThatIsMissing", {"--runtime=missing"}, 127, "/gone/runtime"},
        Refused{"TooLittleMemory", {"--memory=1m"}, 125, "memory limit"},
        Refused{"UnknownUser", {"--user=nobody-here"}, 125, "unable to find user nobody-here"},
        // Not the daemon but the runtime refuses these.
        Refused{"FileOnADirectory", {"--volume=/etc/passwd:/etc"}, 125, "not a directory"},
        Refused{"UnknownSysctl", {"--sysctl=net.nonsense=1"}, 127, kMissing},
        Refused{"WorkdirIsAFile", {"--workdir=/bin/busybox"}, 125, "not a directory"},
        Refused{"DeviceIsMissing", {"--device=/dev/nonsense"}, 127, kMissing}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace rt::testing
